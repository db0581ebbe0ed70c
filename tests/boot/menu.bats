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

# keyboard SECONDS: the guest of shop, at whose serial line the test sits: bytes into `keys` are typed.
keyboard() {
  rm -f keys
  mkfifo keys
  PATH=${TAPWARDEN%/*}:$PATH TAPWARDEN_INI=$PWD/t.ini ip netns exec "$HV" timeout "$1" \
    kit/host/qemu.sh -accel tcg -no-reboot <keys >console 2>&1 3>&- &
  PIDS="$! $PIDS"
  exec 4>keys
}

guest_is() {
  ip netns exec "$HV" "$TAPWARDEN" status --json -c t.ini | jq -e ".guests[] | select(.name == \"shop\") | $1"
}

menu_config() {
  config 'portal = 10.99.0.2' "menu = run local rescue
menu-timeout = $1
rescue-kernel = http://10.99.0.1:8080/no-rescue
rescue-initrd = http://10.99.0.1:8080/no-rescue"
}

@test "a menu shows what the guest may choose, and takes the default when nobody does" {
  menu_config 1
  boots 60 'MARKER of the LUN'
  for text in 'guest shop' 'its own system' 'a disk of the machine' 'its rescue system'; do
    grep -a -q "$text" console
  done
  run -1 grep -a -q 'its installer' console
  guest_is '.state == "run" and .booting == "run" and .steps.menu.count == 1 and .steps.script.count == 1'
}

@test "what is chosen at the keyboard is booted, and the state stays" {
  menu_config 0
  serve
  keyboard 60
  until_ok grep -a -q 'its rescue system' console
  guest_is '.booting == null and .waits_for == "script" and .steps.menu.count == 1'
  # The second of three, in the order run, rescue, local.
  printf '\033[B\r' >&4
  until_ok grep -a -q '/ipxe/52-54-00-99-00-10/rescue... ok' console
  until_ok grep -a -q 'guest shop cannot load its rescue system' console
  until_ok guest_is '.state == "run" and .booting == "rescue"'
  exec 4>&-
}

@test "its state is the menu's default" {
  menu_config 0
  serve
  ip netns exec "$HV" "$TAPWARDEN" boot set shop local -c t.ini
  keyboard 60
  until_ok grep -a -q 'its rescue system' console
  printf '\r' >&4
  until_ok grep -a -q 'guest shop boots from a disk of its own' console
  until_ok guest_is '.state == "local" and .booting == "local"'
  exec 4>&-
}

@test "Escape leaves the menu for the next device" {
  menu_config 0
  serve
  keyboard 60
  until_ok grep -a -q 'its rescue system' console
  printf '\033' >&4
  until_ok grep -a -q 'No bootable device' console
  guest_is '.booting == null'
  exec 4>&-
}

answers_unknown() {
  [ "$(ip netns exec "$HV" curl -s -o /dev/null -w '%{http_code}' http://10.99.0.1:8080/ipxe/52:54:00:99:00:10)" = "$1" ]
}
