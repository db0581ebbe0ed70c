#!/usr/bin/env bats
# What a ring holds when nobody reads it any more: the kernel hands over a block that is not full some
# milliseconds after its first frame, and what ends sooner waits for that.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
  printf '\n[record]\npcap = all\n' >>"$INI"
  agent_start
  guest_start
}

teardown() {
  house_down
}

# payloads FILE: what the guest's datagrams carry, with their times before it when $1 is -t. A port
# that the guest has by chance may be some protocol's.
payloads() {
  local fields=(-e data.text)
  if [ "$1" = -t ]; then
    shift
    fields=(-e frame.time_epoch -e data.text)
  fi
  tshark -n -r "$1" -d udp.port==9,data -Y 'udp.dstport == 9 && !icmp' -T fields "${fields[@]}" -o data.show_as_text:TRUE 2>/dev/null
}

# The same of all files: a worker that has other links than the one before begins another.
kept_payloads() {
  local file
  for file in "$DIR"/log/frames.pcapng*; do
    payloads "$file"
  done
}

# The guest sends numbers, and the peer writes down what came of them.
numbers_start() {
  # Replies would be errors of the sender.
  in_peer sh -c 'echo 1000000 >/proc/sys/net/ipv4/icmp_ratelimit'
  spawn wire ip netns exec "$PEER" tcpdump -U --immediate-mode -B 16384 -i eno1 -w "$DIR/wire.pcap" udp dst port 9
  wait_for 10 grep -q 'listening on' "$DIR/wire.err"
  spawn numbers ip netns exec "$GUEST" perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "192.0.2.2:9") or die;
    for (my $n = 0;; $n++) { $s->send("n=$n;"); select undef, undef, undef, 0.001 }'
  wait_for 10 has_numbers
}

has_numbers() {
  [ "$(payloads "$DIR/wire.pcap" | wc -l)" -gt 100 ]
}

agent_end() {
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
}

# all_before SECONDS: numbers that were on the wire by then are in the file, and no gap is told.
all_before() {
  payloads -t "$DIR/wire.pcap" | awk -v at="$1" '$1 < at { print $2 }' | sort >"$DIR/before"
  [ "$(wc -l <"$DIR/before")" -gt 100 ]
  diff /dev/null <(comm -23 "$DIR/before" <(kept_payloads | sort))
  [ "$(records 'select(.gap)')" = "" ]
}

is_another() {
  local now
  now=$(ifindex_of web01)
  [ -n "$now" ] && [ "$now" != "$1" ]
}

# How many datagrams came to a port of the peer where nobody listens.
no_ports() {
  in_peer awk '/^Udp: [0-9]/ { print $3 }' /proc/net/snmp
}

# They are through the link when this returns, and soon enough for the block that they are in.
five_frames() {
  local before
  before=$(no_ports)
  in_guest bash -c 'for n in 1 2 3 4 5; do echo "last=$n;" >/dev/udp/192.0.2.2/9; done'
  for _ in $(seq 2000); do
    [ "$(no_ports)" -lt "$((before + 5))" ] || return 0
  done
  return 1
}

# In the order of the guest, once each.
five_are_read() {
  diff <(seq -f 'last=%g;' 5) <(kept_payloads | grep -o 'last=[0-9];')
  [ "$(records 'select(.gap)')" = "" ]
}

@test "the last frames before the agent ends are read" {
  five_frames
  agent_end
  five_are_read
}

# Each of them has a block of the ring, which the kernel hands over before the next one comes.
@test "lone frames do not fill the ring of a reader that is away for a while" {
  local pid
  pid=$(worker_pid capture)
  kill -STOP "$pid"
  in_guest bash -c 'for n in $(seq 48); do echo "lone=$n;" >/dev/udp/192.0.2.2/9; sleep 0.05; done'
  kill -CONT "$pid"
  agent_end
  diff <(seq -f 'lone=%g;' 48) <(kept_payloads | grep -o 'lone=[0-9]*;')
  [ "$(records 'select(.gap)')" = "" ]
}

@test "the last frames before a reload that lets a link go are read, by the rules before it" {
  local at
  printf '\n[pattern number]\nregex = "^n=\\d+;"\n' >>"$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.generation == 2'
  numbers_start
  sed -i '/^\[pattern number\]/,/^$/d' "$INI"
  printf '\n[link web01]\nset = web\nmonitor = off\n' >>"$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.generation == 3'
  wait_for 20 status_of '[.links[] | select(.name == "web01") | .monitor] == ["off"]'
  agent_end
  # What was on the wire before the agent said so had been on the link before that.
  at=$(records 'select(.service.action == "reloaded") | .timestamp' | tail -n 1)
  all_before "$(date -d "$(jq -r . <<<"$at")" +%s.%N)"
  diff /dev/null <(comm -23 "$DIR/before" <(records 'select(.tapwarden.rule == "number") | .tapwarden.match.text' |
    jq -r . | sort))
}

@test "the last frames before a link is deleted are read" {
  local at before
  numbers_start
  before=$(ifindex_of web01)
  at=$(date +%s.%N)
  ip -n "$HOST" link del web01
  wait_for 20 is_another "$before"
  agent_end
  all_before "$at"
}

# Nobody has the links then for seconds, since it dies again and again.
capture_dies() {
  local pid
  for _ in 1 2 3; do
    wait_for 20 workers_ready
    pid=$(worker_pid capture)
    kill -KILL "$pid"
    wait_for 20 status_of "[.workers[].pid] | index($pid) | not"
  done
}

capture_waits() {
  status_of '[.workers[] | select(.name == "capture") | .state] == ["waiting"]'
}

@test "the last frames before a link is deleted are read when no worker lives" {
  local before
  before=$(ifindex_of web01)
  capture_dies
  five_frames
  ip -n "$HOST" link del web01
  wait_for 20 is_another "$before"
  capture_waits
  wait_for 20 workers_ready
  agent_end
  five_are_read
}

@test "that no worker reads what rings hold when the agent ends is said" {
  capture_dies
  capture_waits
  agent_end
  grep -q 'no capture worker is there to read the packet rings of 2 links: what came last may be lost' "$DIR/agent.err"
  agent_start
  agent_end
  run ! grep 'no capture worker' "$DIR/agent.err"
}

@test "the last frames before a link is deleted are read while workers relieve each other" {
  local before first second
  sed -i 's/^\[agent\]$/[agent]\ncapture-workers = 2/' "$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.generation == 2 and (.workers | length) == 3'
  wait_for 20 workers_ready
  before=$(ifindex_of web01)
  first=$(worker_pid capture)
  second=$(worker_pid 'capture 1')
  kill -STOP "$second"
  kill -HUP "$(pid_of agent)"
  wait_for 20 is_gone "$first"
  # Until the other has ended, too, nobody has a link.
  five_frames
  ip -n "$HOST" link del web01
  wait_for 20 is_another "$before"
  kill -CONT "$second"
  wait_for 20 status_of '.agent.generation == 3'
  wait_for 20 workers_ready
  agent_end
  five_are_read
}
