#!/usr/bin/env bats
# macvlan links in other network namespaces (netns) and in bridges (master).

bats_require_minimum_version 1.5.0

load helper.bash

setup() {
  wire_up
  BOX=$NETNS-box
}

teardown() {
  wire_down
  ip netns del "$BOX" 2>/dev/null || true
  ip netns del "$BOX-2" 2>/dev/null || true
}

# a_link KEY = VALUE...: box1 in a set of macvlans on eno1.
a_link() {
  config <<END
[set box]
lower = eno1
kind = macvlan
mode = bridge

[link box1]
set = box
$(printf '%s\n' "$@")
END
}

in_box() {
  ip -n "$BOX" -d -j link show box1 | jq -re ".[0] | $1"
}

@test "a link is made, kept and removed in its namespace" {
  a_link "netns = $BOX" "mac = 52:54:00:00:00:01" "altnames = shop"
  run -1 tapwarden plan
  [[ "$output" == *"! link box1  the network namespace $BOX does not exist: waiting for it"* ]]
  run -2 tapwarden apply
  ip netns add "$BOX"
  run -1 tapwarden plan
  [[ "$output" == *"+ link box1  macvlan bridge on eno1"* ]]
  run -0 tapwarden apply
  run -1 exists box1
  [ "$(in_box '[.linkinfo.info_kind, .linkinfo.info_data.mode, .group, .ifalias, .address, .altnames[0],
    (.flags | index("UP") != null)] | map(tostring) | join(" ")')" = \
    "macvlan bridge 7477 tapwarden/box/box1 52:54:00:00:00:01 shop true" ]
  [ "$(in_box .link_index)" = "$(fact eno1 .ifindex)" ]
  run -0 tapwarden plan
  [ "$output" = "Plan: nothing to do, 1 link is as it should be." ]

  # It carries frames, out of eno1.
  ip -n "$BOX" addr add 192.0.2.2/24 dev box1
  ip netns exec "$BOX" busybox arping -c 1 -w 1 -I box1 192.0.2.9 || true
  ip -n "$BOX" link set box1 mtu 1300
  ip -n "$BOX" link set box1 type macvlan mode vepa
  ip -n "$BOX" link set box1 down name other
  index=$(ip -n "$BOX" -j link show other | jq '.[0].ifindex')
  run -0 tapwarden apply
  [[ "$output" == *"~ link box1  name other -> box1, mode vepa -> bridge, mtu 1300 -> 1500, up no -> yes"$'\n'* ]]
  [ "$(in_box '[.ifindex, .mtu, .linkinfo.info_data.mode, (.flags | index("UP") != null)] | join(" ")')" = \
    "$index 1500 bridge true" ]
  run -0 tapwarden plan

  run -0 tapwarden down
  [[ "$output" == *"Done: 1 deleted." ]]
  run ! ip -n "$BOX" link show box1
}

@test "a namespace that goes takes its link along, and the link comes with the next one" {
  a_link "netns = $BOX"
  ip netns add "$BOX"
  # Its other end tells when the namespace is really gone, and the link in it with its MAC.
  ip -n "$NETNS" link add pin1 type veth peer name pin2 netns "$BOX"
  cat >"$DIR/commands" <<END
pass
drain
drain
run ip -n $BOX link del box1
drain
pass
run ip netns del $BOX
pass
pass
run while ip link show pin1 >/dev/null 2>&1; do sleep 0.05; done
run ip netns add $BOX
wait
pass
pass
END
  run -0 inside "$PASSES" "$INI" <"$DIR/commands"
  echo "$output"
  why="the network namespace $BOX does not exist: waiting for it"
  [ "$output" = "create box1
box1 is up
wait -1
drain 1
drain 0
drain 1
lost box1, 1 in a row
create box1
box1 is up
wait -1
lost box1, 1 in a row
blocked box1: $why
box1 is waiting: $why
wait 2000
box1 is waiting: $why
wait 2000
create box1
box1 is up
wait -1
box1 is up
wait -1" ]
  in_box .ifindex
}

@test "a namespace is not kept alive by being looked into" {
  a_link "netns = $BOX"
  ip netns add "$BOX"
  # A veth pair: its other end goes with the namespace.
  ip -n "$NETNS" link add pin1 type veth peer name pin2 netns "$BOX"
  cat >"$DIR/commands" <<END
pass
run ip netns del $BOX
run for i in \$(seq 100); do ip link show pin1 >/dev/null 2>&1 || exit 0; sleep 0.1; done; exit 1
END
  run -0 inside "$PASSES" "$INI" <"$DIR/commands"
}

@test "a link without its netns key is removed there, and what others have stays" {
  a_link "netns = $BOX"
  ip netns add "$BOX"
  tapwarden apply
  ip -n "$NETNS" link add link eno1 name theirs netns "$BOX" type macvlan mode bridge
  a_link
  run -1 tapwarden plan
  [[ "$output" == *"~ link box1  network namespace $BOX -> of the agent"$'\n'* ]]
  tapwarden apply
  exists box1
  run ! ip -n "$BOX" link show box1
  ip -n "$BOX" link show theirs
  run -0 tapwarden plan
}

@test "a link that is moved gets at once what else it is to be, and others its place" {
  a_link "netns = $BOX" "mode = passthru" "altnames = shop" "mtu = 1400"
  ip netns add "$BOX"
  tapwarden apply
  # It is replaced where it comes to; box2 cannot be made before that.
  a_link "mode = private" "kind = macvtap"
  printf '[link box2]\nset = box\nnetns = %s\naltnames = shop\nmac = 52:54:00:00:00:02\n' "$BOX" >>"$INI"
  run -0 --separate-stderr tapwarden apply
  [ -z "$stderr" ]
  [ "${lines[-1]}" = "Done: 1 added, 1 changed, 1 replaced." ]
  [ "$(fact box1 '.linkinfo.info_kind + " " + .linkinfo.info_data.mode + " \(.mtu)"')" = "macvtap private 1500" ]
  ip -n "$BOX" link show shop
  run -0 tapwarden plan
  # What is refused for good is told once.
  a_link "netns = $BOX" "mode = passthru"
  tapwarden apply
  a_link "mode = private" "mtu = 9000"
  run -2 --separate-stderr tapwarden apply --json
  [ "$(jq -c '[.steps[].result]' <<<"$output")" = '["done","failed"]' ]
  [ "$(wc -l <<<"$stderr")" = 1 ]
  [[ "$stderr" == *"mtu 9000 is above that of the lower device eno1, which is 1500"* ]]
}

@test "a link that somebody moved away is moved back, under the guest that holds its tap" {
  ip netns add "$BOX"
  config <<'END'
[set web]
lower = eno1
count = 1
END
  tapwarden apply
  hold web1
  mac=$(fact web1 .address)
  ip -n "$NETNS" link set web1 netns "$BOX"
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  network namespace $BOX -> of the agent"$'\n'* ]]
  cat >"$DIR/commands" <<END
pass
pass
run ip link set web1 netns $BOX
pass
pass
END
  run -0 inside "$PASSES" "$INI" <"$DIR/commands"
  echo "$output"
  [ "$(fact web1 '[.address, (.flags | index("UP") != null)] | join(" ")')" = "$mac true" ]
  kill -0 "$HOLDER"
  run -0 tapwarden plan
  run ! ip -n "$BOX" link show web1
}

@test "the namespace of a process by its pid, and the agent's own refused" {
  ip netns add "$BOX"
  spawn "$DIR/sleep" ip netns exec "$BOX" sleep 1000
  pid=$HOLDER
  until [ "$(ip netns identify "$pid")" = "$BOX" ]; do
    sleep 0.02
  done
  a_link "netns = $pid"
  tapwarden apply
  in_box .ifindex
  a_link "netns = $NETNS"
  run -2 --separate-stderr tapwarden apply
  [[ "$stderr" == *"the network namespace $NETNS: it is the agent's own: leave netns out"* ]]
}

@test "a macvlan is the port of its bridge, also when somebody takes it out" {
  a_link "master = br7"
  run -0 tapwarden apply
  run -1 tapwarden plan
  [[ "$output" == *"! link box1  the bridge br7 does not exist: waiting for it"* ]]
  ip -n "$NETNS" link add br7 type bridge
  run -0 tapwarden apply
  [[ "$output" == *"~ link box1  master none -> br7"$'\n'* ]]
  [ "$(fact box1 .master)" = br7 ]
  run -0 tapwarden plan
  ip -n "$NETNS" link add br8 type bridge
  ip -n "$NETNS" link set box1 master br8
  run -1 tapwarden plan
  [[ "$output" == *"~ link box1  master br8 -> br7"* ]]
  tapwarden apply
  [ "$(fact box1 .master)" = br7 ]
  ip -n "$NETNS" link del box1
  run -0 tapwarden apply
  [ "$(fact box1 .master)" = br7 ]
  a_link "master = eno2"
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: could not set the master of box1: eno2 is no bridge: a bridge is needed" ]
}

@test "a macvtap is refused both, with the reason" {
  config <<END
[set web]
lower = eno1
count = 2
[link web1]
set = web
netns = $BOX
[link web2]
set = web
master = br7
END
  run -2 --separate-stderr tapwarden check
  [[ "$stderr" == *"[link web1] netns: it is for macvlan links: the tap of a macvtap is opened here"* ]]
  [[ "$stderr" == *"[link web2] master: it is for macvlan links: the tap of a macvtap is in the place that a bridge needs"* ]]
}

@test "the agent enters namespaces with the capability that it kept, and without says so" {
  ip netns add "$BOX"
  a_link "netns = $BOX"
  sed -i 's/^\[agent\]/&\nuser-capture = 64901\nuser-web = 64902/' "$INI"
  spawn "$DIR/agent.out" sh -c "exec '$TAPWARDEN' run -c '$INI' 2>'$DIR/agent.err'"
  agent=$HOLDER
  until in_box .ifindex 2>/dev/null; do
    kill -0 "$agent"
    sleep 0.05
  done
  # Permitted, and not effective: CAP_SYS_ADMIN is bit 21.
  effective=$(sed -n 's/^CapEff:\t//p' "/proc/$agent/status")
  permitted=$(sed -n 's/^CapPrm:\t//p' "/proc/$agent/status")
  [ $((0x$effective >> 21 & 1)) = 0 ]
  [ $((0x$permitted >> 21 & 1)) = 1 ]
  ip -n "$BOX" link del box1
  until in_box .ifindex 2>/dev/null; do
    kill -0 "$agent"
    sleep 0.05
  done
  kill "$agent"
  wait "$agent" || true
  tapwarden down

  cp "$INI" "$DIR/with.ini"
  sed -i '/^netns/d' "$INI"
  spawn "$DIR/agent.out" sh -c "exec '$TAPWARDEN' run -c '$INI' 2>'$DIR/agent.err'"
  agent=$HOLDER
  until exists box1; do
    kill -0 "$agent"
    sleep 0.05
  done
  permitted=$(sed -n 's/^CapPrm:\t//p' "/proc/$agent/status")
  [ $((0x$permitted >> 21 & 1)) = 0 ]
  cp "$DIR/with.ini" "$INI"
  kill -HUP "$agent"
  until grep -q 'takes CAP_SYS_ADMIN, which an agent keeps' "$DIR/agent.err"; do
    kill -0 "$agent"
    sleep 0.05
  done
  kill "$agent"
  wait "$agent" || true
}
