#!/usr/bin/env bats
# Two capture workers share two links: one log with every number, whoever dies, and with as many
# workers as a reload says. What is learned and kept is what one worker would have.

bats_require_minimum_version 1.5.0

load guest.bash

# Beside the guest on web01, one on web02: 192.0.2.11.
setup() {
  house_up
  GUEST2=tw$$-$BATS_TEST_NUMBER-guest2
  ip netns add "$GUEST2"
}

teardown() {
  house_down
  ip netns del "$GUEST2" 2>/dev/null || true
}

# workers N
workers() {
  sed -i "/^capture-workers/d; s/^\[agent\]/[agent]\ncapture-workers = $1/" "$INI"
}

guests_start() {
  guest_start
  spawn tap_guest2 ip netns exec "$HOST" "$ROOT/build/tests/net/tap_guest" --wait web02 "$GUEST2" eth0
  wait_for 10 grep -q '^ready' "$DIR/tap_guest2.out"
  ip -n "$GUEST2" addr add 192.0.2.11/24 dev eth0
  ip -n "$GUEST2" link set eth0 up
  spawn httpd2 ip netns exec "$GUEST2" busybox httpd -f -p 192.0.2.11:80 -h "$DIR/www"
  wait_for 10 in_peer curl -sS --max-time 2 -o /dev/null "http://192.0.2.11/"
}

# ask_both QUERY: one request to each guest.
ask_both() {
  local guest
  for guest in 10 11; do
    in_peer curl -sS --max-time 5 -o /dev/null "http://192.0.2.$guest/index.html?$1"
  done
}

# requests_of QUERY: the links of those that were found, sorted.
requests_of() {
  records "select(.tapwarden.rule == \"request\" and (.tapwarden.groups.path.text | test(\"$1\")))
    | .tapwarden.link" | sort | tr -d '"' | tr '\n' ' '
}

has_requests() {
  [ "$(requests_of "$1")" = "web01 web02 " ]
}

# No number is given twice, and where one is missing a gap says how many are.
every_record_is_told() {
  jq -s -e '[.[] | {seq: .tapwarden.seq, n: (if .gap.unit == "records" then .gap.lost else 1 end)}]
    | sort_by(.seq) | . as $all | [range(1; length)
    | $all[.].seq == $all[. - 1].seq + $all[. - 1].n] | all' "$DIR"/log/records.json
}

@test "two workers share the links, and one log has every number" {
  workers 2
  agent_start
  guests_start
  ask_both both=1
  wait_for 10 has_requests both=1
  no_hole_in_records
  run status_get '[.workers[] | [.name, .state, .patterns]] | tostring'
  [ "$output" = '[["capture","ready",2],["capture 1","ready",2],["web","ready",null]]' ]
  tapwarden status | grep -Eq '^capture 1 +[0-9]+ +ready +0 +seccomp, '
  tapwarden status | grep -Eq '^capture +[0-9]+ +ready +0 +seccomp, '
  in_host curl -sS --unix-socket "$DIR/run/api.sock" http://x/metrics >"$DIR/metrics"
  grep -qx 'tapwarden_worker_restarts_total{worker="capture 1"} 0' "$DIR/metrics"
  # Each has its own, and what they counted is one.
  grep -q 'capture: link web01 address-new: 192.0.2.10' "$DIR/agent.err"
  grep -q 'capture 1: link web02 address-new: 192.0.2.11' "$DIR/agent.err"
  wait_for 10 status_of '(.patterns[] | select(.name == "request").matches) == ([.links[].matches] | add) -
    (.patterns[] | select(.name == "order").matches)'
}

# One request after the other to each guest, numbered: the answered ones in $DIR/NAME.out.
traffic_both() {
  local guest
  for guest in 10 11; do
    spawn "traffic$guest" ip netns exec "$PEER" sh -c "n=0; until [ -e '$DIR/stop' ]; do
      n=\$((n + 1))
      curl -s --max-time 5 -o /dev/null -w \"g$guest-\$n-end %{http_code}\\n\" http://192.0.2.$guest/?g$guest-\$n-end
      sleep 0.01
    done"
  done
}

answered() {
  grep -hc ' 200$' "$DIR/traffic$1.out" || true
}

# answered_more N: so many more of each.
answered_more() {
  local ten eleven
  ten=$(($(answered 10) + $1))
  eleven=$(($(answered 11) + $1))
  wait_for 30 eval "[ \$(answered 10) -ge $ten ] && [ \$(answered 11) -ge $eleven ]"
}

# Each ends with an answer.
traffic_stop() {
  local guest
  touch "$DIR/stop"
  for guest in 10 11; do
    wait_for 20 is_gone "$(pid_of "traffic$guest")"
  done
  ! grep -hv ' 200$' "$DIR/traffic10.out" "$DIR/traffic11.out"
}

# What was answered, and what was found: numbers of requests, sorted.
asked() {
  cut -d' ' -f1 "$DIR/traffic10.out" "$DIR/traffic11.out" | sort
}

found() {
  records 'select(.tapwarden.rule == "request") | .tapwarden.groups.path.text' |
    grep -o 'g1[01]-[0-9]*-end' | sort
}

# The last requests are found, so all before them have been looked at.
found_last() {
  local guest
  for guest in 10 11; do
    found | grep -qx "$(grep ' 200$' "$DIR/traffic$guest.out" | tail -n 1 | cut -d' ' -f1)" || return 1
  done
}

# At each link what was asked of its guest alone.
each_at_its_link() {
  records 'select(.tapwarden.rule == "request") | [.tapwarden.link, .tapwarden.groups.path.text]' |
    jq -s -e 'map(select(.[1] | test("g1[01]-"))) | length > 0 and
      all((.[0] == "web01") == (.[1] | test("g10-")))' >/dev/null
}

# reloaded N: the agent has taken that many configurations, and all of their workers serve.
reloaded() {
  status_of ".agent.generation == $1 and ([.workers[].state] | all(. == \"ready\"))"
}

@test "a worker that is killed costs its own frames at most, and all that is lost is told" {
  local round pid missing told
  workers 2
  agent_start
  guests_start
  traffic_both
  answered_more 20
  for round in 1 0 1 0; do
    pid=$(status_get ".workers[$round].pid")
    kill -KILL "$pid"
    wait_for 20 status_of ".workers[$round] | .state == \"ready\" and .pid != $pid and (.last_death | test(\"signal 9\"))"
    [ "$(status_get ".workers[1 - $round].restarts")" -le 2 ]
    answered_more 20
  done
  [ "$(status_get '[.workers[].restarts] | tostring')" = '[2,2,0]' ]
  traffic_stop
  wait_for 10 found_last
  every_record_is_told
  each_at_its_link
  # Nothing twice, nothing made up; what is missing is in a gap.
  [ -z "$(found | uniq -d)" ]
  [ -z "$(comm -13 <(asked) <(found))" ]
  missing=$(comm -23 <(asked) <(found) | wc -l)
  told=$(records 'select(.event_type == "gap") | .gap.lost' | jq -s 'add // 0')
  echo "missing $missing, told $told"
  [ "$missing" -le "$told" ]
  [ "$(records 'select(.service.action == "worker-died") | .service.detail' | grep -c '"capture 1 worker: ')" -eq 2 ]
  [ "$(records 'select(.service.action == "worker-died") | .service.detail' | grep -c '"capture worker: ')" -eq 2 ]
}

@test "a reload to two workers and back loses and doubles nothing" {
  workers 1
  agent_start
  guests_start
  traffic_both
  answered_more 20
  workers 2
  kill -HUP "$(pid_of agent)"
  wait_for 20 reloaded 2
  status_of '.workers | length == 3'
  answered_more 20
  workers 1
  kill -HUP "$(pid_of agent)"
  wait_for 20 reloaded 3
  status_of '.workers | length == 2'
  answered_more 20
  traffic_stop
  wait_for 10 found_last
  no_hole_in_records
  each_at_its_link
  diff <(asked) <(found)
  [ -z "$(records 'select(.event_type == "gap")')" ]
}

@test "a fault of one worker's successor refuses the reload, and all go on" {
  workers 2
  agent_start
  guests_start
  workers 17
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.reload_error | test("capture-workers")'
  ask_both still=1
  wait_for 10 has_requests still=1
  status_of '[.workers[].restarts] == [0, 0, 0]'
}

# count FILE LINK FILTER: frames of the link in a file, as tshark has it.
count() {
  tshark -n -r "$DIR/log/$1" -Y "frame.interface_name == \"$2\" && ($3)" 2>/dev/null | wc -l
}

# counted FILE LINK: its protocols by the counters, and by tshark in the file.
counted() {
  local protocol
  for protocol in arp ipv4 ipv6 tcp icmp; do
    # The counter of ICMP is of either version; tshark calls IPv4 as it was called when there was no other.
    [ "$(count "$1" "$2" "$(sed 's/ipv4/ip/; s/icmp/icmp or icmpv6/' <<<"$protocol")")" -eq \
      "$(status_get "[.links[] | select(.name == \"$2\").protocols.$protocol | .from_guest.frames?, .to_guest.frames?] | add // 0")" ] ||
      return 1
  done
  [ "$(count "$1" "$2" frame)" -eq "$(status_get ".links[] | select(.name == \"$2\").captured |
    .from_guest.frames + .to_guest.frames")" ]
}

@test "what is learned, counted and kept of each link is what one worker would have" {
  local number
  printf '\n[record]\npcap = all\n' >>"$INI"
  workers 2
  agent_start
  guests_start
  in_guest busybox ping -c 2 192.0.2.11 >/dev/null
  ask_both kept=1
  wait_for 10 has_requests kept=1
  # Its address is another guest's, whom another worker watches.
  ip -n "$GUEST2" addr add 192.0.2.10/24 dev eth0
  ip netns exec "$GUEST2" busybox arping -q -c 1 -A -I eth0 192.0.2.10 || true
  wait_for 10 has_record '.link.action == "address-conflict"'
  run records 'select(.link.action == "address-conflict") | [.in_iface, .link.detail]'
  [ "$output" = '["web02","192.0.2.10 by ARP: the guest of web01 has it"]' ]

  wait_for 20 counted frames.pcapng web01
  wait_for 20 counted frames.1.pcapng web02
  capinfos "$DIR/log/frames.pcapng" "$DIR/log/frames.1.pcapng" >/dev/null
  [ "$(count frames.pcapng web02 frame)" -eq 0 ]
  [ "$(count frames.1.pcapng web01 frame)" -eq 0 ]

  # A match says which file has its frame, and that one says so of the match.
  number=$(records 'select(.tapwarden.link == "web02" and .tapwarden.rule == "request" and
    .capture_file == "frames.1.pcapng") | .pcap_cnt' | tail -n 1)
  tshark -n -r "$DIR/log/frames.1.pcapng" -Y 'frame.comment contains "rule request"' -T fields -e frame.packet_id \
    2>/dev/null | grep -qx "$number"
  [ -z "$(records 'select(.tapwarden.link == "web01" and .capture_file)')" ]
}

# fetched QUERY FILTER: frames of /v1/pcap, as tshark has them.
fetched() {
  in_host curl -sS --fail --unix-socket "$DIR/run/api.sock" -o "$DIR/body" "http://x/v1/pcap$1" &&
    tshark -n -r "$DIR/body" -Y "$2" 2>/dev/null | grep -c .
}

has_fetched() {
  [ "$(fetched "$1" "$2")" -gt 0 ]
}

@test "the kept frames of both workers are fetched as one file" {
  printf '\n[record]\npcap = matches\n' >>"$INI"
  workers 2
  agent_start
  guests_start
  ask_both fetch=1
  wait_for 10 has_requests fetch=1
  wait_for 10 has_fetched '' 'frame.interface_name == "web02" && http.request.uri contains "fetch=1"'
  wait_for 10 has_fetched '' 'frame.interface_name == "web01" && http.request.uri contains "fetch=1"'
  capinfos "$DIR/body" >/dev/null
  has_fetched '?link=web02' 'http.request.uri contains "fetch=1"'
  [ "$(fetched '?link=web02' 'frame.interface_name != "web02"')" = 0 ]
  # Also when the first worker has kept none.
  rm "$DIR/log/frames.pcapng"
  has_fetched '' 'frame.interface_name == "web02"'
}

# Datagrams that a guest got for a port at which nobody listens.
unheard() {
  ip netns exec "$1" awk '/^Udp:/ && $3 != "NoPorts" { print $3 }' /proc/net/snmp
}

has_unheard() {
  [ "$(unheard "$GUEST2")" -eq "$1" ]
}

@test "an inline link goes from worker to worker with all that is in its hand" {
  local round before sent=0
  printf '\n[link web02]\nset = web\nmonitor = inline\n' >>"$INI"
  printf '\n[pattern forbidden]\nregex = "forbidden-[0-9]+"\naction = drop\n' >>"$INI"
  workers 1
  agent_run
  wait_for 20 workers_ready
  spawn socket_guest ip netns exec "$HOST" "$ROOT/build/tests/net/socket_guest" web02 "$GUEST2" eth0 \
    "$DIR/run/guests/web02/qemu.sock"
  wait_for 10 grep -q '^ready' "$DIR/socket_guest.out"
  ip -n "$GUEST2" addr add 192.0.2.11/24 dev eth0
  ip -n "$GUEST2" link set eth0 up
  spawn httpd2 ip netns exec "$GUEST2" busybox httpd -f -p 192.0.2.11:80 -h "$DIR/www"
  wait_for 20 in_peer curl -sS --max-time 2 -o /dev/null "http://192.0.2.11/"
  before=$(unheard "$GUEST2")
  for ((round = 2; round <= 7; round++)); do
    in_peer bash -c 'for ((i = 0; i < 50; i++)); do echo x >/dev/udp/192.0.2.11/9; sleep 0.005; done' &
    workers $((round % 2 + 1))
    kill -HUP "$(pid_of agent)"
    wait_for 20 reloaded "$round"
    wait $!
    sent=$((sent + 50))
    run ! in_peer curl -sS --max-time 1 -o /dev/null "http://192.0.2.11/?forbidden-$round"
  done
  wait_for 10 has_unheard $((before + sent))
  # Of both numbers of workers, each has dropped.
  [ "$(records 'select(.tapwarden.rule == "forbidden") | .alert.action' | sort -u)" = '"blocked"' ]
  for ((round = 2; round <= 7; round++)); do
    has_record ".tapwarden.rule == \"forbidden\" and .tapwarden.match.text == \"forbidden-$round\""
  done
  no_hole_in_records
}

# flood FIRST LAST: datagrams to web02's guest with a match each, where no ICMP answer quotes it; with
# pauses, since a queue of the kernel holds 1000.
flood() {
  in_peer perl -MSocket -e 'socket(S, PF_INET, SOCK_DGRAM, 17) or die;
    my $to = sockaddr_in(9, inet_aton("192.0.2.11"));
    for ($ARGV[0] .. $ARGV[1]) {
      send S, "x" x 1350 . "flood-$_-end", 0, $to;
      select undef, undef, undef, 0.002 unless $_ % 50 }' "$1" "$2"
}

# Bytes of records that wait for the first worker, as the kernel has them.
waiting() {
  in_host ss -x -a -H | awk '$1 == "u_seq" && $3 > max { max = $3 } END { print max + 0 }'
}

flood_lost() {
  records 'select(.gap.unit == "records" and .gap.reason == "reader-slow") | .gap.lost' | jq -s 'add // 0'
}

flood_found() {
  records 'select(.tapwarden.rule == "flood") | .tapwarden.match.text' | tr -d '"' | sort
}

@test "a first worker that stands still costs records of others, and what is lost is told" {
  local first waited missing
  printf '\n[pattern flood]\nregex = "flood-[0-9]+-end"\n' >>"$INI"
  workers 2
  agent_start
  guests_start
  ask_both before=1
  wait_for 10 has_requests before=1
  first=$(worker_pid capture)
  # Shorter than the agent waits for an answer.
  kill -STOP "$first"
  flood 1 8000
  wait_for 5 status_of '.capture.log_lost > 100'
  waited=$(waiting)
  flood 8001 9000
  echo "waiting $waited, then $(waiting)"
  # 16 MiB, of which the kernel takes as much again for what it keeps beside them.
  [ "$waited" -gt $((4 << 20)) ]
  [ "$(waiting)" -le $((32 << 20)) ]
  [ "$(waiting)" -le $((waited + 65536)) ]
  kill -CONT "$first"
  ask_both after=1
  wait_for 20 has_requests after=1
  wait_for 20 eval '[ "$(flood_lost)" -gt 0 ]'
  [ "$(worker_pid capture)" -eq "$first" ]
  every_record_is_told
  [ -z "$(flood_found | uniq -d)" ]
  # An event may be among them.
  missing=$(($(status_get '.patterns[] | select(.name == "flood").matches') - $(flood_found | wc -l)))
  echo "missing $missing, told $(flood_lost)"
  [ "$missing" -gt 0 ]
  [ "$missing" -le "$(flood_lost)" ]
  status_of ".capture.log_lost == $(flood_lost)"
  # Those that came first waited.
  flood_found | grep -qx flood-1-end
  [ "$(flood_found | grep -cx flood-9000-end)" -eq 0 ]
}
