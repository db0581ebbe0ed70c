#!/usr/bin/env bats
# Reloads and deaths in every order: no reload may be forgotten, and nothing may pile up.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
}

teardown() {
  house_down
}

# What the agent has open, without what changes by the hour.
open_files() {
  readlink "/proc/$(pid_of agent)"/fd/* | sed 's/:\[[0-9]*\]//' | sort | uniq -c
}

reload() {
  kill -HUP "$(pid_of agent)"
}

kill_workers() {
  pkill -KILL -P "$(pid_of agent)" || true
}

@test "reloads at every moment of a reload are all answered" {
  agent_start
  local before i
  before=$(open_files)
  for i in 1 2 3 4 5 6 7 8 9; do
    reload
    sleep "0.0$i"
    reload
  done
  # The last word counts: a link more than before.
  sed -i 's/count = 2/count = 3/' "$INI"
  reload
  wait_for 60 status_of '.links | map(.name) | index("web03")'
  sed -i 's/count = 3/count = 2/' "$INI"
  reload
  wait_for 60 status_of '.links | map(.name) | index("web03") | not'
  wait_for 20 agent_serves
  wait_for 20 same_files "$before"
}

same_files() {
  diff <(echo "$1") <(open_files)
}

@test "workers that die during a reload leave no reload behind" {
  agent_start
  local before i
  before=$(open_files)
  for i in 1 2 3 4 5 6; do
    reload
    sleep "0.0$i"
    reload
    kill_workers
  done
  # Deaths in a row make the agent wait longer; a reload that is taken starts anew.
  wait_for 90 agent_serves
  sed -i 's/count = 2/count = 3/' "$INI"
  reload
  wait_for 60 status_of '.links | map(.name) | index("web03")'
  sed -i 's/count = 3/count = 2/' "$INI"
  reload
  wait_for 60 agent_serves
  wait_for 60 same_files "$before"
  wait_for 10 no_hole_in_records
}

@test "a worker that is relieved and does not end well is told of" {
  agent_start
  local pid
  pid=$(worker_pid capture)
  kill -STOP "$pid"
  reload
  wait_for 20 status_of '.workers[] | select(.name == "capture") | .state == "ending"'
  kill -KILL "$pid"
  wait_for 20 grep -q 'capture worker: killed by signal 9 (Killed) while it drained' "$DIR/agent.err"
  wait_for 20 agent_serves
  [ "$(worker_pid capture)" -ne "$pid" ]
}

@test "a file with faults is refused as often as it is tried, and costs nothing" {
  agent_start
  local before i
  before=$(open_files)
  sed -i 's/mode = bridge/mode = brigde/' "$INI"
  for i in 1 2 3 4 5; do
    reload
    wait_for 20 refused "$i"
  done
  [ "$(status_get .agent.generation)" -eq 1 ]
  status_of '.agent.reload_error | test("brigde")'
  [ "$(open_files)" = "$before" ]
}

@test "a reload that is refused leaves no log directory behind" {
  agent_start
  spawn taken ip netns exec "$HOST" busybox nc -l -p 8099
  wait_for 20 in_host sh -c "ss -Hltn 'sport = :8099' | grep -q ."
  mkdir "$DIR/there"
  sed -i "s,^log-dir = .*,log-dir = $DIR/fresh,; s|^boot-listen = .*|&, 127.0.0.1:8099|" "$INI"
  reload
  wait_for 20 refused 1
  status_of '.agent.reload_error | test("8099")'
  [ ! -e "$DIR/fresh" ]
  # One that was there is somebody's.
  sed -i "s,^log-dir = .*,log-dir = $DIR/there," "$INI"
  reload
  wait_for 20 refused 2
  [ -d "$DIR/there" ]
}

refused() {
  [ "$(grep -c 'reload-refused' "$DIR/agent.err")" -eq "$1" ]
}

@test "the end during a reload is an end" {
  agent_start
  local web
  web=$(worker_pid web)
  # The old web worker cannot drain: the reload waits for it.
  kill -STOP "$web"
  reload
  wait_for 20 grep -q 'reloaded' "$DIR/agent.err"
  kill -TERM "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  wait "$(pid_of agent)"
  wait_for 10 is_gone "$web"
}

@test "a signal to the agent's whole group is the agent's alone" {
  agent_start
  local capture web
  capture=$(worker_pid capture)
  web=$(worker_pid web)
  [ "$(cat "/proc/$capture/comm")" = tapwarden-cap ]
  [ "$(cat "/proc/$web/comm")" = tapwarden-web ]
  [ "$(group_of "$capture")" != "$(group_of "$(pid_of agent)")" ]
  [ "$(group_of "$web")" != "$(group_of "$(pid_of agent)")" ]
}

group_of() {
  ps -o pgid= -p "$1"
}

@test "a run-dir that was removed is made again by a reload" {
  agent_start
  rm -r "$DIR/run"
  run tapwarden status
  [ "$status" -eq 2 ]
  reload
  wait_for 20 agent_serves
  [ -e "$DIR/run/agent.lock" ]
  # Even another run-dir does not make a second owner of the same links.
  sed "s,^run-dir = .*,run-dir = $DIR/run2," "$INI" >"$DIR/second.ini"
  run in_host "$TAPWARDEN" apply -c "$DIR/second.ini"
  [ "$status" -eq 2 ]
  [[ "$output" == *"pid $(pid_of agent)) owns the links of link-group 7477"* ]]
}

# A service manager's end of sd_notify(3): a line for each message.
listen_for_notices() {
  perl -MSocket -e '
    $| = 1;
    socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, pack_sockaddr_un($ARGV[0])) or die "$ARGV[0]: $!";
    while (defined recv(S, $_, 4096, 0)) { tr/\n/ /; print "$_\n"; }' "$1" >"$2" 3>&- &
}

ready_again() {
  [ "$(grep -cx READY=1 "$1")" -eq 2 ]
}

@test "a service manager is told of the start, a reload and the end" {
  local socket=$BATS_TEST_TMPDIR/notify notices=$BATS_TEST_TMPDIR/notices listener
  listen_for_notices "$socket" "$notices"
  listener=$!
  wait_for 20 test -S "$socket"
  NOTIFY_SOCKET=$socket agent_start
  wait_for 20 grep -qx 'READY=1' "$notices"
  reload
  wait_for 20 grep -qx 'RELOADING=1 MONOTONIC_USEC=[0-9]*' "$notices"
  wait_for 60 ready_again "$notices"
  kill "$(pid_of agent)"
  wait_for 20 grep -qx 'STOPPING=1' "$notices"
  kill "$listener"
}
