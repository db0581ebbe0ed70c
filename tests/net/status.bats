#!/usr/bin/env bats
# What status tells of links is what is, though it looks again only at what may have changed.

bats_require_minimum_version 1.5.0

load helper.bash

setup() {
  wire_up
  config <<END
[set web]
lower = eno1
mode = bridge
count = 2
END
  sed -i '/^log-dir/a user-capture = 64901\nuser-web = 64902' "$INI"
  spawn "$DIR/agent" "$TAPWARDEN" run -c "$INI"
  AGENT=${HOLDERS%% *}
  until told '.links | map(.state) == ["up", "up"]' >"$DIR/status" 2>&1; do
    kill -0 "$AGENT"
    sleep 0.05
  done
}

teardown() {
  wire_down
}

# told FILTER: what jq finds in the status. (Of no input it says yes to everything.)
told() {
  local answer
  answer=$(tapwarden status --json) && jq -e -r "$1" <<<"$answer"
}

# unseen COMMAND...: a command while the agent cannot listen, for longer than an answer is kept.
unseen() {
  kill -STOP "$AGENT"
  "$@"
  sleep 0.3
  kill -CONT "$AGENT"
}

@test "a link that was changed a moment ago is told as it is" {
  local round now
  for round in 1 2 3; do
    # The agent sets it right at once, and then does not look again for half a second.
    ip -n "$NETNS" link set web1 mtu 1400
    until [ "$(fact web1 .mtu)" = 1500 ]; do
      sleep 0.01
    done
    # Both the change and the question are there when it listens again; an answer is old by then.
    kill -STOP "$AGENT"
    ip -n "$NETNS" link set web1 mtu 1400
    told '.links[0].mtu' >"$DIR/told" 3>&- &
    sleep 0.3
    kill -CONT "$AGENT"
    wait "$!"
    now=$(<"$DIR/told")
    # What is not set right yet after it was told was not before, either.
    [ "$now" = 1400 ] || [ "$(fact web1 .mtu)" = 1500 ]
  done
}

@test "a link that was made again a moment ago is told with its numbers" {
  local index
  index=$(told '.links[0].ifindex')
  [ "$index" = "$(fact web1 .ifindex)" ]
  unseen ip -n "$NETNS" link del web1
  [ "$(told '.links[0] | .ifindex')" != "$index" ]
  until [ "$(told '.links[0].state')" = up ]; do
    sleep 0.05
  done
  [ "$(told '.links[0].ifindex')" = "$(fact web1 .ifindex)" ]
  [ "$(told '.links[0].tap | "\(.major):\(.minor)"')" = "$(inside sh -c 'cat /sys/class/net/web1/tap*/dev')" ]
}

# counts: what the kernel has counted of web1 and web2, in both directions.
counts() {
  ip -n "$NETNS" -s -j link show type macvtap |
    jq -c 'map(.stats64 | [.tx.packets, .tx.bytes, .rx.packets, .rx.bytes])'
}

told_counts() {
  told '.links | map([.from_guest.frames, .from_guest.bytes, .to_guest.frames, .to_guest.bytes])' | jq -c .
}

@test "counters are those of the kernel while nothing else changes" {
  local round mac frame
  mac=$(told '.links[1].mac' | tr -d :)
  frame=${mac}$(told '.links[0].mac' | tr -d :)88b5$(printf '00%.0s' {1..50})
  mkfifo "$DIR/guest"
  # Both ends: the fifo never ends by itself.
  ip netns exec "$NETNS" "$ROOT/build/tests/net/tap_frames" web1 <>"$DIR/guest" >"$DIR/sent" 3>&- &
  HOLDERS="$! $HOLDERS"
  until grep -q ready "$DIR/sent"; do
    kill -0 "${HOLDERS%% *}"
    sleep 0.02
  done
  for round in 1 2 3; do
    echo "$frame" >"$DIR/guest"
    until [ "$(ip -n "$NETNS" -s -j link show web2 | jq '.[0].stats64.rx.packets')" = "$round" ]; do
      sleep 0.02
    done
    sleep 0.3
    [ "$(told_counts)" = "$(counts)" ]
    [ "$(told '.links[1].to_guest.frames')" = "$round" ]
  done
}

@test "the tables have what --json has, and none is without a row" {
  run -0 tapwarden status
  [ "$(awk '$1 ~ /^web[12]$/ { print $1, $4, $6, $NF }' <<<"$output")" = \
    "$(told '.links[] | .tap |= if (.node // "") != "" then .node else "\(.major):\(.minor)" end |
      "\(.name) \(.mac) \(.tap) \(.state)"')" ]
  [ "$(awk '$1 == "capture" || $1 == "web" && $3 == "ready" { print $1, $2 }' <<<"$output")" = \
    "$(told '.workers[] | "\(.name) \(.pid)"')" ]
  sed -i '/^\[set web\]/,$d' "$INI"
  kill -HUP "$AGENT"
  until told '.sets == [] and .links == []' >"$DIR/status" 2>&1; do
    kill -0 "$AGENT"
    sleep 0.05
  done
  run -0 tapwarden status
  [ "${lines[0]}" = "No links are configured." ]
  run ! grep -E '^(SET|LINK) ' <<<"$output"
}

# on_terminal COLUMNS [OPTION...]: the status as a terminal of this width shows it.
on_terminal() {
  local columns=$1
  shift
  script -qec "stty cols $columns; ip netns exec '$NETNS' '$TAPWARDEN' status $* -c '$INI'" /dev/null | tr -d '\r'
}

@test "lines fit on a terminal, and nowhere else is a column left out" {
  tapwarden status >"$DIR/all"
  grep -q '^LINK .* MAC .* TAP .* STATE$' "$DIR/all"
  on_terminal 80 >"$DIR/80"
  grep -q '^LINK .* STATE$' "$DIR/80"
  grep -q 'left out: --wide' "$DIR/80"
  [ "$(awk 'length > 80' "$DIR/80")" = "" ]
  [ "$(grep -c '^web[12] .* up$' "$DIR/80")" -eq 2 ]
  # What goes on in the next line takes nobody's place.
  config <<END
[set web]
lower = eno1
mode = bridge
count = 2

[set late]
lower = eno7
count = 1
END
  sed -i '/^log-dir/a user-capture = 64901\nuser-web = 64902' "$INI"
  kill -HUP "$AGENT"
  until told '.links | map(.state) == ["up", "up", "waiting"]' >"$DIR/status"; do
    sleep 0.05
  done
  on_terminal 80 >"$DIR/late"
  grep -q '^late1 .* waiting: the lower device eno7 does not exist' "$DIR/late"
  [ "$(grep ^LINK "$DIR/late" | wc -w)" -eq "$(grep ^LINK "$DIR/80" | wc -w)" ]
  tapwarden status >"$DIR/all"
  # Traffic of the moment aside.
  diff <(on_terminal 80 --wide | sed -n '/^LINK/p; /^WORKER/,$p') <(sed -n '/^LINK/p; /^WORKER/,$p' "$DIR/all")
  diff <(on_terminal 200 | sed -n '/^LINK/p; /^WORKER/,$p') <(sed -n '/^LINK/p; /^WORKER/,$p' "$DIR/all")
}
