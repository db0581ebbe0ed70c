# A hypervisor host with the agent in it, and a network with a target of tgt: two network namespaces of
# one test, taken down by house_down. Links, the host's own leg beside them and its addresses are the
# agent's work; a guest is a real QEMU without a disk on the macvtap mt1.
#
#   san 10.99.0.2, 10.99.0.3 san0 <--- veth ---> hv0 hv: mt1 (tap), leg0 10.99.0.1

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}
GUEST_MAC=52:54:00:99:00:10

house_up() {
  cd "$BATS_TEST_TMPDIR" || return
  # The workers have users of their own, and bats keeps its folder to itself.
  chmod 711 .
  HV=twhv$$-$BATS_TEST_NUMBER
  SAN=twsan$$-$BATS_TEST_NUMBER
  # A control socket of its own: /var/run/tgtd/socket.N is the whole machine's.
  TGT_PORT=$((10 + $$ % 200))
  export TGTADM="tgtadm -C $TGT_PORT"
  PIDS=
  ip netns add "$HV"
  ip netns add "$SAN"
  ip link add hv0 netns "$HV" type veth peer name san0 netns "$SAN"
  ip -n "$HV" link set lo up
  ip -n "$SAN" link set lo up
  ip -n "$HV" link set hv0 up
  ip -n "$SAN" link set san0 up
  ip -n "$SAN" addr add 10.99.0.2/24 dev san0
  ip -n "$SAN" addr add 10.99.0.3/24 dev san0
}

house_down() {
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

# A first sector that writes a line to the serial port and resets the machine, which ends QEMU; without
# interrupts, by which SeaBIOS writes what it has not written yet, in the middle of it. A disk of less
# than one cylinder of 255 heads and 63 sectors could not be read by iPXE's BIOS calls.
lun() {
  perl -e 'my $code = pack("H*", "fa31c08ed8be187cbaf803ac84c07403eeebf8ea0000ffff");
    my $sector = $code . "\r\nMARKER of the LUN\r\n\0";
    print $sector, "\0" x (510 - length $sector), pack("H*", "55aa")' >lun
  truncate -s 64M lun
}

# background FILE COMMAND...: until the test ends.
background() {
  local file=$1
  shift
  "$@" >"$file" 2>&1 </dev/null 3>&- &
  PIDS="$! $PIDS"
}

# until_ok COMMAND...: within 30 seconds.
until_ok() {
  local deadline=$((SECONDS + 31))
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "never: $*"
      return 1
    fi
    sleep 0.05
  done
}

# config [TARGET-KEYS [GUEST-KEYS]]
config() {
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
host-link = leg0
host-address = 10.99.0.1/24 fd99::1/64
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
$2
[web]
boot-listen = 10.99.0.1:8080
END
}

# Everything from the kit: the target as target/tgt.sh makes it of the file `lun`, DHCP as
# dhcp/dnsmasq.conf says. The permanent neighbour spares iPXE its wait for IPv6: it does not answer who
# asks for it before it has an address.
serve() {
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
  until_ok ip netns exec "$HV" curl -sf http://10.99.0.1:8080/boot.ipxe
  until_ok ip -n "$HV" link show mt1 up
  ip -n "$HV" -6 neigh replace fe80::5054:ff:fe99:10 lladdr $GUEST_MAC dev leg0 nud permanent
  background dnsmasq.log ip netns exec "$HV" dnsmasq -k -C dnsmasq.conf --user=root --group=root
}

# guest SECONDS [QEMU-ARGUMENTS]: the machine, by the kit's own script; what it says is in `console`.
guest() {
  local seconds=$1
  shift
  PATH=${TAPWARDEN%/*}:$PATH TAPWARDEN_INI=$PWD/t.ini ip netns exec "$HV" timeout "$seconds" \
    kit/host/qemu.sh -accel tcg -no-reboot "$@" </dev/null >console 2>&1 || true
}

# boots SECONDS MARKER [QEMU-ARGUMENTS]
boots() {
  serve
  guest "$1" "${@:3}"
  strings console
  grep -a -q "$2" console
}
