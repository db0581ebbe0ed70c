# A thousand macvtap links: made, looked at, adopted, taken down and looked after, against iproute2.
#
# The other side gets no favours: `ip -batch` sets what apply sets, as far as iproute2 can (it cannot
# turn IPv6 off nor join the group of a guest's address), in its fastest form, all in one process.

LINKS=1000
NETNS=twb$$
export INI=$BENCH_DIR/tapwarden.ini
AGENT=

in_netns() {
  ip netns exec "$NETNS" "$@"
}

# configure MONITOR ANTI_SPOOF: watched links need rings of 128 KiB each.
configure() {
  cat >"$INI" <<EOF
[agent]
run-dir = $BENCH_DIR/run
log-dir = $BENCH_DIR/log
user-capture = 64901
user-web = 64902
ring-memory = 128M

[set v]
lower = eno1
mode = bridge
anti-spoof = $2
count = $LINKS
name = v%04d
monitor = $1
EOF
}

# Only the alias takes a request of its own: the kernel ignores it when a link is made.
write_batches() {
  awk -v n="$LINKS" -v dir="$BENCH_DIR" 'BEGIN {
    for (i = 1; i <= n; i++) {
      name = sprintf("v%04d", i)
      printf "link add link eno1 name %s address 52:54:00:00:%02x:%02x group 4711 arp off up type macvtap mode bridge\n",
        name, int(i / 256), i % 256 >dir "/create"
      printf "link set dev %s alias tapwarden/v/%s\n", name, name >dir "/create"
      printf "link del dev %s\n", name >dir "/delete"
    }
  }'
}

# The same programs that apply gives to the links, read from those that are there, for tc(8); and what
# it takes to see them.
write_filters() {
  local name number code
  rm -f "$BENCH_DIR/show-filters"
  for ((number = 1; number <= LINKS; number++)); do
    printf -v name 'v%04d' "$number"
    code=$(in_netns tc filter show dev "$name" egress | grep -o "[0-9]*,[0-9 ,]*[0-9]" | head -1)
    printf 'qdisc add dev %s clsact\n' "$name"
    printf 'filter add dev %s egress prio 1 protocol all handle 0x7477 bpf da bytecode "%s"\n' "$name" "$code"
    printf 'filter show dev %s egress\nfilter show dev %s ingress\n' "$name" "$name" >>"$BENCH_DIR/show-filters"
  done >"$BENCH_DIR/filters"
}

# What was left is removed; not measured.
clear_links() {
  ip -n "$NETNS" link del group 4711 2>/dev/null || true
  in_netns "$TAPWARDEN" down -c "$INI" >/dev/null
}

count_links() {
  ip -n "$NETNS" -o link show type macvtap | wc -l
}

all_there() {
  [ "$(count_links)" -eq "$LINKS" ]
}

none_there() {
  [ "$(count_links)" -eq 0 ]
}

ours_create() { in_netns "$TAPWARDEN" apply -c "$INI"; }
peer_create() { in_netns ip -batch "$BENCH_DIR/create"; }
ours_down() { in_netns "$TAPWARDEN" down -c "$INI"; }
peer_create_filtered() { peer_create && in_netns tc -batch "$BENCH_DIR/filters"; }
peer_delete() { in_netns ip -batch "$BENCH_DIR/delete"; }
peer_show() { in_netns ip -d -j link show; }
peer_show_filtered() { peer_show && in_netns tc -batch "$BENCH_DIR/show-filters"; }

# compare() cannot set the stage between two runs of one command.
# row_create NAME PEER LIMIT: PEER is the command of the other side.
row_create() {
  local run ours=() peer=()
  for ((run = 0; run <= BENCH_RUNS; run++)); do
    clear_links
    ours+=("$(figure wall ours_create)") || exit 1
    all_there || exit 1
    clear_links
    peer+=("$(figure wall "$2")") || exit 1
    all_there || exit 1
  done
  # The first of each does not count.
  row "$1" "$(median "${ours[@]:1}")" "$(median "${peer[@]:1}")" "$3" s
}

row_teardown() {
  local run ours=() peer=()
  for ((run = 0; run < BENCH_RUNS; run++)); do
    clear_links
    ours_create >/dev/null
    ours+=("$(figure wall ours_down)") || exit 1
    none_there || exit 1
    peer_create
    peer+=("$(figure wall peer_delete)") || exit 1
    none_there || exit 1
  done
  row "tear $LINKS links down, wall" "$(median "${ours[@]}")" "$(median "${peer[@]}")" 0.025 s
}

# The agent's processes: itself and its workers.
agent_pids() {
  echo "$AGENT"
  pgrep -P "$AGENT"
}

# Both workers say so; a status may still be the one of an agent that ends.
agent_serves() {
  [ "$(grep -c ' worker .* serves' "$BENCH_DIR/agent.err")" -eq 2 ] && in_netns "$TAPWARDEN" status -c "$INI" --json 2>/dev/null |
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
}

agent_end() {
  kill "-${1:-TERM}" "$AGENT" 2>/dev/null
  wait "$AGENT" 2>/dev/null
  AGENT=
}

# cpu_of PID: seconds that it has run, in nanoseconds' steps, all threads (proc(5), schedstat).
cpu_of() {
  cat /proc/"$1"/task/*/schedstat | awk '{ ns += $1 } END { print ns / 1e9 }'
}

# Seconds of CPU of `ip -d -j link show` in the median run.
show_cpu() {
  local run times=()
  for ((run = 0; run < BENCH_RUNS; run++)); do
    times+=("$(figure cpu peer_show)") || exit 1
  done
  median "${times[@]}"
}

# What the one-shot verb costs from exec to exit; time(1) has steps of 1 ms.
ours_plan() { in_netns "$TAPWARDEN" plan -c "$INI"; }
row_plan() {
  compare "plan of $LINKS links that are as wanted, CPU" cpu 1.5 ours_plan peer_show
}

# The running agent: each change of a foreign link makes it look at everything, at most twice a second.
row_pass() {
  local i before after passes=10 times=()
  ip -n "$NETNS" link set dev peer1 alias begin
  sleep 1
  for ((i = 0; i < passes; i++)); do
    before=$(cpu_of "$AGENT")
    ip -n "$NETNS" link set dev peer1 alias "n$i"
    sleep 0.7
    after=$(cpu_of "$AGENT")
    times+=("$(awk -v a="$before" -v b="$after" 'BEGIN { print b - a }')")
  done
  row "a pass of the agent over $LINKS links, CPU" "$(median "${times[@]}")" "$(show_cpu)" 1.5 s
}

# The agent is killed; its successor's CPU from exec until it has looked at every link, without what
# its workers are handed. The links stay as they are.
row_adoption() {
  local run before times=()
  before=$(ip -n "$NETNS" -o link show type macvtap | cut -d: -f1 | sort | md5sum)
  for ((run = 0; run < BENCH_RUNS; run++)); do
    agent_end KILL
    (exec ip netns exec "$NETNS" "$TAPWARDEN" run -c "$INI" 2>"$BENCH_DIR/agent.err") &
    AGENT=$!
    until grep -q 'web worker .* serves' "$BENCH_DIR/agent.err"; do sleep 0.02; done
    times+=("$(cpu_of "$AGENT")")
  done
  [ "$(ip -n "$NETNS" -o link show type macvtap | cut -d: -f1 | sort | md5sum)" = "$before" ] || exit 1
  row "adoption of $LINKS links after a crash, CPU" "$(median "${times[@]}")" "$(show_cpu)" 1.5 s
}

# 0.1 s is the contract, whatever the machine.
row_return() {
  local links
  mapfile -t links < <(seq -f 'v%04g' 1 9 900)
  # shellcheck disable=SC2046 # one number a line
  row "a deleted link is back and watched, median of 100" \
    "$(median $(in_netns "$ROOT/build/tests/net/link_return" "${links[@]}"))" 100 1 ms
}

switches() {
  local pid
  for pid in $(agent_pids); do
    cat /proc/"$pid"/task/*/status
  done | awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'
}

row_wakeups() {
  local seconds=30 before after
  sleep 3
  before=$(switches)
  sleep "$seconds"
  after=$(switches)
  row "wake-ups of the idle agent, $LINKS links watched" \
    "$(awk -v n=$((after - before)) -v s="$seconds" 'BEGIN { print n / s }')" 1 1 per-s
}

# Every page once: what is anonymous in each process, and of each file's pages the largest share that
# one of them has. The rings are the kernel's memory, and ring-memory bounds them.
row_memory() {
  local pid
  for pid in $(agent_pids); do
    cat "/proc/$pid/smaps"
  done | awk '
    /^[0-9a-f]+-[0-9a-f]+ / { name = $6; part = $6 " " $3 }
    /^Rss:/ { rss = $2 }
    /^Anonymous:/ {
      own += $2
      if (name !~ /^socket:/ && rss - $2 > shared[part]) shared[part] = rss - $2
    }
    END { for (part in shared) own += shared[part]; print own }' >"$BENCH_DIR/resident"
  row "resident in all processes, $LINKS links, no rings" "$(cat "$BENCH_DIR/resident")" 24576 1 KiB
}

ip netns add "$NETNS"
at_exit ip netns del "$NETNS"
in_netns sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
ip -n "$NETNS" link add eno1 type veth peer name peer1
ip -n "$NETNS" link set eno1 up
ip -n "$NETNS" link set peer1 up
configure off off
write_batches

row_create "create and bring up $LINKS links, wall" peer_create 1.0
row_teardown
clear_links
ours_create >/dev/null
row_plan
# The default: each link has a program besides, for which iproute2 needs tc. Without tc it does less than
# we do; how much that is is a row, too.
configure off mac
ours_create >/dev/null
write_filters
compare "the same with anti-spoof, which tc shows, CPU" cpu 1.5 ours_plan peer_show_filtered
row_create "create $LINKS links with anti-spoof, as tc does, wall" peer_create_filtered 1.0
row_create "the same, where iproute2 leaves it out, wall" peer_create 1.5
configure off off
clear_links
ours_create >/dev/null
at_exit agent_end
agent_start
row_pass
row_adoption
agent_end
configure passive off
agent_start
row_wakeups
row_memory
row_return
