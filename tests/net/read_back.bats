#!/usr/bin/env bats
# What the agent kept of a guest's traffic, searched again by extract, gives the agent's records.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
  {
    printf '\n[pattern split]\nregex = "split-[0-9]+-end"\nscope = stream\n'
    printf '\n[record]\npcap = all\npayload-log = all\n'
  } >>"$INI"
}

teardown() {
  house_down
}

# What of an alert does not depend on who read it: frames are numbered by the link, or by the file,
# which has other links' frames too.
alerts() {
  jq -c "$1"' | select(.event_type == "alert") | del(.host, .pcap_filename, .pcap_cnt, .payload, .payload_printable,
    .tapwarden.seq, .tapwarden.payload_seq, .tapwarden.set, .tapwarden.guest,
    .tapwarden.frames[]?.n)' | sort
}

@test "frames.pcapng and payloads.log are read back to the records that were made of them" {
  agent_start
  guest_start
  ask "item=4711"
  in_peer bash -c 'exec 5<>/dev/tcp/192.0.2.10/80
    printf "GET /?spl" >&5; sleep 0.1
    printf "it-47" >&5; sleep 0.1
    printf "11-end HTTP/1.0\r\n\r\n" >&5
    timeout 5 cat <&5 >/dev/null'
  wait_for 10 has_record '.tapwarden.rule == "split"'
  wait_for 10 has_record '.tapwarden.rule == "order"'
  # Its worker writes all that it has.
  kill "$(pid_of agent)"
  wait_for 10 is_gone "$(pid_of agent)"

  "$TAPWARDEN" extract -c "$INI" --pattern request --pattern order --pattern split --json \
    "$DIR/log/frames.pcapng" >"$DIR/again"
  alerts . <"$DIR/log/records.json" >"$DIR/made"
  [ "$(grep -c split-4711-end "$DIR/made")" -eq 1 ]
  [ "$(wc -l <"$DIR/made")" -ge 4 ]
  diff "$DIR/made" <(alerts . <"$DIR/again")

  # A payload has no frame around it, and no stream.
  "$TAPWARDEN" extract -c "$INI" --pattern request --pattern order --json "$DIR/log/payloads.log" \
    >"$DIR/again"
  alerts 'select(.tapwarden.scope == "packet") | del(.ether)' <"$DIR/log/records.json" >"$DIR/made"
  [ "$(wc -l <"$DIR/made")" -ge 3 ]
  diff "$DIR/made" <(alerts . <"$DIR/again")
  run "$TAPWARDEN" extract -e 'item=\d+' -n "$DIR/log/payloads.log"
  [[ "$output" == *:item=4711* ]]

  # What is torn off is told, and what came before was searched.
  head -c -3 "$DIR/log/payloads.log" >"$DIR/torn"
  run -2 "$TAPWARDEN" extract -e 'item=\d+' "$DIR/torn"
  [[ "$output" == *item=4711*"torn: the payload log is cut at byte "* ]]
  [ "$("$TAPWARDEN" extract -e 'item=\d+' - <"$DIR/log/payloads.log" | head -n 1)" = item=4711 ]
}
