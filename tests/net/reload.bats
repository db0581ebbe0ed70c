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

refused() {
  [ "$(grep -c 'reload-refused' "$DIR/agent.err")" -eq "$1" ]
}
