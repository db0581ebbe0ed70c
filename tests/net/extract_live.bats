#!/usr/bin/env bats
# extract --live: real frames between two ends of a veth pair, without an agent. tshark judges what
# is written.

bats_require_minimum_version 1.5.0

load helper

setup() {
  wire_up
  PEER=$NETNS-peer
  ip netns add "$PEER"
  ip -n "$NETNS" link set peer1 netns "$PEER"
  ip -n "$NETNS" link set eno1 mtu 65535
  ip -n "$PEER" link set peer1 mtu 65535 up
  ip -n "$NETNS" addr add 192.0.2.1/24 dev eno1
  ip -n "$PEER" addr add 192.0.2.2/24 dev peer1
}

teardown() {
  ip netns del "$PEER"
  wire_down
}

# live FILE OPTION...: extract at eno1, which waits for frames; its pid is in $LIVE.
live() {
  local file=$1
  shift
  spawn "$DIR/$file" "$TAPWARDEN" extract --live eno1 "$@" 2>"$DIR/$file.err"
  LIVE=$HOLDER
  until grep -q poll "/proc/$LIVE/wchan"; do
    kill -0 "$LIVE"
    sleep 0.02
  done
}

# stop SIGNAL: how it ended is in $status.
stop() {
  kill "-$1" "$LIVE"
  status=0
  wait "$LIVE" || status=$?
}

has_lines() {
  local n=0
  until [ "$(wc -l <"$DIR/$1")" -ge "$2" ]; do
    n=$((n + 1))
    [ "$n" -lt 600 ]
    sleep 0.05
  done
}

in_peer() {
  ip netns exec "$PEER" "$@"
}

@test "matches are printed as frames come, until Ctrl-C, which prints what it came to" {
  live out -e 'user=(\w+)' -g 1 --bpf 'udp port 514'
  in_peer bash -c 'echo user=ann >/dev/udp/192.0.2.1/514; echo user=no >/dev/udp/192.0.2.1/515'
  has_lines out 1
  in_peer bash -c 'echo "user=bob user=eve" >/dev/udp/192.0.2.1/514'
  has_lines out 3
  stop INT
  cat "$DIR/out.err"
  [ "$status" -eq 0 ]
  diff "$DIR/out" <(printf 'ann\nbob\neve\n')
  grep -q '^2 frames, 2 with a payload, 0 malformed' "$DIR/out.err"
  grep -q ' 3 matches, 0 gaps' "$DIR/out.err"
}

@test "streams, records and the file of the frames that match" {
  live out --json --scope stream -e 'split-\d+-end' -w "$DIR/out.pcapng"
  spawn "$DIR/httpd" busybox nc -l -p 80
  in_peer bash -c 'until exec 5<>/dev/tcp/192.0.2.1/80; do sleep 0.1; done 2>/dev/null
    printf "a spl" >&5; sleep 0.2; printf "it-47" >&5; sleep 0.2; printf "11-end " >&5'
  has_lines out 1
  stop TERM
  [ "$status" -eq 0 ]
  [ "$(jq -c '[.event_type, .in_iface, .src_ip, .dest_port, .proto, .pcap_filename,
    .tapwarden.match.text, .tapwarden.offset, [.tapwarden.frames[].length]]' "$DIR/out")" = \
    '["alert","eno1","192.0.2.2",80,"TCP",null,"split-4711-end",2,[3,5,6]]' ]
  run -0 --separate-stderr tshark -r "$DIR/out.pcapng" -T fields -e frame.interface_name \
    -e ip.src -e tcp.len -e frame.comment
  diff <(echo "$output") - <<'EOF'
eno1	192.0.2.2	5	rule 1: stream bytes 2-5
eno1	192.0.2.2	5	rule 1: stream bytes 5-10
eno1	192.0.2.2	7	rule 1: stream bytes 10-16
EOF
}

@test "the first match is enough for -q, and the frames of a stopped reader are told as lost" {
  live out -q -e 'user=ann'
  in_peer bash -c 'echo user=ann >/dev/udp/192.0.2.1/514'
  wait "$LIVE"

  live lost --json -e 'last-words' -w "$DIR/lost.pcapng"
  kill -STOP "$LIVE"
  # More than twice what the ring holds, with pauses: a queue of the kernel holds 1000.
  in_peer perl -MSocket -e 'socket(S, PF_INET, SOCK_DGRAM, 17) or die;
    my $to = sockaddr_in(9, inet_aton("192.0.2.1"));
    for (1 .. 2600) { send S, "x" x 60000, 0, $to; select undef, undef, undef, 0.002 unless $_ % 50 }'
  kill -CONT "$LIVE"
  in_peer bash -c 'for i in 1 2 3 4 5; do echo last-words >/dev/udp/192.0.2.1/514; sleep 0.2; done'
  has_lines lost 1
  stop INT
  [ "$status" -eq 2 ]
  grep -q 'eno1: [1-9][0-9]* frames were lost before they could be captured' "$DIR/lost.err"
  lost=$(jq 'select(.event_type == "gap" and .gap.unit == "frames" and .gap.reason == "ring-full")
    | .gap.lost' "$DIR/lost" | awk '{ n += $1 } END { print n }')
  grep -q "eno1: $lost frames were lost" "$DIR/lost.err"
  capinfos "$DIR/lost.pcapng"
  # The file says so too, to whoever reads it.
  run -2 "$TAPWARDEN" extract -q -e nothing "$DIR/lost.pcapng"
  [[ "$output" == *"lost.pcapng: $lost frames were lost before they could be captured" ]]
}

@test "what another program lost while it captured is told when its file is read" {
  local dumped=$DIR/dumped.pcapng lost
  spawn "$DIR/dumpcap" dumpcap -q -i eno1 -B 1 -w "$dumped" 2>"$DIR/dumpcap.err"
  until grep -q "^File: " "$DIR/dumpcap.err" && grep -q poll "/proc/$HOLDER/wchan"; do
    kill -0 "$HOLDER"
    sleep 0.05
  done
  in_peer bash -c 'echo user=ann >/dev/udp/192.0.2.1/514'
  # More than the ring holds.
  kill -STOP "$HOLDER"
  in_peer perl -MSocket -e 'socket(S, PF_INET, SOCK_DGRAM, 17) or die;
    my $to = sockaddr_in(9, inet_aton("192.0.2.1"));
    for (1 .. 100) { send S, "x" x 60000, 0, $to; select undef, undef, undef, 0.002 unless $_ % 50 }'
  kill -CONT "$HOLDER"
  in_peer bash -c 'echo user=bob >/dev/udp/192.0.2.1/514'
  until "$TAPWARDEN" extract --bpf 'udp port 514' -e bob -q "$dumped" 2>/dev/null; do
    sleep 0.1
  done
  kill -INT "$HOLDER"
  wait "$HOLDER"
  # "Packets received/dropped on interface 'eno1': 19/83 (...)"
  lost=$(sed -n "s,^Packets received/dropped on interface 'eno1': [0-9]*/\([0-9]*\) .*,\1,p" "$DIR/dumpcap.err")
  [ "$lost" -gt 0 ]
  run -2 --separate-stderr "$TAPWARDEN" extract --json --bpf 'udp port 514' -e 'user=\w+' "$dumped"
  [ "$(jq -r 'select(.event_type == "alert") | .tapwarden.match.text' <<<"$output")" = "user=ann
user=bob" ]
  [ "$(jq -c 'select(.event_type == "gap") | [.in_iface, .gap.lost, .gap.unit, .gap.reason]' <<<"$output")" = \
    "[\"eno1\",$lost,\"frames\",\"capture-lost\"]" ]
  # When the last frames came.
  jq -se '.[-1].timestamp >= .[-2].timestamp' <<<"$output"
  [[ "$stderr" == *"dumped.pcapng: $lost frames were lost before they could be captured"* ]]
}

@test "what cannot be listened at" {
  run -2 inside "$TAPWARDEN" extract --live nowhere -e x
  [[ "$output" == *"cannot listen at nowhere: No such device"* ]]
  run -2 inside "$TAPWARDEN" extract --live eno1 -e x file
  [[ "$output" == *"--live IFACE and files exclude each other"* ]]
  run -2 inside "$TAPWARDEN" extract --live eno1 -e x --bpf 'prot 1'
}
