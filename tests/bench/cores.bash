# Two links that are sent to at the same time, each by a sender of its own, with two capture workers and
# with one: the CPU time of all capture workers for a frame, and how many of the frames they saw. What the
# senders leave of the machine is what the workers have.

CORES_FRAMES=${CORES_FRAMES:-500000}
CORES_SIZE=${CORES_SIZE:-500}
HELPERS=$ROOT/build/tests/bench
NETNS=twq$$
PEER=twq$$p
MACS=(02:00:00:00:00:03 02:00:00:00:00:04)
ip netns add "$NETNS"
at_exit ip netns del "$NETNS"
ip netns add "$PEER"
at_exit ip netns del "$PEER"
for netns in "$NETNS" "$PEER"; do
  ip netns exec "$netns" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
done
for i in 0 1; do
  ip link add "eno$i" netns "$NETNS" type veth peer name "eno$i" netns "$PEER"
  ip -n "$NETNS" link set "eno$i" up
  ip -n "$PEER" link set "eno$i" up
done

status() {
  ip netns exec "$NETNS" "$TAPWARDEN" status -c "$BENCH_DIR/agent.ini" --json 2>/dev/null
}

# Seconds that all capture workers have run (proc(5), schedstat).
cpu() {
  status | jq -r '.workers[] | select(.name | startswith("capture")).pid' | while read -r pid; do
    cat "/proc/$pid"/task/*/schedstat
  done | awk '{ ns += $1 } END { print ns / 1e9 }'
}

seen() {
  status | jq '[.links[].captured | .to_guest.frames, .from_guest.frames] | add'
}

settled() {
  local before=x after
  until after=$(cpu) && [ "$before" = "$after" ]; do
    before=$after
    sleep 0.5
  done
}

# with WORKERS: CPU time for a million frames that were seen in cpu.WORKERS, frames seen in seen.WORKERS.
with() {
  local agent before i senders=()
  rm -rf "$BENCH_DIR/log" "$BENCH_DIR/run"
  {
    printf '[agent]\nrun-dir = %s/run\nlog-dir = %s/log\n' "$BENCH_DIR" "$BENCH_DIR"
    printf 'user-capture = 64901\nuser-web = 64902\nring-memory = 64M\ncapture-workers = %d\n' "$1"
    printf '[pattern needle]\nregex = "needle-[0-9]+"\n'
    for i in 0 1; do
      printf '[set s%d]\nlower = eno%d\ncount = 1\nname = q%d%%02d\nanti-spoof = off\n' "$i" "$i" "$i"
      printf '[link q%d01]\nset = s%d\nmac = %s\n' "$i" "$i" "${MACS[i]}"
    done
  } >"$BENCH_DIR/agent.ini"
  (exec ip netns exec "$NETNS" "$TAPWARDEN" run -c "$BENCH_DIR/agent.ini" 2>"$BENCH_DIR/agent.err") &
  agent=$!
  until status | jq -e '([.links[].monitor] == ["passive", "passive"]) and
    ([.workers[].state] | all(. == "ready"))' >/dev/null; do
    kill -0 "$agent" || exit 1
    sleep 0.1
  done
  before=$(cpu)
  for i in 0 1; do
    ip netns exec "$PEER" "$HELPERS/frames" wire "eno$i" "$CORES_SIZE" "$CORES_FRAMES" \
      02:00:00:00:00:02 "${MACS[i]}" >"$BENCH_DIR/sent.$i" &
    senders+=($!)
  done
  wait "${senders[@]}"
  settled
  seen >"$BENCH_DIR/seen.$1"
  awk -v a="$before" -v b="$(cpu)" -v n="$(cat "$BENCH_DIR/seen.$1")" \
    'BEGIN { print (b - a) * 1e6 / n }' >"$BENCH_DIR/cpu.$1"
  kill "$agent"
  wait "$agent" || true
}

two_cpu=() one_cpu=() two_seen=() one_seen=()
for ((run = 0; run < BENCH_RUNS; run++)); do
  with 2
  with 1
  two_cpu+=("$(cat "$BENCH_DIR/cpu.2")")
  one_cpu+=("$(cat "$BENCH_DIR/cpu.1")")
  two_seen+=("$(cat "$BENCH_DIR/seen.2")")
  one_seen+=("$(cat "$BENCH_DIR/seen.1")")
done
row "cores: a million frames by two workers, by one" "$(median "${two_cpu[@]}")" \
  "$(median "${one_cpu[@]}")" 1.2 s
row "cores: frames seen by two workers, by one" "$(median "${two_seen[@]}")" \
  "$(median "${one_seen[@]}")" ">=1" ""
row "cores: frames seen by two workers, of those sent" "$(median "${two_seen[@]}")" \
  "$((2 * CORES_FRAMES))" ">=1" ""
