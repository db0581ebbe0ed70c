#!/usr/bin/env bats
# What a newline is to a pattern over a whole text, by the verb that it begins with, with pcre2grep -M
# and perl as the judges.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  export LC_ALL=C
}

# ours VERB REGEX: offset and length of each match in `text`.
ours() {
  "$TAPWARDEN" extract -U --json -e "(*$1)(?m)$2" text | jq -r '"\(.offset),\(.length)"'
}

# No pattern here matches nothing or looks behind: there pcre2grep goes by lines, which a whole text
# has not. And none has a match that begins or ends between CR and LF: for newlines of both it leaves out
# some of them, or never ends.
PATTERNS=('^a' 'b$' '.+' 'b\Ra' 'b\R' '\N+' '(?s)b.a' '^ab$' 'b$.^a' '(?s)b$.^a' '(?s)b$.{1,2}^a' '\R+' 'b\sa'
  '[^a]+' 'b[\r\n]+a' 'a(?=b\R)' 'b.a' '\Ra' 'b\z' 'b\Z')

# as_pcre2grep: `text` has the same matches, in the same places, for every newline and pattern.
as_pcre2grep() {
  local newline pattern status
  for newline in cr lf crlf any anycrlf nul; do
    for pattern in "${PATTERNS[@]}"; do
      status=0
      timeout 20 pcre2grep -a -M --file-offsets -N "$newline" -e "$pattern" text >expected || status=$?
      ((status < 2))
      ours "${newline^^}" "$pattern" >got
      cmp expected got || { echo "$newline $pattern"; od -c text; false; }
    done
  done
}

@test "cr, lf, crlf, any, anycrlf and nul are newlines where they are to pcre2grep -M" {
  printf 'ab\nab\r\nab\rab\n\rab\r\r\nab\x0bab\x0cab\x85ab\0ab\n\n\nxab\r\n\r\nab' >text
  as_pcre2grep
  # Each newline is another one.
  local newline
  for newline in CR LF CRLF ANY ANYCRLF NUL; do
    ours $newline '^ab$' | md5sum
  done >sums
  [ "$(sort -u sums | wc -l)" -eq 6 ]
}

@test "the same in random texts of newlines of all kinds" {
  perl -e 'srand 21; my @pieces = ("a", "b", "ab", "ab", "\n", "\r", "\r\n", "\0", "\x0b", "\x85", "\n\r");
    print map { $pieces[rand @pieces] } 1 .. 400' >text
  as_pcre2grep
}

# pcre2grep -M does not see the line before; perl, whose newline is LF, does.
@test "a lookbehind sees what is before its line, as perl's" {
  printf 'ab\nab\r\nab\rab\n\nab' >text
  local pattern
  for pattern in '(?<=\n)a' '(?<=b\n)ab' '(?<!\n)a' '(?<=\r\n)ab' '(?<=^ab\n)a'; do
    perl -0777 -ne 'BEGIN { $p = shift } while (/(?m)$p/g) { print $-[0], ",", $+[0] - $-[0], "\n" }' \
      "$pattern" text >expected
    [ -s expected ]
    ours LF "$pattern" | cmp expected - || { echo "$pattern"; false; }
  done
}

@test "without a verb LF, CR and CRLF are newlines" {
  printf 'ab\nab\r\nab\rab\x0bab\0ab' >text
  local pattern
  for pattern in "${PATTERNS[@]}"; do
    "$TAPWARDEN" extract -U --json -e "(?m)$pattern" text | jq -r '"\(.offset),\(.length)"' >got
    ours ANYCRLF "$pattern" | cmp got - || { echo "$pattern"; false; }
  done
}
