# A hypervisor host with the agent in it, a guest on web01's tap with a web server inside, and a peer
# on the wire: network namespaces of this test alone, taken down by house_down.
#
#   peer 192.0.2.2 eno1 <--- veth ---> eno1 host: web01 (tap), web02 (tap), host01 192.0.2.1
#                                                 web01 <--- tap_guest ---> eth0 guest 192.0.2.10

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}

# wait_for SECONDS COMMAND...: until the command says yes; the limit only ends a hopeless wait.
wait_for() {
  local deadline=$((SECONDS + $1 + 1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "waited in vain for: $*" >&2
      return 1
    fi
    sleep 0.05
  done
}

in_host() {
  ip netns exec "$HOST" "$@"
}

in_guest() {
  ip netns exec "$GUEST" "$@"
}

in_peer() {
  ip netns exec "$PEER" "$@"
}

# The commands read the first configuration, which stays good while a test spoils the agent's.
tapwarden() {
  in_host "$TAPWARDEN" "$@" -c "$DIR/commands.ini"
}

# spawn NAME COMMAND...: in the background; its pid is in $PIDS and in $DIR/NAME.pid.
spawn() {
  local name=$1
  shift
  # bats waits for whoever holds its fd 3.
  "$@" >"$DIR/$name.out" 2>"$DIR/$name.err" </dev/null 3>&- &
  echo $! >"$DIR/$name.pid"
  PIDS="$! $PIDS"
}

pid_of() {
  cat "$DIR/$1.pid"
}

# A leader that is a zombie may have threads that still end, and what they hold is not free before.
is_gone() {
  ! kill -0 "$1" 2>/dev/null || {
    grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null && [ "$(ls "/proc/$1/task" 2>/dev/null)" = "$1" ]
  }
}

house_up() {
  local netns
  DIR=$(mktemp -d "$BATS_TEST_TMPDIR/house.XXXXXX")
  HOST=tw$$-$BATS_TEST_NUMBER-host
  GUEST=tw$$-$BATS_TEST_NUMBER-guest
  PEER=tw$$-$BATS_TEST_NUMBER-peer
  INI=$DIR/tapwarden.ini
  PIDS=
  for netns in "$HOST" "$GUEST" "$PEER"; do
    ip netns add "$netns"
    ip -n "$netns" link set lo up
    ip netns exec "$netns" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
  done
  ip link add eno1 netns "$HOST" type veth peer name eno1 netns "$PEER"
  ip -n "$HOST" link set eno1 up
  ip -n "$PEER" addr add 192.0.2.2/24 dev eno1
  ip -n "$PEER" link set eno1 up
  mkdir "$DIR/www"
  echo 'Your order: 4711 is on its way.' >"$DIR/www/index.html"
  sed "s,@DIR@,$DIR,g" "$ROOT/scripts/demo.ini" >"$INI"
  cp "$INI" "$DIR/commands.ini"
}

house_down() {
  local pid netns
  for pid in $PIDS; do
    kill "$pid" 2>/dev/null || continue
    wait_for 10 is_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
  done
  for netns in "$GUEST" "$PEER" "$HOST"; do
    ip netns del "$netns" 2>/dev/null || true
  done
  # What the agent said explains a test that failed; bats shows it then.
  if [ -s "$DIR/agent.err" ]; then
    tail -n 30 "$DIR/agent.err"
  fi
}

# house_config <<END: instead of the demo's, after an [agent] section of this test.
house_config() {
  {
    printf '[agent]\nrun-dir = %s/run\nlog-dir = %s/log\n' "$DIR" "$DIR"
    printf 'user-capture = 64901\nuser-web = 64902\n\n'
    cat
  } >"$INI"
  cp "$INI" "$DIR/commands.ini"
}

# users_config: ann may look and bob do all, each by "a secret word", on 127.0.0.1:8443.
users_config() {
  local hash
  hash=$(printf 'a secret word' | "$TAPWARDEN" passwd -s)
  printf '\n[user %s]\npassword = "%s"\nrole = %s\n' ann "$hash" viewer bob "$hash" admin >>"$INI"
  sed -i 's/^\[web\]$/[web]\nlisten = 127.0.0.1:8443/' "$INI"
  cp "$INI" "$DIR/commands.ini"
}

# exec: the pid is the agent's, so that a signal sent to it meets nobody else.
agent_run() {
  spawn agent ip netns exec "$HOST" "$TAPWARDEN" run -c "$INI"
}

agent_start() {
  agent_run
  wait_for 20 agent_serves
}

workers_ready() {
  status_of '[.workers[].state] | all(. == "ready")'
}

# Both workers serve, and every link is there and watched.
agent_serves() {
  status_of '([.workers[].state] | all(. == "ready")) and
    ([.links[] | select(.set == "web") | .monitor == "passive"] | length >= 2 and all)'
}

# status_of FILTER: whether jq says yes to the status. (Of no input jq says yes to everything.)
status_of() {
  local answer
  answer=$(tapwarden status --json 2>/dev/null) && jq -e "$1" >/dev/null <<<"$answer"
}

status_get() {
  tapwarden status --json | jq -r "$1"
}

worker_pid() {
  status_get ".workers[] | select(.name == \"$1\") | .pid"
}

ifindex_of() {
  ip -n "$HOST" -o link show "$1" 2>/dev/null | cut -d: -f1
}

mac_of() {
  ip -n "$HOST" -j link show "$1" | jq -r '.[0].address'
}

guest_start() {
  spawn tap_guest ip netns exec "$HOST" "$ROOT/build/tests/net/tap_guest" --wait web01 "$GUEST" eth0
  wait_for 10 grep -q '^ready' "$DIR/tap_guest.out"
  ip -n "$GUEST" addr add 192.0.2.10/24 dev eth0
  ip -n "$GUEST" link set eth0 up
  spawn httpd ip netns exec "$GUEST" busybox httpd -f -p 192.0.2.10:80 -h "$DIR/www"
  wait_for 10 guest_answers
}

guest_answers() {
  in_peer curl -sS --max-time 2 -o /dev/null "http://192.0.2.10/"
}

# ask QUERY: one request of the peer, whose query then is in what the guest gets.
ask() {
  in_peer curl -sS --max-time 5 "http://192.0.2.10/index.html?$1"
}

# records FILTER: the records so far that jq lets through, one a line.
records() {
  jq -c "$1" "$DIR"/log/records.json
}

has_record() {
  [ -n "$(records "select($1)" 2>/dev/null)" ]
}

# Records are numbered without a hole over every restart, and a number is never given twice. Two
# workers that relieve each other may write in turns.
no_hole_in_records() {
  jq -s -e '[.[].tapwarden.seq] | sort | . == [range(.[0]; .[0] + length)]' "$DIR"/log/records.json
}

# traffic_start: the peer asks again and again, one line with the HTTP status for each request.
traffic_start() {
  spawn traffic ip netns exec "$PEER" sh -c 'while :; do
    curl -s --max-time 5 -o /dev/null -w "%{http_code}\n" http://192.0.2.10/
    sleep 0.02
  done'
}

traffic_count() {
  grep -c "${1:-.}" "$DIR/traffic.out" || true
}

has_traffic() {
  [ "$(traffic_count 200)" -ge "$1" ]
}

# traffic_goes_on: ten more requests are answered, and none ever failed.
traffic_goes_on() {
  wait_for 30 has_traffic $(($(traffic_count 200) + 10))
  ! grep -v '^200$' "$DIR/traffic.out"
}
