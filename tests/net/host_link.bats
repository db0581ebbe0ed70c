#!/usr/bin/env bats
# The host's own leg beside its guests: host-link and host-address.

bats_require_minimum_version 1.5.0

load helper.bash

setup() {
  wire_up
}

teardown() {
  wire_down
  ip netns del "$NETNS-guest" 2>/dev/null || true
}

# a_leg MODE ADDRESS...: a set of that mode with a host link.
a_leg() {
  local mode=$1
  shift
  config <<END
[set web]
lower = eno1
mode = $mode
count = 1
host-link = host0
host-address = $*
END
}

# addresses: of host0, as ip(8) has them, without those of IPv6 that the kernel makes.
addresses() {
  ip -n "$NETNS" -j addr show dev host0 |
    jq -r '[.[].addr_info[]? | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | join(" ")'
}

guest_up() {
  ip netns add "$NETNS-guest"
  spawn "$DIR/guest" "$TAP_GUEST" web1 "$NETNS-guest" eth0
  until [ -s "$DIR/guest" ]; do
    kill -0 "$HOLDER"
    sleep 0.02
  done
  ip -n "$NETNS-guest" addr add 192.0.2.10/24 dev eth0
  ip -n "$NETNS-guest" -6 addr add 2001:db8::10/64 dev eth0 nodad
  ip -n "$NETNS-guest" link set eth0 up
}

@test "host and guest talk by the host link, and not without it" {
  ip -n "$NETNS" addr add 192.0.2.77/24 dev eno1
  a_leg bridge 192.0.2.1/24
  sed -i '/^host-/d' "$INI"
  tapwarden apply
  guest_up
  run ! inside busybox ping -c 1 -W 1 192.0.2.10
  ip -n "$NETNS" addr del 192.0.2.77/24 dev eno1

  a_leg bridge 192.0.2.1/24 2001:db8::1/64
  run -0 tapwarden apply
  [[ "$output" == *"+ link host0  macvlan bridge on eno1"$'\n'*"Done: 1 added, 1 as it was." ]]
  [ "$(addresses)" = "192.0.2.1/24 2001:db8::1/64" ]
  [ "$(fact host0 '[.linkinfo.info_kind, .linkinfo.info_data.mode, .link, .group, .ifalias] | join(" ")')" = \
    "macvlan bridge eno1 7477 tapwarden/web/host0" ]
  inside busybox ping -c 2 -W 5 192.0.2.10
  ip netns exec "$NETNS-guest" busybox ping -c 2 -W 5 192.0.2.1
  ip netns exec "$NETNS-guest" busybox ping -6 -c 3 -W 5 2001:db8::1
  run -0 tapwarden plan
  [ "$output" = "Plan: nothing to do, 2 links are as they should be." ]
  release
  run -0 tapwarden down
  run -1 exists host0
}

@test "addresses are put right, and those of others stay" {
  a_leg bridge 192.0.2.1/24 198.51.100.1/25
  tapwarden apply
  ip -n "$NETNS" addr add 203.0.113.5/32 dev host0
  ip -n "$NETNS" addr del 192.0.2.1/24 dev host0
  run -1 tapwarden plan
  [[ "$output" == *"~ link host0  address +192.0.2.1/24"$'\n'* ]]
  run -1 tapwarden plan --json
  [ "$(jq -c '[.steps[] | .link, .attributes]' <<<"$output")" = '["host0",["addresses"]]' ]
  tapwarden apply
  [ "$(addresses)" = "198.51.100.1/25 203.0.113.5/32 192.0.2.1/24" ]

  a_leg bridge 192.0.2.9/24
  run -0 tapwarden apply
  [[ "$output" == *"~ link host0  address -198.51.100.1/25, address -192.0.2.1/24, address +192.0.2.9/24"$'\n'* ]]
  [ "$(addresses)" = "203.0.113.5/32 192.0.2.9/24" ]
  run -0 tapwarden plan
}

@test "an address that somebody takes away wakes the agent's pass" {
  a_leg bridge 192.0.2.1/24
  cat >"$DIR/commands" <<'END'
pass
drain
drain
run ip addr del 192.0.2.1/24 dev host0
drain
pass
run ip -j addr show dev host0 | grep -q 192.0.2.1
pass
END
  run -0 inside "$PASSES" "$INI" <"$DIR/commands"
  [ "$output" = "create web1
create host0
web1 is up
host0 is up
wait -1
drain 1
drain 0
drain 1
change host0
web1 is up
host0 is up
wait -1
web1 is up
host0 is up
wait -1" ]
}

@test "an address that the kernel refuses is explained" {
  a_leg bridge 2001:db8::1/64
  tapwarden apply
  inside sh -c 'ip -6 addr add 2001:db8::2/128 dev host0'
  a_leg bridge 2001:db8::1/64 2001:db8::2/64
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: could not set the addresses of host0: it has one of them already, with another prefix: take that one from it" ]
  sed -i 's/^mode = .*/&\nmtu = 1279/' "$INI"
  inside sh -c 'ip -6 addr flush dev host0'
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: could not set the addresses of host0: IPv6 needs an mtu of 1280, and this one is 1279: a larger one is needed" ]
}

@test "check, plan and reach tell where a host link cannot help" {
  a_leg vepa 192.0.2.1/24
  run -0 tapwarden check
  [[ "$output" == *"! eno1: links of different modes do not talk directly: macvtap vepa of set web; macvlan bridge of set web
! eno1: a host-link talks to links of mode bridge; the others need a reflecting switch" ]]
  run -1 tapwarden plan
  [[ "$output" == *"! eno1: a host-link talks to links of mode bridge; "* ]]
  run -1 tapwarden plan --json
  [ "$(jq '.notes | length' <<<"$output")" = 2 ]
  [ "$(jq -r '.notes[1]' <<<"$output")" = \
    "eno1: a host-link talks to links of mode bridge; the others need a reflecting switch" ]
  tapwarden apply
  run -0 tapwarden reach --probe
  [[ "$output" != *DIFFERS* ]]
  [[ "$output" == *"! eno1: a host-link talks to links of mode bridge; "* ]]

  a_leg bridge 192.0.2.1/24
  run -0 tapwarden check
  [ "$output" = "$INI: no faults (1 file read)" ]
  tapwarden apply
  run -0 tapwarden reach --probe
  [[ "$output" != *DIFFERS* ]]
  [[ "$output" == *"! eno1: the host and its bridge mode guests talk by the macvlan link"* ]]
}

@test "links of others count as mixed modes too" {
  ip -n "$NETNS" link add link eno1 name theirs type macvtap mode private
  a_leg bridge 192.0.2.1/24
  run -0 tapwarden check
  [ "$output" = "$INI: no faults (1 file read)" ]
  run -1 tapwarden plan
  [[ "$output" == *"! eno1: links of different modes do not talk directly: macvtap bridge of set web; macvtap private of others; macvlan bridge of set web"* ]]
}
