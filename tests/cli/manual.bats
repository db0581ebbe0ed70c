#!/usr/bin/env bats
# The manual pages say what the help says, all of it, and look right.

bats_require_minimum_version 1.5.0

ROOT=$BATS_TEST_DIRNAME/../..
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}
PAGES="$ROOT/build/man/tapwarden.1 $ROOT/build/man/tapwarden.ini.5"

setup() {
  export LC_ALL=C.UTF-8 MANWIDTH=80
}

# Without what filling and breaking lines changes.
letters() {
  tr -d ' \n\\#' | tr '[:upper:]' '[:lower:]'
}

verbs() {
  "$TAPWARDEN" help | awk '/^`/ { exit } /^  [a-z]/ && $1 != "tapwarden" { print $1 }'
}

topics() {
  "$TAPWARDEN" help | sed '1,/TOPIC. explains/d; /^-c/,$d' | awk '{ print $1 }'
}

@test "mandoc and man have nothing to say of the pages" {
  local page
  for page in $PAGES; do
    run -0 mandoc -Tlint "$page"
    [ -z "$output" ]
    run -0 --separate-stderr man --warnings -l "$page"
    [ -z "$stderr" ]
    run ! grep -E '^.{81}' <<<"$output"
  done
}

@test "every verb's help is in tapwarden(1), and every topic" {
  local page word help n=0
  page=$(man -l "$ROOT/build/man/tapwarden.1" | letters)
  for word in $(verbs) $(topics); do
    [ "$word" != config ] || continue
    help=$("$TAPWARDEN" help "$word" | sed 's/^usage://' | letters)
    [[ "$page" == *"$help"* ]] || { echo "not there as it is: help $word"; false; }
    n=$((n + 1))
  done
  [ "$n" -ge 24 ]
}

@test "every section and key is in tapwarden.ini(5), and the example" {
  local page
  page=$(man -l "$ROOT/build/man/tapwarden.ini.5" | letters)
  [[ "$page" == *"$("$TAPWARDEN" help config | letters)"* ]]
  [[ "$page" == *"$(sed '1,/^$/d; s/^; //' "$ROOT/scripts/examples/tapwarden.ini" | letters)"* ]]
}

@test "the pages have what a reader looks for" {
  local section
  man -l "$ROOT/build/man/tapwarden.1" >"$BATS_TEST_TMPDIR/1"
  for section in NAME SYNOPSIS DESCRIPTION COMMANDS TOPICS SIGNALS "EXIT STATUS" FILES EXAMPLES "SEE ALSO"; do
    grep -A1 "^$section$" "$BATS_TEST_TMPDIR/1" | grep -q '^   *[^ ]'
  done
  run -0 sed -n '/^SIGNALS/,/^EXAMPLES/p' "$BATS_TEST_TMPDIR/1"
  for section in SIGHUP SIGTERM 0 1 2 /etc/tapwarden/tapwarden.ini /run/tapwarden /var/log/tapwarden; do
    grep -q "^       $section$" <<<"$output"
  done
  # whatis(1) reads the line of NAME.
  run -0 lexgrog "$ROOT/build/man/tapwarden.1" "$ROOT/build/man/tapwarden.ini.5"
  [[ "${lines[0]}" == *'"tapwarden - gives VMs'* && "${lines[1]}" == *'"tapwarden.ini - '* ]]
}

@test "without scdoc all else is made and installed" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  ln -s /usr/bin/* "$BATS_TEST_TMPDIR/bin"
  rm "$BATS_TEST_TMPDIR/bin/scdoc"
  PATH=$BATS_TEST_TMPDIR/bin run -0 --separate-stderr make -s -C "$ROOT" install DESTDIR="$BATS_TEST_TMPDIR/root"
  [[ "$stderr" == *"scdoc is missing"* ]]
  [ -x "$BATS_TEST_TMPDIR/root/usr/local/bin/tapwarden" ]
  run -0 find "$BATS_TEST_TMPDIR/root" -name 'tapwarden*.[15]'
  [ -z "$output" ]
}
