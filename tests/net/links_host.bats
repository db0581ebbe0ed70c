#!/usr/bin/env bats
# What the own stack of a host, its addresses and its IPv6, has to do with links: nothing on a tap.

bats_require_minimum_version 1.5.0

load links.bash

# A host as most are: IPv6 is on, and eno2's address is also answered for on other interfaces. peer1
# is another machine on eno1's wire.
host_up() {
  inside sh -c 'cd /proc/sys/net
    echo 0 >ipv6/conf/default/disable_ipv6
    for name in all default eno1 eno2; do
      echo 0 >ipv4/conf/$name/arp_ignore
      echo 0 >ipv4/conf/$name/rp_filter
    done'
  ip -n "$NETNS" addr add 192.0.2.1/24 dev eno2
  ip netns add "$NETNS-peer"
  ip -n "$NETNS" link set peer1 netns "$NETNS-peer"
  ip -n "$NETNS-peer" addr add 192.0.2.2/24 dev peer1
  ip -n "$NETNS-peer" link set peer1 up
}

in_peer() {
  ip netns exec "$NETNS-peer" "$@"
}

# answerers LINK...: those of the links from whose MAC the peer is told where 192.0.2.1 is. The
# kernel hands a broadcast to all links of a lower device at once, so once eno1 and the link plain
# have answered twice, the others had the time for it.
answerers() {
  local link
  in_peer busybox arping -b -c 3 -I peer1 192.0.2.1 >"$DIR/arping"
  [ "$(grep -c "$(fact plain .address)" "$DIR/arping")" -ge 2 ]
  for link; do
    if grep -q "$(fact "$link" .address)" "$DIR/arping"; then
      echo "$link"
    fi
  done
}

# host_on LINK: what of the host's stack is on it.
host_on() {
  fact "$1" 'if .flags | index("NOARP") then empty else "ARP" end'
  if [ "$(inside cat "/proc/sys/net/ipv6/conf/$1/disable_ipv6")" = 0 ]; then
    echo IPv6
  fi
  ip -n "$NETNS" -j -6 addr show "$1" | jq -r '.[].addr_info[]?.scope'
}

@test "the host does not speak on a macvtap, and goes on speaking on a macvlan" {
  host_up
  one_set bridge 1
  cat >>"$INI" <<END

[set leg]
lower = eno1
kind = macvlan
count = 1

[set solo]
lower = eno2
mode = passthru
count = 1

[set low]
lower = eno1
up = no
count = 1
END
  tapwarden apply
  [ -z "$(host_on web1)" ]
  [ -z "$(host_on solo1)" ]
  [ -z "$(host_on low1)" ]
  [ "$(host_on leg1)" = "ARP
IPv6
link" ]
  run -0 tapwarden plan
  [ "$output" = "Plan: nothing to do, 4 links are as they should be." ]
}

# monitor_shows N: whether it has told of the N-th address that is added to eno2, itself a mark.
monitor_shows() {
  ip -n "$NETNS" addr add "198.51.100.$1/32" dev eno2 2>/dev/null || true
  grep -q "198.51.100.$1/32" "$DIR/monitor"
}

@test "the host has no address on a tap, not even for a moment" {
  host_up
  one_set bridge 2
  spawn "$DIR/monitor" ip monitor address
  until monitor_shows 1; do
    ip -n "$NETNS" addr del 198.51.100.1/32 dev eno2
  done
  tapwarden apply
  until monitor_shows 2; do
    sleep 0.02
  done
  run -1 grep inet6 "$DIR/monitor"
  [ -z "$(host_on web1)$(host_on web2)" ]
}

@test "nobody learns the MAC of a tap for an address of the host" {
  local index
  host_up
  ip -n "$NETNS" link add link eno1 name plain type macvtap mode bridge
  ip -n "$NETNS" link set plain up
  one_set bridge 2
  tapwarden apply
  run -0 answerers plain web1 web2
  [ "$output" = plain ]

  index=$(fact web1 .ifindex)
  ip -n "$NETNS" link set web1 arp on
  run -0 answerers plain web1 web2
  [ "$output" = "plain
web1" ]
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  host ARP on -> off"$'\n'* ]]
  run -0 tapwarden apply
  [[ "$output" == *"Done: 1 changed, 1 as it was."* ]]
  run -0 answerers plain web1 web2
  [ "$output" = plain ]
  [ "$(fact web1 .ifindex)" = "$index" ]
}

@test "IPv6 that was turned on upon a tap is turned off live" {
  local index
  host_up
  one_set bridge 1
  tapwarden apply
  hold web1
  index=$(fact web1 .ifindex)
  inside sh -c 'echo 0 >/proc/sys/net/ipv6/conf/web1/disable_ipv6'
  [ "$(host_on web1)" = "IPv6
link" ]
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  host IPv6 on -> off"$'\n'* ]]
  tapwarden apply
  [ -z "$(host_on web1)" ]
  [ "$(fact web1 .ifindex)" = "$index" ]
  run -0 tapwarden plan
}

@test "IPv6 stays off when the mtu becomes large enough for it" {
  host_up
  one_set bridge 1
  printf 'mtu = 1200\n' >>"$INI"
  run -0 tapwarden apply
  run -1 inside test -e /proc/sys/net/ipv6/conf/web1
  run -0 tapwarden plan
  sed -i 's/mtu = 1200/mtu = 1400/' "$INI"
  run -0 tapwarden apply
  [ "$(fact web1 .mtu)" = 1400 ]
  [ -z "$(host_on web1)" ]
  run -0 tapwarden plan
}

@test "sysctls that cannot be written are told, and the rest is done" {
  host_up
  one_set bridge 1
  run -2 --separate-stderr inside sh -c 'mount --bind /proc/sys /proc/sys &&
    mount -o remount,bind,ro /proc/sys && exec "$0" apply -c "$1"' "$TAPWARDEN" "$INI"
  [ "$stderr" = "tapwarden: could not turn off the host's IPv6 on web1: /proc/sys/net is mounted read-only" ]
  assert_link web1 macvtap bridge eno1 web
  run -0 tapwarden apply
  [ -z "$(host_on web1)" ]
}

# guest_on LINK: a guest with that tap and 192.0.2.10, whose own IPv6 has looked for its address.
guest_on() {
  ip netns add "$NETNS-guest"
  spawn "$DIR/guest" "$TAP_GUEST" "$1" "$NETNS-guest" eth0
  until [ -s "$DIR/guest" ]; do
    kill -0 "$HOLDER"
    sleep 0.02
  done
  ip -n "$NETNS-guest" addr add 192.0.2.10/24 dev eth0
  ip -n "$NETNS-guest" link set eth0 up
  until ip -n "$NETNS-guest" -6 addr show eth0 -tentative | grep -q inet6; do
    sleep 0.1
  done
}

@test "a guest has its tap to itself, and is reached by IPv4 and by the IPv6 of its MAC" {
  host_up
  one_set bridge 1
  printf '\n[link web1]\nset = web\nmac = 52:54:00:00:00:09\n' >>"$INI"
  tapwarden apply
  sed -i 's/00:09/00:77/' "$INI"
  tapwarden apply
  guest_on web1
  in_peer busybox ping -c 2 -w 10 192.0.2.10
  run -0 ip -n "$NETNS-guest" -6 addr show eth0 dadfailed
  [ -z "$output" ]
  in_peer busybox ping -6 -c 2 -w 10 fe80::5054:ff:fe00:77%peer1
}
