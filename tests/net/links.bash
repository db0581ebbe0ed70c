# A host with two lower devices, and what its kernel says of links on them.

load helper.bash

setup() {
  wire_up
}

teardown() {
  wire_down
  ip netns del "$NETNS-peer" 2>/dev/null || true
  ip netns del "$NETNS-guest" 2>/dev/null || true
}

one_set() {
  config <<END
[set web]
lower = eno1
mode = ${1:-bridge}
count = ${2:-2}
END
}

# assert_link LINK KIND MODE LOWER: the kernel has it so, with both marks of ownership, and up.
assert_link() {
  local expected
  expected="$2 $3 $4 7477 tapwarden/$5/$1 true"
  run -0 fact "$1" '[.linkinfo.info_kind, .linkinfo.info_data.mode, .link, .group, .ifalias,
    (.flags | index("UP") != null)] | map(tostring) | join(" ")'
  echo "$expected"
  [ "$output" = "$expected" ]
}
