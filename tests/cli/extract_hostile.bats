#!/usr/bin/env bats
# tapwarden extract on what was made to break it, or just is as it is.

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

# bounded COMMAND...: with 256 MiB of addresses, of which the program and its libraries take most.
bounded() {
  (ulimit -v 262144 && "$@")
}

@test "a line of 1 GiB: what is in it is found, and memory is bounded" {
  truncate -s 512M text
  printf needle1 >>text
  truncate -s 1G text
  printf 'needle2\nneedle3' >>text
  run bounded extract -n -b -e 'needle[0-9]' text
  [ "$output" = $'1:536870912:needle1\n1:1073741824:needle2\n2:1073741832:needle3' ]
  run bounded extract --threads 2 -b -e 'needle[0-9](?=$|\x00)' text
  [ "$output" = $'536870912:needle1\n1073741824:needle2\n1073741832:needle3' ]
  run bounded extract -b --begin needle --end nothing --count text
  [ "$status" -eq 2 ]
  [[ "$output" == *"the line at byte 0 is longer than 16777216 bytes"* ]]
  run bounded extract --rs '\n' -e 'needle[0-9]' text
  [ "$status" -eq 2 ]
  [[ "$output" == *"record 1 at byte 0: it is larger than 16 MiB"*needle3 ]]
}

@test "bytes of any kind: grep -a finds the same" {
  perl -e 'srand 99; print map { chr int rand 256 } 1 .. 3000000' >text
  for pattern in '\xff[^\r\n]\x00' '[\x80-\x8f]{3}' 'a[^b\r]{2}c' '\w{4,}' '[^\x00-\x7f]{9,}' '\x00\x00'; do
    extract -n -b -e "$pattern" text >got
    grep -a -onbP -e "$pattern" text | cmp - got || { echo "$pattern"; false; }
    [ -s got ]
  done
}

@test "invalid UTF-8 with --utf: nothing matches it, and what is around it is found" {
  printf 'x\xffy \xc3\xa9t\xc3\xa9 \xc3 z\xed\xa0\x80z\n\xff\n\xe2\x82\xac\n' >text
  run extract --utf -e '\w+' text
  [ "$output" = $'x\ny\nt\nz\nz' ]
  run -1 extract --utf -e 'x.y' text
  run extract --utf -e '[^\x00-\x7f]' -b text
  [ "$output" = $'4:\xc3\xa9\n7:\xc3\xa9\n20:\xe2\x82\xac' ]
}

@test "a pattern that takes too long on every line is named, and left out of the rest" {
  perl -e 'print "a" x 40, "\n" for 1 .. 20000; print "end\n"' >text
  run extract -e '(?:a|aa|aaa)+$(?<=c)' -e '^end' text
  [ "$status" -eq 2 ]
  [[ "$output" == *"pattern 1 was given up on 200 times: it took more steps than --match-limit"* ]]
  [[ "$output" == *"pattern 1 was not searched for in 19801 more places"* ]]
  [[ "$output" == *end* ]]
}

@test "a pattern that calls itself and takes nothing is given up, which is told" {
  printf 'bbbbbb' >text
  run timeout 60 "$TAPWARDEN" extract -U -e '(||||||||||||||||(?1))' text
  [ "$status" -eq 2 ]
  [[ "$output" == *"rule 1: error at bytes 0 to 6: "* ]]
  perl -e 'print "(" x 5000, "x", ")" x 5000' >text
  [ "$(extract -e '\((?:[^()]++|(?R))*+\)' text)" = "$(cat text)" ]
}

@test "several threads give up on it as often as one does" {
  perl -e 'print "a" x 40, "\n" for 1 .. 200000; print "end\n"' >text
  run --separate-stderr extract --threads 4 -e '(?:a|aa|aaa)+$(?<=c)' -e '^end' text
  [ "$status" -eq 2 ]
  [ "$output" = end ]
  # Each may be at one more when the last that is allowed is given up.
  local up=${stderr#*given up on } out=${stderr#*searched for in }
  ((${up%% *} >= 200 && ${up%% *} < 204 && ${up%% *} + ${out%% *} == 200001))
}

@test "a pattern that takes too long in one long line: a few of the places are told, all are counted" {
  head -c 12000000 /dev/zero | tr '\0' a >text
  run extract -e '(?:a|aa)+$(?<!a)' text
  [ "$status" -eq 2 ]
  [ "$(grep -c 'limit at bytes' <<<"$output")" -eq 5 ]
  [[ "$output" == *" more such places"* ]]
}

@test "a file that is removed while it is read is read to its end" {
  seq 1000000 >text
  mkfifo pipe
  "$TAPWARDEN" extract -e '\d+' text >pipe &
  exec 4<pipe
  head -c 10 <&4 >got
  rm text
  cat <&4 >>got
  exec 4<&-
  wait
  cmp got <(seq 1000000)
}

@test "what cannot be read is said: a file that fails in the middle, a folder, no right to" {
  run extract -e x /proc/self/mem
  [ "$status" -eq 2 ]
  [[ "$output" == *"/proc/self/mem: cannot be read to its end: Input/output error"* ]]
  run extract -e x .
  [ "$status" -eq 2 ]
  [[ "$output" == *".: cannot be read: Is a directory"* ]]
}

@test "without enough memory it is exit 2 and said why, or all is found" {
  seq -f 'line %.0f' 900000 >text
  local size code threads untold=0
  for threads in 1 2; do
    for size in 14000 18000 20000 24000 30000 40000; do
      code=0
      (ulimit -v $size && exec "$TAPWARDEN" extract --threads $threads --json -e line text >got 2>errors) || code=$?
      case $code in
        0) [ "$(wc -l <got)" -eq 900000 ] && [ ! -s errors ] ;;
        2) grep -q '^tapwarden: .*\(emory\|allocate\)' errors && untold=1 ;;
        # The libraries themselves had no room.
        *) grep -q 'error while loading shared libraries' errors ;;
      esac || { echo "$threads $size $code"; cat errors; false; }
    done
  done
  [ $untold -eq 1 ]
}

# appending WORDS...: what is found is written behind what is searched; it ends by itself.
appending() {
  (exec timeout 20 "$TAPWARDEN" extract "$@" >>text)
}

@test "a file that is the output too is not searched, as grep does not" {
  seq 200000 >text
  cp text copy
  run -2 bash -c 'grep 1 text >>text'
  local words
  for words in '-e 1' '--threads 2 -e 1' '--rs \n' '--begin 1 --end 9' '-U -e 1'; do
    # shellcheck disable=SC2086
    run -2 --separate-stderr appending $words copy text
    [ "$stderr" = 'tapwarden: text: is the output too: it was not searched' ]
    # shellcheck disable=SC2086
    extract $words -H copy | cmp - <(tail -n +200001 text)
    cp copy text
  done
  run -2 --separate-stderr appending -e 1 - <text
  cmp copy text
  appending --count -e 1 text
}


@test "the name of a file moves no cursor of who reads the complaint" {
  run -2 --separate-stderr "$TAPWARDEN" extract -e x $'/nowhere/\e[2J\xc2\x9b2J\xff'
  [ "$stderr" = 'tapwarden: /nowhere/\x1b[2J\xc2\x9b2J\xff: cannot be opened: No such file or directory' ]
}
