#!/usr/bin/env bats
# monitor = tap: the agent reads the tap itself, as long as nobody else has it. The peer on the wire
# sends numbered datagrams to a guest that is not there; what the tap is given is what is read.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
  house_config <<END
[set web]
lower = eno1
count = 1
name = web%02d
monitor = tap

[pattern number]
regex = "number=(?<n>\d+)"
groups = n
END
}

teardown() {
  house_down
}

start() {
  agent_run
  wait_for 20 workers_ready
  wait_for 20 status_of '.links[0].state == "up"'
  ip -n "$PEER" neigh replace 192.0.2.10 dev eno1 lladdr "$(mac_of web01)"
}

is_monitored() {
  status_of ".links[0].monitor == \"$1\""
}

# say FROM TO: datagrams with these numbers.
say() {
  local i
  for ((i = $1; i <= $2; i++)); do
    echo "echo number=$i >/dev/udp/192.0.2.10/9"
  done >"$DIR/say"
  in_peer bash "$DIR/say"
}

# The numbers that records tell, in their order.
told() {
  records 'select(.alert.signature? == "number") | .tapwarden.groups.n.text | tonumber'
}

has_told() {
  [ "$(told | wc -l)" -ge "$1" ]
}

reload_with() {
  sed -i "s/^monitor = .*/monitor = $1/" "$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 20 is_monitored "$1"
}

@test "what nobody else reads is read: each frame once, in order, as one to the guest" {
  start
  wait_for 20 is_monitored tap
  say 1 200
  wait_for 20 has_told 200
  [ "$(told)" = "$(seq 200)" ]
  [ "$(records 'select(.alert.signature? == "number") | .tapwarden.flow_dir' | sort -u)" = '"to_guest"' ]
  wait_for 10 status_of '.links[0] | .tap.holder == null and .captured.to_guest.frames >= 200
    and .captured.from_guest.frames == 0 and .captured.drops == 0'
  grep -q 'link web01 tap-taken: its frames are read' "$DIR/agent.err"
  run tapwarden status
  [[ "$output" == *" tapwarden "* ]]
}

@test "a tap that another process holds is left to it, and read when that process has ended" {
  start
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  # The fifo is open for both ends: the guest's input does not end.
  mkfifo "$DIR/in"
  exec 7<>"$DIR/in"
  ip netns exec "$HOST" "$ROOT/build/tests/net/tap_frames" web01 <&7 >"$DIR/guest.out" 3>&- 7>&- &
  local guest=$!
  PIDS="$guest $PIDS"
  wait_for 10 grep -q ready "$DIR/guest.out"
  start
  is_monitored off
  status_of ".links[0].detail == \"tap_frames (pid $guest) holds its tap: it is read as soon as that process has ended\""
  grep -q "link web01 tap-refused: tap_frames (pid $guest) holds its tap: it is read as soon as that process has ended" "$DIR/agent.err"
  say 1 50
  wait_for 10 guest_got 50
  [ -z "$(told)" ]
  kill "$guest"
  exec 7>&-
  wait_for 20 is_monitored tap
  say 51 80
  wait_for 20 has_told 30
  [ "$(told)" = "$(seq 51 80)" ]
}

# "number=" in hex.
guest_got() {
  [ "$(grep -c 6e756d6265723d "$DIR/guest.out")" -eq "$1" ]
}

@test "whoever opens the tap beside the agent is left alone with it" {
  start
  wait_for 20 is_monitored tap
  mkfifo "$DIR/in"
  exec 7<>"$DIR/in"
  ip netns exec "$HOST" "$ROOT/build/tests/net/tap_frames" web01 <&7 >"$DIR/guest.out" 3>&- 7>&- &
  local guest=$!
  PIDS="$guest $PIDS"
  wait_for 10 grep -q ready "$DIR/guest.out"
  # An open says nothing to anybody; the next pass looks.
  ip -n "$HOST" link set web01 txqueuelen 700
  wait_for 20 is_monitored off
  say 1 50
  wait_for 10 guest_got 50
  [ -z "$(told)" ]
  kill "$guest"
  exec 7>&-
  wait_for 20 is_monitored tap
}

@test "a reload goes from one way of watching to the other and back" {
  start
  wait_for 20 is_monitored tap
  say 1 20
  wait_for 20 has_told 20
  reload_with passive
  # Nobody holds the tap now: the peer's datagrams go to the host, past the packet socket.
  say 21 40
  wait_for 20 has_told 40
  reload_with tap
  say 41 60
  wait_for 20 has_told 60
  [ "$(told)" = "$(seq 60)" ]
  wait_for 20 no_hole_in_records
}

@test "frames that come while a killed worker is replaced are read by the next" {
  start
  wait_for 20 is_monitored tap
  say 1 20
  wait_for 20 has_told 20
  kill -KILL "$(worker_pid capture)"
  say 21 120
  wait_for 30 has_told 120
  [ "$(told)" = "$(seq 120)" ]
  status_of '.links[0].captured.drops == 0'
}

@test "a killed agent leaves the tap free, and the next one takes it" {
  start
  wait_for 20 is_monitored tap
  kill -KILL "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  start
  wait_for 20 is_monitored tap
  say 1 20
  wait_for 20 has_told 20
  [ "$(told)" = "$(seq 20)" ]
}

@test "what the queue of the tap has no room for is counted and told" {
  sed -i '/^monitor/a txqueuelen = 16' "$INI"
  start
  wait_for 20 is_monitored tap
  local worker
  worker=$(worker_pid capture)
  kill -STOP "$worker"
  say 1 100
  kill -CONT "$worker"
  wait_for 20 status_of '.links[0].captured.drops > 0'
  # What came and what is missing are all that was sent.
  wait_for 20 adds_up 100
  wait_for 20 gaps_add_up
}

gaps_add_up() {
  [ "$(records 'select(.event_type == "gap" and .gap.reason == "tap-full") | .gap.lost' | jq -s add)" -eq \
    "$(status_get '.links[0].captured.drops')" ]
}

adds_up() {
  [ $(($(told | wc -l) + $(status_get '.links[0].captured.drops'))) -eq "$1" ]
}

@test "what a filter drops is no loss of the tap" {
  sed -i '/^monitor/a filter-to-guest = not udp port 9' "$INI"
  start
  wait_for 20 is_monitored tap
  say 1 50
  wait_for 20 status_of '.links[0].filtered.frames >= 50'
  [ -z "$(told)" ]
  status_of '.links[0].captured.drops == 0'
}

@test "what the agent holds blocks neither its plan nor itself, but a guest's program" {
  start
  wait_for 20 is_monitored tap
  run -2 --separate-stderr in_host "$TAPWARDEN" qemu -c "$INI" web01 -- echo "{fds}"
  [ "$stderr" = "tapwarden: cannot run a guest on web01: the agent (pid $(pid_of agent)) reads its tap itself: set monitor = passive, and reload it, first" ]
  # Into passthru a link must be made anew.
  sed -i '/^lower/a mode = passthru' "$INI" "$DIR/commands.ini"
  run -1 tapwarden plan
  [[ "$output" != *blocked* ]]
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.links[0].mode == "passthru" and .links[0].state == "up" and .links[0].monitor == "tap"'
}

@test "a link that is made again is read again" {
  start
  wait_for 20 is_monitored tap
  local before
  before=$(ifindex_of web01)
  ip -n "$HOST" link del web01
  wait_for 20 is_new "$before"
  wait_for 20 is_monitored tap
  say 1 20
  wait_for 20 has_told 20
}

is_new() {
  [ -n "$(ifindex_of web01)" ] && [ "$(ifindex_of web01)" != "$1" ]
}

@test "only a macvtap has a tap" {
  sed -i '/^lower/a kind = macvlan' "$INI"
  run -2 "$TAPWARDEN" check -c "$INI"
  [ "${lines[0]}" = "$INI:12: [set web] monitor: only a macvtap has a tap, and link \"web01\" is a macvlan" ]
}
