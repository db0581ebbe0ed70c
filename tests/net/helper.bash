# One network namespace with two pairs of veth devices to put links on, and the commands that tests
# of links need. Everything is this test's alone and goes with wire_down.
#
#   eno1 <-> peer1, eno2 <-> peer2, all in $NETNS

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}
export TAP_OPEN=$ROOT/build/tests/net/tap_open
export TAP_GUEST=$ROOT/build/tests/net/tap_guest
export SET_GROUP=$ROOT/build/tests/net/set_group
export PASSES=$ROOT/build/tests/net/passes

wire_up() {
  NETNS=tw$$-$BATS_TEST_NUMBER
  DIR=$(mktemp -d "$BATS_TEST_TMPDIR/wire.XXXXXX")
  INI=$DIR/tapwarden.ini
  HOLDERS=
  netns_up "$NETNS"
}

wire_down() {
  local pid
  for pid in $HOLDERS; do
    kill "$pid" 2>/dev/null || true
  done
  ip netns del "$NETNS"
}

# netns_up NAME: with both pairs in it, up.
netns_up() {
  local n
  ip netns add "$1"
  ip netns exec "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
  for n in 1 2; do
    ip -n "$1" link add "eno$n" type veth peer name "peer$n"
    ip -n "$1" link set "eno$n" up
    ip -n "$1" link set "peer$n" up
  done
}

# config <<END: the configuration, after an [agent] section of this test.
config() {
  {
    printf '[agent]\nrun-dir = %s/run\nlog-dir = %s/log\n\n' "$DIR" "$DIR"
    cat
  } >"$INI"
}

inside() {
  ip netns exec "$NETNS" "$@"
}

tapwarden() {
  inside "$TAPWARDEN" "$@" -c "$INI"
}

# fact LINK FILTER: what jq finds in `ip -d -j link` about it.
fact() {
  ip -n "$NETNS" -d -j link show "$1" | jq -r ".[0] | $2"
}

exists() {
  ip -n "$NETNS" link show "$1" >/dev/null 2>&1
}

# All there is to know but counters and what follows later by itself, to see that nothing changed.
all_links() {
  ip -n "$NETNS" -d -j link show |
    jq -c '.[] | del(.operstate) | .flags |= (index("UP") != null)'
}

# hold LINK: a process called tap_open holds its tap until the test ends; its pid is in $HOLDER.
hold() {
  mkfifo "$DIR/hold.$1"
  # Both ends: the fifo never ends by itself. bats waits for whoever holds its fd 3.
  ip netns exec "$NETNS" "$TAP_OPEN" "$1" <>"$DIR/hold.$1" >"$DIR/held.$1" 3>&- &
  HOLDER=$!
  HOLDERS="$HOLDER $HOLDERS"
  until [ -s "$DIR/held.$1" ]; do
    kill -0 "$HOLDER"
    sleep 0.02
  done
}

# spawn FILE COMMAND...: in the namespace until the test ends; what it says goes to FILE.
spawn() {
  local file=$1
  shift
  ip netns exec "$NETNS" "$@" >"$file" 3>&- &
  HOLDER=$!
  HOLDERS="$HOLDER $HOLDERS"
}

release() {
  kill "$HOLDER"
  wait "$HOLDER" 2>/dev/null || true
}
