#!/usr/bin/env bats
# What is wrong or unwise about filter and anti-spoof, as check, plan and the agent say it.

bats_require_minimum_version 1.5.0

load filters.bash

@test "a link whose filter cannot be set stays down, and says why" {
  one_link "up = no
anti-spoof = off"
  tapwarden apply
  inside tc qdisc add dev web1 ingress
  one_link ""
  run -2 --separate-stderr tapwarden apply
  echo "$stderr"
  [[ "$stderr" == "tapwarden: could not set the filters of web1: others have the qdisc ingress in the place of clsact: take it away, or turn the link's filters off"* ]]
  [ "$(fact web1 '.flags | index("UP")')" = null ]
  inside tc qdisc del dev web1 ingress
  run -0 tapwarden apply
  [ "$(fact web1 '.flags | index("UP") != null')" = true ]
}

@test "a link of which something else cannot be set has its filter when it is up, or stays down" {
  ip -n "$NETNS" link property add dev eno2 altname shop
  config <<X
[set web]
lower = eno1

[link web1]
set = web
altnames = shop
X
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: could not add an altname to web1: eno2 has the name shop: another name is needed" ]
  [ "$(fact web1 '.flags | index("UP") != null')" = true ]
  inside tc filter show dev web1 egress | grep -q 'handle 0x7477 '
  # Nor is it let on when both cannot be.
  tapwarden down
  sed -i 's/^altnames/up = no\nanti-spoof = off\n&/' "$INI"
  tapwarden apply || true
  inside tc qdisc add dev web1 ingress
  sed -i '/^up = no/d; /^anti-spoof/d' "$INI"
  run -2 tapwarden apply
  [ "$(fact web1 '.flags | index("UP")')" = null ]
}

@test "what is wrong is found by check, each with its place" {
  config <<X
[set web]
lower = eno1
count = 1
filter = host mail.example
filter-to-guest = tcp port 80 and

[set db]
lower = eno1
count = 1
anti-spoof = mac+ip
filter-from-guest = ip6 protochain 58

[set log]
lower = eno1
count = 1
anti-spoof = mac+op
addresses = 192.0.2.1/24
X
  run -2 tapwarden check
  echo "$output"
  diff <(grep -v 'faults$' <<<"$output" | sed "s,^$INI:,,") - <<'X'
8: [set web] filter: "mail.example" is not a word of pcap-filter(7), and names are not looked up: write its number or address
9: [set web] filter-to-guest: can't parse filter expression: syntax error
15: [set db] filter-from-guest: the kernel cannot run it: it jumps back, as protochain does
20: [set log] anti-spoof: unknown anti-spoof "mac+op": did you mean "mac+ip"?
21: [set log] addresses: "192.0.2.1/24" has bits behind its prefix
X
  config <<X
[set db]
lower = eno1
count = 2
anti-spoof = mac+ip

[set log]
lower = eno1
count = 1
addresses = 192.0.2.1

[set off]
lower = eno1
count = 1
anti-spoof = mac+ip
learn = dhcp
monitor = off

[set by]
lower = eno1
count = 1
learn = dhcp

[set of]
lower = eno1
count = 1
anti-spoof = mac+ip
addresses = 192.0.2.1
dhcp-servers = 192.0.2.2

[set some]
lower = eno1
count = 2
anti-spoof = mac+ip
learn = dhcp
dhcp-servers = 192.0.2.2

[link some2]
set = some
learn = off
addresses = 192.0.2.1

[set lone]
lower = eno1
count = 1
dhcp-servers = 192.0.2.2
X
  run -2 tapwarden check
  diff <(grep -v 'faults$' <<<"$output" | sed "s,^$INI:,,") - <<'X'
8: [set db] anti-spoof: addresses is missing beside it, or learn: what may link "db1" send from?
13: [set log] addresses: it is for anti-spoof = mac+ip, and link "log1" has mac
19: [set off] learn: link "off1" is not watched: monitor = off
25: [set by] learn: it is for anti-spoof = mac+ip, and link "by1" has mac
32: [set of] dhcp-servers: it is for learn = dhcp
49: [set lone] dhcp-servers: it is for learn = dhcp
X
}

@test "check and plan tell of filters that let IPv4 through and forget ARP" {
  local note="! eno1: IPv4 passes these filters, and ARP, by which it finds its way, does not: web1"
  one_link "filter = tcp port 80"
  run -0 tapwarden check
  [[ "$output" == *"$note"* ]]
  run -1 tapwarden plan
  [[ "$output" == *"$note"* ]]
  one_link "filter = arp or tcp port 80"
  run -0 tapwarden check
  [[ "$output" != *"! eno1"* ]]
}
