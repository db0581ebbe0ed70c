#!/usr/bin/env bats
# Hairpin of the bridge port that the lower device is plugged into: set, kept and given back.

bats_require_minimum_version 1.5.0

load helper.bash

# eno1's other end, peer1, is a port of br0 beside it.
setup() {
  wire_up
  ip -n "$NETNS" link add br0 type bridge
  ip -n "$NETNS" link set peer1 master br0
  ip -n "$NETNS" link set br0 up
}

teardown() {
  wire_down
  ip netns del "$NETNS-a" 2>/dev/null || true
  ip netns del "$NETNS-b" 2>/dev/null || true
}

# a_set WISH [MORE...]: two vepa links.
a_set() {
  local wish=$1
  shift
  config <<END
[set web]
lower = eno1
kind = macvlan
mode = vepa
count = 2
hairpin = $wish
$(printf '%s\n' "$@")
END
}

# port [NAME]: hairpin, and the altnames.
port() {
  inside bridge -d -j link show dev "${1:-peer1}" | jq -r '.[0].hairpin'
  fact "${1:-peer1}" '.altnames // [] | join(" ")'
}

by_hand() {
  inside bridge link set dev peer1 hairpin "$1"
}

mark() {
  echo "tapwarden-7477-hairpin-was-$1-$(fact peer1 .ifindex)"
}

as_it_was() {
  [ "$(port)" = "$1" ]
}

@test "vepa guests talk when hairpin is on, and it is given back by down" {
  a_set keep
  tapwarden apply
  ip netns add "$NETNS-a"
  ip netns add "$NETNS-b"
  ip -n "$NETNS" link property add dev peer1 altname of-others
  a_set on
  run -1 tapwarden plan
  [[ "$output" == *"   ~ port peer1  hairpin off -> on, for set web"$'\n'"Plan: 1 of bridge ports. Run: "* ]]
  run -1 tapwarden plan --json
  [ "$(jq -c '.ports' <<<"$output")" = \
    '[{"op":"set","port":"peer1","set":"web","hairpin":true,"reason":"hairpin off -> on, for set web"}]' ]
  run -0 tapwarden reach --probe
  [[ "$output" == *"its other end peer1 is a bridge port with hairpin off"* ]]
  run -0 tapwarden apply
  [[ "$output" == *"Done: 1 of bridge ports, 2 as they were." ]]
  [ "$(port)" = "true
of-others $(mark off)" ]
  run -0 tapwarden plan
  [ "$output" = "Plan: nothing to do, 2 links are as they should be." ]
  run -0 tapwarden reach --probe --json
  [ "$(jq -r '.lowers[0] | .reflects, .probe.differ, (.cells[] | select(.from == .to)
    | .unicast, .probe.unicast)' <<<"$output" | paste -sd' ')" = "yes 0 reflected 1" ]

  # The guests themselves, each in a namespace of its own.
  ip -n "$NETNS" link set web1 netns "$NETNS-a"
  ip -n "$NETNS" link set web2 netns "$NETNS-b"
  ip -n "$NETNS-a" addr add 192.0.2.1/24 dev web1
  ip -n "$NETNS-a" link set web1 up
  ip -n "$NETNS-b" addr add 192.0.2.2/24 dev web2
  ip -n "$NETNS-b" link set web2 up
  ip netns exec "$NETNS-a" busybox ping -c 1 -W 5 192.0.2.2
  run -0 tapwarden down
  [[ "$output" == *"~ port peer1  hairpin on -> off, as before"* ]]
  [ "$(port)" = "false
of-others" ]
  run ! ip netns exec "$NETNS-a" busybox ping -c 1 -W 1 192.0.2.2
}

@test "it is given back when the key says keep, and when the set leaves the file" {
  a_set on
  tapwarden apply
  [ "$(port)" = "true
$(mark off)" ]
  a_set keep
  run -0 tapwarden apply
  [[ "$output" == *"~ port peer1  hairpin on -> off, as before"$'\n'* ]]
  as_it_was false

  a_set on
  tapwarden apply
  printf '[set other]\nlower = eno2\ncount = 1\n' | config
  run -0 tapwarden apply
  [[ "$output" == *"Done: 1 added, 2 deleted, 1 of bridge ports." ]]
  as_it_was false

  # Off is given back too.
  by_hand on
  a_set off
  tapwarden apply
  [ "$(port)" = "false
$(mark on)" ]
  tapwarden down
  as_it_was true
  # What was as wanted is nobody's business.
  a_set on
  tapwarden apply
  as_it_was true
  tapwarden down
  as_it_was true
}

@test "what it was survives the death of its maker at every moment" {
  # Marked, and not yet set.
  ip -n "$NETNS" link property add dev peer1 altname "$(mark off)"
  a_set on
  tapwarden apply
  [ "$(port)" = "true
$(mark off)" ]
  # Set back, and the mark still there.
  by_hand off
  a_set keep
  run -0 tapwarden apply
  [[ "$output" == *"~ port peer1  hairpin is off as before: the mark of ours goes"$'\n'* ]]
  as_it_was false
}

@test "a port that somebody sets otherwise is set again, later each time" {
  a_set on
  cat >"$DIR/commands" <<'END'
pass
drain
drain
run bridge link set dev peer1 hairpin off
drain
pass
run bridge link set dev peer1 hairpin off
pass
wait
pass
END
  run -0 inside "$PASSES" "$INI" <"$DIR/commands"
  echo "$output"
  [ "$output" = "create web1
create web2
set port peer1
web1 is up
web2 is up
wait -1
drain 1
drain 0
drain 1
set port peer1
web1 is up
web2 is up
wait -1
web1 is up
web2 is up
wait 1000
set port peer1
web1 is up
web2 is up
wait -1" ]
  [ "$(port)" = "true
$(mark off)" ]
}

@test "a port that is not to be seen is told, and named it is found" {
  ip netns add "$NETNS-a"
  ip -n "$NETNS" link set peer1 nomaster
  ip -n "$NETNS" link set peer1 netns "$NETNS-a"
  ip -n "$NETNS-a" link set peer1 up
  ip -n "$NETNS" link set peer2 master br0
  a_set on
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: eno1: hairpin cannot be set: the bridge port that eno1 is plugged into is not to be seen from here: hairpin-port would name it" ]
  [[ "$output" == *"Done: 2 added, 1 blocked." ]]
  a_set on "hairpin-port = peer3"
  run -1 tapwarden plan
  [[ "$output" == *"! port peer3  hairpin cannot be set: there is no peer3: waiting for it"* ]]
  a_set on "hairpin-port = peer2"
  tapwarden apply
  [ "$(port peer2 | head -n 1)" = true ]
  run -0 tapwarden reach
  [[ "$output" == *"eno1: does its switch reflect? yes: its other end peer2 is a bridge port with hairpin on"* ]]
  tapwarden down
  [ "$(port peer2 | head -n 1)" = false ]
}

@test "what cannot be set is a state of the links, told once" {
  ip -n "$NETNS" link set peer1 nomaster
  a_set on
  cat >"$DIR/commands" <<'END'
pass
pass
run ip link set peer1 master br0
pass
END
  run -0 inside "$PASSES" "$INI" <"$DIR/commands"
  why="hairpin cannot be set: the bridge port that eno1 is plugged into is not to be seen from here: hairpin-port would name it"
  [ "$output" = "create web1
create web2
blocked port eno1: eno1: $why
web1 is up: eno1: $why
web2 is up: eno1: $why
wait -1
web1 is up: eno1: $why
web2 is up: eno1: $why
wait -1
set port peer1
web1 is up
web2 is up
wait -1" ]
}

@test "two sets cannot want two things of one port" {
  config <<END
[set a]
lower = eno1
hairpin = on
count = 1
[set b]
lower = eno1
hairpin = off
count = 1
END
  run -2 --separate-stderr tapwarden check
  [[ "$stderr" == *"[set b] hairpin: [set a] wants another on the same lower \"eno1\""* ]]
}
