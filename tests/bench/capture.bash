# Captures and live frames against ngrep, tshark, tcpdump: CPU time, user and system. A file is
# CAPTURE_FRAMES frames (tshark and grep get a tenth of them, and so do we beside them); live,
# LIVE_FRAMES come by one veth pair as fast as one sender can.

CAPTURE_FRAMES=${CAPTURE_FRAMES:-1000000}
LIVE_FRAMES=${LIVE_FRAMES:-1000000}
LIVE_SIZE=${LIVE_SIZE:-500}
FLOWS=100000
PATTERN='needle-[0-9]+'
MIXED=$BENCH_DIR/mixed.pcap
TENTH=$BENCH_DIR/tenth.pcap
HELPERS=$ROOT/build/tests/bench

"$HELPERS/captures" mixed "$CAPTURE_FRAMES" >"$MIXED"
"$HELPERS/captures" mixed "$((CAPTURE_FRAMES / 10))" >"$TENTH"
{
  echo "$PATTERN"
  # As rules are: a word that is rare, and what may follow it.
  awk 'BEGIN { for (i = 1; i < 64; i++) printf "rule%d-word[a-f]+:\\d+\n", i }'
} >"$BENCH_DIR/patterns"

# ---- files -----------------------------------------------------------------------------------

ours() { "$TAPWARDEN" extract -e "$PATTERN" "$MIXED"; }
ours_64() { "$TAPWARDEN" extract -f "$BENCH_DIR/patterns" "$MIXED"; }
ours_stream() { "$TAPWARDEN" extract --scope stream -e "$PATTERN" "$TENTH"; }
by_ngrep() { ngrep -q -I "$MIXED" "$PATTERN"; }
by_tshark() { tshark -r "$TENTH" -Y "tcp matches \"$PATTERN\""; }
by_grep() { tcpdump -n -A -r "$TENTH" | grep -aPo "$PATTERN"; }

# All find as much, each as it tells it.
expect() {
  [ "$2" -gt 0 ] && [ "$2" -eq "$3" ] && return
  echo "bench: $1: $2 matches, and the other has $3" >&2
  exit 1
}
expect ngrep "$(ours | wc -l)" "$(by_ngrep | grep -acE '^[TUI] ')"
expect 64 "$(ours | wc -l)" "$(ours_64 | wc -l)"
expect grep "$(ours_stream | wc -l)" "$(by_grep 2>/dev/null | wc -l)"
expect tshark "$("$TAPWARDEN" extract -n --bpf 'tcp or ip6 proto 6 or (vlan and (tcp or ip6 proto 6))' \
  -e "$PATTERN" "$TENTH" | cut -d: -f1 | uniq | wc -l)" "$(by_tshark 2>/dev/null | wc -l)"

compare "capture: $CAPTURE_FRAMES frames, one pattern, ngrep" cpu 0.333 ours by_ngrep
compare "capture: 64 patterns, ngrep with one" cpu 1 ours_64 by_ngrep
compare "capture: streams, tshark -Y" cpu 0.5 ours_stream by_tshark
compare "capture: streams, tcpdump -A | grep -Po" cpu 0.1 ours_stream by_grep

# ---- many flows ------------------------------------------------------------------------------

# All are open at once, and of each 20th a match has begun. What streams may take is 64M; the rest is
# the program with its buffers.
"$HELPERS/captures" flows "$FLOWS" >"$BENCH_DIR/flows.pcap"
cat >"$BENCH_DIR/flows.ini" <<EOF
[stream]
memory = 64M

[set web]
lower = eno1
name = web%d

[pattern split]
regex = "split-[0-9]+"
scope = stream
EOF
flows() { "$TAPWARDEN" extract -c "$BENCH_DIR/flows.ini" --pattern split "$BENCH_DIR/flows.pcap"; }
row "capture: matches of $FLOWS flows, each 20th cut" "$(flows | wc -l)" "$((FLOWS / 20))" ">=1" ""
"$HELPERS/captures" flows 1 >"$BENCH_DIR/one.pcap"
rss_of() {
  figure rss "$TAPWARDEN" extract -c "$BENCH_DIR/flows.ini" --pattern split "$BENCH_DIR/$1.pcap"
}
row "capture: resident for $FLOWS flows, above one" \
  "$(($(rss_of flows) - $(rss_of one)))" 65536 1 KiB

# ---- live ------------------------------------------------------------------------------------

NETNS=twc$$
PEER=twc$$p
in_netns() { ip netns exec "$NETNS" "$@"; }
ip netns add "$NETNS"
at_exit ip netns del "$NETNS"
ip netns add "$PEER"
at_exit ip netns del "$PEER"
for netns in "$NETNS" "$PEER"; do
  ip netns exec "$netns" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
done
ip link add eno1 netns "$NETNS" type veth peer name eno1 netns "$PEER"
ip -n "$NETNS" link set eno1 up
ip -n "$PEER" link set eno1 up

# cpu_of PID: seconds that it has run (proc(5), schedstat).
cpu_of() {
  cat /proc/"$1"/task/*/schedstat | awk '{ ns += $1 } END { print ns / 1e9 }'
}

# A virtual machine gives memory that is free for some seconds back to its host, and who writes to
# it next pays for the host's fault, a frame's price each 4 KiB: whose file that hits would be chance.
# So both write to memory that was just in use.
warm_memory() {
  perl -e 'my $touched = "x" x (1 << 30)'
}

# send MAC: the frames, from the other end.
send() {
  warm_memory
  ip netns exec "$PEER" "$HELPERS/frames" wire eno1 "$LIVE_SIZE" "$LIVE_FRAMES" \
    02:00:00:00:00:02 "$1" >"$BENCH_DIR/sent"
}

# Until the process has nothing to do: two looks at its clock show the same.
settled() {
  local before=x after
  until after=$(cpu_of "$1") && [ "$before" = "$after" ]; do
    before=$after
    sleep 0.3
  done
}

# live_cpu NAME MAC COMMAND...: runs it while the frames come; its CPU in $BENCH_DIR/NAME.cpu.
live_cpu() {
  local name=$1 mac=$2 pid before
  shift 2
  (exec ip netns exec "$NETNS" "$@" >"$BENCH_DIR/$name.out" 2>"$BENCH_DIR/$name.err") &
  pid=$!
  until grep -q -e poll -e packet "/proc/$pid/wchan"; do
    kill -0 "$pid" || exit 1
    sleep 0.05
  done
  sleep 0.3
  before=$(cpu_of "$pid")
  send "$mac"
  settled "$pid"
  awk -v a="$before" -v b="$(cpu_of "$pid")" 'BEGIN { print b - a }' >"$BENCH_DIR/$name.cpu"
  kill -INT "$pid"
  wait "$pid" || true
}

# live_row NAME LIMIT OURS OTHER: two functions that call live_cpu with names ours and other.
live_row() {
  local run a=() b=()
  for ((run = 0; run < BENCH_RUNS; run++)); do
    "$3"
    a+=("$(cat "$BENCH_DIR/ours.cpu")")
    "$4"
    b+=("$(cat "$BENCH_DIR/other.cpu")")
  done
  row "$1" "$(median "${a[@]}")" "$(median "${b[@]}")" "$2" s
}

WIRE_MAC=02:00:00:00:00:01
our_writer() { live_cpu ours $WIRE_MAC "$TAPWARDEN" extract --live eno1 -w "$BENCH_DIR/ours.pcapng"; }
tcpdump_writer() { live_cpu other $WIRE_MAC tcpdump -B 65536 -n -p -i eno1 -w "$BENCH_DIR/other.pcap"; }
our_matcher() { live_cpu ours $WIRE_MAC "$TAPWARDEN" extract --live eno1 -e "$PATTERN"; }
ngrep_matcher() { live_cpu other $WIRE_MAC ngrep -q -p -d eno1 "$PATTERN"; }

live_row "live: all frames written by extract, tcpdump -w" 1.0 our_writer tcpdump_writer
row "live: frames in the file, of those sent" \
  "$(capinfos -Mrc "$BENCH_DIR/ours.pcapng" 2>/dev/null | awk 'END { print $NF }')" "$LIVE_FRAMES" ">=1" ""
live_row "live: one pattern by extract, ngrep" 0.5 our_matcher ngrep_matcher
row "live: frames searched, of those sent" \
  "$(awk '/ frames, / { print $1 }' "$BENCH_DIR/ours.err")" "$LIVE_FRAMES" ">=1" ""

# The agent's capture worker at a macvtap, beside the others at the same one.
GUEST_MAC=02:00:00:00:00:03
agent_cpu() {
  local pid before
  rm -rf "$BENCH_DIR/log" "$BENCH_DIR/run"
  cat >"$BENCH_DIR/agent.ini" <<EOF
[agent]
run-dir = $BENCH_DIR/run
log-dir = $BENCH_DIR/log
user-capture = 64901
user-web = 64902
ring-memory = 64M

[record]
pcap = $1
rotate-bytes = 4G

[set web]
lower = eno1
count = 1
name = web%02d
anti-spoof = off

[link web01]
set = web
mac = $GUEST_MAC

EOF
  if [ "$1" = off ]; then
    printf '\n[pattern needle]\nregex = "%s"\n' "$PATTERN" >>"$BENCH_DIR/agent.ini"
  fi
  (exec ip netns exec "$NETNS" "$TAPWARDEN" run -c "$BENCH_DIR/agent.ini" 2>"$BENCH_DIR/agent.err") &
  AGENT=$!
  until in_netns "$TAPWARDEN" status -c "$BENCH_DIR/agent.ini" --json 2>/dev/null |
    jq -e '.links[0].monitor == "passive" and ([.workers[].state] | all(. == "ready"))' >/dev/null; do
    kill -0 "$AGENT" || exit 1
    sleep 0.1
  done
  pid=$(in_netns "$TAPWARDEN" status -c "$BENCH_DIR/agent.ini" --json | jq '.workers[] | select(.name == "capture").pid')
  before=$(cpu_of "$pid")
  send "$GUEST_MAC"
  settled "$pid"
  awk -v a="$before" -v b="$(cpu_of "$pid")" 'BEGIN { print b - a }' >"$BENCH_DIR/ours.cpu"
  in_netns "$TAPWARDEN" status -c "$BENCH_DIR/agent.ini" --json >"$BENCH_DIR/status"
  kill "$AGENT"
  wait "$AGENT" || true
}
agent_writer() { agent_cpu all; }
agent_matcher() { agent_cpu off; }
tcpdump_at_tap() { live_cpu other $GUEST_MAC tcpdump -B 65536 -n -p -i web01 -w "$BENCH_DIR/other.pcap"; }
ngrep_at_tap() { live_cpu other $GUEST_MAC ngrep -q -p -d web01 "$PATTERN"; }
agent_saw() { jq '.links[0].captured | .to_guest.frames + .from_guest.frames' "$BENCH_DIR/status"; }

live_row "live: all frames written by the agent, tcpdump -w" 1.0 agent_writer tcpdump_at_tap
row "live: frames in frames.pcapng, of those seen" \
  "$(jq '.capture.pcap_frames' "$BENCH_DIR/status")" "$(agent_saw)" ">=1" ""
live_row "live: one pattern by the agent, ngrep" 0.5 agent_matcher ngrep_at_tap
row "live: frames seen by the agent, of those sent" "$(agent_saw)" "$LIVE_FRAMES" ">=1" ""
