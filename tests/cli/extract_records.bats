#!/usr/bin/env bats
# The records of tapwarden extract --rs, with gawk as the judge.

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

# as_gawk SEPARATOR: text is split alike, each record with its RT.
as_gawk() {
  gawk -v RS="$1" '{ printf "%d %s", NR, $0; printf "<%s>", RT }' text >expected
  extract --rs "$1" -n --json text | jq -rj '"\(.record) \(.match.text)<\(.rt.text)>"' >got
  cmp expected got || { echo "$1"; od -c text | head; false; }
  extract --rs "$1" --raw text | cmp - text
  gawk -v RS="$1" '{ print }' text | cmp - <(extract --rs "$1" text)
}

@test "records and what separates them, as gawk splits with RS and RT" {
  for text in '' ';' 'a' 'a;' ';a' 'a;;b' 'a;b;;;' $'a\n\n\nb\nc\n\n' $'\n\na' 'ab;abb;xab'; do
    printf %s "$text" >text
    for separator in ';' ';+' '\n\n+' '\n' 'ab*' '[;b]' '(;|\n)+' 'x?a'; do
      as_gawk "$separator"
    done
  done
}

@test "long texts, whose separators are cut by what is read at once" {
  perl -e 'srand 11; print join "", map { ("a", "bc", "\n", "--", "-", "\n\n", " ")[rand 7] } 1 .. 400000' >text
  as_gawk '--+'
  as_gawk '\n+'
  as_gawk 'c\n *-'
  extract --rs '--+' text >whole
  { head -c 100 text; sleep 0.2; tail -c +101 text; } | extract --rs '--+' | cmp - whole
}

@test "several threads split as gawk does, and find in records what one finds" {
  perl -e 'srand 12; print join "", map { ("a", "bc", "\n", "--", "-", "\n\n", " x", "é")[rand 8] } 1 .. 1600000' >text
  [ "$(stat -c %s text)" -gt 2000000 ]
  local threads separator
  for separator in '--+' '\n\n+' '[^a]+' 'c\n *-'; do
    gawk -v RS="$separator" '{ printf "%d %s", NR, $0; printf "<%s>", RT }' text >expected
    for threads in 2 3 5; do
      extract --threads $threads --rs "$separator" -n --json text | jq -rj '"\(.record) \(.match.text)<\(.rt.text)>"' |
        cmp expected - || { echo "$threads $separator"; false; }
    done
    extract --threads 2 --rs "$separator" --raw text | cmp - text
  done
  local options
  for options in '-n -b -e a -e (?s)c\n.*?b' '--json -n -e \Aa|b.$' '--count -e bc' '--stats --count'; do
    # shellcheck disable=SC2086
    extract $options --rs '-+\n|\n\n' text >expected 2>&1
    # shellcheck disable=SC2086
    extract --threads 3 $options --rs '-+\n|\n\n' text 2>&1 | cmp expected -
  done
}

@test "a separator that depends on the text before is looked for by one thread, which --stats says" {
  local words
  for words in '--rs \Gx' '--rs x\K' '--rs x --utf' '--rs (*COMMIT)x'; do
    # shellcheck disable=SC2086
    extract --threads 2 --stats $words <<<yxy 2>&1 | grep -q '^one thread: --rs ' || { echo "$words"; false; }
  done
  run extract --threads 2 --stats --rs x <<<yxy
  [[ "$output" != *'one thread'* ]]
}

@test "where parts cannot tell what separates, one thread reads on and finds what one would, which --stats says" {
  # What is given up begins with the first b, and the second search of a part never meets the first.
  perl -e 'srand 7; print map { rand() < .5 ? "a" : "b" } 1 .. 1_340_000' >text
  local regex threads
  for regex in '(?i)(?:a){1,3}|[^a][ab]++\w' '(?s).{7}'; do
    extract --rs "$regex" text >expected 2>&1 || [ $? -eq 2 ]
    for threads in 2 4; do
      extract --threads $threads --rs "$regex" text 2>&1 | cmp expected -
      extract --threads $threads --rs "$regex" --stats --count text 2>&1 >count |
        grep -q '^one thread: where --rs separates is not to be told in parts (texts: 1)$'
    done
  done
  run -0 extract --threads 2 --rs abba --stats --count text
  [[ "$output" != *'one thread'* ]]
}

# gawk leaves out text where RS matches nothing: it says "[|xx][c|]" of 'axxc' for x*.
@test "what separates has at least one byte, also of a regex that may match none; nothing of the text is lost" {
  printf 'axxb\n\nxc,,b,a' >text
  [ "$(gawk -v RS='x*' '{ printf "%s%s", $0, RT }' text)" != "$(cat text)" ]
  local pair
  for pair in 'x* x+' ',|() ,' '(,b)? (,b)' 'b?? b' '$|x x' '^|c c'; do
    gawk -v RS="${pair#* }" '{ printf "%s<%s>", $0, RT }' text >expected
    extract --rs "${pair% *}" --json text | jq -rj '"\(.match.text)<\(.rt.text)>"' | cmp expected - || { echo "$pair"; false; }
    extract --rs "${pair% *}" --raw text | cmp - text
  done
}

@test "a separator larger than what is kept: what is given up does not depend on threads, nor on how the text comes" {
  perl -e 'print map { $_ % 5000 ? "\nabcde" : "xay" } 1 .. 500_000;
    print "x", "c" x 1_100_001, "xqyzz" x 10, "x", "d" x 2_500_003, "y", "x1y" x 10, "z"' >text
  extract --rs 'x[^y]*y' --json text >expected 2>errors || [ $? -eq 2 ]
  grep -c 'text: record .*: --rs could not be looked for in all of it' errors >count
  [ "$(cat count)" -ge 2 ]
  local threads size
  for threads in 2 4; do
    run -2 --separate-stderr extract --threads $threads --rs 'x[^y]*y' --json text
    cmp expected - <<<"$output"
    [ "$stderr" = "$(cat errors)" ]
  done
  for size in 10007 1000003; do
    dd if=text bs=$size status=none | extract --rs 'x[^y]*y' --json 2>got | sed 's/(standard input)/text/' |
      cmp expected -
    sed 's/(standard input)/text/' got | cmp errors -
  done
}

@test "more newlines than are kept are no loss to a ^ of lines, nor to one that is set not to be" {
  perl -e 'print "\n" x 3_000_000, "abc\n"' >text
  # It never matches: nothing is before what ^ finds.
  run -0 extract --rs '(?-m:^)$(?<=^a)' --count text
  [ "$output" = 1 ]
  local regex threads
  for regex in '(?ms)..^' '(?m)..^' '(?ms).^(?=a)' '(?ms)\n(?!^)'; do
    perl -0777 -sne '$n++, $end = $+[0] while /$re/g; print $n + ($end < length)' -- -re="$regex" text >expected
    for threads in 1 2; do
      run -0 extract --threads $threads --rs "$regex" --count text
      [ "$output" = "$(cat expected)" ] || { echo "$regex $threads"; cat expected; false; }
    done
  done
}

@test "patterns in records: a match may span lines, and ends with its record" {
  printf 'name: ann\nid: 7\n\nname: bob\nid: 9\n' >text
  run extract --rs '\n\n' -e '(?s)name: (\w+).*id: (\d+)' -g 1,2 --sep ' ' text
  [ "$output" = $'ann 7\nbob 9' ]
  run extract --rs '\n\n' -e '\Aname' -e '\d$' -b -n text
  [ "$output" = $'1:0:name\n1:14:7\n2:17:name\n2:31:9' ]
  [ "$(extract --rs '\n\n' --count text)" = 2 ]
  [ "$(extract --rs '\n\n' --count -e 'ob' text)" = 1 ]
  run -1 extract --rs '\n\n' -e 'ann[^z]+bob' text
  [ "$(extract --rs X -i -F --raw text <<<axbxc)" = "$(cat text)" ]
  printf 'a.b\0c' | extract -F --rs . | tr '\0' 0 >got
  [ "$(cat got)" = $'a\nb0c' ]
}

@test "a record larger than what is held is said, and those behind it are searched" {
  { echo needle1; echo --; head -c 30000000 /dev/zero | tr '\0' x; echo needle2; echo --; echo needle3; } >text
  run extract --rs '\n--\n' -e 'needle\d' text
  [ "$status" -eq 2 ]
  [[ "$output" == *"text: record 2 at byte 11: it is larger than 16 MiB: it was not searched"* ]]
  [ "$(extract --rs '\n--\n' -e 'needle\d' text 2>/dev/null | tr '\n' ' ')" = 'needle1 needle3 ' ]
  local threads
  for threads in 2 5; do
    run extract --threads $threads --rs '\n--\n' -e 'needle\d' text
    [ "$status" -eq 2 ]
    [ "$(sort <<<"$output" | tr '\n' ' ')" = \
      'needle1 needle3 tapwarden: text: record 2 at byte 11: it is larger than 16 MiB: it was not searched ' ]
  done
}

@test "words that do not go together" {
  for words in '--rs ( -e x' '--rs x -U -e x' '--rs x --begin B --end E' '--rs x -g 1'; do
    # shellcheck disable=SC2086
    run extract $words </dev/null
    [ "$status" -eq 2 ]
    [[ "$output" == "tapwarden: "* ]]
  done
}
