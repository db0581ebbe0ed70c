#!/usr/bin/env bats
# A guest without any disk: a real QEMU with Debian's iPXE on a macvtap that the agent made, a DHCP
# server and an iSCSI target of Debian, all in two network namespaces. What the LUN's first sector
# says on the serial line is the proof.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}
GUEST_MAC=52:54:00:99:00:10

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  HV=twhv$$-$BATS_TEST_NUMBER
  SAN=twsan$$-$BATS_TEST_NUMBER
  # A control socket of its own: /var/run/tgtd/socket.N is the whole machine's.
  TGT_PORT=$((10 + $$ % 200))
  export TGTADM="tgtadm -C $TGT_PORT"
  PIDS=
  wire
  printf 'secret-pass-12' >forward
  printf 'other-pass-123' >reverse
  chmod 600 forward reverse
  lun
}

teardown() {
  local pid
  for pid in $PIDS $(ip netns pids "$HV"); do
    # tgtd does not end on SIGTERM while it has a target.
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  ip netns del "$HV"
  ip netns del "$SAN"
  rm -f "/var/run/tgtd/socket.$TGT_PORT" "/var/run/tgtd/socket.$TGT_PORT.lock"
}

# The host's own leg on the lower device answers the guest; a router without a route and a permanent
# neighbour spare iPXE its wait for IPv6.
wire() {
  ip netns add "$HV"
  ip netns add "$SAN"
  ip netns exec "$HV" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
  ip link add hv0 netns "$HV" type veth peer name san0 netns "$SAN"
  ip -n "$HV" link set lo up
  ip -n "$SAN" link set lo up
  ip -n "$HV" link set hv0 up
  ip -n "$SAN" link set san0 up
  ip -n "$SAN" addr add 10.99.0.2/24 dev san0
  ip -n "$SAN" addr add 10.99.0.3/24 dev san0
  ip -n "$HV" link add link hv0 name leg0 type macvlan mode bridge
  ip netns exec "$HV" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/leg0/disable_ipv6'
  ip -n "$HV" addr add 10.99.0.1/24 dev leg0
  ip -n "$HV" addr add fd99::1/64 dev leg0 nodad
  ip -n "$HV" link set leg0 up
  ip -n "$HV" -6 neigh replace fe80::5054:ff:fe99:10 lladdr $GUEST_MAC dev leg0 nud permanent
}

# A first sector that writes a line to the serial port and resets the machine, which ends QEMU. A disk
# of less than one cylinder of 255 heads and 63 sectors could not be read by iPXE's BIOS calls.
lun() {
  perl -e 'my $code = pack("H*", "31c08ed8be177cbaf803ac84c07403eeebf8ea0000ffff");
    my $sector = $code . "\r\nMARKER of the LUN\r\n\0";
    print $sector, "\0" x (510 - length $sector), pack("H*", "55aa")' >lun
  truncate -s 64M lun
}

# background FILE COMMAND...: until the test ends.
background() {
  local file=$1
  shift
  "$@" >"$file" 2>&1 3>&- &
  PIDS="$! $PIDS"
}

# until_ok COMMAND...: within 20 seconds.
until_ok() {
  local n
  for ((n = 0; n < 400; n++)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  echo "never: $*"
  return 1
}

# config [TARGET-KEYS [GUEST-KEYS]]
config() {
  mkdir -p etc
  cat >t.ini <<END
[agent]
run-dir = $PWD/run
log-dir = $PWD/log
user-capture = 64901
user-web = 64902
[set boot]
lower = hv0
count = 1
name = mt%d
[link mt1]
set = boot
mac = $GUEST_MAC
[target disk]
name = iqn.2026-01.test.boot:disk
lun = 1
$1
[guest shop]
link = mt1
target = disk
initiator = iqn.2026-01.test.boot:shop
address = 10.99.0.10/24
$2
[web]
boot-listen = 10.99.0.1:8080
END
}

CHAP="chap-user = alice
chap-secret-file = $BATS_TEST_TMPDIR/forward"
MUTUAL="$CHAP
reverse-user = bob
reverse-secret-file = $BATS_TEST_TMPDIR/reverse"

# Everything from the kit: the target as target/tgt.sh makes it, DHCP as dhcp/dnsmasq.conf says.
serve() {
  chmod 755 .
  chmod 711 "$BATS_TEST_TMPDIR"
  "$TAPWARDEN" boot kit shop -o kit -c t.ini
  mkdir -p /var/run/tgtd
  background tgtd.log ip netns exec "$SAN" tgtd -f -C "$TGT_PORT" --iscsi portal=10.99.0.2:3260
  # shellcheck disable=SC2086 # a command and its words
  until_ok $TGTADM --lld iscsi --mode target --op show
  ip netns exec "$SAN" kit/target/tgt.sh "$PWD/lun"
  {
    printf '%s\n' port=0 interface=leg0 bind-interfaces dhcp-authoritative dhcp-option=3 \
      dhcp-range=10.99.0.100,10.99.0.150,255.255.255.0,1h \
      enable-ra dhcp-range=fd99::,ra-only ra-param=leg0,10 "dhcp-leasefile=$PWD/leases"
    cat kit/dhcp/dnsmasq.conf
  } >dnsmasq.conf
  background agent.log ip netns exec "$HV" "$TAPWARDEN" run -c t.ini
  until_ok ip -n "$HV" link show mt1 up
  background dnsmasq.log ip netns exec "$HV" dnsmasq -k -C dnsmasq.conf --user=root --group=root
  until_ok ip netns exec "$HV" curl -sf http://10.99.0.1:8080/boot.ipxe
}

# guest SECONDS: the machine; what it says is in `console`.
guest() {
  ip netns exec "$HV" timeout "$1" "$TAPWARDEN" qemu mt1 -c t.ini -- qemu-system-x86_64 -accel tcg \
    -m 256 -display none -machine graphics=off -serial file:console -monitor none -no-reboot \
    -nodefaults -netdev "{netdev}" -device "{device},bootindex=1" || true
}

boots() {
  serve
  guest 60
  strings console | tail -n 30
  grep -q 'MARKER of the LUN' console
}

@test "a guest without a disk boots from its LUN" {
  config 'portal = 10.99.0.2'
  boots
}

@test "with CHAP" {
  config "portal = 10.99.0.2
$CHAP"
  boots
}

@test "with CHAP in both directions" {
  config "portal = 10.99.0.2
$MUTUAL"
  boots
}

@test "by two portals, of which the first does not answer" {
  config 'portal = 10.99.0.3 10.99.0.2'
  boots
}

# fails CODE: the guest stays without a disk, and iPXE says why by this number.
fails() {
  guest 60 &
  PIDS="$! $PIDS"
  until_ok grep -q "ipxe.org/$1" console || {
    strings console | tail -n 30
    return 1
  }
  run -1 grep -q MARKER console
}

@test "a wrong secret is refused by the target, and iPXE says so" {
  config "portal = 10.99.0.2
$CHAP"
  serve
  $TGTADM --lld iscsi --mode account --op delete --user alice
  $TGTADM --lld iscsi --mode account --op new --user alice --password another-pass-1
  $TGTADM --lld iscsi --mode account --op bind --tid 1 --user alice
  fails 410d613c
}

@test "another initiator's name is not let in" {
  config 'portal = 10.99.0.2'
  serve
  $TGTADM --lld iscsi --mode target --op unbind --tid 1 --initiator-name iqn.2026-01.test.boot:shop
  $TGTADM --lld iscsi --mode target --op bind --tid 1 --initiator-name iqn.2026-01.test.boot:other
  fails 2c0d603b
}

# inline stream|dgram ACTION: the frames go through the agent's capture worker, which knows the marker.
inline() {
  sed -i "/^lower = hv0/a monitor = inline\npeer = $1" t.ini
  cat >>t.ini <<END
[pattern marker]
regex = "MARKER of the LUN"
scope = stream
action = $2
END
}


@test "a guest boots through the relay, by a stream" {
  config 'portal = 10.99.0.2'
  inline stream log
  boots
  grep -q '"signature":"marker"' log/records.json
}

@test "a guest boots through the relay, by datagrams" {
  config 'portal = 10.99.0.2'
  inline dgram log
  boots
  grep -q '"signature":"marker"' log/records.json
}

@test "what a pattern forbids does not reach the guest, though it boots up to there" {
  config 'portal = 10.99.0.2'
  inline stream drop
  serve
  guest 60 &
  PIDS="$! $PIDS"
  until_ok grep -q '"signature":"marker"' log/records.json
  # It asks for that block again and again, in vain.
  run -1 grep -q MARKER console
  grep -q '/ipxe/52-54-00-99-00-10... ok' console
}
