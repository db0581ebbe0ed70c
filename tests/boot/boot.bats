#!/usr/bin/env bats
# A guest without any disk: a real QEMU with Debian's iPXE on a macvtap that the agent made, a DHCP
# server and an iSCSI target of Debian, all in two network namespaces. What the LUN's first sector
# says on the serial line is the proof.

bats_require_minimum_version 1.5.0

load house.bash

setup() {
  house_up
  printf 'secret-pass-12' >forward
  printf 'other-pass-123' >reverse
  chmod 600 forward reverse
  lun
}

teardown() {
  house_down
}

CHAP="chap-user = alice
chap-secret-file = $BATS_TEST_TMPDIR/forward"
MUTUAL="$CHAP
reverse-user = bob
reverse-secret-file = $BATS_TEST_TMPDIR/reverse"

@test "a guest without a disk boots from its LUN" {
  config 'portal = 10.99.0.2'
  boots 60 'MARKER of the LUN'
}

@test "with CHAP" {
  config "portal = 10.99.0.2
$CHAP"
  boots 60 'MARKER of the LUN'
}

@test "with CHAP in both directions" {
  config "portal = 10.99.0.2
$MUTUAL"
  boots 60 'MARKER of the LUN'
}

@test "by two portals, of which the first does not answer" {
  config 'portal = 10.99.0.3 10.99.0.2'
  boots 60 'MARKER of the LUN'
}

# fails CODE CAUSE: the guest stays without a disk; iPXE says why by this number, which `boot decode`
# puts in words.
fails() {
  guest 60 &
  PIDS="$! $PIDS"
  until_ok grep -a -q "ipxe.org/$1" console || {
    strings console
    return 1
  }
  run -1 grep -a -q MARKER console
  run -0 "$TAPWARDEN" boot decode "$(grep -a -o "http://ipxe.org/$1" console)"
  [[ "$output" == *$'\n'"cause    $2"* ]]
}

@test "a wrong secret is refused by the target, and iPXE says so" {
  config "portal = 10.99.0.2
$CHAP"
  serve
  $TGTADM --lld iscsi --mode account --op delete --user alice
  $TGTADM --lld iscsi --mode account --op new --user alice --password another-pass-1
  $TGTADM --lld iscsi --mode account --op bind --tid 1 --user alice
  fails 410d613c "the target refused the initiator's CHAP name or secret"
}

@test "another initiator's name is not let in" {
  config 'portal = 10.99.0.2'
  serve
  $TGTADM --lld iscsi --mode target --op unbind --tid 1 --initiator-name iqn.2026-01.test.boot:shop
  $TGTADM --lld iscsi --mode target --op bind --tid 1 --initiator-name iqn.2026-01.test.boot:other
  fails 2c0d603b 'the target has no such name for this initiator'
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
  boots 60 'MARKER of the LUN'
  grep -q '"signature":"marker"' log/records.json
}

@test "a guest boots through the relay, by datagrams" {
  config 'portal = 10.99.0.2'
  inline dgram log
  boots 60 'MARKER of the LUN'
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
  run -1 grep -a -q MARKER console
  grep -a -q '/ipxe/52-54-00-99-00-10... ok' console
}

# boots_on stream|dgram: though the worker that relays its frames is killed in the middle.
boots_on() {
  local pid
  config 'portal = 10.99.0.2'
  inline "$1" log
  serve
  guest 90 &
  PIDS="$! $PIDS"
  until_ok grep -q 'boot.ipxe' console
  pid=$(ip netns exec "$HV" "$TAPWARDEN" status --json -c t.ini | jq '.workers[] | select(.name == "capture").pid')
  kill -KILL "$pid"
  until_ok grep -q 'MARKER of the LUN' console || until_ok grep -q 'MARKER of the LUN' console
}

@test "a worker that is killed while a guest boots costs no more than time, by a stream" {
  boots_on stream
}

@test "a worker that is killed while a guest boots costs no more than time, by datagrams" {
  boots_on dgram
}
