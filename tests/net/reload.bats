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

# A guest's kernel of many times what sockets hold.
kernel_config() {
  head -c 32M /dev/urandom >"$DIR/vmlinuz"
  sed -i "/^\[guest shop\]/,/^initiator/s,^boot = san,boot = kernel\nkernel = $DIR/vmlinuz\ninitrd = $DIR/vmlinuz," "$INI"
  agent_start
  guest_start
  ip -n "$HOST" addr add 192.0.2.1/24 dev host01
  URL=http://192.0.2.1:8080/ipxe/$(mac_of web01)
}

# slow_fetch NAME: the guest fetches the kernel, and stops in the middle until somebody writes to NAME.go.
slow_fetch() {
  mkfifo "$DIR/$1.go"
  # shellcheck disable=SC2016 # the inner shell's
  spawn "$1" ip netns exec "$GUEST" sh -c 'curl -sS "$1/kernel" | {
    dd iflag=fullblock bs=100000 count=10 2>/dev/null
    : >"$2.begun"
    cat "$2.go" >/dev/null
    cat
  }' sh "$URL" "$DIR/$1"
  wait_for 20 test -e "$DIR/$1.begun"
}

# Another web worker than $1 serves.
serves_instead_of() {
  status_of ".workers[] | select(.name == \"web\") | .state == \"ready\" and .pid != $1"
}

@test "a file that is fetched during a reload comes whole, while the new worker serves" {
  kernel_config
  local old
  old=$(worker_pid web)
  slow_fetch slow
  reload
  wait_for 20 serves_instead_of "$old"
  grep -q "web worker $old sends on what is fetched of it" "$DIR/agent.err"
  # Longer than what else an old worker has in hand may take.
  sleep 3
  in_guest curl -sS --max-time 10 -o "$DIR/quick" "$URL/kernel"
  cmp "$DIR/quick" "$DIR/vmlinuz"
  run -1 is_gone "$old"
  : >"$DIR/slow.go"
  wait_for 60 is_gone "$(pid_of slow)"
  cmp "$DIR/slow.out" "$DIR/vmlinuz"
  wait_for 20 is_gone "$old"
}

@test "of old workers that send files on there are two, and none after the agent" {
  kernel_config
  local i pids=()
  for i in 0 1 2; do
    pids+=("$(worker_pid web)")
    slow_fetch "slow$i"
    reload
    wait_for 20 serves_instead_of "${pids[i]}"
  done
  wait_for 20 is_gone "${pids[0]}"
  grep -q 'web: 1 file is not sent whole: this worker was relieved, and ends' "$DIR/agent.err"
  run -1 is_gone "${pids[1]}"
  run -1 is_gone "${pids[2]}"
  kill -TERM "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  wait "$(pid_of agent)"
  is_gone "${pids[1]}"
  is_gone "${pids[2]}"
  for i in 0 1 2; do
    : >"$DIR/slow$i.go"
    wait_for 20 is_gone "$(pid_of "slow$i")"
    run -1 cmp -s "$DIR/slow$i.out" "$DIR/vmlinuz"
  done
}
