#!/usr/bin/env bats
# The verb qemu: guests' programs that are started with the queues of a tap open, and a real QEMU.

bats_require_minimum_version 1.5.0

load helper.bash

TAP_FDS=$ROOT/build/tests/net/tap_fds

setup() {
  wire_up
}

teardown() {
  wire_down
}

one_set() {
  config <<END
[set web]
lower = eno1
queues = ${1:-1}
count = ${2:-1}
END
}

# qemu WORD...: the verb.
qemu() {
  inside "$TAPWARDEN" qemu -c "$INI" "$@"
}

# refuses TEXT: the run before ended with 2 and said just that.
refuses() {
  echo "$stderr"
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [ "$stderr" = "tapwarden: $1" ]
}

@test "the command finds one queue of its link open, and nothing else of ours" {
  one_set 1 2
  tapwarden apply
  run -0 qemu web2 -- "$TAP_FDS" "{fds}"
  [[ "$output" =~ ^[0-9]+\ web2$ ]]
  inside ls -l /proc/self/fd >"$DIR/without"
  qemu web2 -- ls -l /proc/self/fd "--hide={fds}" >"$DIR/with"
  [ "$(grep -c -- '->' "$DIR/with")" -eq "$(grep -c -- '->' "$DIR/without")" ]
}

@test "as many queues as the set says are opened" {
  one_set 2
  tapwarden apply
  run -0 qemu web1 -- "$TAP_FDS" "{fds}"
  [ "${#lines[@]}" -eq 2 ]
  [[ "${lines[0]}" == *" web1" && "${lines[1]}" == *" web1" ]]
  [ "${lines[0]}" != "${lines[1]}" ]
  one_set 256
  run -0 qemu web1 -- "$TAP_FDS" "{fds}"
  [ "${#lines[@]}" -eq 256 ]
  [ "$(grep -c ' web1$' <<<"$output")" -eq 256 ]
}

@test "--print shows the command that is run, quoted for a shell, and opens no tap" {
  local mac printed fds words
  one_set 2
  tapwarden apply
  mac=$(fact web1 .address)
  words=(echo "{netdev}" "{device}" "{fds} {queues}" '{"mac":"{mac}"}')
  run -0 --separate-stderr qemu web1 --print -- "${words[@]}"
  printed=$output
  [ -z "$stderr" ]
  fds=${printed#*,fds=}
  fds=${fds%% *}
  [ "$printed" = "echo tap,id=web1,fds=$fds virtio-net-pci,netdev=web1,mac=$mac,mq=on,vectors=6 '$fds 2' '{\"mac\":\"$mac\"}'" ]
  run -0 qemu web1 -- "${words[@]}"
  [ "$output" = "$(eval "$printed")" ]

  hold web1
  run -0 --separate-stderr qemu web1 --print -- echo "{netdev}"
  [ "$output" = "echo tap,id=web1,fds=$fds" ]
  [[ "$stderr" == *"now it could not be run: tap_open (pid $HOLDER) holds its tap"* ]]
}

@test "a tap that a process holds is refused, with its name and pid" {
  one_set 1
  tapwarden apply
  hold web1
  run --separate-stderr qemu web1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on web1: tap_open (pid $HOLDER) holds its tap, and another open would take frames from it: end that first"
  # That was seen before any open: here none would go well.
  run --separate-stderr inside unshare --mount sh -c 'mount -t tmpfs -o ro tmpfs /dev && exec "$@"' sh \
    "$TAPWARDEN" qemu -c "$INI" web1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on web1: tap_open (pid $HOLDER) holds its tap, and another open would take frames from it: end that first"
  release
  run -0 qemu web1 -- "$TAP_FDS" "{fds}"
}

@test "a running command holds the tap under its own pid" {
  one_set 2
  tapwarden apply
  spawn "$DIR/out" "$TAPWARDEN" qemu -c "$INI" web1 -- "$TAP_FDS" "{fds}" hold
  until [ -s "$DIR/out" ]; do
    kill -0 "$HOLDER"
    sleep 0.02
  done
  run --separate-stderr qemu web1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on web1: tap_fds (pid $HOLDER) holds its tap, and another open would take frames from it: end that first"
  release
}

@test "a link that is not there, down, another's or no tap is explained" {
  one_set 1
  printf '\n[set leg]\nlower = eno1\nkind = macvlan\ncount = 1\n' >>"$INI"
  run --separate-stderr qemu web1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on web1: it is not there: tapwarden apply -c $INI makes it"
  run --separate-stderr qemu wbe1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on wbe1: $INI makes no link \"wbe1\": did you mean \"web1\"?"
  run --separate-stderr qemu leg1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on leg1: it is a macvlan, and only a macvtap has a tap"

  ip -n "$NETNS" link add link eno1 name web1 type macvtap
  run --separate-stderr qemu web1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on web1: the link of this name is not ours: left alone"
  ip -n "$NETNS" link del web1

  tapwarden apply
  ip -n "$NETNS" link set web1 down
  run --separate-stderr qemu web1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on web1: it is down: tapwarden apply -c $INI brings it up"
  printf '\n[link web1]\nset = web\nup = no\n' >>"$INI"
  run --separate-stderr qemu web1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on web1: it is down, as its configuration has up = no"
}

@test "a lower device without carrier is told, and the command is run" {
  one_set 1
  tapwarden apply
  ip -n "$NETNS" link set peer1 down
  run -0 --separate-stderr qemu web1 -- "$TAP_FDS" "{fds}"
  [[ "$output" == *" web1" ]]
  [ "$stderr" = "tapwarden: web1 has no carrier: eno1 is down: going on" ]
}

@test "no link, no command, an unknown placeholder or program: said, and exit code 2" {
  one_set 1
  tapwarden apply
  run --separate-stderr qemu -- "$TAP_FDS" "{fds}"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *": usage: tapwarden qemu LINK "* ]]
  run --separate-stderr qemu web1 "$TAP_FDS" "{fds}"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *": usage: tapwarden qemu LINK "* ]]
  run --separate-stderr qemu web1
  refuses 'no command after "--": what is to run on web1? `tapwarden help qemu` has an example'
  run --separate-stderr qemu web1 --
  refuses 'no command after "--": what is to run on web1? `tapwarden help qemu` has an example'
  run --separate-stderr qemu web1 -- "$TAP_FDS" "{fdz}"
  refuses 'there is no {fdz}: did you mean {fds}?: `tapwarden help qemu` explains them'
  run --separate-stderr qemu web1 -- "$DIR/none" "{fds}"
  refuses "cannot run a guest on web1: cannot run $DIR/none: No such file or directory"
}

# A /dev of its own; where a vhost-net is in it, any open of that goes well.
with_dev() {
  inside unshare --mount sh -c 'mount -t tmpfs tmpfs /dev && mknod -m 666 /dev/null c 1 3 &&
    exec "$@"' sh "$@"
}

with_vhost() {
  with_dev sh -c 'mknod /dev/vhost-net c 1 3 && exec "$@"' sh "$@"
}

@test "vhost is opened once for each queue where it is there" {
  local netdev
  one_set 2
  tapwarden apply
  run --separate-stderr with_dev "$TAPWARDEN" qemu -c "$INI" web1 -- echo "{fds}" "{vhostfds}"
  refuses "cannot run a guest on web1: the command has {vhostfds}, and there is no vhost here"
  run -0 with_vhost "$TAPWARDEN" qemu -c "$INI" web1 -- sh -c 'echo "$0"
    readlink "/proc/self/fd/${1%:*}" "/proc/self/fd/${1#*:}"' "{netdev}" "{vhostfds}"
  netdev=${lines[0]}
  [[ "$netdev" =~ ^tap,id=web1,fds=[0-9]+:[0-9]+,vhost=on,vhostfds=[0-9]+:[0-9]+$ ]]
  [ "${lines[1]}" = /dev/vhost-net ]
  [ "${lines[2]}" = /dev/vhost-net ]
  run -0 with_vhost "$TAPWARDEN" qemu -c "$INI" --print web1 -- echo "{netdev}"
  [ "$output" = "echo $netdev" ]
}

# asks_for_address LINK: whether a record is of its MAC.
asks_for_address() {
  jq -r 'select(.event_type == "alert") | .ether.src_mac' "$DIR/log/records.json" |
    grep -q "^$(fact "$1" .address)\$"
}

agent_watches() {
  tapwarden status --json 2>/dev/null |
    jq -e '[.links[].monitor == "passive"] | length == 1 and all' &&
    # Watched it is before it is up.
    ip -n "$NETNS" -j link show dev web1 | jq -e '.[0].flags | index("UP")'
}

# guest_boots QUEUES: a QEMU whose boot ROM asks for an address, by DHCP; the agent sees that come
# from the link's MAC, and who holds the tap.
guest_boots() {
  local agent
  one_set "$1"
  sed -i '/^log-dir/a user-capture = 64901\nuser-web = 64902' "$INI"
  printf '\n[pattern dhcp-discover]\nregex = "\\x63\\x82\\x53\\x63\\x35\\x01\\x01"\n' >>"$INI"
  spawn "$DIR/agent" "$TAPWARDEN" run -c "$INI"
  agent=$HOLDER
  until agent_watches; do
    kill -0 "$agent"
    sleep 0.05
  done
  spawn "$DIR/guest" "$TAPWARDEN" qemu -c "$INI" web1 -- qemu-system-x86_64 -accel tcg -m 128 \
    -name guest=shop,debug-threads=on \
    -display none -nodefaults -machine pc,graphics=off -serial stdio -no-reboot \
    -netdev "{netdev}" -device "{device},bootindex=1"
  until asks_for_address web1; do
    kill -0 "$HOLDER"
    sleep 0.1
  done
  run -0 tapwarden status --json
  [ "$(jq -r '.links[0].tap.holder | "\(.pid) \(.comm) \(.vm)"' <<<"$output")" = "$HOLDER qemu-system-x86 shop" ]
  run -0 tapwarden status
  [[ "$output" == *" shop: qemu-system-x86 ($HOLDER) "* ]]
  run --separate-stderr qemu web1 -- "$TAP_FDS" "{fds}"
  refuses "cannot run a guest on web1: qemu-system-x86 (pid $HOLDER) holds its tap, and another open would take frames from it: end that first"
  release
}

@test "a real QEMU boots from the network on one queue" {
  guest_boots 1
}

@test "a real QEMU boots from the network on two queues" {
  guest_boots 2
}
