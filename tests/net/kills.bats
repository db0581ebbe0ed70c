#!/usr/bin/env bats
# The agent, apply and down are killed at moments of chance, a hundred times, while a program holds a
# tap and frames pass through it. SEED=N repeats a run that failed; the seed is in its output.

bats_require_minimum_version 1.5.0
load guest

ROUNDS=100
KINDS=(start reload apply down)

setup() {
  house_up
  SEED=${SEED:-$(($(od -An -N2 -tu2 /dev/urandom)))}
  echo "SEED=$SEED"
  RANDOM=$SEED
  # Somebody else's: a link of the same lower device, one in a group of its own, a namespace.
  ip -n "$HOST" link add link eno1 name other0 address 52:54:00:99:00:01 type macvtap mode bridge
  ip -n "$HOST" link add link eno1 name other1 address 52:54:00:99:00:02 type macvlan mode bridge
  ip -n "$HOST" link set other1 alias theirs group 77 up
  # A second file for reloads: more links, others, a pattern less.
  sed 's/^count = .*/count = 9/' "$INI" >"$DIR/many.ini"
  cp "$INI" "$DIR/few.ini"
}

teardown() {
  house_down
}

foreign_links() {
  ip -n "$HOST" -d -j link show | jq -c '.[] | select(.ifname | test("^other")) |
    del(.operstate, .stats, .stats64, .linkmode)'
}

our_links() {
  ip -n "$HOST" -d -j link show | jq -r '.[] | select((.ifalias // "") | startswith("tapwarden/")) | .ifname' |
    sort | tr '\n' ' '
}

# The processes of this program in this test's namespace.
our_processes() {
  ip netns pids "$HOST" | while read -r pid; do
    [ "$(readlink "/proc/$pid/exe")" != "$(readlink -f "$TAPWARDEN")" ] || echo "$pid"
  done
}

# No number is given twice, and where one is missing a gap says how many are.
every_record_is_told() {
  jq -s -e 'sort_by(.tapwarden.seq) | . as $all | [range(1; length) |
    ($all[.].tapwarden.seq - $all[. - 1].tapwarden.seq) ==
    (if $all[. - 1].gap.unit == "records" then $all[. - 1].gap.lost else 1 end)] | all' \
    "$DIR"/log/records.json >/dev/null
}

nobody_of_us() {
  [ -z "$(our_processes)" ]
}

# Nodes by which taps were opened, of processes that are gone.
left_nodes() {
  local node pid
  for node in /dev/.tapwarden-*-*; do
    pid=${node#/dev/.tapwarden-}
    [ ! -e "$node" ] || kill -0 "${pid%%-*}" 2>/dev/null || echo "$node"
  done
}

# chance MAX: sleeps for up to so many milliseconds.
chance() {
  sleep "$(printf '0.%03d' $((RANDOM % $1)))"
}

# hit KIND: it is killed; $HITS has each kind that still ran.
hit() {
  grep -q "^State:.[^ZX]" "/proc/$(pid_of agent)/status" 2>/dev/null && HITS="$HITS $1"
  kill_agent
}

# kill_round NUMBER: of the kind of this number.
kill_round() {
  local kind=$1
  case $kind in
  0) # the start, and what it makes
    agent_run
    chance 300
    ;;
  1) # a reload, from when it serves or earlier
    agent_run
    chance 400
    cp "$DIR/$([ $((RANDOM % 2)) = 0 ] && echo many || echo few).ini" "$INI"
    kill -HUP "$(pid_of agent)" 2>/dev/null || true
    chance 300
    ;;
  2) # apply once, of one file or the other
    cp "$DIR/$([ $((RANDOM % 2)) = 0 ] && echo many || echo few).ini" "$INI"
    spawn agent ip netns exec "$HOST" "$TAPWARDEN" apply -c "$INI"
    chance $((10 << RANDOM % 4))
    ;;
  3) # down takes what nobody holds
    spawn agent ip netns exec "$HOST" "$TAPWARDEN" down -c "$INI"
    chance $((10 << RANDOM % 4))
    ;;
  esac
  hit "${KINDS[kind]}"
}

# Until its descriptors are closed, one after the other, it has the lock.
kill_agent() {
  kill -KILL "$(pid_of agent)" 2>/dev/null || true
  wait_for 10 is_gone "$(pid_of agent)"
  PIDS=${PIDS//"$(pid_of agent) "/}
}

# hits KIND: how often one of this kind was killed in the middle of it.
hits() {
  grep -ow "$1" <<<"$HITS" | wc -l
}

# kill_and_look NUMBER: a round, and what holds after each.
kill_and_look() {
  kill_round "$1"
  # Workers end with their agent.
  wait_for 10 nobody_of_us
  [ "$(ifindex_of web01)" = "$ifindex" ]
  [ "$(foreign_links)" = "$foreign" ]
}

@test "killed a hundred times at moments of chance, nothing leaks and no held tap is lost" {
  local round kind foreign ifindex taken gone
  HITS=
  foreign=$(foreign_links)
  agent_start
  guest_start
  traffic_start
  ifindex=$(ifindex_of web01)
  kill_agent

  for ((round = 1; round <= ROUNDS; round++)); do
    kill_and_look $((RANDOM % 4))
  done
  # Of each kind some have to be in the middle of it, and the short ones are done at most moments.
  for kind in "${!KINDS[@]}"; do
    for ((round = 1; round <= ROUNDS; round++)); do
      [ "$(hits "${KINDS[kind]}")" -lt 3 ] || break
      kill_and_look "$kind"
    done
  done
  echo "killed:$HITS"
  for kind in "${KINDS[@]}"; do
    [ "$(hits "$kind")" -ge 3 ]
  done

  # As one leaves it that is killed between two system calls; and one that is at it.
  gone=$(sh -c 'echo $$')
  mkdir "/dev/.tapwarden-$gone-aaaaaa" "/dev/.tapwarden-$$-bbbbbb"
  mknod "/dev/.tapwarden-$gone-aaaaaa/tap" c 1 3
  cp "$DIR/few.ini" "$INI"
  agent_start
  [ -z "$(left_nodes)" ]
  rmdir "/dev/.tapwarden-$$-bbbbbb"
  run -0 tapwarden plan
  [ "$(our_links)" = "host01 web01 web02 " ]
  [ "$(ifindex_of web01)" = "$ifindex" ]
  [ "$(foreign_links)" = "$foreign" ]
  # The scratch group of deletions is empty: there are the default one, theirs and ours.
  [ "$(ip -n "$HOST" -j link show | jq -r '.[].group' | sort -u | wc -l)" -eq 3 ]
  # The packet sockets are those of the two links that are watched.
  taken=$(in_host sh -c 'tail -n +2 /proc/net/packet | wc -l')
  [ "$taken" -eq 2 ]
  traffic_goes_on
  every_record_is_told
}

@test "started again before the workers of the killed agent are gone, no number is given twice" {
  local round
  agent_start
  guest_start
  traffic_start
  for ((round = 1; round <= 20; round++)); do
    chance 300
    kill_agent
    agent_start
  done
  traffic_goes_on
  every_record_is_told
  [ "$(jq -s 'length' "$DIR/log/records.json")" -gt 20 ]
}
