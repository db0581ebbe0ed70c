#!/usr/bin/env bats
# monitor = inline: what a guest notices of a reload, or of a worker or an agent that is killed, and
# that a pattern forbids no less by it.

bats_require_minimum_version 1.5.0

load inline.bash

agent_kib() {
  awk '/VmRSS/ { print $2 }' "/proc/$(pid_of agent)/status"
}

agent_fds() {
  find "/proc/$(pid_of agent)/fd" -mindepth 1 | wc -l
}

# INLINE_RELOADS is the number of reloads.
@test "no frame is lost over reloads, and none passes that is forbidden" {
  local before sent=0 i n=${INLINE_RELOADS:-25} kib fds step
  start
  attach stream
  step=$((n / 5))
  before=$(unheard "$GUEST")
  traffic_start
  for ((i = 1; i <= n; i++)); do
    datagrams 20 &
    reload_and_wait $((i + 1))
    wait $!
    sent=$((sent + 20))
    if [ "$i" -eq 5 ]; then
      wait_for 20 workers_ready
      kib=$(agent_kib) fds=$(agent_fds)
    fi
    if [ $((i % step)) -eq 0 ]; then
      blocked "forbidden-$i"
    fi
  done
  wait_for 20 heard_all "$before" "$sent"
  traffic_goes_on
  wait_for 20 workers_ready
  echo "the agent: $kib KiB and $fds descriptors after 5 reloads, $(agent_kib) KiB and $(agent_fds) after $n"
  echo "the worker: $(awk '/VmRSS/ { print $2 }' "/proc/$(worker_pid capture)/status") KiB"
  [ "$(agent_fds)" -eq "$fds" ]
  [ "$(agent_kib)" -lt $((kib + 8192)) ]
  status_of '.links[0].relay | .attached and .peers >= 1 and .to_guest.dropped.full == 0
    and .to_guest.dropped["no-peer"] == 0 and .from_guest.dropped.tap == 0'
  # One connection from the first to the last.
  [ "$(grep -c '^peer' "$DIR/socket_guest.out")" -eq 1 ]
}

@test "a killed worker costs a stream's guest a new connection, and no more" {
  start
  attach stream
  kill -KILL "$(worker_pid capture)"
  wait_for 20 grep_peers 2
  passes_and_blocks
}

grep_peers() {
  [ "$(grep -c '^peer' "$DIR/socket_guest.out")" -ge "$1" ]
}

@test "a killed worker costs a guest of datagrams nothing that TCP does not mend" {
  sed -i 's/^peer = .*/peer = dgram/' "$INI"
  start
  attach dgram
  traffic_start
  wait_for 20 has_traffic 5
  kill -KILL "$(worker_pid capture)"
  traffic_goes_on
  passes_and_blocks
}

@test "a killed agent costs a new connection" {
  start
  attach stream
  kill -KILL "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  start
  wait_for 20 grep_peers 2
  passes_and_blocks
}

# INLINE_FLOOD is the number of frames.
@test "a forbidden text does not arrive while workers relieve each other" {
  local n=1
  sed -i 's/^scope = .*/scope = stream/' "$INI"
  start
  spawn flood ip netns exec "$HOST" "$ROOT/build/tests/net/inline_flood" "$DIR/run/guests/web01/qemu.sock" \
    "$PEER" eno1 "$(mac_of web01)" "${INLINE_FLOOD:-100000}" "${SEED:-4711}"
  until is_gone "$(pid_of flood)"; do
    n=$((n + 1))
    reload_and_wait "$n"
  done
  cat "$DIR/flood.out" "$DIR/flood.err" >&2
  echo "reloads $n" >&2
  [ "$n" -gt 5 ]
  grep -q ' arrived 0 .* short 0 ' "$DIR/flood.out"
}

# What `says` is given goes from the guest to the peer, by one connection: the shell's, so that it is
# said when it is asked for.
guest_talks() {
  sed -i 's/^scope = .*/scope = stream/' "$INI"
  start
  attach stream
  spawn listener ip netns exec "$PEER" busybox nc -l -p 9000
  wait_for 10 in_peer bash -c 'ss -Htln | grep -q :9000'
  coproc SAYS { in_guest bash -c 'exec 3<>/dev/tcp/192.0.2.2/9000; while read -r text; do printf %s "$text" >&3; done' 3>&-; }
}

says() {
  echo "$1" >&"${SAYS[1]}"
}

heard() {
  grep -q "$1" "$DIR/listener.out"
}

hangs_up() {
  eval "exec ${SAYS[1]}>&-"
}

@test "a match that a reload cuts is found, and its connection stays condemned" {
  guest_talks
  says 'hello forbid'
  wait_for 20 heard forbid
  reload_and_wait 2
  says 'den'
  wait_for 20 heard forbidden
  reload_and_wait 3
  says '-1'
  wait_for 20 has_record '.alert.signature == "forbidden"'
  reload_and_wait 4
  wait_for 20 status_of '.links[0].relay.from_guest.dropped.verdict >= 3'
  run ! heard forbidden-
  hangs_up
}

# successor_of PID: the capture worker that a reload has started beside it is in NEXT.
successor_of() {
  NEXT=$(pgrep -P "$(pid_of agent)" -x "$(cat "/proc/$1/comm")" | grep -vx "$1")
}

# successor_fails CALL: this call fails, by strace(1), in a worker that takes over.
successor_fails() {
  local old
  old=$(worker_pid capture)
  kill -STOP "$old"
  kill -HUP "$(pid_of agent)"
  wait_for 20 successor_of "$old"
  spawn tracer strace -qq -o /dev/null -e trace="$1" -e inject="$1:error=EIO" -p "$NEXT"
  wait_for 10 grep -q '^TracerPid:.[1-9]' "/proc/$NEXT/status"
  kill -CONT "$old"
  wait_for 20 has_record '.link.action == "hand-over-failed"'
}

@test "streams that cannot be handed over are told, and their link goes on" {
  guest_talks
  says 'hello'
  wait_for 20 heard hello
  # The next worker gives the memory back that it has read them from: here it cannot.
  successor_fails ftruncate
  says ' again'
  wait_for 20 heard again
  run ! has_record '.link.action == "watch-failed"'
  hangs_up
}

@test "streams of which nothing could be read go by on-error, and new ones pass" {
  guest_talks
  says 'hello forbidden'
  wait_for 20 heard forbidden
  successor_fails pread64
  says '-7'
  wait_for 20 status_of '.links[0].relay | .failed > 0 and .from_guest.dropped.verdict > 0'
  ask allowed=1
  # The next worker is told that it was so.
  kill "$(pid_of tracer)"
  wait_for 20 is_gone "$(pid_of tracer)"
  reload_and_wait 3
  ask allowed=2
  run ! heard forbidden-
  hangs_up
}

# unsaved WHEN: the guest is in the middle of a frame when its worker is relieved, which cannot write that,
# by strace(1); what the guest goes on with comes by another connection.
unsaved() {
  local old
  sed -i 's/^scope = .*/scope = stream/' "$INI"
  start
  spawn tcpdump ip netns exec "$PEER" tcpdump -U -i eno1 -w "$DIR/wire.pcap" "ether src $(mac_of web01)"
  wait_for 10 grep -q 'listening on' "$DIR/tcpdump.err"
  hostile "$(perl_segments)"'
    if ($n == 1) { syswrite($c, frame(1, 99, 2, "") . frame(1, 100, 16, "forbid") . pack("N", 1000) . "half") }
    else { syswrite($c, frame(1, 106, 16, "den-7") . frame(2, 99, 2, "") . frame(2, 100, 16, "the last")) }
    1 while sysread($c, my $b, 1000)'
  wait_for 20 has_bytes forbid "$DIR/wire.pcap"
  old=$(worker_pid capture)
  spawn tracer strace -qq -o /dev/null -e trace=pwrite64 -e inject="pwrite64:error=ENOSPC:when=$1" -p "$old"
  wait_for 10 grep -q '^TracerPid:.[1-9]' "/proc/$old/status"
  reload_and_wait 2
  wait_for 20 has_bytes 'the last' "$DIR/wire.pcap"
  run ! has_bytes den-7 "$DIR/wire.pcap"
  grep -q 'web01: cannot hand over what is in hand: No space left on device' "$DIR/agent.err"
  hostile_peers 2
  status_of '.links[0].relay.from_guest.dropped.verdict == 1 and ([.workers[].restarts] | all(. == 0))'
}

@test "a worker that cannot hand over what is in hand hands its streams over" {
  unsaved 1
  has_record '.alert.signature == "forbidden"'
}

@test "a worker that can hand nothing over says that streams are lost" {
  unsaved 1+
  status_of '.links[0].relay.failed > 0'
  run ! has_record '.alert.signature == "forbidden"'
}
