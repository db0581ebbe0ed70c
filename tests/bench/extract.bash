# extract against the fastest of grep, ripgrep and pcre2grep on the same log, all with the same bytes
# as output, which goes to a file. EXTRACT_MIB sets the size of the log.

EXTRACT_MIB=${EXTRACT_MIB:-1024}
LOG=$BENCH_DIR/log

# Lines as servers write them: 16 MiB of them, again and again.
perl -e '
  srand 1;
  my @hosts = map { sprintf "h%02d.example.net", $_ } 1 .. 40;
  my $size = 0;
  while ($size < 16 << 20) {
    my $n = int rand 100000;
    my $line = sprintf "2026-11-24T%02d:%02d:%02d web%02d ", rand 24, rand 60, rand 60, rand 40;
    $line .= $n % 50 == 0 ? "#foobar$n#foobar" . ($n + 1) . "#"
      : $n % 10 == 0 ? "Host: $hosts[rand @hosts] User-Agent: curl/7.88"
      : $n % 997 == 0 ? "ERROR: Disk sd" . ("a" .. "f")[rand 6] . " failed"
      : "GET /item/$n?session=" . join("", map { ("a" .. "z")[rand 26] } 1 .. 24) . " 200 $n";
    print "$line\n";
    $size += 1 + length $line;
  }' >"$BENCH_DIR/block"
for ((i = 0; i < EXTRACT_MIB / 16; i++)); do cat "$BENCH_DIR/block"; done >"$LOG"

# The pattern in hand, for the functions below; each runs one program on it.
ours() { "$TAPWARDEN" extract "${OURS[@]}" -e "$PATTERN" "$LOG"; }
ours_two() { "$TAPWARDEN" extract --threads 2 "${OURS[@]}" -e "$PATTERN" "$LOG"; }
by_grep() { grep -a -oP "${FLAGS[@]}" -e "$PATTERN" "$LOG"; }
by_grep_e() { grep -a -oE "${FLAGS[@]}" -e "$PATTERN" "$LOG"; }
by_rg() { rg --no-config -a -oPN --no-unicode -j1 "${FLAGS[@]}" -e "$PATTERN" "$LOG"; }
by_rg_own() { rg --no-config -a -oN --no-unicode -j1 "${FLAGS[@]}" -e "$PATTERN" "$LOG"; }
by_pcre2grep() { pcre2grep -a -o "${FLAGS[@]}" -e "$PATTERN" "$LOG"; }

# fastest: the peer with the least CPU time that prints what we print; its name in $PEER.
fastest() {
  local peer best='' time
  PEER=
  ours >"$BENCH_DIR/expected"
  for peer in by_grep by_grep_e by_rg by_rg_own by_pcre2grep; do
    "$peer" >"$BENCH_DIR/got" 2>/dev/null || continue
    cmp -s "$BENCH_DIR/expected" "$BENCH_DIR/got" || continue
    time=$(figure cpu "$peer")
    if [ -z "$best" ] || awk -v a="$time" -v b="$best" 'BEGIN { exit !(a < b) }'; then
      best=$time
      PEER=$peer
    fi
  done
  if [ -z "$PEER" ]; then
    echo "bench: no peer prints what extract prints for /$PATTERN/" >&2
    exit 1
  fi
}

# pattern NAME PATTERN [FLAG]: both rows.
pattern() {
  PATTERN=$2
  FLAGS=("${@:3}")
  OURS=("${FLAGS[@]}")
  fastest
  compare "extract: $1, one thread, ${PEER#by_}" cpu 0.5 ours "$PEER"
  ours_two >"$BENCH_DIR/got"
  cmp "$BENCH_DIR/expected" "$BENCH_DIR/got" || exit 1
  compare "extract: $1, two threads, ${PEER#by_}" wall 0.35 ours_two "$PEER"
}

pattern context '(?<=^|#)foobar[0-9]+(?=#|$)'
pattern plain 'foobar[0-9]+'
pattern keep 'Host: \K\S+'
pattern caseless 'error: disk \w+' -i
pattern many '\d+'
pattern few 'Disk sd[ab] failed'

# ---- many rules, ranges, memory ------------------------------------------------------------------

# rules COUNT: as the lines have them, no two of which match in the same place.
rules() {
  perl -e '
    srand 7;
    my (%seen, $n);
    while ($n < $ARGV[0]) {
      my $k = sprintf "%05d", 10000 + int rand 90000;
      my $rule = ("item/$k\\?session=[a-f]+", "#foobar$k#",
        sprintf("%02d:%02d web%02d ERROR: Disk sd[a-f]", rand 60, rand 60, rand 40), " 200 $k\$")[$n % 4];
      next if $seen{$rule}++;
      $n++;
      print "$rule\n";
    }' "$1" >"$BENCH_DIR/rules"
}

ours_rules() { "$TAPWARDEN" extract -f "$BENCH_DIR/rules" "$LOG"; }
grep_rules() { grep -a -oE -f "$BENCH_DIR/rules" "$LOG"; }
rg_rules() { rg --no-config -a -oN --no-unicode -j1 -f "$BENCH_DIR/rules" "$LOG"; }

same() {
  "$1" >"$BENCH_DIR/expected"
  "$2" | cmp "$BENCH_DIR/expected" - || exit 1
}

rules 64
same ours_rules rg_rules
compare "extract: 64 rules at once, one thread, rg" cpu 0.333 ours_rules rg_rules
compare "extract: 64 rules at once, one thread, grep -E" cpu 0.333 ours_rules grep_rules
rules 1000
same ours_rules rg_rules
compare "extract: 1000 rules at once, one thread, rg" cpu 1.0 ours_rules rg_rules

ours_range() { "$TAPWARDEN" extract --begin "$BEGIN" --end "$END" "$LOG"; }
sed_range() { sed -n "/$BEGIN/,/$END/p" "$LOG"; }

BEGIN='ERROR: Disk sda' END='#foobar[0-9]*#'
same ours_range sed_range
compare "extract: short ranges, one thread, sed" cpu 0.5 ours_range sed_range
BEGIN='web07 ERROR' END='web09 ERROR'
same ours_range sed_range
compare "extract: long ranges, one thread, sed" cpu 0.5 ours_range sed_range

# What no row can go below: every page of the log is mapped, and read once. The fastest peer does
# little more where there is little to find, and half of that is not to be had.
PATTERN='Disk sd[ab] failed' OURS=()
read_once() { "$ROOT/build/tests/bench/read_once" "$LOG"; }
read_once_two() { "$ROOT/build/tests/bench/read_once" -2 "$LOG"; }
map_once() { "$ROOT/build/tests/bench/read_once" -m "$LOG"; }
compare "extract: few matches, one thread, the log read once" cpu 1.3 ours read_once
compare "extract: few matches, two threads, read once by two" wall 1.5 ours_two read_once_two
compare "extract: few matches, one thread, its pages mapped" cpu 3 ours map_once

# Memory of our own, in KiB, against the bound of 64 MiB.
row "extract: largest resident, of 65536 KiB" \
  "$(figure rss "$TAPWARDEN" extract -e 'foobar[0-9]+' "$LOG")" 65536 1 KiB
