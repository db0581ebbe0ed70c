#!/usr/bin/env bats
# The page, as a browser shows it: Debian's chromium by playwright, at an agent with real links,
# frames and a guest. One house and one browser for all; each case has cookies of its own.

bats_require_minimum_version 1.5.0

load ../net/guest

setup_file() {
  export BATS_TEST_NUMBER=ui BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
  house_up
  export HOST GUEST PEER DIR INI PIDS
  export UI_DIR=$DIR UI_MODULES=$ROOT/build/ui/node_modules UI_SHOTS=$ROOT/build/ui/pictures
  mkdir -p "$UI_SHOTS"
  cat >>"$INI" <<END

[record]
pcap = matches

[set lab]
lower = eno1
mode = vepa
count = 2
name = lab%02d
END
  users_config
  spawn browser ip netns exec "$HOST" node "$BATS_TEST_DIRNAME/browser.mjs"
  agent_start
  ip -n "$HOST" addr add 192.0.2.1/24 dev host01
  guest_start
  wait_for 60 grep -q '^ws:' "$DIR/browser.out"
}

teardown_file() {
  house_down
}

case_of() {
  in_host timeout 120 node "$BATS_TEST_DIRNAME/run.mjs" "$1"
}

# fetch PATH [CURL WORDS...]: the body is in `body`, the head in `head`; prints the status.
fetch() {
  local path=$1
  shift
  in_host curl -sS --max-time 20 -D "$DIR/head" -o "$DIR/body" -w '%{http_code}' "$@" \
    "http://127.0.0.1:8443$path"
}

header() {
  sed -n "s/^$1: *//ip" "$DIR/head" | tr -d '\r'
}

# Every file that the page or another file of it names.
files_of_page() {
  local path
  fetch / >/dev/null
  grep -o '/ui/[a-z0-9.-]*' "$DIR/body" | sort -u >"$DIR/files"
  while read -r path; do
    echo "$path"
    fetch "$path" >/dev/null
    grep -o '"/ui/[a-z0-9.-]*' "$DIR/body" | tr -d '"'
  done <"$DIR/files" | sort -u
}

@test "the page is on the users' address alone, with nothing inline and in no frame" {
  [ "$(fetch /)" = 200 ]
  [[ $(header Content-Type) == text/html* ]]
  [ "$(header X-Content-Type-Options)" = nosniff ]
  [ "$(header Referrer-Policy)" = no-referrer ]
  [ "$(header X-Frame-Options)" = DENY ]
  [[ $(header Content-Security-Policy) == "default-src 'self';"*"frame-ancestors 'none'"* ]]
  [[ $(header Content-Security-Policy) != *unsafe* ]]
  run grep -ciE '<script>|<style| style=| on[a-z]+=' "$DIR/body"
  [ "$output" = 0 ]
  [ "$(in_host curl -sS --unix-socket "$DIR/run/api.sock" -o "$DIR/body" -w '%{http_code}' http://x/)" = 404 ]
  [ "$(in_host curl -sS -o "$DIR/body" -w '%{http_code}' http://192.0.2.1:8080/)" = 404 ]
}

@test "its files are kept for ever by a name that is new for each build" {
  local file known
  files_of_page >"$DIR/list"
  [ "$(wc -l <"$DIR/list")" -ge 15 ]
  while read -r file; do
    [ "$(fetch "$file")" = 200 ] || { echo "$file"; false; }
    [[ $(header Cache-Control) == *immutable* ]]
    [[ $(header Content-Security-Policy) == "default-src 'self'"* ]]
  done <"$DIR/list"
  file=$(grep main.js "$DIR/list")
  [ "$(fetch "${file/\/ui\/????/\/ui\/0000}")" = 404 ]
  [ "$(fetch /ui/main.js)" = 404 ]
  [ "$(fetch "${file%main.js}index.html")" = 404 ]
  [ "$(fetch /ui/..%2fmain.js)" = 404 ]
  [ "$(fetch /ui/../main.js --path-as-is)" = 404 ]
  [ "$(fetch "$file" -X POST)" = 405 ]
  [ "$(fetch /)" = 200 ]
  [ "$(header Cache-Control)" = no-cache ]
  known=$(header ETag)
  [ "$(fetch / -H "If-None-Match: $known")" = 304 ]
  [ "$(fetch / -H 'If-None-Match: "another"')" = 200 ]
}

@test "what a browser loads at first is the same packed and plain, and under 150 KB" {
  local file total=0
  { echo /; files_of_page; } >"$DIR/list"
  while read -r file; do
    fetch "$file" >/dev/null
    mv "$DIR/body" "$DIR/plain"
    fetch "$file" -H 'Accept-Encoding: gzip' >/dev/null
    [ "$(header Content-Encoding)" = gzip ]
    gzip -dc "$DIR/body" | cmp - "$DIR/plain"
    total=$((total + $(wc -c <"$DIR/body") + $(wc -c <"$DIR/head")))
  done <"$DIR/list"
  echo "# $total bytes in $(wc -l <"$DIR/list") files, heads and plots with them"
  [ "$total" -lt 150000 ]
}

@test "who knows the password gets in, who does not learns nothing" {
  case_of login
}

@test "the overview has a row for each link, in light and dark" {
  case_of overview
}

@test "a link has its facts, its plots with tables beside them, and its records" {
  case_of link
}

@test "the picture of who reaches whom has a cell for each row of the table, and that is the API's" {
  case_of reach
}

@test "a match comes to the screen by itself; the filter is in the address; pause holds it" {
  case_of records
}

@test "what guests and their peers choose is text and nothing else" {
  case_of hostile
}

@test "the page of another site gets nothing done, and this one into no frame" {
  case_of foreign
}

@test "guests that boot, and their scripts for admins alone" {
  case_of boot
}

@test "how patterns fare, and one that is tried on what came lately" {
  case_of workshop
}

@test "three tabs have one stream, and another takes it over" {
  case_of tabs
}

@test "every page fits a phone" {
  case_of phone
}

@test "and a window of 320, 768, 1024 and 2560 pixels" {
  case_of widths
}

@test "without a mouse" {
  case_of keyboard
}

@test "a thousand links, 200 ms away" {
  case_of many
}

@test "one frame is one frame" {
  case_of one
}

@test "a long name is whole, and so is its state" {
  case_of names
}

@test "what is not there is said to be" {
  case_of absent
}

@test "a slow line" {
  case_of slow
}

@test "a text is checked; what is applied is the plan that was looked at, or nothing" {
  case_of config
}
