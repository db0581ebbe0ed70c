# What every file of rows stands on: two commands are run in turn, and the ratio of their medians is
# held against a limit. Only ratios of one run mean anything: the machine may be shared and slow.
#
# A file of rows is tests/bench/AREA.bash. It makes what it needs in $BENCH_DIR, says a line for each
# number by `compare` or `row`, and cleans up what is not in $BENCH_DIR by `at_exit`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}
export LC_ALL=C
BENCH_RUNS=${BENCH_RUNS:-5}
BENCH_FAULTS=0

# at_exit COMMAND...: run when the area ends, last one first.
BENCH_AT_EXIT=()
at_exit() {
  BENCH_AT_EXIT=("$(printf '%q ' "$@")" "${BENCH_AT_EXIT[@]}")
}

bench_leave() {
  local command
  for command in "${BENCH_AT_EXIT[@]}"; do
    eval "$command" || true
  done
}
trap bench_leave EXIT
trap 'exit 130' INT TERM

median() {
  printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# figure cpu|wall|rss COMMAND...: seconds, or KiB of the largest process; the command's own output
# goes to $BENCH_DIR/out. A command or function that fails ends the bench.
figure() {
  local kind=$1 TIMEFORMAT='%3R %3U %3S' code=0
  shift
  if [ "$kind" = rss ]; then
    command time -q -f %M -o "$BENCH_DIR/time" "$@" >"$BENCH_DIR/out" || code=$?
  else
    { time "$@" >"$BENCH_DIR/out" 2>"$BENCH_DIR/err" || code=$?; } 2>"$BENCH_DIR/time"
  fi
  if [ "$code" -ne 0 ]; then
    printf 'bench: %s: exit %s\n' "$*" "$code" >&2
    cat "$BENCH_DIR/err" >&2 2>/dev/null
    exit 1
  fi
  case $kind in
  cpu) awk '{ print $2 + $3 }' "$BENCH_DIR/time" ;;
  wall) awk '{ print $1 }' "$BENCH_DIR/time" ;;
  rss) cat "$BENCH_DIR/time" ;;
  esac
}

# row NAME OURS OTHER LIMIT UNIT: one line of the table. OURS/OTHER is to be at most LIMIT; a LIMIT
# of ">=N" is at least N.
row() {
  awk -v name="$1" -v ours="$2" -v other="$3" -v limit="$4" -v unit="$5" 'BEGIN {
    ratio = other > 0 ? ours / other : 0
    least = sub(/^>=/, "", limit)
    good = other > 0 && (least ? ratio >= limit + 0 : ratio <= limit + 0)
    printf "%-52s %12.4g %12.4g %-5s %8.3f  %s %-6s %s\n", name, ours, other, unit, ratio,
      least ? ">=" : "<=", limit, good ? "ok" : "MISSED"
    exit !good
  }' || BENCH_FAULTS=$((BENCH_FAULTS + 1))
}

# compare NAME cpu|wall|rss LIMIT OURS OTHER: two functions or commands (one word each; for rss no
# functions, since time(1) runs them), in turn, after
# one run of each that does not count.
compare() {
  local name=$1 kind=$2 limit=$3 ours=$4 other=$5 run a=() b=()
  "$ours" >/dev/null
  "$other" >/dev/null
  for ((run = 0; run < BENCH_RUNS; run++)); do
    a+=("$(figure "$kind" "$ours")") || exit 1
    b+=("$(figure "$kind" "$other")") || exit 1
  done
  row "$name" "$(median "${a[@]}")" "$(median "${b[@]}")" "$limit" "$([ "$kind" = rss ] && echo KiB || echo s)"
}
