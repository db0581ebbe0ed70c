#!/usr/bin/env bats
# The ranges of tapwarden extract, with sed, awk and perl as the judges.

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

# shows EXPECTED OPTIONS...: the ranges of stdin, "|" for a newline in both.
shows() {
  local expected=$1
  shift
  tr '|' '\n' | { extract --begin B --end E "$@" || [ $? -eq 1 ]; } | tr '\n' '|' >got
  [ "$(cat got)" = "$expected" ] || { echo "$*: $(cat got) and not $expected"; false; }
}

@test "texts at random: sed, awk and perl show the same ranges, whatever is included" {
  run perl -e '
    use strict; use warnings;
    my $seed = $ENV{SEED} || time; srand $seed; print "seed $seed\n";
    my $tapwarden = shift;
    my @words = ("B", "E", "x", "", "BE", "EB", "B x E", "E x B", "xB", " B ", "---", "y", "zz\r", "E\r");
    my @pairs = (["B", "E"], ["^B\$", "^E\$"], ["B", "B"], ["---", "---"], ["x|B", "E"], ["^\$", "^\$"]);
    sub output { open my $in, "-|", @_ or die; local $/; my $all = <$in>; close $in; $all // "" }
    for my $round (1 .. 60) {
      my $text = join "\n", map { $words[rand @words] } 1 .. rand 25;
      $text .= "\n" if $text ne "" && rand 4 >= 1;
      open my $out, ">", "text" or die; print $out $text; close $out;
      my ($b, $e) = @{$pairs[rand @pairs]};
      my @ours = ($tapwarden, "extract", "--begin", $b, "--end", $e);
      # What perl and sed see of a line ends before its CR too, as ours does.
      my ($pb, $pe) = map { s/\$$/\\r?\$/r } $b, $e;
      my $range = "my \$r = /$pb/.../$pe/; my \$first = \$r eq \"1\"; my \$last = \$r =~ /E0/;";
      my @cases = (
        [["sed", "-E", "-n", "/$pb/,/$pe/p", "text"], "--include", "both"],
        [["sed", "-E", "/$pb/,/$pe/d", "text"], "--outside"],
        [["gawk", "/$pb/,/$pe/", "text"], "--end-test", "same"],
        [["perl", "-ne", "$range print if \$r", "text"]],
        [["perl", "-ne", "$range print if \$r && !\$last", "text"], "--include", "begin"],
        [["perl", "-ne", "$range print if \$r && !\$first", "text"], "--include", "end"],
        [["perl", "-ne", "$range print if \$r && !\$first && !\$last", "text"], "--include", "none"],
        [["perl", "-ne", "$range print \"\$.:\$_\" if \$r", "text"], "-n"],
        [["sh", "-c", "sed -E -n \"\$1\" text | grep -o \"[xy]\"", "-", "/$pb/,/$pe/p"], "-e", "[xy]"],
      );
      for (@cases) {
        my ($judge, @words) = @$_;
        my ($theirs, $got) = (output(@$judge), output(@ours, @words, "text"));
        $theirs .= "\n" if $theirs ne "" && $theirs !~ /\n\z/;
        next if $theirs eq $got;
        print "$b to $e @words in {$text}: got {$got} and not {$theirs}\n"; exit 1;
      }
    }' "$TAPWARDEN"
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "where sed's idioms leak: END missing, both on one line, an open range behind a whole one" {
  shows 'x|y|' --include none <<<'a|B|x|y'
  shows '' --include none <<<'a|B'
  shows 'x|E|y|' --include end <<<'B|x|E|a|B|y'
  shows 'y|E|' --include end <<<'a|B x E|y|E|b'
  shows 'x|z|' --begin '^B$' --end '^E$' --include none <<<'B|x|E|y|B|z|E|w'
  shows 'B x E|' --end-test rest <<<'a|B x E|y|b'
}

@test "without an end a range goes to the end of the text" {
  printf 'a\nx\nB\ny\nB\nE' >text
  cmp <(extract --begin B text) <(sed -n '/B/,$p' text; echo)
  cmp <(extract --begin B --outside text) <(sed '/B/,$d' text)
  cmp <(extract -F --begin B --include end -n text) <(sed '1,/B/d' text | nl -ba -v4 -w1 -s:)
  cmp <(extract --begin B --nest restart --include end -e . text) <(printf 'y\nE\n')
  cmp <(extract --begin B --max-lines 2 text) <(printf 'B\ny\nB\nE\n')
  run -1 extract --begin Q text
  run -2 extract --begin B --open-end drop text
  [[ "$output" == *"--open-end drop drops all of a range without --end"* ]]
  run -2 extract --end B text
  [[ "$output" == *"--end is of a range, which begins at --begin REGEX"* ]]
}

@test "open ranges dropped, and begun again inside" {
  shows 'B|x|E|' --open-end drop <<<'B|x|E|B|y'
  shows 'B|y|E|' --open-end drop --nest restart <<<'B|x|B|y|E'
  shows 'B|x|B|y|E|z|E|' --nest count <<<'B|x|B|y|E|z|E|w'
  shows 'B|x|B|y|' --max-lines 2 <<<'B|x|z|B|y|z|E'
  run extract --begin B --end E --open-end drop --max-bytes 4 <<<$'B\nxxxx\nE'
  [ "$status" -eq 2 ]
  [[ "$output" == *"1 ranges that could not be kept back"* ]]
}

@test "JSON says why each range was closed; an empty one is one too" {
  printf 'B\nx\nE\nB\nE\nB\ny' >text
  extract --json --begin B --end E --include none text >got
  [ "$(jq -c 'select(.range) | .range | [.offset, .lines, .shown_lines, .end]' got | tr -d '\n')" = \
    '[0,3,1,"end"][6,2,0,"end"][10,2,1,"eof"]' ]
  [ "$(jq -r 'select(.match) | .match.text' got | tr -d '\n')" = xy ]
  extract --json --begin B --end E --nest restart <<<$'B\nB' >got
  [ "$(jq -r .range.end got | grep -v null | tr '\n' ' ')" = 'restart eof ' ]
  run extract --begin B --end E --max-lines 0 </dev/null
  [[ "$output" == *"--max-lines: 0 is out of range (1 to 18446744073709551615): "* ]]
  extract --json --begin B --end E --max-lines 1 <<<$'B\nx' >got
  [ "$(jq -r 'select(.range) | .range.end' got)" = limit ]
  [ "$(extract --count --begin B --end E text)" = 3 ]
  [ "$(extract --count --begin B --end E -e '[xy]' text)" = 2 ]
  run -1 extract --begin Q --end E text
  run -0 extract --begin B --end E --include none <<<$'B\nE'
}

@test "a range ends with its file, as with sed -s; names, offsets, NULs" {
  printf 'B\nx\n' >one
  printf 'y\nE\nz\nB\nq' >two
  sed -s -n '/B/,/E/p' one two >expected
  echo >>expected
  extract -h --begin B --end E one two >got
  cmp expected got
  [ "$(extract -n -b --begin B --end E one two | tr '\n' ' ')" = \
    'one:1:0:B one:2:2:x two:4:6:B two:5:8:q ' ]
  extract -0 --begin B --end E two | tr '\0' '|' >got
  [ "$(cat got)" = 'B|q|' ]
  extract --raw --begin B --end E two >got
  [ "$(od -An -c got | tr -d ' ')" = 'B\nq' ]
}

@test "a pipe that stays open: lines are shown as they come" {
  mkfifo pipe
  extract --begin B --end E pipe >got &
  exec 4>pipe
  printf 'a\nB\nx\n' >&4
  for _ in $(seq 300); do
    [ "$(wc -l <got)" -eq 2 ] && break
    sleep 0.1
  done
  exec 4>&-
  wait
  [ "$(tr '\n' ' ' <got)" = 'B x ' ]
}

@test "lines longer than what is held are shown whole, and what was not looked at is said" {
  perl -e 'print "B", "x" x (20 << 20), "E\r\ny\nE\nB\n", "z" x (20 << 20), "\nE"' >text
  sed -n '/B/,/E$/p' text >expected
  echo >>expected
  run extract --begin B --end 'E$' text
  [ "$status" -eq 2 ]
  [[ "$output" == *"the line at byte 0 is longer than 16777216 bytes"* ]]
  extract --begin B --end 'E$' text >got 2>/dev/null || true
  cmp expected got
  extract --begin B --end 'E$' -e 'xE$' -n -b text >got 2>/dev/null || true
  [ "$(cat got)" = 1:20971520:xE ]
}

@test "words that make no range are refused" {
  for words in '--begin B --open-end drop' '--end E' '--nest flat -e x' '--begin B --end E -U' '--begin B --end E -g 1' \
    '--begin B --end E --include all' '--begin ( --end E'; do
    # shellcheck disable=SC2086
    run extract $words </dev/null
    [ "$status" -eq 2 ]
    [[ "$output" == "tapwarden: "* ]]
  done
}

@test "a rule of a configuration may have a range" {
  cat >rules.ini <<'INI'
[set web]
lower = eno1
name = web%d

[pattern inside]
regex = "[xy]"
begin = "^B"
end = "^E"
include = none

[pattern plain]
regex = z
INI
  printf 'x\nB x\ny\nE\nx\n' >text
  [ "$(extract -c rules.ini --pattern inside -n text)" = 3:y ]
  "$TAPWARDEN" check -c rules.ini
  run extract -c rules.ini --pattern inside --pattern plain text
  [ "$status" -eq 2 ]
  [[ "$output" == *"pattern inside has a range: it is searched for alone"* ]]
  sed 's/^end = .*/end = "(E"/' rules.ini >faulty.ini
  run "$TAPWARDEN" check -c faulty.ini
  [ "$status" -eq 2 ]
  [[ "$output" == *"faulty.ini:8: [pattern inside] end: regex: missing closing parenthesis"* ]]
}

@test "several threads print the ranges that one does, wherever they are cut" {
  perl -e 'srand 4; for (1 .. 120000) {
    my $n = int rand 4000;
    print $n < 2 ? "BEGIN $n\n" : $n < 4 ? "END $n\n" : $n == 4 ? "BEGIN END\n" : "line $n\n" }' >text
  [ "$(stat -c %s text)" -gt 1048576 ]
  sed -n '/BEGIN/,/END/p' text >expected
  extract --threads 3 --begin BEGIN --end END text | cmp expected -
  local options
  for options in '-n -b --include none' '--json --end-test rest' '--outside -n' '-e \d+ -n' '--json --count'; do
    # shellcheck disable=SC2086
    extract $options --begin BEGIN --end 'END|^line 7$' text >expected
    # shellcheck disable=SC2086
    extract --threads 3 $options --begin BEGIN --end 'END|^line 7$' text | cmp expected -
  done
}
