# One set of one link, web1, and what is to become of its filters.

load helper.bash

setup() {
  wire_up
}

teardown() {
  wire_down
  ip netns del "$NETNS-box" 2>/dev/null || true
}

one_link() {
  config <<X
[set web]
lower = eno1
$1

[link web1]
set = web
mac = 52:54:00:00:00:01
X
}

# assert_passes <<END: commands that begin with "> ", each followed by what it must print.
assert_passes() {
  local script
  script=$(cat)
  sed -n 's/^> //p' <<<"$script" >"$DIR/commands"
  sed '/^> /d' <<<"$script" >"$DIR/expected"
  inside "$PASSES" "$INI" <"$DIR/commands" >"$DIR/output" || cat "$DIR/output"
  diff -u "$DIR/expected" "$DIR/output" || return 1
}
