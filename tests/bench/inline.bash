# Inline links against the barest relay there is, in turn: a read and a write for each frame. web01 is
# the agent's, web02 is left to the bare one; both have anti-spoof and a filter.
#
#   peer eno1 <--- veth ---> eno1 host: web01 (tap) <--- capture worker ---> frames guest
#                                       web02 (tap) <--- frames bare ------> frames guest

FRAMES=$ROOT/build/tests/bench/frames
COUNT=${BENCH_FRAMES:-20000}
HOST=twbench$$-host
PEER=twbench$$-peer
RUN=$BENCH_DIR/run

in_host() {
  ip netns exec "$HOST" "$@"
}

net_up() {
  ip netns add "$HOST"
  at_exit ip netns del "$HOST"
  ip netns add "$PEER"
  at_exit ip netns del "$PEER"
  in_host sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
  ip link add eno1 netns "$HOST" type veth peer name eno1 netns "$PEER"
  ip -n "$HOST" link set eno1 up
  ip -n "$PEER" link set eno1 up
}

# config [PATTERNS SCOPE]: as many patterns as rules of a web application firewall, none of which matches.
config() {
  local i
  cat >"$BENCH_DIR/t.ini" <<END
[agent]
run-dir = $RUN
log-dir = $BENCH_DIR/log
user-capture = 64901
user-web = 64902

[set web]
lower = eno1
count = 2
name = web%02d
filter = not udp port 1900
monitor = inline

[link web02]
set = web
monitor = off
END
  for ((i = 1; i <= ${1:-0}; i++)); do
    printf '\n[pattern rule%d]\nregex = "(?:attack|exploit)-%02d[0-9a-f]{4}\\.(?:php|cgi)\\?"\nscope = %s\naction = drop\n' \
      "$i" "$i" "$2"
  done >>"$BENCH_DIR/t.ini"
}

agent_start() {
  ip netns exec "$HOST" "$TAPWARDEN" run -c "$BENCH_DIR/t.ini" 2>"$BENCH_DIR/agent.err" &
  AGENT=$!
  until in_host "$TAPWARDEN" status --json -c "$BENCH_DIR/t.ini" 2>/dev/null | jq -e \
    '([.workers[].state] | all(. == "ready")) and .links[0].monitor == "inline"' >/dev/null; do
    kill -0 "$AGENT" || exit 1
    sleep 0.1
  done
  macs
  WORKER=$(in_host "$TAPWARDEN" status --json -c "$BENCH_DIR/t.ini" | jq -r '.workers[] | select(.name == "capture").pid')
}

agent_stop() {
  kill "$AGENT"
  wait "$AGENT" 2>/dev/null || true
}

mac_of() {
  ip -n "$1" -j link show "$2" | jq -r '.[0].address'
}

# Before and behind what is measured as little as can be happens: the addresses are read once.
declare -A MAC
macs() {
  MAC=([ours]=$(mac_of "$HOST" web01) [bare]=$(mac_of "$HOST" web02) [peer]=$(mac_of "$PEER" eno1))
}

cpu_ns() {
  cut -d' ' -f1 "/proc/$1/schedstat"
}

# pause SECONDS, and said LINES: whether the guest said so many. Both by bash alone: programs that start
# beside a relay on two processors are most of the tail of its latency.
exec {IDLE}<> <(:)
pause() {
  read -rt "$1" -u "$IDLE" || true
}

said() {
  local lines
  mapfile -t lines <"$BENCH_DIR/guest.out"
  [ "${#lines[@]}" -ge "$1" ]
}

# Where there are two processors, a relay has one for itself, and who gives to it or takes from it the
# other; and no process of others runs while one of them could. What takes goes before what gives.
OTHERS="" LAST="" FIFO=""
if [ "$(nproc)" -ge 2 ] && chrt -f 50 true 2>/dev/null; then
  OTHERS="taskset -c 0 chrt -f 51" LAST="taskset -c 0 chrt -f 50" FIFO=1
fi

alone() {
  [ -z "$FIFO" ] || { taskset -cp 1 "$1" && chrt -f -p 50 "$1"; } >/dev/null
}

# path_of ours|bare: where its guest listens.
path_of() {
  [ "$1" = ours ] && echo "$RUN/guests/web01/qemu.sock" || echo "$BENCH_DIR/bare.sock"
}

# guest_start WHO WORDS...: a guest and its relay, whose process is in $RELAY.
guest_start() {
  local who=$1
  shift
  : >"$BENCH_DIR/guest.out"
  $OTHERS ip netns exec "$HOST" "$FRAMES" guest "$(path_of "$who")" "$@" >>"$BENCH_DIR/guest.out" &
  GUEST=$!
  until said 1; do
    pause 0.01
  done
  RELAY=$WORKER
  if [ "$who" = bare ]; then
    # In a session of its own, as the agent's workers are: the scheduler shares the machine among sessions.
    setsid ip netns exec "$HOST" "$FRAMES" bare web02 "$(path_of bare)" >/dev/null 2>&1 &
    RELAY=$!
  fi
  until said 2; do
    kill -0 "$GUEST" || exit 1
    pause 0.01
  done
  alone "$RELAY"
  BEFORE=$(cpu_ns "$RELAY")
  kill -USR1 "$GUEST"
}

guest_stop() {
  kill "$GUEST" 2>/dev/null
  wait "$GUEST" 2>/dev/null
  [ "$1" = ours ] || { kill "$RELAY" 2>/dev/null; wait "$RELAY" 2>/dev/null; }
}

# from_guest WHO SIZE: "FRAMES/S NS/FRAME" of frames that the guest sends.
from_guest() {
  local used
  guest_start "$1" give "$2" "$COUNT" "${MAC[$1]}" "${MAC[peer]}"
  until said 3; do
    pause 0.02
  done
  pause 0.05
  used=$(($(cpu_ns "$RELAY") - BEFORE))
  guest_stop "$1"
  tail -n 1 "$BENCH_DIR/guest.out" | awk -v used="$used" '{ printf "%.0f %.1f\n", $1 / $2, used / $1 }'
}

# to_guest WHO SIZE: the same of frames that come from the wire; those that a full queue lost count not.
to_guest() {
  local used
  guest_start "$1" take
  $LAST ip netns exec "$PEER" "$FRAMES" wire eno1 "$2" "$COUNT" "${MAC[peer]}" "${MAC[$1]}" >/dev/null
  pause 0.05
  used=$(($(cpu_ns "$RELAY") - BEFORE))
  guest_stop "$1"
  tail -n 1 "$BENCH_DIR/guest.out" | awk -v used="$used" '{ printf "%.0f %.1f\n", $1 / $2, used / $1 }'
}

# turns RUN: who goes before whom; what the machine does meanwhile is then no one's alone.
turns() {
  [ $(($1 % 2)) -eq 0 ] && echo "ours bare" || echo "bare ours"
}

# relay_rows NAME LEAST TURNS: both directions and sizes; frames per second at least LEAST of the bare loop's,
# and CPU per frame at most as much more. Many short runs in turn: the bare loop against itself gives .97
# to 1.03 this way, on two processors that five others want.
relay_rows() {
  local name=$1 least=$2 turns=$3 way size who run most
  local -A rate cpu
  most=$(awk -v least="$least" 'BEGIN { printf "%.3g", 1 / least }')
  for way in from_guest to_guest; do
    for size in 64 1500; do
      rate=([ours]="" [bare]="") cpu=([ours]="" [bare]="")
      for ((run = 0; run <= turns; run++)); do
        for who in $(turns "$run"); do
          "$way" "$who" "$size" >"$BENCH_DIR/figures"
          # The first of each does not count.
          [ "$run" -eq 0 ] && continue
          rate[$who]+=" $(cut -d' ' -f1 "$BENCH_DIR/figures")"
          cpu[$who]+=" $(cut -d' ' -f2 "$BENCH_DIR/figures")"
        done
      done
      # shellcheck disable=SC2086 # lists of numbers
      row "$name, ${way/_/ }, $size bytes: frames/s" "$(median ${rate[ours]})" "$(median ${rate[bare]})" ">=$least" 1/s
      # shellcheck disable=SC2086
      row "$name, ${way/_/ }, $size bytes: CPU a frame" "$(median ${cpu[ours]})" "$(median ${cpu[bare]})" "$most" ns
    done
  done
}

# arrives WHO: "P50 P99" in microseconds, of frames at half of the load that ours can take.
arrives() {
  local source arrive
  source=${MAC[$1]}
  : >"$BENCH_DIR/arrive.out"
  $LAST ip netns exec "$PEER" "$FRAMES" arrive eno1 "$source" "$PACED" >>"$BENCH_DIR/arrive.out" &
  arrive=$!
  until grep -q listening "$BENCH_DIR/arrive.out"; do
    sleep 0.01
  done
  guest_start "$1" pace 512 "$PACED" "$source" "${MAC[peer]}" "$RATE"
  until said 3; do
    kill -0 "$GUEST" || exit 1
    pause 0.05
  done
  pause 0.2
  kill "$arrive" 2>/dev/null
  wait "$arrive"
  guest_stop "$1"
  tail -n 1 "$BENCH_DIR/arrive.out"
}

# What a relay adds to the bare loop's 99th percentile, against 200 microseconds.
latency_row() {
  local run who
  local -A p99=([ours]="" [bare]="")
  RATE=$(from_guest ours 512 | awk '{ printf "%d", $1 / 2 }')
  # A quarter of a second: who runs before all others for longer is stopped (sched_rt_runtime_us).
  PACED=$((RATE / 4))
  for ((run = 0; run < 4 * BENCH_RUNS; run++)); do
    for who in $(turns "$run"); do
      p99[$who]+=" $(arrives "$who" | cut -d' ' -f2)"
    done
  done
  # shellcheck disable=SC2086 # lists of numbers
  row "inline, from guest, half load: p99 added" \
    "$(awk -v a="$(median ${p99[ours]})" -v b="$(median ${p99[bare]})" 'BEGIN { print (a > b ? a - b : 0.1) }')" 200 1 us
}

net_up
config
agent_start
relay_rows "inline, no patterns" 0.9 $((8 * BENCH_RUNS))
latency_row
agent_stop
config 64 packet
agent_start
relay_rows "inline, 64 patterns" 0.6 $((2 * BENCH_RUNS))
agent_stop
config 64 stream
agent_start
relay_rows "inline, 64 patterns on streams" 0.6 $((2 * BENCH_RUNS))
agent_stop
