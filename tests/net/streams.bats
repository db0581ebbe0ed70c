#!/usr/bin/env bats
# What a connection carries is searched as one, and the frames of a match are kept; the judge of the
# file that holds them is tshark.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
}

teardown() {
  house_down
}

# keep KEYS...: lines for [record], beside a rule that sees streams.
keep() {
  sed -i '/^\[record\]/,/^\[/{/^\[record\]/d}' "$INI"
  {
    printf '\n[pattern split]\nregex = "split-[0-9]+-end"\nscope = stream\n\n[record]\n'
    printf '%s\n' "$@"
  } >>"$INI"
}

# A request whose query comes in pieces, each in a segment of its own.
ask_in_pieces() {
  in_peer bash -c '
    exec 5<>/dev/tcp/192.0.2.10/80
    printf "GET /?spl" >&5; sleep 0.1
    printf "it-47" >&5; sleep 0.1
    printf "11-end HTTP/1.0\r\n\r\n" >&5
    timeout 5 cat <&5 >/dev/null'
}

# frames FILE FIELD...: as tshark reads them, which has to be without a complaint.
frames() {
  local file=$1 fields=()
  shift
  for field in "$@"; do
    fields+=(-e "$field")
  done
  tshark -n -r "$file" -T fields "${fields[@]}" 2>"$DIR/tshark.err"
  [ "$(grep -vc -e '^Running as user' "$DIR/tshark.err")" -eq 0 ]
}

@test "a text that three segments cut is found, and its frames are named and kept" {
  keep 'pcap = matches' 'before = 2' 'after = 1'
  agent_start
  guest_start
  ask_in_pieces
  wait_for 10 has_record '.tapwarden.rule == "split"'
  run records 'select(.tapwarden.rule == "split")
    | [.tapwarden.scope, .tapwarden.match.text, .tapwarden.offset, .tapwarden.gap, .src_ip,
       .dest_port, .tapwarden.flow_dir, [.tapwarden.frames[].length]]'
  [ "$output" = '["stream","split-4711-end",6,false,"192.0.2.2",80,"to_guest",[3,5,6]]' ]

  # Frames before it, the three, and one after; each of the three says what it has of it.
  wait_for 10 has_frames 6
  capinfos "$DIR/log/frames.pcapng"
  run frames "$DIR/log/frames.pcapng" frame.comment
  [ "$(grep -c 'rule split: stream bytes' <<<"$output")" -eq 3 ]
  grep -q 'rule split: stream bytes 6-9' <<<"$output"
  grep -q 'rule split: stream bytes 9-14' <<<"$output"
  grep -q 'rule split: stream bytes 14-20' <<<"$output"
  [ "$(frames "$DIR/log/frames.pcapng" frame.interface_name | sort -u)" = web01 ]
  wait_for 10 status_of '.capture | .pcap_frames >= 6 and .pcap_lost == 0 and .streams.flows > 0
    and .streams.memory > 0 and .streams.gaps == 0'
  # Other rules keep other flows: these three are of one.
  [ "$(frames "$DIR/log/frames.pcapng" tcp.stream frame.comment | grep 'rule split' |
    cut -f 1 | sort -u | wc -l)" -eq 1 ]
  # Before the first of the three there are two of the same.
  [ "$(frames "$DIR/log/frames.pcapng" tcp.stream frame.comment |
    awk -F '\t' '/rule split/ { print n[$1] + 0; exit } { n[$1]++ }')" -eq 2 ]
}

# What is between the end of the method and that of the address, in which alone it is looked for.
@test "ranges of bytes in what guests get" {
  printf '\n[pattern %s]\nregex = "[a-z]+=[0-9]+"\nbegin = "GET /"\nend = " HTTP"\nscope = %s\n' \
    stream-range stream packet-range packet >>"$INI"
  agent_start
  guest_start
  in_peer curl -sS --max-time 5 -H 'Cookie: b=2' "http://192.0.2.10/index.html?a=1" >/dev/null
  wait_for 10 has_record '.tapwarden.rule == "packet-range"'
  wait_for 10 has_record '.tapwarden.rule == "stream-range"'
  run records 'select(.tapwarden.rule | tostring | endswith("-range"))
    | [.tapwarden.rule, .tapwarden.match.text, .tapwarden.offset]'
  [ "$(sort <<<"$output")" = '["packet-range","a=1",16]
["stream-range","a=1",16]' ]
}

# A frame has room for sixteen comments.
@test "matches that have no comment in the file of frames are counted, by rule" {
  keep 'pcap = matches'
  printf '\n[pattern many]\nregex = "Q"\n' >>"$INI"
  agent_start
  guest_start
  ask "q=QQQQQQQQQQQQQQQQQQQQQQQQQ"
  wait_for 20 status_of '.patterns[] | select(.name == "many") | .matches >= 25 and .unnoted >= .matches - 16'
  status_of '.patterns[] | select(.name == "split") | .unnoted == 0'
  tapwarden status | grep -q '^! pattern many: frames.pcapng has not all comments and frames of '
  in_host curl -sS --unix-socket "$DIR/run/api.sock" http://x/metrics >"$DIR/metrics"
  grep -q '^tapwarden_rule_unnoted_total{rule="many"} [1-9]' "$DIR/metrics"
  grep -qx 'tapwarden_rule_unnoted_total{rule="split"} 0' "$DIR/metrics"
  grep -q '^tapwarden_pcap_missed_total 0' "$DIR/metrics"
  wait_for 10 has_frames 1
  [ "$(frames "$DIR/log/frames.pcapng" frame.comment | tr , '\n' | grep -c 'rule many')" -le 32 ]
}

has_frames() {
  [ "$(tshark -n -r "$DIR/log/frames.pcapng" 2>/dev/null | wc -l)" -ge "$1" ]
}

@test "all frames are kept, as many as were counted, and can be searched again" {
  keep 'pcap = all'
  agent_start
  guest_start
  ask "all=kept"
  wait_for 10 has_record '.tapwarden.groups.path.text == "/index.html?all=kept"'
  # The agent ends its worker, which writes the statistics.
  kill "$(pid_of agent)"
  wait_for 10 is_gone "$(pid_of agent)"
  frames "$DIR/log/frames.pcapng" frame.number >/dev/null
  run tshark -n -r "$DIR/log/frames.pcapng" -Y 'http.request.uri contains "all=kept"'
  [ "${#lines[@]}" -ge 1 ]
  tcpdump -n -r "$DIR/log/frames.pcapng" 'tcp port 80' 2>/dev/null | grep -q 'HTTP: GET'
}

# Time passes for what is held although no frame comes: the worker goes on looking at its clock.
@test "a packet whose fragments never end is given up, and told" {
  agent_start
  exec {FRAMES}> >(exec ip netns exec "$PEER" "$ROOT/build/tests/net/tap_frames" --wire eno1 >/dev/null 3>&-)
  # The first 16 bytes of a UDP datagram, with more to come.
  perl -e 'my $ip = pack "CCnnnCCn a4 a4", 0x45, 0, 44, 4711, 0x2000, 64, 17, 0,
      pack("C4", 192, 0, 2, 2), pack("C4", 192, 0, 2, 10);
    my $mac = shift; $mac =~ s/://g;
    print $mac, unpack("H*", "\2\0\0\0\0\1\x08\0" . $ip . pack("n4", 9, 9, 1008, 0) . "x" x 16), "\n"' \
    "$(mac_of web01)" >&"$FRAMES"
  exec {FRAMES}>&-
  wait_for 60 has_record '.event_type == "gap" and .gap.reason == "fragments-missing"
    and .src_ip == "192.0.2.2"'
}
