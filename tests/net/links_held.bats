#!/usr/bin/env bats
# Links whose tap somebody holds, and whose of two taps of one name or number it is.

bats_require_minimum_version 1.5.0

load links.bash

@test "a held tap keeps its link from replace, apply and down until it is forced" {
  local index
  one_set bridge 2
  tapwarden apply
  hold web1
  index=$(fact web1 .ifindex)

  one_set passthru 1
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: link web1: mode bridge -> passthru needs another link, but this one is held by tap_open $HOLDER: left alone" ]
  [[ "$output" == *"Done: 1 deleted, 1 blocked. With --force, what is held goes too." ]]
  run -1 exists web2

  run -2 --separate-stderr tapwarden down
  [ "$stderr" = "tapwarden: link web1: held by tap_open $HOLDER: not wanted any more, but left alone" ]
  [ "$(fact web1 .ifindex)" = "$index" ]

  run -0 tapwarden down --force
  run -1 exists web1
}

@test "when the guest lets go, the replace is done" {
  one_set bridge 1
  tapwarden apply
  hold web1
  one_set passthru 1
  run -2 tapwarden apply
  release
  run -0 tapwarden apply
  assert_link web1 macvtap passthru eno1 web
}

@test "without the right /sys nobody can be told to hold no tap" {
  one_set bridge 1
  tapwarden apply
  run -2 nsenter --net="/run/netns/$NETNS" "$TAPWARDEN" down -c "$INI"
  [[ "$output" == *"held by a program that cannot be found (/sys is of another namespace)"* ]]
  exists web1
}

# dev_of NETNS LINK: the device number of its tap.
dev_of() {
  ip netns exec "$1" sh -c 'cat "/sys/class/net/$0"/tap*/dev' "$2"
}

@test "who holds a tap of the same name or number that is another's, or is no more, holds none" {
  local box=$NETNS-box gone
  one_set bridge 1
  mkfifo "$DIR/far"
  # Numbers are used again; tests beside this one may take it before.
  until [ -n "$gone" ] && exists web1 && [ "$(dev_of "$NETNS" web1)" = "$gone" ]; do
    tapwarden down
    kill "$HOLDER" 2>/dev/null || true
    ip netns del "$box" 2>/dev/null || true
    netns_up "$box"
    ip -n "$box" link add link eno1 name web1 type macvtap mode bridge
    ip netns exec "$box" "$TAP_OPEN" web1 <>"$DIR/far" >"$DIR/far.held" 3>&- &
    HOLDER=$!
    HOLDERS="$HOLDER $HOLDERS"
    until [ -s "$DIR/far.held" ]; do
      kill -0 "$HOLDER"
      sleep 0.02
    done
    tapwarden apply
    # It is there, and held in the other namespace.
    gone=$(dev_of "$box" web1)
    [ "$(dev_of "$NETNS" web1)" != "$gone" ]
    one_set passthru 1
    run -0 tapwarden apply
    assert_link web1 macvtap passthru eno1 web
    tapwarden down
    : >"$DIR/far.held"
    ip -n "$box" link del web1
    one_set bridge 1
    tapwarden apply
  done
  kill -0 "$HOLDER"
  one_set passthru 1
  run -0 tapwarden apply
  assert_link web1 macvtap passthru eno1 web
  hold web1
  run -2 tapwarden down
  [[ "$output" == *"held by tap_open $HOLDER"* ]]
  ip netns del "$box"
}

@test "two links of one number: each namespace opens its own tap" {
  local index first second other=$NETNS-b
  index=$((1000000 + $$))
  netns_up "$other"
  ip -n "$NETNS" link add link eno1 name gone index "$index" type macvtap mode bridge
  ip -n "$other" link add link eno1 name gtwo index "$index" type macvtap mode bridge
  first=$(inside "$TAP_OPEN" gone </dev/null)
  second=$(ip netns exec "$other" "$TAP_OPEN" gtwo </dev/null)
  run ! ip netns exec "$other" "$TAP_OPEN" gone </dev/null
  run nsenter --net="/run/netns/$other" "$TAP_OPEN" gtwo </dev/null
  ip netns del "$other"

  # The node of that name is the first one's; the second has none, and still is opened.
  [ "${first#* }" = "/dev/tap$index" ]
  [ "${second#* }" = "-" ]
  [ "${first% *}" != "${second% *}" ]
  # With the /sys of another namespace it is refused instead.
  [ "$status" -eq 1 ]
  [[ "$output" == "could not find the tap of gtwo: /sys knows no such link"* ]]
}
