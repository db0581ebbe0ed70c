#!/usr/bin/env bats
# monitor = inline: a guest whose frames pass the capture worker, by both kinds of socket, and what
# patterns keep from passing. The guest is a namespace with a web server in it.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
  cat >"$INI" <<END
[agent]
run-dir = $DIR/run
log-dir = $DIR/log
user-capture = 64901
user-web = 64902

[set web]
lower = eno1
count = 1
name = web%02d
monitor = inline
peer = stream

[pattern forbidden]
regex = "forbidden-[0-9]+"
scope = packet
action = drop
END
  cp "$INI" "$DIR/commands.ini"
}

teardown() {
  house_down
}

start() {
  spawn agent ip netns exec "$HOST" "$TAPWARDEN" run -c "$INI"
  wait_for 20 status_of '[.workers[].state] | all(. == "ready")'
  wait_for 20 status_of '.links[0].monitor == "inline"'
}

# attach stream|dgram: the guest, with its network device eth0 behind the link.
attach() {
  local at=$DIR/run/guests/web01
  if [ "$1" = stream ]; then
    set -- "$at/qemu.sock"
  else
    set -- "$at/qemu.sock" "$at/relay.sock"
  fi
  spawn socket_guest ip netns exec "$HOST" "$ROOT/build/tests/net/socket_guest" web01 "$GUEST" eth0 "$@"
  wait_for 10 grep -q '^ready' "$DIR/socket_guest.out"
  ip -n "$GUEST" addr add 192.0.2.10/24 dev eth0
  ip -n "$GUEST" link set eth0 up
  spawn httpd ip netns exec "$GUEST" busybox httpd -f -p 192.0.2.10:80 -h "$DIR/www"
  wait_for 20 guest_answers
}

blocked() {
  ! in_peer curl -sS --max-time 1 -o /dev/null "http://192.0.2.10/index.html?$1" 2>/dev/null
}

passes_and_blocks() {
  ask allowed=1
  blocked forbidden-1
  ask allowed=2
  wait_for 10 has_record '.alert.signature == "forbidden"'
}

@test "frames pass both ways by a stream, but those that a pattern forbids" {
  start
  attach stream
  passes_and_blocks
}

@test "frames pass both ways by datagrams, but those that a pattern forbids" {
  sed -i 's/^peer = .*/peer = dgram/' "$INI"
  start
  attach dgram
  passes_and_blocks
}

# flood FRAMES [at-once]: seconds pass; what it says is in $output.
flood() {
  local frames=$1
  shift
  run ip netns exec "$HOST" "$ROOT/build/tests/net/inline_flood" "$DIR/run/guests/web01/qemu.sock" \
    "$PEER" eno1 "$(mac_of web01)" "$frames" "${SEED:-4711}" "$@"
  echo "# $output" >&3
  [ "$status" -eq 0 ]
}

# INLINE_FLOOD is the number of frames.
@test "a forbidden text does not arrive, however it is cut, repeated and overlapped" {
  sed -i 's/^scope = .*/scope = stream/' "$INI"
  start
  flood "${INLINE_FLOOD:-100000}"
}
