#!/usr/bin/env bats
# tapwarden extract, with grep, perl and sed as the judges.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  export LC_ALL=C
}

extract() {
  "$TAPWARDEN" extract "$@"
}

# same_as COMMAND... -- WORDS...: extract WORDS prints what COMMAND does.
same_as() {
  local judge=()
  while [ "$1" != -- ]; do
    judge+=("$1")
    shift
  done
  shift
  "${judge[@]}" >expected
  extract "$@" >got || [ $? -eq 1 ]
  cmp expected got
}

@test "strings that match, as grep -o and the match loops of awk pull them out" {
  printf '%s\n' 'foobar12 xx foobar3' none 'foobar' '#foobar7#foobar8#' >text
  same_as grep -oE 'foobar[0-9]+' text -- -e 'foobar[0-9]+' text
  same_as perl -lne 'print $& while /foobar[0-9]+/g' text -- -e 'foobar[0-9]+' text
}

@test "context: what stands around a match is not in it, and neighbours share it" {
  printf '%s\n' '#foobar1#foobar2#' 'foobar3' 'xfoobar4#' 'foobar5#foobar6' >text
  same_as grep -oP '(?<=^|#)foobar[0-9]+(?=#|$)' text -- -e '(?<=^|#)foobar[0-9]+(?=#|$)' text
  same_as grep -oP '(?<=^|#)foobar[0-9]+(?=#|$)' text -- \
    -e 'foobar[0-9]+' --preceded-by '^|#' --followed-by '#|$' text
  same_as printf 'a\nb\n\nc\n' -- -e '[^|]*' --preceded-by '\|' --followed-by '\|' --empty keep \
    <<<'|a|b||c|'
}

@test "groups, several of them, and a template" {
  printf '%s\n' 'user=ann id=7' 'user=bob' 'id=9' >text
  same_as sed -n 's/.*user=\([a-z]*\).*/\1/p' text -- -e 'user=(?<name>[a-z]+)' -g name text
  run extract -e '(?<k>\w+)=(?<v>\w+)' --template '${v}<-${k}' text
  [ "$output" = $'ann<-user\n7<-id\nbob<-user\n9<-id' ]
  run extract -e 'user=(\w+)( id=(\d+))?' -g 1,3 --sep '|' --unset none text
  [ "$output" = $'ann|7\nbob|none' ]
  run extract -e '(x)?' -g nosuch text
  [ "$status" -eq 2 ]
}

@test "overlapping matches, all of them or those that start anywhere" {
  echo ababa >text
  same_as perl -lne 'print $1 while /(?=(aba))/g' text -- -e '(?=(aba))' -g 1 text
  run extract -e aba --overlap starts <<<ababa
  [ "$output" = $'aba\naba' ]
  run extract -e aba <<<ababa
  [ "$output" = aba ]
}

@test "empty matches are kept when asked for, as perl finds them" {
  echo baac >text
  same_as perl -lne 'print $& while /a*/g' text -- -e 'a*' --empty keep text
  same_as printf 'aa\n' -- -e 'a*' text
}

@test "where a match is: line, byte, file" {
  printf 'x\nab\r\n\nzab' >one
  printf 'ab\n' >two
  same_as grep -onb ab one -- -e ab -n -b one
  same_as grep -oHn ab one two -- -e ab -n one two
  run extract -e ab --count one two
  [ "$output" = $'one:2\ntwo:1' ]
  run extract -e ab --count --json one two
  [ "$output" = $'{"source":"one","count":2}\n{"source":"two","count":1}' ]
  extract -q -e ab one
  run -1 extract -q -e nothing one
}

@test "a line ends where its subject ends" {
  printf 'ab\r\ncd\n' >text
  run extract -e 'b$' -e 'b\z' -e 'b(?=.)' -e '\Acd' -b text
  [ "$output" = $'1:b\n1:b\n4:cd' ]
  run -1 extract -e 'b\s+c' text
  run extract -U -e 'b\s+c' -b text
  [ "${lines[0]%%:*}" = 1 ]
}

@test "bytes are bytes, and UTF-8 when asked for" {
  printf 'a\0b\xff\xc3\xa9z\n' >text
  same_as printf '\0b\xff\n' -- -e '\x00b\xff' text
  run extract -e 'z' --json text
  [ "$(jq -r '.offset' <<<"$output")" -eq 6 ]
  same_as printf '\xc3\xa9\n' -- --utf -e '[^\x00-\x7f]' text
  run extract --json -e '\xff' text
  [ "$(jq -r '.match.b64 // empty' <<<"$output")" = /w== ]
}

@test "a match of several megabytes, and a line of several" {
  { echo begin; head -c 3000000 /dev/zero | tr '\0' y; echo end; echo tail; } >text
  extract -U -e '(?s)begin.*end' text >got
  [ "$(wc -c <got)" -eq 3000010 ]
  { head -c 3000000 /dev/zero | tr '\0' x; echo needle1; echo needle2; } >text
  same_as grep -onb 'needle[0-9]' text -- -e 'needle[0-9]' -n -b text
}

# pieces SIZE: text, in writes of so much.
pieces() {
  perl -e 'while (sysread STDIN, $b, $ARGV[0]) { syswrite STDOUT, $b }' "$1" <text
}

# in_order COMMAND... -- WORDS...: extract WORDS prints of the text that COMMAND writes what perl finds
# with each of $patterns, by place and then by pattern.
in_order() {
  local feed=() options=() pattern
  while [ "$1" != -- ]; do
    feed+=("$1")
    shift
  done
  shift
  for pattern in "${patterns[@]}"; do
    options+=(-e "$pattern")
    # shellcheck disable=SC2016 # perl's own
    perl -0777 -ne 'BEGIN { $re = shift } print $-[0], ":$&\0" while /$re/g' "$pattern" text >>unsorted
  done
  sort -zst: -k1,1n unsorted >expected
  rm unsorted
  "${feed[@]}" | extract -b -0 "$@" "${options[@]}" >got || [ $? -eq 1 ]
  cmp expected got || {
    echo "${feed[*]}: ${patterns[*]}"
    false
  }
}

@test "the matches of several patterns in a whole text are in its order, however it comes" {
  local all=('ab+' '[cd]+x?' 'e(?=a)' '(?<=b)c' 'a[^b]{0,300}?ba' '\n+' 'd(?s:.{1,4000})ee' 'a') patterns
  for seed in {1..8}; do
    perl -e 'srand $ARGV[0]; my @w = ("a" .. "e", "x", "\n", "ab", "ee", "x" x 15);
      print map { $w[rand @w] } 1 .. 8000' "$seed" >text
    patterns=("${all[seed % 8]}" "${all[(seed * 3 + 1) % 8]}" "${all[(seed * 5 + 2) % 8]}")
    in_order true -- -U text
    for size in 3 100 5000; do in_order pieces "$size" -- -U; done
  done
}

@test "so are those in a line that is searched in parts, also by several threads" {
  local patterns=(foo 'ba+r' 'b (?=a)' r)
  perl -e 'srand 5; for (1 .. 4) { for my $words (["a", "b", "foo", "bar", " "], [" ", "bar", "foo", "\n"]) {
    print map({ $words->[rand @$words] } 1 .. 700000), "\n" } }' >text
  in_order true -- text
  in_order true -- --threads 4 text
  in_order cat text --
}

@test "where a pattern holds back too much, the order is lost, and nothing else" {
  perl -e 'print "a", "b " x 500000' >text
  extract -U -b -e 'a[^Z]*Z' -e b -e ' ' text >got 2>said
  [ "$(cat said)" = "tapwarden: text: more than 16 MiB would wait for what rule 1 may find before them: records are no longer in the order of the text" ]
  grep -ob '[b ]' text >expected
  sort -n got | cmp - expected
  extract -U --count -e 'a[^Z]*Z' -e b -e ' ' text 2>said | grep -x 1000000
  [ ! -s said ]
}

@test "several threads print what one does" {
  perl -e 'srand 7; for (1 .. 400000) { print join(" ", map { int rand 100000 } 1 .. 5), "\n" }' >text
  extract -e '\b9\d9\d\b' -n -b text >one
  [ "$(wc -l <one)" -gt 1000 ]
  extract -e '\b9\d9\d\b' -n -b --threads 4 text >four
  extract -e '\b9\d9\d\b' -n -b <text >pipe
  cmp one four
  cmp one pipe
  same_as grep -onbP '\b9\d9\d\b' text -- -e '\b9\d9\d\b' -n -b text
}

@test "mapped, read from a pipe and by several threads: the same, whatever ends a line" {
  perl -e 'srand 4; my @words = ("a", "foo1", "12", "\r", "\r\n", "\n", ";", "x", " ", "foo;", "foo\r");
    print map { $words[rand @words] } 1 .. 4000000' >text
  for pattern in '\d+$' 'foo[^;]+' 'foo.' '[^x]+' '\d+' 'x\S*' '(?=x).{3}' 'foo[^1]{1,3};?'; do
    extract -n -b -e "$pattern" text >mapped
    [ "$(wc -l <mapped)" -gt 100000 ]
    extract -n -b -e "$pattern" <text | cmp - mapped
    extract -n -b -e "$pattern" --threads 3 text | cmp - mapped
    extract -e "$pattern" text | cmp - <(sed 's/^[0-9]*:[0-9]*://' mapped)
  done
}

@test "what PCRE2's start optimisation misses is found" {
  echo b >text
  same_as perl -lne 'print $& while /(?=b)(?:ab|b)/g' text -- -e '(?=b)(?:ab|b)' text
}

@test "patterns and texts at random: perl finds the same, and grep -P where it does" {
  run perl -e '
    use strict; use warnings;
    my $seed = $ENV{SEED} || time; srand $seed; print "seed $seed\n";
    my ($tapwarden, @atoms) = (shift, qw(a b ab [ab] [^a] . \d \w \b ^ $ (?=b) (?<=a) (a|b) (?:ab|b) c));
    my @counts = ("", "", "", "*", "+", "?", "{1,2}", "*?", "+?");
    for my $round (1 .. 400) {
      my $re = join "", map {
        my $atom = $atoms[rand @atoms];
        $atom . ($atom =~ /^(\\b|\^|\$|\(\?[=<])/ ? "" : $counts[rand @counts]) } 1 .. 1 + rand 4;
      my $text = join "", map { (qw(a b c 1), " ", "\n", "\n")[rand 7] } 1 .. rand 60;
      open my $out, ">", "text" or die; print $out $text; close $out;
      my ($expected, $empty) = ("", 0);
      for my $line (split /\n/, $text) {
        while ($line =~ /$re/g) { length $& ? ($expected .= "$&\n") : $empty++ }
      }
      open my $in, "-|", $tapwarden, "extract", "-e", $re, "text" or die;
      my $got = join "", <$in>; close $in;
      # At an empty match grep does not look for a longer one; it searches several lines at once,
      # where ^ may hold behind other bytes; and of a lookahead see the test before this one.
      my $grep = $empty ? $expected : `grep -a -oP -e \Q$re\E text`;
      if ($got ne $expected || ($got ne $grep && $re !~ /\^|\(\?=/)) {
        print "/$re/ in {$text}: got {$got} perl {$expected} grep {$grep}\n"; exit 1;
      }
    }' "$TAPWARDEN"
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "a pattern that takes too long is named, and the rest goes on" {
  { printf 'a%.0s' {1..60}; echo cx; echo aaac; } >text
  run extract -e '(?:a|aa|aaa)+c(?!x)' -e 'aac$' --match-limit 1000 text
  [ "$status" -eq 2 ]
  [[ "$output" == *"pattern 1 was given up on 1 time"* ]]
  [[ "$output" == *aac* ]]
}

@test "what cannot be searched is said, and the others are" {
  echo ab >good
  mkdir folder
  run extract -e ab folder good missing
  [ "$status" -eq 2 ]
  [[ "$output" == *"folder: cannot be read: Is a directory"* ]]
  [[ "$output" == *"missing: cannot be opened: No such file or directory"* ]]
  [[ "$output" == *"good:ab"* ]]
  run extract -e 'a(b' good
  [ "$status" -eq 2 ]
  [[ "$output" == *"missing closing parenthesis"*"a(b<HERE>"* ]]
  run extract --josn -e ab good
  [ "$status" -eq 2 ]
  [[ "$output" == *"did you mean \"--json\"?"* ]]
  run extract -Po ab good
  [ "$status" -eq 2 ]
  [[ "$output" == *"\"-P\" is not understood here: patterns are PCRE2's, give them by -e"* ]]
  run extract -oe ab good
  [ "$status" -eq 2 ]
  [[ "$output" == *"\"-o\" is not understood here: matches alone are printed anyway"* ]]
  run -0 extract --rs '\x00' -e 'b$' < <(printf 'ab\0a\nb\0bc\0') # as grep -z
  [ "$output" = $'b\nb' ]
  run extract good
  [ "$status" -eq 2 ]
}

# run_refused TEXT WORDS...: extract WORDS searches nothing, and TEXT is in what it says.
run_refused() {
  local text=$1
  shift
  run extract "$@"
  if [ "$status" -ne 2 ] || [[ "$output" != *"$text"* ]]; then
    echo "$output"
    return 1
  fi
}

@test "words that cannot be followed are named" {
  echo ab >good
  : >empty
  mkdir folder
  run_refused '"-X" is not' -Xn -e ab good
  run_refused '"-X" is not' --utf -nX -e ab good
  run_refused "-H and -h exclude" -H -h -e ab good
  run_refused "no pattern: empty is empty" -f empty good
  run_refused "folder: Is a directory" -f folder good
  run_refused 'no group named ""' -g "" -e ab good
  printf 'ok\nx\0y\n' >nul
  run_refused "nul:2: a NUL byte" -e ab -f nul good
  same_as grep -oE -e ab -f empty good -- -e ab -f empty good
  run extract -q --count -e ab good
  [ -z "$output" ]
}

@test "a file of sysfs tells a larger size than it has" {
  same_as cat /sys/class/net/lo/mtu -- -e ".+" /sys/class/net/lo/mtu
}

@test "fixed texts, patterns from a file, and rules of a configuration" {
  printf '%s\n' 'a.b axb' 'x[1]' >text
  same_as grep -oF -e a.b -e 'x[1]' text -- -F -e a.b -e 'x[1]' text
  printf '%s\n' 'a.b' 'x\[' >patterns
  same_as grep -oE -f patterns text -- -f patterns text
  printf '%s\r\n' 'a.b' 'x\[' | same_as grep -oE -f patterns text -- -f - text
  run -2 extract -f - <patterns
  [[ "$output" == *'-f - takes the patterns from the standard input, where the text cannot be too'* ]]
  printf '[set web]\nlower = eno1\nname = web%%d\n\n[pattern order]\nregex = "order (\\d+)"\ngroups = 1\n' >rules.ini
  run extract -c rules.ini --pattern order <<<'your order 4711'
  [ "$output" = 4711 ]
  run extract -c rules.ini --pattern odrer <<<x
  [ "$status" -eq 2 ]
  [[ "$output" == *'did you mean "order"?'* ]]
}

@test "patterns of a file that do not compile are told at once" {
  seq -f 'a%.0f' 1000 | sed 's/^a\(3\|500\|998\)$/(&/' >patterns
  run -2 --separate-stderr extract -f patterns </dev/null
  [ "$(cut -d : -f 2 <<<"$stderr")" = $' pattern 3\n pattern 500\n pattern 998' ]
  seq -f '(%.0f' 1000 >patterns
  run -2 --separate-stderr extract -f patterns </dev/null
  [ "$(wc -l <<<"$stderr")" -eq 11 ]
  [[ "$stderr" == *$'\ntapwarden: pattern 11 and maybe others have faults, too: nothing was searched' ]]
}

@test "many patterns at once: each finds what it finds alone, and records say which it was" {
  perl -e 'srand 3; print join(" ", map { int rand 2000 } 1 .. 6), rand() < .5 ? "\n" : "\r\n" for 1 .. 3000' >text
  perl -e 'srand 5; print $_ % 40 == 7 ? "^[1-9]\\b\n" : "\\b" . (int rand 2000) . ($_ % 3 ? "\\b" : "[13]?\$") . "\n" for 1 .. 300' >patterns
  local number=0 pattern
  while read -r pattern; do
    number=$((number + 1))
    extract --json -n -e "$pattern" text | jq -r --arg rule "$number" '[.line, .offset, $rule, .match.text] | @tsv'
  done <patterns | sort -s -n -k1,1 -k2,2 -k3,3 >expected
  extract --json -n -f patterns text | jq -r '[.line, .offset, .rule, .match.text] | @tsv' >got
  [ "$(wc -l <got)" -gt 1000 ]
  cmp expected got
  extract --json -n -f patterns --threads 2 text | jq -r '[.line, .offset, .rule, .match.text] | @tsv' | cmp expected -
}

@test "JSON has each group and where it is" {
  run extract --json -n -g host,port,1 -e '(?<host>\w+):(?<port>\d+)?' <<<'at web:'
  [ "$(jq -c '[.rule, .line, .offset, .length, .match.text, .groups.host.text, .groups.port]' \
    <<<"$output")" = '["1",1,3,4,"web:","web",null]' ] || { echo "$output"; false; }
}

@test "statistics say what was searched, and how a pattern ran" {
  printf 'a1 b22\nc\n' >text
  extract --stats -e '\d+' text >got 2>stats
  grep -qx '9 bytes searched, 2 matches, 0 gaps' stats
  grep -qx 'pattern 1: 2 matches, 0 given up, jit: on, lines searched without PCRE2' stats
  extract --stats -e '\d+$' -e b22 -e '\b\d{3}$' text >got 2>stats
  grep -qx 'pattern 1: 1 match, 0 given up, jit: on, tried everywhere' stats
  grep -qx 'pattern 2: 1 match, 0 given up, jit: on, tried where its text is' stats
  grep -qx 'pattern 3: 0 matches, 0 given up, jit: on, tried where its shape is' stats
  # A range with a limit depends on all lines before.
  extract --threads 2 --stats --begin a --end c --max-lines 2 text 2>&1 >got | grep -q '^one thread: '
}

@test "a reader that has enough is no error" {
  yes ab | head -n 200000 >text
  extract -e ab text | head -n 1 >got
  [ "$(cat got)" = ab ]
  run bash -c "'$TAPWARDEN' extract -e ab text >/dev/full"
  [ "$status" -eq 2 ]
  [[ "$output" == *"cannot write the output"* ]]
}

# cut_while_read SIZE OPTIONS...: the file is cut to SIZE while what was found in it waits to be
# written. Leaves `got`, and the exit code and stderr as `run` does.
cut_while_read() {
  local size=$1
  shift
  seq 3000000 >text
  rm -f pipe
  mkfifo pipe
  "$TAPWARDEN" extract "$@" text >pipe 2>errors &
  local pid=$!
  exec 4<pipe
  # Not read from, the pipe takes so much and then blocks.
  for _ in $(seq 300); do
    grep -qs '^1 0x1 ' "/proc/$pid"/task/*/syscall && break
    sleep 0.1
  done
  truncate -s "$size" text
  cat <&4 >got
  exec 4<&-
  status=0
  wait "$pid" || status=$?
}

@test "a file that is cut while it is read: what it had is told, nothing else, and exit 2" {
  seq 3000000 >whole
  for options in '-e \d+' '-e ^[^x]+$' '--threads 2 -e \d+' '--threads 2 --begin ^1$ --end x' '-n -e ^[^x]+$'; do
    for size in 0 100001 409600; do
      # shellcheck disable=SC2086
      cut_while_read "$size" $options
      [ "$status" -eq 2 ] || { echo "$options $size: exit $status"; false; }
      grep -q 'text: it became shorter while it was read: the rest was not searched' errors
      sed 's/^[0-9]*://' got >records
      # What was written before, or what is left: each line once and from the first on. A thread
      # may have had a part behind.
      { head -c "$size" whole; echo; } >left
      cmp -s records <(head -n "$(wc -l <records)" whole) || cmp -s records left || {
        [[ "$options" == --threads* && "$(sort records | comm -23 - <(sort whole) | wc -l)" -le 1 ]]
      }
      [ "$(sort -u records | wc -l)" -ge "$(head -c "$size" whole | wc -l)" ]
    done
  done
}

@test "colour is for terminals whose users take it" {
  local seen
  # on_terminal NAME=VALUE...: what a terminal gets, there.
  on_terminal() {
    env -u NO_COLOR TERM=xterm "$@" \
      script -qec "'$TAPWARDEN' extract -e foo text" /dev/null </dev/null
  }
  cd "$BATS_TEST_TMPDIR"
  echo foo >text
  seen=$(on_terminal NO_COLOR=)
  [[ "$seen" == *$'\e['*foo* ]]
  run -0 on_terminal NO_COLOR=1
  [[ "$output" == foo* ]]
  run -0 on_terminal TERM=dumb
  [[ "$output" == foo* ]]
  run -0 env NO_COLOR=1 "$TAPWARDEN" extract --color always -e foo text
  [[ "$output" == *$'\e['*foo* ]]
}

@test "progress is shown on a terminal when it takes long, and taken away" {
  mkfifo pipe
  { seq 300000; sleep 1.2; seq 300000; sleep 0.2; } >pipe &
  script -qec "'$TAPWARDEN' extract -e 99999 pipe >found" /dev/null >screen </dev/null
  wait
  [ "$(wc -l <found)" -eq 6 ]
  grep -q $'\rpipe: [0-9]* MiB searched\e\[K' screen
  [ "$(tail -c 4 screen | od -An -c | tr -d ' ')" = '\r033[K' ]
  # And not before, nor where nobody looks.
  script -qec "'$TAPWARDEN' extract -e nothing /dev/null >found" /dev/null >screen </dev/null || true
  [ ! -s screen ]
}

@test "many patterns that have no text find what each of them finds alone" {
  cat >patterns <<'END'
\d{3}-\d{2}-\d{4}
\b(?:\d{1,3}\.){3}\d{1,3}\b
(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])
(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$
^[A-Z]{3}\d{3}
[$]\d{1,3}(?:,\d{3})*
\s\d+\s
END
  perl -e 'srand 3;
    my @kinds = (sub { sprintf "%03d-%02d-%04d", rand 1000, rand 100, rand 10000 },
      sub { join ".", map { int rand 300 } 1 .. 4 }, sub { sprintf "%08x", rand 2 ** 32 },
      sub { join ":", map { sprintf "%02x", rand 256 } 1 .. 5 + rand 2 },
      sub { join("", map { ("A" .. "Z")[rand 26] } 1 .. 3) . int rand 2000 },
      sub { "\$" . int(rand 1000) . ",123" }, sub { "word" }, sub { "x" x rand 90 });
    print join((" ", "", "-")[rand 3], map { $kinds[rand @kinds]->() } 1 .. rand 5),
      ("\n", "\r\n", "\n\n")[rand 3] for 1 .. 20000' >text
  extract -b -f patterns text | sort >together
  while read -r pattern; do extract -b -e "$pattern" text; done <patterns | sort >alone
  [ "$(wc -l <alone)" -gt 10000 ]
  cmp alone together
  extract -b -f patterns --threads 2 - <text | sort | cmp alone -
}
