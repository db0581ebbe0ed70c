#!/usr/bin/env bats
# A disk that is full stops what is written to it, visibly, and when there is room again everything
# goes on by itself, frames.pcapng too: tshark judges it.

load guest.bash

setup() {
  house_up
  printf '\n[record]\npcap = all\npayload-log = all\n' >>"$INI"
}

teardown() {
  house_down
}

# The agent with a small file system of its own as log-dir, which only its mount namespace has.
agent_on_small_disk() {
  mkdir -p "$DIR/log"
  spawn agent ip netns exec "$HOST" sh -c "mount -t tmpfs -o size=1m tmpfs '$DIR/log' &&
    exec '$TAPWARDEN' run -c '$INI'"
  wait_for 20 agent_serves
  LOG=/proc/$(pid_of agent)/root$DIR/log
}

has_text() {
  grep -aq "$2" "$LOG/$1"
}

@test "records and frames wait for room on a full disk, and are written when there is some" {
  agent_on_small_disk
  guest_start
  ask "item=before"
  wait_for 10 has_text records.json item=before
  wait_for 10 has_text frames.pcapng item=before
  dd if=/dev/zero of="$LOG/filler" bs=4k 2>/dev/null || true
  for ((i = 0; i < 40; i++)); do ask "item=while$i" >/dev/null; done
  wait_for 10 status_of '.capture.log_error == "No space left on device"'
  tapwarden status | grep -q 'cannot be written: No space left on device'
  grep -q 'cannot write frames.pcapng: No space left on device' "$DIR/agent.err"
  rm "$LOG/filler"
  wait_for 10 status_of '.capture.log_error == ""'
  # What is told of a file is told once a second.
  wait_for 10 grep -q 'frames.pcapng is written again' "$DIR/agent.err"
  ask "item=after"
  wait_for 10 has_text frames.pcapng item=after
  wait_for 10 has_text records.json item=after
  # Nothing that waited is lost, and nothing is torn.
  status_of '.capture.pcap_lost == 0 and .capture.log_lost == 0 and .capture.payloads_lost == 0'
  [ "$(jq -r 'select(.tapwarden.rule == "request") | .tapwarden.groups.path.text' "$LOG/records.json" |
    grep -c while)" -eq 40 ]
  tshark -n -r "$LOG/frames.pcapng" -Y 'http.request.uri contains "while39"' 2>"$DIR/tshark.err" | grep -q .
  [ "$(grep -vc '^Running as user' "$DIR/tshark.err")" -eq 0 ]
}

has_gap() {
  jq -e --arg unit "$1" 'select(.event_type == "gap" and .gap.unit == $unit and .gap.lost > 0)' \
    "$LOG/records.json" >/dev/null
}

@test "what does not fit into memory while the disk is full is lost, counted and told" {
  agent_on_small_disk
  guest_start
  dd if=/dev/zero of="$LOG/filler" bs=4k 2>/dev/null || true
  # 8 MiB may wait.
  head -c 12M /dev/zero >"$DIR/www/large"
  in_peer curl -sS --max-time 60 -o /dev/null http://192.0.2.10/large
  wait_for 10 status_of '.capture.pcap_lost > 0'
  tapwarden status | grep -Eq '^! ([0-9]+ frames|1 frame) could not be written to frames.pcapng$'
  grow_disk
  wait_for 20 has_gap pcap-frames
}

# Room for all that waits.
grow_disk() {
  nsenter --mount="/proc/$(pid_of agent)/ns/mnt" mount -o remount,size=64m "$DIR/log"
}

# Frames that were seen are in the file or lost, and those lost are what gaps tell.
accounted() {
  status_of '[.links[] | .captured.from_guest.frames + .captured.to_guest.frames] as $seen | .capture |
    ($seen | add) == .pcap_frames + .pcap_lost and .pcap_lost > '"$1" &&
    [ "$(jq -s '[.[] | select(.gap.unit == "pcap-frames") | .gap.lost] | add' "$LOG/records.json")" -eq \
      "$(status_get .capture.pcap_lost)" ]
}

@test "what waits when its worker is relieved or killed is lost, counted and told" {
  local lost before
  agent_on_small_disk
  guest_start
  dd if=/dev/zero of="$LOG/filler" bs=4k 2>/dev/null || true
  for ((i = 0; i < 10; i++)); do ask "item=relieved$i" >/dev/null; done
  wait_for 10 status_of '.capture.log_error == "No space left on device"'
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.generation == 2'
  rm "$LOG/filler"
  ask "item=between" >/dev/null
  wait_for 20 accounted 0
  grep -q 'not be written to frames.pcapng: lost' "$DIR/agent.err"

  lost=$(status_get .capture.pcap_lost)
  dd if=/dev/zero of="$LOG/filler" bs=4k 2>/dev/null || true
  for ((i = 0; i < 10; i++)); do ask "item=killed$i" >/dev/null; done
  wait_for 10 status_of '.capture.log_error == "No space left on device"'
  before=$(worker_pid capture)
  kill -KILL "$before"
  wait_for 20 is_gone "$before"
  rm "$LOG/filler"
  wait_for 20 status_of '[.workers[] | select(.name == "capture")] | .[0].state == "ready" and .[0].pid != '"$before"
  ask "item=after" >/dev/null
  wait_for 20 accounted "$lost"
  jq -s -e 'any(.[]; .gap.unit == "pcap-frames" and .gap.reason == "worker-died")' "$LOG/records.json"
}

# written WHAT: how often the log says so.
written() {
  grep -c "$1" "$DIR/agent.err" || true
}

is_well_again() {
  grep records.json "$DIR/agent.err" | tail -n 1 | grep -q 'is written again'
}

has_failed() {
  [ "$(grep -c INJECTED "$DIR/injected")" -gt "$1" ]
}

@test "a disk that is full one moment and not the next does not fill the agent's log" {
  local begin=$SECONDS
  LOG=$DIR/log
  agent_start
  guest_start
  : >"$DIR/injected"
  wait_for 10 has_text records.json worker-started
  # Of this path: what is said about it is written, too.
  spawn tracer strace -f -qq -o "$DIR/injected" -P "$LOG/records.json" -e trace=write \
    -e inject=write:error=EDQUOT:when=2+2 -p "$(worker_pid capture)"
  traffic_start
  wait_for 60 has_failed 300
  kill "$(pid_of tracer)"
  wait_for 20 is_gone "$(pid_of tracer)"
  kill "$(pid_of traffic)"
  wait_for 20 status_of '.capture.log_error == ""'
  # Something once a second at most, and the last of it is that all is well.
  wait_for 20 is_well_again
  [ "$(written 'cannot write records.json: Disk quota exceeded')" -ge 1 ]
  [ "$(written 'records.json')" -le $((SECONDS - begin + 2)) ]
  status_of '.capture | .log_lost == 0 and .pcap_lost == 0 and .payloads_lost == 0'
}

@test "a log-dir that was removed is said to be, and made again by a reload" {
  LOG=$DIR/log
  agent_start
  guest_start
  ask "item=before" >/dev/null
  wait_for 10 has_text frames.pcapng item=before
  rm -r "$LOG"
  ask "item=between" >/dev/null
  wait_for 10 status_of '.capture.log_error == "No such file or directory"'
  wait_for 10 grep -q 'cannot write frames.pcapng: .*: log-dir was removed: a reload makes it again' "$DIR/agent.err"
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.generation == 2 and .capture.log_error == ""'
  ask "item=after" >/dev/null
  wait_for 10 has_text frames.pcapng item=after
  wait_for 20 accounted 0
}
