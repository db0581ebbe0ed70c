# The API under load: a list of a thousand links, a hundred streams of records, and logins that hash
# while others ask. What a limit is of is the web worker's and the agent's own CPU, or the difference
# that a load makes: the machine may be shared.

LINKS=${LINKS:-1000}
STREAMS=${STREAMS:-100}
RECORDS=${RECORDS:-5000} # a second
SECONDS_OF=${SECONDS_OF:-5}
NETNS=tww$$
INI=$BENCH_DIR/tapwarden.ini
LINES=$BENCH_DIR/lines
ADDRESS=127.0.0.1:8443
AGENT=

in_netns() {
  ip netns exec "$NETNS" "$@"
}

configure() {
  local hash
  hash=$(printf 'a secret word' | "$TAPWARDEN" passwd -s)
  : >"$LINES"
  cat >"$INI" <<EOF
[agent]
run-dir = $BENCH_DIR/run
log-dir = $BENCH_DIR/log
user-capture = 64901
user-web = 64902

[set v]
lower = eno1
mode = bridge
count = $LINKS
name = v%04d
monitor = off

[pattern line]
regex = "^line (?<number>\d+)"
groups = number

[log lines]
follow = $LINES
patterns = line

[user ann]
password = "$hash"
role = viewer

[web]
listen = $ADDRESS
EOF
}

api() {
  in_netns curl -sSf --max-time 60 --unix-socket "$BENCH_DIR/run/api.sock" "$@"
}

agent_serves() {
  [ "$(grep -c ' worker .* serves' "$BENCH_DIR/agent.err")" -eq 2 ] && api http://x/v1/status 2>/dev/null |
    jq -e '([.workers[].state] | length == 2 and all(. == "ready")) and ([.links[].state] | all(. == "up"))' >/dev/null
}

agent_start() {
  : >"$BENCH_DIR/agent.err"
  # exec: the pid is the agent's.
  (exec ip netns exec "$NETNS" "$TAPWARDEN" run -c "$INI" 2>"$BENCH_DIR/agent.err") &
  AGENT=$!
  until agent_serves; do
    kill -0 "$AGENT" || exit 1
    sleep 0.2
  done
  WEB=$(api http://x/v1/status | jq '.workers[] | select(.name == "web") | .pid')
}

agent_end() {
  kill "$AGENT" 2>/dev/null
  wait "$AGENT" 2>/dev/null
}

# cpu_of PID...: milliseconds that they have run, all threads (proc(5), schedstat).
cpu_of() {
  local pid
  for pid in "$@"; do
    cat /proc/"$pid"/task/*/schedstat
  done | awk '{ ns += $1 } END { print ns / 1e6 }'
}

# Longer apart than an answer of the agent's is kept, so that each is made anew.
row_list() {
  local run before after cpu=() wall=()
  for ((run = 0; run < 4 * BENCH_RUNS; run++)); do
    sleep 0.3
    before=$(cpu_of "$AGENT" "$WEB")
    wall+=("$(api -o "$BENCH_DIR/links" -w '%{time_total}' http://x/v1/links)") || exit 1
    after=$(cpu_of "$AGENT" "$WEB")
    cpu+=("$(awk -v a="$before" -v b="$after" 'BEGIN { print b - a }')")
  done
  [ "$(jq length "$BENCH_DIR/links")" -eq "$LINKS" ] || exit 1
  # 20 ms is the contract, whatever the machine.
  row "/v1/links of $LINKS links, CPU of agent and worker" "$(median "${cpu[@]}")" 20 1 ms
  row "the first, wall on the socket against ip -d -j" "$(median "${wall[@]}")" "$(show_wall)" 1 s
}

peer_show() { in_netns ip -d -j link show; }
show_wall() {
  local run times=()
  for ((run = 0; run < BENCH_RUNS; run++)); do
    times+=("$(figure wall peer_show)") || exit 1
  done
  median "${times[@]}"
}

# ---- streams ------------------------------------------------------------------------------------

# Lines by the clock, in small parts: what is late is made up for.
write_lines() {
  perl -MTime::HiRes=time,sleep -e '
    my ($rate, $for) = @ARGV;
    my ($start, $n) = (time, 0);
    $| = 1;
    while ((my $at = time - $start) < $for) {
      printf "line %d\n", $n++ while $n < $at * $rate;
      sleep 0.02;
    }' "$RECORDS" "$SECONDS_OF" >>"$LINES"
}

# A curl for all streams, and one that reads slowly.
row_streams() {
  local i before after curl slow rss seen started ended
  for ((i = 0; i < STREAMS; i++)); do
    printf 'url = "http://x/v1/events"\noutput = "%s/stream.%d"\n' "$BENCH_DIR" "$i"
  done >"$BENCH_DIR/streams"
  (exec ip netns exec "$NETNS" curl -sS --unix-socket "$BENCH_DIR/run/api.sock" -H 'Accept: text/event-stream' \
    --parallel --parallel-immediate --parallel-max "$STREAMS" -K "$BENCH_DIR/streams" 2>"$BENCH_DIR/curl.err") &
  curl=$!
  (exec ip netns exec "$NETNS" curl -sS --unix-socket "$BENCH_DIR/run/api.sock" -H 'Accept: text/event-stream' \
    --limit-rate 20k -o "$BENCH_DIR/slow" http://x/v1/events) &
  slow=$!
  until [ "$(api http://x/v1/health | jq .events.streams)" -eq $((STREAMS + 1)) ]; do sleep 0.1; done
  before=$(cpu_of "$WEB")
  seen=$(api http://x/v1/health | jq .events.records)
  started=$EPOCHREALTIME
  write_lines
  ended=$EPOCHREALTIME
  after=$(cpu_of "$WEB")
  rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$WEB/status")
  seen=$(($(api http://x/v1/health | jq .events.records) - seen))
  row "records taken in, of $RECORDS lines a second" "$seen" $((RECORDS * SECONDS_OF)) '>=0.95' n
  row "worker with $STREAMS streams of them, CPU in wall" \
    "$(awk -v a="$before" -v b="$after" 'BEGIN { print (b - a) / 1000 }')" \
    "$(awk -v a="$started" -v b="$ended" 'BEGIN { print b - a }')" 0.95 s
  row "the most that the worker had resident" "$rss" 65536 1 KiB
  # All that went in comes out of every stream, or a marker says what is missing.
  sleep 2
  kill "$curl" && wait "$curl" 2>/dev/null
  row "records or markers of loss in the poorest stream" \
    "$(for ((i = 0; i < STREAMS; i++)); do told_by "$BENCH_DIR/stream.$i"; done | sort -g | head -n 1)" "$seen" '>=0.95' n
  # It goes on at its own pace until it comes to where it was overtaken.
  for ((i = 0; i < 600; i++)); do
    ! grep -q '"slow-reader"' "$BENCH_DIR/slow" || break
    sleep 0.1
  done
  kill "$slow" && wait "$slow" 2>/dev/null
  row "gap markers that the slow reader got" "$(grep -c '"slow-reader"' "$BENCH_DIR/slow")" 1 '>=1' n
  rm -f "$BENCH_DIR"/stream.*
}

told_by() {
  awk '/"event_type":"gap"/ { match($0, /"lost":[0-9]+/); n += substr($0, RSTART + 7, RLENGTH - 7); next }
    /^data:/ { n++ } END { print n + 0 }' "$1"
}

# ---- logins -------------------------------------------------------------------------------------

# The 99th percentile of a thousand requests on one connection, in milliseconds.
health_p99() {
  api -K "$BENCH_DIR/health" | sort -g | awk '{ v[NR] = $1 } END { print v[int(NR * 0.99)] * 1000 }'
}

# Logins one after another on a connection; the program that asks costs little itself.
logins() {
  exec ip netns exec "$NETNS" curl -sS -K "$BENCH_DIR/logins"
}

# As much work as the hashing of two threads, at the same niceness, outside of the agent.
spin() {
  exec nice -n 10 sh -c 'while :; do :; done'
}

# p99_beside COMMAND: while two of it run.
p99_beside() {
  local pids=()
  "$1" >/dev/null 2>&1 &
  pids+=($!)
  "$1" >/dev/null 2>&1 &
  pids+=($!)
  sleep 0.3
  health_p99
  kill "${pids[@]}" 2>/dev/null
  wait "${pids[@]}" 2>/dev/null
}

row_logins() {
  local run i with=() without=() beside=()
  # curl wants its options for each address again.
  for ((i = 0; i < 1000; i++)); do
    [ "$i" -eq 0 ] || printf 'next\nsilent\nunix-socket = "%s"\n' "$BENCH_DIR/run/api.sock"
    printf 'url = "http://x/v1/health"\noutput = "/dev/null"\nwrite-out = "%%{time_total}\\n"\n'
  done >"$BENCH_DIR/health"
  for ((i = 0; i < 1000; i++)); do
    [ "$i" -eq 0 ] || printf 'next\nsilent\n'
    printf 'url = "http://%s/v1/session"\noutput = "/dev/null"\n' "$ADDRESS"
    printf 'header = "Content-Type: application/json"\ndata = "{\\"user\\": \\"ann\\", \\"password\\": \\"a secret word\\"}"\n'
  done >"$BENCH_DIR/logins"
  for ((run = 0; run < BENCH_RUNS; run++)); do
    without+=("$(health_p99)")
    with+=("$(p99_beside logins)")
    beside+=("$(p99_beside spin)")
  done
  [ "$(api http://x/v1/health | jq .auth.logins)" -gt "$BENCH_RUNS" ] || exit 1
  # 5 ms is the contract. On a machine without a free core two busy programs delay as well.
  row "what logins add to the p99 of /v1/health ($(median "${without[@]}"))" \
    "$(awk -v a="$(median "${without[@]}")" -v b="$(median "${with[@]}")" 'BEGIN { print (b > a ? b - a : 0.001) }')" 5 1 ms
  row "the p99 beside logins, against two busy programs" \
    "$(median "${with[@]}")" "$(median "${beside[@]}")" 2 ms
}

ip netns add "$NETNS"
at_exit ip netns del "$NETNS"
in_netns sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
ip -n "$NETNS" link set lo up
ip -n "$NETNS" link add eno1 type veth peer name peer1
ip -n "$NETNS" link set eno1 up
ip -n "$NETNS" link set peer1 up
configure
at_exit agent_end
agent_start
row_list
row_streams
row_logins
