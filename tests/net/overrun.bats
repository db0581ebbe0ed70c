#!/usr/bin/env bats
# More than a buffer or a limit holds: the agent must hear, see and serve again afterwards.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
}

teardown() {
  house_down
}

is_back() {
  local now
  now=$(ifindex_of web01)
  [ -n "$now" ] && [ "$now" != "$1" ]
}

@test "an agent that missed notifications looks at everything, and hears the next ones" {
  agent_start
  local before i
  before=$(ifindex_of web01)
  kill -STOP "$(pid_of agent)"
  # The kernel tells of an alias only while the link is up (netdev_state_change()).
  ip -n "$HOST" link add noise0 type veth peer name noise1
  ip -n "$HOST" link set noise0 up
  for ((i = 0; i < 12000; i++)); do
    echo "link set noise0 alias n$i"
  done >"$DIR/storm"
  ip -n "$HOST" link del web01
  in_host ip -batch "$DIR/storm"
  # Nobody else in this namespace has a netlink socket that could drop something.
  run in_host awk 'NR > 1 { n += $9 } END { print n + 0 }' /proc/net/netlink
  echo "dropped: $output"
  [ "$output" -gt 0 ]
  kill -CONT "$(pid_of agent)"
  # What happened meanwhile is seen ...
  wait_for 30 is_back "$before"
  # ... and so is what comes after it.
  before=$(ifindex_of web01)
  ip -n "$HOST" link del web01
  wait_for 30 is_back "$before"
}

@test "many links are watched though the limit of open files is low" {
  sed -i 's/count = 2/count = 300/; s/^\[agent\]/[agent]\nring-memory = 64M/' "$INI"
  cp "$INI" "$DIR/commands.ini"
  # The hard limit is high, as on any Debian; the soft one is what a shell or service begins with.
  ulimit -Sn 256
  agent_start
  wait_for 60 status_of '[.links[] | select(.set == "web") | .monitor == "passive"] | length == 300 and all'
  status_of '[.workers[].restarts] | add == 0'
}

@test "a ring-memory that is too small is a fault, also for a reload" {
  agent_start
  sed -i 's/count = 2/count = 300/; s/^\[agent\]/[agent]\nring-memory = 1M/' "$INI"
  run in_host "$TAPWARDEN" check -c "$INI"
  [ "$status" -eq 2 ]
  [[ "$output" == *"ring-memory"* ]]
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.reload_error | test("ring-memory")'
  status_of '.agent.generation == 1'
}

@test "status and watch answer while the file on disk has faults" {
  agent_start
  sed -i 's/mode = bridge/mode = brigde/' "$INI" "$DIR/commands.ini"
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.reload_error | test("brigde")'
  run tapwarden status
  [ "$status" -eq 0 ]
  [[ "$output" == *"! the last reload was refused: "*"brigde"* ]]
}
