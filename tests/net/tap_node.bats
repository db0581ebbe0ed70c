#!/usr/bin/env bats
# Owner and permissions of a tap's node in /dev. The node is named after the ifindex, and other
# namespaces have the same: tests beside this one may have the node that a link here should get.

bats_require_minimum_version 1.5.0

load helper.bash

setup() {
  wire_up
  mkdir "$DIR/dev"
}

teardown() {
  wire_down
  ip netns del "$NETNS-box" 2>/dev/null || true
  if mountpoint -q "$DIR/dev"; then
    umount "$DIR/dev"
  fi
}

one_set() {
  config <<END
[set web]
lower = eno1
count = 1
$(printf '%s\n' "$@")
END
}

node_of() {
  echo "/dev/tap$(fact "$1" .ifindex)"
}

node_is_own() {
  local node major minor
  node=$(node_of "$1")
  IFS=: read -r major minor <<<"$(inside sh -c 'cat "/sys/class/net/$0"/tap*/dev' "$1")"
  [ -c "$node" ] && [ "$(stat -c '%t:%T' "$node")" = "$(printf '%x:%x' "$major" "$minor")" ]
}

# apply_own LINK: apply, until the link has a node of its own.
apply_own() {
  tapwarden apply || true
  until node_is_own "$1"; do
    ip -n "$NETNS" link del "$1"
    tapwarden apply || true
  done
}

rights() {
  stat -c '%u:%g %a' "$(node_of "$1")"
}

@test "a tap's node has the kernel's rights unless others are asked for" {
  one_set
  apply_own web1
  [ "$(rights web1)" = "0:0 600" ]
  run -0 tapwarden plan
}

@test "owner and perms are given to a new node, also when the link is made again" {
  local index
  one_set "owner = 64903:64904" "perms = 0660"
  apply_own web1
  [ "$(rights web1)" = "64903:64904 660" ]
  run -0 tapwarden plan
  index=$(fact web1 .ifindex)
  ip -n "$NETNS" link del web1
  apply_own web1
  [ "$(fact web1 .ifindex)" != "$index" ]
  [ "$(rights web1)" = "64903:64904 660" ]
}

@test "what drifted is told and repaired live, under an open tap" {
  local index
  one_set "owner = 64903" "perms = 640"
  apply_own web1
  hold web1
  index=$(fact web1 .ifindex)
  chown 7:8 "$(node_of web1)"
  chmod 666 "$(node_of web1)"
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  owner 7:8 -> 64903:64903, perms 0666 -> 0640"$'\n'* ]]
  run -1 --separate-stderr tapwarden plan --json
  [ "$(jq -c '.steps[0].attributes' <<<"$output")" = '["owner","perms"]' ]
  run -0 tapwarden apply
  [[ "$output" == *"Done: 1 changed."* ]]
  [ "$(rights web1)" = "64903:64903 640" ]
  [ "$(fact web1 .ifindex)" = "$index" ]
  one_set
  run -0 tapwarden apply
  [ "$(rights web1)" = "0:0 600" ]
}

@test "a pass repairs what drifted, and looks again by itself" {
  one_set "owner = 64903:64904"
  apply_own web1
  run -0 inside "$PASSES" "$INI" <<END
pass
run chmod 666 $(node_of web1)
wait
pass
END
  [ "$output" = "web1 is up
wait 30000
change web1
web1 is up
wait 30000" ]
  [ "$(rights web1)" = "64903:64904 600" ]
}

# A /dev that is this test's alone.
in_dev() {
  if ! mountpoint -q "$DIR/dev"; then
    mount -t tmpfs tmpfs "$DIR/dev"
    mknod -m 666 "$DIR/dev/null" c 1 3
  fi
  inside unshare --mount sh -c 'mount --bind "$0" /dev && exec "$@"' "$DIR/dev" "$@"
}

@test "a node that is another link's is left alone, and that is said" {
  local node
  one_set "mtu = 1400"
  in_dev "$TAPWARDEN" apply -c "$INI"
  node=$(node_of web1)
  mknod -m 604 "$DIR$node" c 1 3
  chown 7:8 "$DIR$node"
  # Nothing was asked for, so nothing is missing.
  run -0 in_dev "$TAPWARDEN" plan -c "$INI"

  one_set "mtu = 1400" "owner = 64903"
  run -1 in_dev "$TAPWARDEN" plan -c "$INI"
  [ "${lines[0]}" = "   ! link web1  owner and perms cannot be set: $node is another link's tap: left alone" ]
  run -2 --separate-stderr in_dev "$TAPWARDEN" apply -c "$INI"
  [ "$stderr" = "tapwarden: link web1: owner and perms cannot be set: $node is another link's tap: left alone" ]
  [ "$(stat -c '%u:%g %a' "$DIR$node")" = "7:8 604" ]
  one_set "mtu = 1300" "owner = 64903"
  run -0 in_dev "$TAPWARDEN" apply -c "$INI"
  [[ "$output" == *"~ link web1  mtu 1400 -> 1300, owner and perms cannot be set: $node is another link's tap: left alone"* ]]
  [ "$(fact web1 .mtu)" = 1300 ]
  [ "$(stat -c '%u:%g %a' "$DIR$node")" = "7:8 604" ]

  rm "$DIR$node"
  run -1 in_dev "$TAPWARDEN" plan -c "$INI"
  [ "${lines[0]}" = "   ! link web1  owner and perms cannot be set: $node is not there" ]
}

@test "a pass says once that a node is another link's, and looks again" {
  local node
  one_set
  in_dev "$TAPWARDEN" apply -c "$INI"
  node=$(node_of web1)
  mknod -m 604 "$DIR$node" c 1 3
  one_set "owner = 64903"
  run -0 in_dev "$PASSES" "$INI" <<END
pass
pass
run rm $DIR$node; mknod -m 604 $DIR$node c $(inside sh -c 'cat /sys/class/net/web1/tap*/dev' | tr : ' ')
wait
pass
END
  [ "$output" = "blocked web1: owner and perms cannot be set: $node is another link's tap: left alone
web1 is up: owner and perms cannot be set: $node is another link's tap: left alone
wait 30000
web1 is up: owner and perms cannot be set: $node is another link's tap: left alone
wait 30000
change web1
web1 is up
wait 30000" ]
  [ "$(stat -c '%u:%g %a' "$DIR$node")" = "64903:64903 600" ]
}

@test "a new link that gets no node is made, and that is said" {
  one_set "perms = 666"
  run -2 --separate-stderr in_dev "$TAPWARDEN" apply -c "$INI"
  [ "$stderr" = "tapwarden: could not set owner and perms of the node of web1: it is not in /dev" ]
  run -0 fact web1 '.flags | index("UP") != null'
  [ "$output" = true ]
}

@test "a new link does not touch the node that another link has in its place" {
  local node
  one_set
  in_dev "$TAPWARDEN" apply -c "$INI"
  # The next link gets the next ifindex.
  node=/dev/tap$(($(fact web1 .ifindex) + 1))
  mknod -m 604 "$DIR$node" c 1 3
  ip -n "$NETNS" link del web1
  one_set "owner = 64903" "perms = 666"
  run -2 --separate-stderr in_dev "$TAPWARDEN" apply -c "$INI"
  [ "$(node_of web1)" = "$node" ]
  [ "$stderr" = "tapwarden: could not set owner and perms of the node of web1: another link's tap has its place in /dev: left alone" ]
  [ "$(stat -c '%u:%g %a' "$DIR$node")" = "0:0 604" ]
}

@test "owners and permissions that do not exist are faults of their lines" {
  one_set "owner = nosuchuser" "perms = 888"
  printf '[link web1]\nset = web\nowner = root:nosuchgroup\n' >>"$INI"
  run -2 --separate-stderr tapwarden check
  [[ "$stderr" == *":9: [set web] perms: \"888\" is not three octal digits, such as 660 for owner and group"* ]]
  [[ "$stderr" == *':8: [set web] owner: there is no user "nosuchuser"'* ]]
  [[ "$stderr" == *':12: [link web1] owner: there is no group "nosuchgroup"'* ]]
}

# Without the right to make a node, and to pass over permissions.
as_owner() {
  inside setpriv --bounding-set -mknod,-dac_override,-dac_read_search "$@"
}

@test "who may not make nodes opens the tap by its own, if it may" {
  one_set "owner = root"
  apply_own web1
  run -0 as_owner "$TAPWARDEN" qemu -c "$INI" web1 -- "$ROOT/build/tests/net/tap_fds" "{fds}"
  [[ "$output" == *" web1" ]]
  sed -i 's/owner = root/owner = 64903/' "$INI"
  tapwarden apply
  run -2 --separate-stderr as_owner "$TAPWARDEN" qemu -c "$INI" web1 -- echo "{fds}"
  [ "$stderr" = "tapwarden: cannot run a guest on web1: could not open the tap of web1: Permission denied: owner and perms of its set say who may" ]
}

# tap_told: the device number of web1's tap that the agent tells, and that /sys has.
tap_told() {
  local answer
  answer=$(tapwarden status --json) && jq -r '.links[0].tap | "\(.major):\(.minor)"' <<<"$answer"
}

tap_true() {
  inside sh -c 'cat /sys/class/net/web1/tap*/dev'
}

@test "a link that was moved away and back has another tap, and status tells which" {
  local box="$NETNS-box" before
  one_set "monitor = off"
  sed -i '/^log-dir/a user-capture = 64901\nuser-web = 64902' "$INI"
  ip netns add "$box"
  # Numbers of taps are those of the whole machine, and the lowest that is free is given first.
  ip -n "$NETNS" link add link eno2 name spare0 type macvtap mode bridge
  tapwarden apply
  spawn "$DIR/agent" "$TAPWARDEN" run -c "$INI"
  until tapwarden status --json >"$DIR/status" 2>&1; do
    kill -0 "$HOLDER"
    sleep 0.05
  done
  until [ "$(tap_true)" != "${before-$(tap_true)}" ]; do
    before=$(tap_true)
    [ "$(tap_told)" = "$before" ]
    exists spare0 || ip -n "$NETNS" link add link eno2 name spare0 type macvtap mode bridge
    kill -STOP "$HOLDER"
    ip -n "$NETNS" link del spare0
    ip -n "$NETNS" link set web1 netns "$box"
    ip -n "$box" link set web1 netns "$NETNS"
    # An answer is kept for a quarter of a second.
    sleep 0.3
    kill -CONT "$HOLDER"
    [ "$(tap_told)" = "$(tap_true)" ]
  done
}
