#!/usr/bin/env bats
# The packet ring of a macvtap link: everything both ways, and nothing twice or missing when its
# reader is replaced or killed. The namespace's own stack plays the guest: what it sends by the link
# takes the way of a frame written to the tap.

load helper

PROBE=$ROOT/build/tests/net/capture_probe
# Not a multiple of three: somebody has to come after the last death.
N=62

setup() {
  wire_up
  PEER=$NETNS-peer
  ip netns add "$PEER"
  ip -n "$NETNS" link set peer1 netns "$PEER"
  ip -n "$PEER" link set peer1 up
  ip -n "$PEER" addr add 192.0.2.2/24 dev peer1
  ip -n "$NETNS" link add link eno1 name web01 type macvtap mode bridge
  ip -n "$NETNS" link set web01 up
  ip -n "$NETNS" addr add 192.0.2.1/24 dev web01
  # The tap takes what comes in before the stack could answer ARP.
  ip -n "$NETNS" neigh add 192.0.2.2 dev web01 \
    lladdr "$(ip -n "$PEER" -j link show peer1 | jq -r '.[0].address')"
  ip -n "$PEER" neigh add 192.0.2.1 dev peer1 \
    lladdr "$(ip -n "$NETNS" -j link show web01 | jq -r '.[0].address')"
}

teardown() {
  ip netns del "$PEER"
  wire_down
}

# probe [MODE]: watches for 2 * N frames; its output is in $DIR/out.
probe() {
  # bats waits for whoever holds its fd 3.
  inside "$PROBE" web01 number= $((2 * N)) "$@" >"$DIR/out" 3>&- &
  WATCHER=$!
  until grep -q ready "$DIR/out"; do
    kill -0 "$WATCHER"
    sleep 0.02
  done
}

# Numbers 1 to N each way, a datagram each.
talk() {
  local i
  for ((i = 1; i <= N; i++)); do
    echo "echo number=$i >/dev/udp/\$1/9"
  done >"$DIR/talk"
  ip netns exec "$NETNS" bash "$DIR/talk" 192.0.2.2 &
  ip netns exec "$PEER" bash "$DIR/talk" 192.0.2.1
  wait $!
}

# expect_all: every number once, in order, each way.
expect_all() {
  diff <(seq -f 'from %g' $N) <(grep ^from "$DIR/out")
  diff <(seq -f 'to %g' $N) <(grep ^to "$DIR/out")
}

@test "every frame is seen once, with its direction" {
  probe
  talk
  wait "$WATCHER"
  expect_all
  grep -qx "seen $((2 * N)) died 0 dropped 0" "$DIR/out"
}

@test "a reader that takes the ring over goes on with the next frame" {
  probe close
  talk
  wait "$WATCHER"
  expect_all
}

@test "a frame that its reader died of is told, not read again" {
  probe die
  talk
  wait "$WATCHER"
  grep -qx "seen $((2 * N)) died $((2 * N / 3)) dropped 0" "$DIR/out"
  [ "$(grep -c -E '^(from|to) ' "$DIR/out")" -eq $((2 * N - 2 * N / 3)) ]
  [ -z "$(grep -E '^(from|to) ' "$DIR/out" | sort | uniq -d)" ]
}
