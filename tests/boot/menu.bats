#!/usr/bin/env bats
# What iPXE shows and does when it is not simply told to boot: Debian's ROM in a real QEMU, whose keys
# are the serial line's.

bats_require_minimum_version 1.5.0

load house.bash

setup() {
  house_up
  lun
}

teardown() {
  house_down
}

# A second link, whose guest is no machine of the test.
two_links() {
  sed -i 's/^count = 1/count = 2/' t.ini
  printf '[link mt2]\nset = boot\nmac = 52:54:00:99:00:20\n' >>t.ini
}

@test "a machine that is no guest goes on to its next device" {
  local unknown said
  config 'portal = 10.99.0.2'
  two_links
  sed -i '/^\[guest shop\]/,/^target/s/^link = mt1/link = mt2/' t.ini
  cp lun disk
  for unknown in '404' 'exit'; do
    sed -i "/^boot-unknown/d; s/^boot-listen.*/&\nboot-unknown = $unknown/" t.ini
    if [ "$unknown" = 404 ]; then
      serve
      said='tapwarden: no boot script for 52-54-00-99-00-10'
    else
      kill -HUP "$(cat run/agent.lock)"
      until_ok answers_unknown 200
      said='tapwarden: no guest has 52-54-00-99-00-10, next device'
    fi
    ip netns exec "$HV" timeout 60 "$TAPWARDEN" qemu mt1 -c t.ini -- qemu-system-x86_64 -accel tcg -m 128 \
      -nodefaults -display none -serial stdio -machine graphics=off -no-reboot -netdev '{netdev}' \
      -device '{device},bootindex=1' -drive if=none,id=disk,format=raw,file=disk \
      -device virtio-blk-pci,drive=disk,bootindex=2 </dev/null >console 2>&1 || true
    strings console
    grep -a -q "$said" console
    grep -a -q 'MARKER of the LUN' console
  done
}

answers_unknown() {
  [ "$(ip netns exec "$HV" curl -s -o /dev/null -w '%{http_code}' http://10.99.0.1:8080/ipxe/52:54:00:99:00:10)" = "$1" ]
}
