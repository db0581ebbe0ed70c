#!/usr/bin/env bats
# A pattern that a guest's traffic makes give up is left out on that link for a while, and said to be.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
}

teardown() {
  house_down
}

@test "it is parked, told, counted and tried again, and the others go on" {
  cat >>"$INI" <<'END'

[pattern evil]
regex = "q=(?:a|aa)+b"
match-limit = 1000
quarantine-after = 3
quarantine-seconds = 6
END
  agent_start
  guest_start
  local n run
  run=$(printf 'a%.0s' {1..60})
  for n in 1 2 3; do
    ask "q=${run}cb&n=$n" >/dev/null
  done
  wait_for 20 has_record '.link.action == "pattern-quarantined" and .in_iface == "web01"'
  [ "$(records 'select(.gap.reason == "limit") | .tapwarden.rule' | sort | uniq -c | xargs)" = '3 evil' ]
  wait_for 20 status_of '.patterns[] | select(.name == "evil") | .limited == 3 and .quarantined == 1'
  tapwarden status | grep -q '^! pattern evil is left out on 1 link for a while'
  ask "q=aab&n=4" >/dev/null
  wait_for 20 has_record '.tapwarden.groups.path.text == "/index.html?q=aab&n=4"'
  wait_for 20 status_of '.patterns[] | select(.name == "evil") | .skipped >= 1 and .matches == 0'
  again() {
    ask "q=aab&n=5" >/dev/null
    has_record '.tapwarden.rule == "evil" and .tapwarden.match.text == "q=aab"'
  }
  wait_for 20 again
  has_record '.link.action == "pattern-released"'
  wait_for 20 status_of '.patterns[] | select(.name == "evil") | .quarantined == 0'
}

# slow_start: a pattern that takes some 60 ms on each of what slow_frames sends, and an agent with it.
slow_start() {
  cat >>"$INI" <<'END'

[pattern slow]
regex = "(x).*x.*(?:y|z)\1"
match-limit = 10000000
END
  agent_start
  guest_start
}

slow_frames() {
  in_guest bash -c 'run=$(printf "x%.0s" {1..500})
    for n in {1..150}; do
      echo "$run" >/dev/udp/192.0.2.2/9
    done
    echo "Your order: 99 is on its way" >/dev/udp/192.0.2.2/9'
}

@test "a pattern that takes long on each frame leaves the worker time to answer" {
  local before
  slow_start
  before=$(worker_pid capture)
  # In one turn it would not answer for longer than the agent waits.
  slow_frames
  wait_for 150 has_record '.tapwarden.rule == "order" and .tapwarden.match.text == "99"'
  [ "$(worker_pid capture)" = "$before" ]
  [ "$(records 'select(.gap)')" = "" ]
  status_of '.patterns[] | select(.name == "slow") | .limited == 0'
}

@test "what a pattern takes too long on for a worker that ends is told" {
  local before
  slow_start
  before=$(status_get '.links[] | select(.name == "web01") | .captured.from_guest.frames')
  slow_frames
  # The kernel has handed them over (tpacket_req3.tp_retire_blk_tov), and one is searched.
  wait_for 20 status_of ".links[] | select(.name == \"web01\") | .captured.from_guest.frames > $before + 2"
  kill "$(pid_of agent)"
  wait_for 30 is_gone "$(pid_of agent)"
  run ! grep 'did not drain' "$DIR/agent.err"
  has_record '.gap.reason == "limit" and .tapwarden.rule == "slow"'
  # The last frame too, for the pattern that it has something for.
  has_record '.gap.reason == "limit" and .tapwarden.rule == "order"'
}
