#!/usr/bin/env bats
# What the frames of a link say of its guest: its addresses, against what ip(8) says inside the guest,
# and leases, given by dnsmasq to busybox's udhcpc.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
}

teardown() {
  house_down
}

# seen LINK FILTER: what jq makes of the addresses that status tells of its guest.
seen() {
  status_get ".links[] | select(.name == \"$1\") | .seen | $2"
}

# guest_addresses DEVICE: all that it has, none of them tentative any more.
guest_addresses() {
  in_guest ip -j addr show dev "$1" |
    jq -r '[.[].addr_info[] | if .tentative then "tentative" else .local end] | sort | join(" ")'
}

knows_all_of() {
  [ "$(seen "$1" '[.addresses[].address] | sort | join(" ")')" = "$(guest_addresses "$2")" ]
}

# dhcp_server FIRST LAST [SECONDS]: in the peer, for the guests.
dhcp_server() {
  rm -f "$DIR"/dnsmasq.err
  spawn dnsmasq ip netns exec "$PEER" dnsmasq --conf-file=/dev/null --keep-in-foreground --port=0 \
    --user=root --pid-file="$DIR/dnsmasq.run" --dhcp-leasefile="$DIR/leases.$1" --interface=eno1 \
    --no-ping --dhcp-authoritative --dhcp-range="$1,$2,${3:-3600}" --log-facility=-
  wait_for 10 grep -q 'DHCP, IP range' "$DIR/dnsmasq.err"
}

# dhcp_client ARGUMENT...: in the guest; what it is given becomes the address of eth0. Its pid is in
# $CLIENT: SIGUSR1 makes it renew the lease, SIGUSR2 give it back.
dhcp_client() {
  cat >"$DIR/udhcpc.script" <<'END'
#!/bin/sh
case $1 in
bound | renew) ip addr flush dev "$interface" scope global && ip addr add "$ip/24" dev "$interface" ;;
deconfig) ip addr flush dev "$interface" scope global ;;
esac
END
  chmod +x "$DIR/udhcpc.script"
  spawn udhcpc ip netns exec "$GUEST" busybox udhcpc -f -i eth0 -s "$DIR/udhcpc.script" "$@"
  CLIENT=$(pid_of udhcpc)
}

# bound ADDRESS: the client has it, and its script is through.
bound() {
  [ "$(guest_addresses eth0)" = "$1" ] && ! pgrep -P "$CLIENT" >/dev/null
}

# give_back: the client sends its release and takes its address off at once, so the server's MAC has to be
# known by then: a datagram that still waits for ARP goes with the address.
give_back() {
  wait_for 10 in_guest busybox ping -q -c 1 -W 1 192.0.2.2
  kill -USR2 "$CLIENT"
}

tap_guest() {
  spawn "tap_guest_$1" ip netns exec "$HOST" "$ROOT/build/tests/net/tap_guest" --wait "$1" "$GUEST" "$2"
  wait_for 10 grep -q '^ready' "$DIR/tap_guest_$1.out"
  ip -n "$GUEST" link set "$2" up
}

@test "what a guest has is learned, and outlives the worker that learned it" {
  agent_start
  guest_start
  in_guest sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
  ip -n "$GUEST" addr add 2001:db8::10/64 dev eth0
  wait_for 20 knows_all_of web01 eth0
  [ "$(seen web01 '[.addresses[] | select(.by == "arp") | .address] | join(" ")')" = 192.0.2.10 ]
  wait_for 10 has_record '.link.action == "address-new" and (.link.detail | startswith("2001:db8::10 by neigh"))'
  [ "$(records 'select(.link.action == "address-new" and .link.detail == "192.0.2.10 by ARP") | .in_iface')" = '"web01"' ]
  wait_for 10 grep -q 'link web01 address-new: 192.0.2.10 by ARP' "$DIR/agent.err"
  [ "$(grep -c 'link web01 address-new: 192.0.2.10 by ARP' "$DIR/agent.err")" -eq 1 ]
  tapwarden status | grep -E '^web01 .* (192.0.2.10|2001:db8::10|fe80:)'

  # Nothing is said anew: the pages are the agent's.
  kill -9 "$(worker_pid capture)"
  wait_for 20 status_of '.workers[0].restarts == 1 and .workers[0].state == "ready"'
  knows_all_of web01 eth0
}

@test "an address of two guests is told, and so is a MAC that is not the link's" {
  sed -i 's/^name = web%02d/&\nanti-spoof = off/' "$INI"
  agent_start
  guest_start
  tap_guest web02 eth1
  wait_for 10 status_of '.links[] | select(.name == "web01") | .seen.addresses[].address == "192.0.2.10"'
  in_guest busybox arping -q -c 1 -U -I eth1 -s 192.0.2.10 192.0.2.10 || true
  wait_for 10 has_record '.link.action == "address-conflict"'
  [ "$(records 'select(.link.action == "address-conflict") | [.in_iface, .link.detail]')" = \
    '["web02","192.0.2.10 by ARP: the guest of web01 has it"]' ]
  wait_for 10 status_of '.links[1].seen.addresses[0] | .address == "192.0.2.10" and .conflict == "web01"'
  [ "$(seen web01 '.addresses[0].conflict')" = null ]
  tapwarden status | grep -E '^web02 .* 192.0.2.10! '
  ip -n "$GUEST" link add link eth1 name inner address 52:54:00:00:00:77 type macvlan mode bridge
  ip -n "$GUEST" link set inner up
  ip -n "$GUEST" addr add 192.0.2.11/32 dev inner
  in_guest busybox arping -q -c 1 -U -I inner -s 192.0.2.11 192.0.2.11 || true
  wait_for 10 has_record '.link.action == "mac-foreign"'
  [ "$(records 'select(.link.action == "mac-foreign") | [.in_iface, .link.detail]')" = \
    "[\"web02\",\"its guest sends as 52:54:00:00:00:77, and it has $(mac_of web02)\"]" ]
  [ "$(seen web02 '.addresses | length')" -eq 1 ]
  wait_for 10 status_of '.links[1].seen.foreign_macs > 0'
}

@test "a lease is learned from the server's answer, and given back with its end" {
  agent_start
  tap_guest web01 eth0
  dhcp_server 192.0.2.50 192.0.2.50
  dhcp_client -x hostname:shop
  wait_for 30 status_of '.links[0].seen | .hostname == "shop" and .addresses[0].lease != null'
  [ "$(seen web01 '[.addresses[] | .address, .by] | join(" ")')" = "192.0.2.50 dhcp4" ]
  [ "$(seen web01 '.addresses[0].lease | . > 3500 and . <= 3600')" = true ]
  wait_for 10 has_record '.link.action == "address-new"'
  [ "$(records 'select(.link.action == "address-new") | .link.detail')" = '"192.0.2.50 by DHCP, called shop"' ]
  wait_for 30 bound 192.0.2.50
  give_back
  wait_for 30 has_record '.link.action == "address-gone"'
  wait_for 10 status_of '.links[0].seen.addresses == []'
}

# seen_by_tcpdump EXPRESSION: frames and their bytes, as they went over web01.
seen_by_tcpdump() {
  tcpdump -r "$DIR/web01.pcap" -e -nn -t "$1" 2>/dev/null |
    gawk 'match($0, /length ([0-9]+):/, m) { n++; bytes += m[1] } END { printf "[%d,%d]\n", n, bytes }'
}

# protocol NAME: the same by status.
protocol() {
  status_get "[.links[] | select(.name == \"web01\") | .protocols.$1 | .from_guest, .to_guest |
    [.frames, .bytes]] | tojson"
}

same_as_tcpdump() {
  local own mac
  mac=$(mac_of web01)
  for own in arp ipv4:ip ipv6:ip6 tcp udp icmp:'icmp or ip6 protochain 58'; do
    [ "$(protocol "${own%%:*}")" = \
      "[$(seen_by_tcpdump "ether src $mac and (${own##*:})"),$(seen_by_tcpdump "not ether src $mac and (${own##*:})")]" ] ||
      { echo "${own%%:*}: $(protocol "${own%%:*}"), $(seen_by_tcpdump "ether src $mac and (${own##*:})")" >&2; return 1; }
  done
}

# sizes_by_tcpdump EXPRESSION: frames by the groups of RFC 2819, which counts the check sequence.
sizes_by_tcpdump() {
  tcpdump -r "$DIR/web01.pcap" -e -nn -t "$1" 2>/dev/null |
    gawk 'BEGIN { split("64 127 255 511 1023 1518", end) }
      match($0, /length ([0-9]+):/, m) { for (i = 1; i < 7 && m[1] + 4 > end[i]; i++); n[i]++ }
      END { for (i = 1; i <= 7; i++) printf("%s%d", (i > 1 ? "," : "["), n[i]); print "]" }'
}

same_sizes_as_tcpdump() {
  [ "$(status_get '.links[0].sizes | [.from_guest, .to_guest] | tojson')" = \
    "[$(sizes_by_tcpdump "ether src $1"),$(sizes_by_tcpdump "not ether src $1")]" ]
}

# What an OpenMetrics parser makes of the histogram: upper bound and frames, both ways; then the rest.
histogram() {
  /usr/bin/python3 - "$DIR/metrics" <<'END'
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(open(sys.argv[1]).read()):
    for s in family.samples:
        if family.name == "tapwarden_link_frame_size_bytes" and s.labels["link"] == "web01":
            print(s.name.rpartition("_")[2], s.labels.get("le", "-"), int(s.value))
END
}

# series_sum PATH: what the steps of the last hour had together, by the API.
series_sum() {
  in_host curl -sS --unix-socket "$DIR/run/api.sock" "http://x$1" >"$DIR/series"
  jq -e "$2 | add * 10" "$DIR/series"
}

# Both ways, to a hundredth: a step is not ten seconds to the last millisecond.
series_has_all() {
  local way sum bytes
  for way in from_guest to_guest; do
    bytes=$(status_get ".links[0].captured.$way.bytes")
    for sum in "$(series_sum /v1/links/web01/series ".$way.bytes")" \
      "$(series_sum /v1/series ".links[] | select(.name == \"web01\") | .$way")"; do
      gawk -v a="$sum" -v b="$bytes" 'BEGIN { exit !(a > b * 0.99 - 20 && a < b * 1.01 + 20) }' || return
    done
  done
}

# As status has it: frames may come between the two questions.
same_histogram() {
  in_host curl -sS --unix-socket "$DIR/run/api.sock" http://x/metrics >"$DIR/metrics"
  histogram >"$DIR/histogram"
  status_get '.links[0] | [.sizes.from_guest, .sizes.to_guest] | transpose | map(add) as $n |
    ([64, 127, 255, 511, 1023, 1518] | map("\(.).0")) + ["+Inf"] | to_entries[] |
    "bucket \(.value) \([$n[:.key + 1][]] | add)"' >"$DIR/wanted"
  status_get '.links[0] | "count - \([.sizes[][]] | add)",
    "sum - \(([.sizes[][]] | add) * 4 + ([.protocols | .arp, .ipv4, .ipv6, .other // empty | .[].bytes] | add))"' \
    >>"$DIR/wanted"
  diff "$DIR/wanted" "$DIR/histogram"
}

@test "what frames are, with whom and how fast: as tcpdump has it" {
  head -c 3000000 /dev/urandom >"$DIR/www/big"
  agent_start
  spawn tcpdump ip netns exec "$HOST" tcpdump -i web01 --immediate-mode -U -s 128 -B 65536 -w "$DIR/web01.pcap"
  wait_for 10 grep -q 'listening on' "$DIR/tcpdump.err"
  guest_start
  in_guest sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
  in_peer sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eno1/disable_ipv6'
  ip -n "$PEER" addr add 2001:db8::2/64 dev eno1
  ip -n "$GUEST" addr add 2001:db8::10/64 dev eth0
  in_peer curl -sS --max-time 20 -o /dev/null http://192.0.2.10/big
  in_guest bash -c "echo hello >/dev/udp/192.0.2.2/5353"
  wait_for 10 in_guest busybox ping -q -c 1 -W 1 2001:db8::2
  wait_for 20 same_as_tcpdump
  [ "$(status_get '.links[0].protocols | keys | join(" ")')" = "arp icmp ipv4 ipv6 tcp udp" ]
  wait_for 20 same_sizes_as_tcpdump "$(mac_of web01)"
  # Some of the first and of the last group, and none of the other link.
  [ "$(status_get '.links[0].sizes | .from_guest[0] > 0 and .to_guest[0] > 0 and .from_guest[5] + .from_guest[6] > 100')" = true ]
  [ "$(status_get '.links[] | select(.name == "web02") | .sizes.from_guest // [] | add // 0')" = 0 ]

  # All of it is within the list: no error, and the peer's is the first.
  run jq -r '.talkers | .list[0] | [.address, .protocol, .port, .error] | join(" ")' \
    <(in_host curl -sS --unix-socket "$DIR/run/api.sock" http://x/v1/links/web01)
  [ "$output" = "192.0.2.2 6 80 0" ]
  [ "$(status_get '.links[0].talkers.list[0] | [[.frames, .bytes]] | tojson')" = \
    "[$(seen_by_tcpdump 'tcp port 80')]" ]

  wait_for 10 status_of '.links[0].rates.from_guest.bytes | .[2] > 10000 and .[1] > .[2]'
  status_of '(.sets[] | select(.name == "web") | .rates.from_guest) == .links[0].rates.from_guest'
  tapwarden status | grep -E '^web +eno1 .* [0-9.]+ [kM]bit/s'
  in_host curl -sS --unix-socket "$DIR/run/api.sock" http://x/metrics >"$DIR/metrics"
  grep -qx "tapwarden_link_protocol_from_guest_packets_total{set=\"web\",link=\"web01\",protocol=\"tcp\"} $(
    status_get '.links[0].protocols.tcp.from_guest.frames'
  )" "$DIR/metrics"
  wait_for 20 same_histogram

  wait_for 30 series_has_all
  [ "$(in_host curl -sS -o /dev/null -w '%{http_code}' --unix-socket "$DIR/run/api.sock" \
    http://x/v1/links/nosuch/series)" = 404 ]
}

# learning [KEYS...]: the guests' links let out what DHCP gave, and nothing else of IPv4.
learning() {
  sed -i 's/^name = web%02d/&\nanti-spoof = mac+ip\nlearn = dhcp/' "$INI"
  printf '%s\n' "$@" >>"$INI"
  cp "$INI" "$DIR/commands.ini"
}

# gets_out ADDRESS: whether what the guest sends from it arrives at the peer, before a frame behind it
# that always does.
gets_out() {
  local seen
  in_guest ip addr replace "$1/32" dev eth0 noprefixroute
  in_guest ip route replace 192.0.2.2/32 dev eth0 src "$1"
  in_guest ip neigh replace 192.0.2.2 dev eth0 lladdr "$(ip -n "$PEER" -j link show eno1 | jq -r '.[0].address')"
  rm -f "$DIR"/tcpdump.*
  spawn tcpdump ip netns exec "$PEER" tcpdump -i eno1 -nn -l --immediate-mode 'udp port 9 or arp[6:2] = 1'
  wait_for 10 grep -q 'listening on' "$DIR/tcpdump.err"
  in_guest bash -c 'echo x >/dev/udp/192.0.2.2/9'
  # A probe, which mac+ip lets pass, behind it on the same way.
  in_guest busybox arping -q -D -c 1 -w 1 -I eth0 192.0.2.222 || true
  wait_for 10 grep -q 'who-has 192.0.2.222' "$DIR/tcpdump.out"
  seen=$(grep -c "IP $1\.[0-9]* > 192.0.2.2.9" "$DIR/tcpdump.out" || true)
  kill "$(pid_of tcpdump)"
  in_guest ip addr del "$1/32" dev eth0 2>/dev/null || true
  [ "$seen" -gt 0 ]
}

@test "learn = dhcp: what the server gave gets out, and nothing else does" {
  learning
  agent_start
  tap_guest web01 eth0
  run ! gets_out 192.0.2.50
  dhcp_server 192.0.2.50 192.0.2.50
  dhcp_client
  wait_for 30 bound 192.0.2.50
  wait_for 10 grep -q '^web01 .* 192.0.2.50/32 ' "$DIR/run/leases"
  wait_for 10 gets_out 192.0.2.50
  run ! gets_out 192.0.2.77

  # An agent that starts again, and the commands, know it too.
  kill -9 "$(pid_of agent)"
  wait "$(pid_of agent)" || true
  run tapwarden plan
  [ "$status" -eq 0 ]
  agent_start
  gets_out 192.0.2.50

  # The server has another address for it now.
  kill "$(pid_of dnsmasq)"
  wait_for 10 is_gone "$(pid_of dnsmasq)"
  dhcp_server 192.0.2.60 192.0.2.60
  kill -USR1 "$CLIENT"
  wait_for 60 bound 192.0.2.60
  wait_for 10 gets_out 192.0.2.60
  run ! gets_out 192.0.2.50

  # What is given back is lost at once.
  ip -n "$GUEST" addr add 192.0.2.60/24 dev eth0 2>/dev/null || true
  give_back
  wait_for 20 has_record '.link.action == "address-gone" and .link.detail == "192.0.2.60"'
  wait_for 10 is_gone_from_leases
  run ! gets_out 192.0.2.60
}

is_gone_from_leases() {
  ! grep -qv "^end " "$DIR/run/leases"
}

@test "learn = dhcp: no guest gives a lease to another" {
  learning '[link web02]' 'set = web' 'addresses = 192.0.2.3' 'learn = off'
  agent_start
  tap_guest web01 eth0
  tap_guest web02 eth1
  ip -n "$GUEST" addr add 192.0.2.3/24 dev eth1
  spawn dnsmasq ip netns exec "$GUEST" dnsmasq --conf-file=/dev/null --keep-in-foreground --port=0 \
    --user=root --pid-file="$DIR/dnsmasq.run" --dhcp-leasefile="$DIR/leases.rogue" --interface=eth1 \
    --no-ping --dhcp-authoritative --dhcp-range=192.0.2.66,192.0.2.66,3600 --log-facility=-
  wait_for 10 grep -q 'DHCP, IP range' "$DIR/dnsmasq.err"
  dhcp_client
  wait_for 30 bound 192.0.2.66
  wait_for 10 has_record '.link.action == "lease-refused"'
  [ "$(records 'select(.link.action == "lease-refused") | [.in_iface, .link.detail]' | head -n 1)" = \
    '["web01","192.0.2.66/32 of 192.0.2.3/32: that is the guest of web02, not in dhcp-servers: its guest cannot send from it"]' ]
  run ! gets_out 192.0.2.66

  # Unless the configuration says that it may.
  sed -i 's/^learn = dhcp/&\ndhcp-servers = 192.0.2.3/' "$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 20 has_record '.service.action == "reloaded"'
  kill -USR1 "$CLIENT"
  wait_for 20 grep -q '^web01 .* 192.0.2.66/32 ' "$DIR/run/leases"
  wait_for 10 gets_out 192.0.2.66
}

# The last line of a file of states has the FNV-1a of those before it.
with_end() {
  perl -0777 -pe 'use integer; my $hash = 0xcbf29ce484222325;
    $hash = ($hash ^ ord) * 0x100000001b3 for split //; $_ .= sprintf "end %016x\n", $hash'
}

@test "learn = dhcp: a lease ends by the clock, and a damaged file of leases is begun anew" {
  learning
  agent_start
  tap_guest web01 eth0
  kill "$(pid_of agent)"
  wait "$(pid_of agent)" || true
  echo "web01 $(mac_of web01) 192.0.2.50/32 $(($(date +%s) + 20))" | with_end >"$DIR/run/leases"
  agent_start
  gets_out 192.0.2.50
  wait_for 40 is_gone_from_leases
  run ! gets_out 192.0.2.50

  kill "$(pid_of agent)"
  wait "$(pid_of agent)" || true
  : >"$DIR/run/leases"
  run -2 --separate-stderr tapwarden plan
  [ "$stderr" = "tapwarden: $DIR/run/leases: it is cut or changed" ]
  echo "web01 192.0.2.50" | with_end >"$DIR/run/leases"
  run -2 --separate-stderr tapwarden plan
  [ "$stderr" = "tapwarden: $DIR/run/leases: a line has four words" ]
  agent_start
  is_gone_from_leases
  grep -q "leases: a line has four words: it is begun anew: guests with leases must ask for them again" "$DIR/agent.err"
}

@test "learn = dhcp: of an inline link, too" {
  learning
  sed -i 's/^name = web%02d/&\nmonitor = inline\npeer = stream/' "$INI"
  cp "$INI" "$DIR/commands.ini"
  agent_run
  wait_for 20 status_of '.links[0].monitor == "inline" and ([.workers[].state] | all(. == "ready"))'
  spawn socket_guest ip netns exec "$HOST" "$ROOT/build/tests/net/socket_guest" web01 "$GUEST" eth0 \
    "$DIR/run/guests/web01/qemu.sock"
  wait_for 10 grep -q '^peer' "$DIR/socket_guest.out"
  ip -n "$GUEST" link set eth0 up
  run ! gets_out 192.0.2.50
  dhcp_server 192.0.2.50 192.0.2.50
  dhcp_client
  wait_for 30 bound 192.0.2.50
  wait_for 10 gets_out 192.0.2.50
  run ! gets_out 192.0.2.77
}
