#!/usr/bin/env bats
# monitor = inline: a guest whose frames pass the capture worker, by both kinds of socket, and what
# patterns keep from passing. The guest is a namespace with a web server in it.

bats_require_minimum_version 1.5.0

load inline.bash

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

relay_of() {
  status_get ".links[0].relay.$1"
}

@test "the status and the metrics tell what was dropped, by rule and by reason, and how long frames took" {
  start
  attach stream
  passes_and_blocks
  wait_for 10 status_of '.links[0].relay | .attached and .to_guest.dropped.verdict > 0 and .from_guest.dropped.verdict == 0
    and .to_guest.latency.p50_ns > 0 and .to_guest.latency.p99_ns >= .to_guest.latency.p50_ns'
  wait_for 10 status_of '.patterns[0] | .matches > 0 and .dropped > 0'
  run tapwarden status
  [[ "$output" == *"INLINE"*"web01   attached"* ]]
  in_host curl -sS --unix-socket "$DIR/run/api.sock" http://localhost/metrics >"$DIR/metrics"
  grep -q '^tapwarden_relay_dropped_packets_total{set="web",link="web01",direction="to_guest",reason="verdict"} [1-9]' "$DIR/metrics"
  grep -q '^tapwarden_relay_latency_seconds{set="web",link="web01",direction="from_guest",quantile="0.99"} 0*[.e1-9]' "$DIR/metrics"
  grep -q '^tapwarden_condemned_evicted_total 0$' "$DIR/metrics"
  grep -q '^tapwarden_rule_dropped_total{rule="forbidden"} [1-9]' "$DIR/metrics"
  records 'select(.alert.signature? == "forbidden") | .alert.action' | grep -q blocked
}

@test "a reset ends the connection at both ends" {
  sed -i 's/^action = .*/action = reset/' "$INI"
  start
  attach stream
  ask allowed=1
  # At once, and not after a time that curl waits.
  run in_peer curl -sS --max-time 20 -o /dev/null "http://192.0.2.10/index.html?forbidden-1"
  [[ "$output" == *"reset by peer"* ]]
  [ "$(relay_of injected)" -ge 2 ]
  ask allowed=2
}

@test "a dropped frame is kept with the verdict" {
  printf '\n[record]\npcap = matches\nbefore = 8\n' >>"$INI"
  start
  attach stream
  passes_and_blocks
  wait_for 10 test -s "$DIR/log/frames.pcapng"
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  # In the words of tc-bpf(8): 2 is TC_ACT_SHOT, 0 TC_ACT_OK.
  run -0 --separate-stderr tshark -r "$DIR/log/frames.pcapng" -Y 'http.request.uri contains "forbidden-1"' \
    -T fields -e frame.verdict.ebpf_tc
  [ "$(sort -u <<<"$output")" = 2 ]
  tshark -r "$DIR/log/frames.pcapng" -Y tcp.flags.syn==1 -T fields -e frame.verdict.ebpf_tc 2>/dev/null | grep -qx 0
}

@test "a peer that sends bad lengths, or goes in the middle of a frame, is let go and called again" {
  start
  # The first connection is read to its end, which the relay makes; the second is closed here.
  hostile 'if ($n == 1) { syswrite($c, "\xff\xff\xff\xff" . "x" x 1000); 1 while sysread($c, my $b, 1000) }
    elsif ($n == 2) { syswrite($c, pack("N", 1000) . "x" x 10) } else { sleep 1000 }'
  wait_for 20 hostile_peers 3
  [ "$(relay_of protocol)" -ge 1 ]
  status_of '.links[0].relay.attached'
}

@test "runts are dropped and counted, and a frame longer than any device takes does no harm" {
  start
  hostile 'syswrite($c, pack("N", 0) . pack("N", 13) . "x" x 13 . pack("N", 69000) . "y" x 69000); sleep 1000'
  wait_for 20 status_of '.links[0].relay.from_guest.dropped.length == 2'
  status_of '.links[0].relay.attached and ([.workers[].restarts] | all(. == 0))'
}

# The tap has no header of its own (TUNSETIFF without IFF_VNET_HDR): what looks like one is a part of a frame.
@test "a guest cannot have its frames cut or completed by flags of offload" {
  local to from
  start
  to=$(ip -n "$PEER" -j link show eno1 | jq -r '.[0].address | gsub(":"; "")') from=$(mac_of web01 | tr -d :)
  spawn tcpdump ip netns exec "$PEER" tcpdump -U -i eno1 -w "$DIR/wire.pcap" "ether src $(mac_of web01)"
  wait_for 10 grep -q 'listening on' "$DIR/tcpdump.err"
  hostile '
    sub frame {
      my ($text) = @_;
      my $udp = pack("nnnn", 1024, 9, 8 + length $text, 0) . $text;
      my @ip = (0x45, 0, 20 + length $udp, 1, 0, 64, 17, 0, 0xc000020a, 0xc0000202);
      my $sum = unpack("%32n*", pack("CCnnnCCnNN", @ip));
      $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
      $ip[7] = ~$sum & 0xffff;
      pack("H12 H12 n", "'"$to"'", "'"$from"'", 0x800) . pack("CCnnnCCnNN", @ip) . $udp;
    }
    my $bad = frame("forbidden-1");
    my @frames = ($bad, frame("x" x 1465 . "forbidden-2"), frame("x" x 40000 . "forbidden-3"));
    # struct virtio_net_hdr of linux/virtio_net.h: flags, GSO type, lengths, size, and where the sum is.
    for my $type (0, 1, 3, 4, 5, 0x81, 0xff) {
      for my $size (0, 1, 8, 536, 1448, 65535) {
        for my $head (pack("CCvvvv", 1, $type, 42, $size, 34, 6), pack("CCvvvvv", 0, $type, 14, $size, 34, 6, 1)) {
          push @frames, $head . $bad, substr($bad, 0, 14) . $head . substr($bad, 14);
        }
      }
    }
    syswrite($c, pack("N/a*", $_)) for @frames, frame("the last");
    sleep 1000'
  wait_for 20 has_bytes 'the last' "$DIR/wire.pcap"
  run ! grep -q forbidden- "$DIR/wire.pcap"
  tcpdump -r "$DIR/wire.pcap" -w "$DIR/long.pcap" 'greater 1515' 2>/dev/null
  [ "$(tcpdump -r "$DIR/long.pcap" 2>/dev/null | wc -l)" -eq 0 ]
  status_of '.links[0].relay | .attached and .from_guest.dropped.verdict == 87'
}

@test "what a peer does not read is dropped and counted, and nothing grows" {
  start
  hostile 'sleep 1000'
  wait_for 20 hostile_peers 1
  ip -n "$PEER" neigh replace 192.0.2.10 dev eno1 lladdr "$(mac_of web01)"
  datagrams 20 # until it is attached
  in_peer bash -c 'printf -v big "%01400d" 0; for ((i = 0; i < 4000; i++)); do echo "$big" >/dev/udp/192.0.2.10/9; done'
  wait_for 20 status_of '.links[0].relay.to_guest.dropped.full > 0'
  # 16 MiB are more than the relay's buffers, and not what came.
  [ "$(awk '/VmRSS/ { print $2 }' "/proc/$(worker_pid capture)/status")" -lt 65536 ]
}

@test "jumbo frames pass whole" {
  ip -n "$PEER" link set eno1 mtu 9000
  ip -n "$HOST" link set eno1 mtu 9000
  start
  attach stream
  ip -n "$GUEST" link set eth0 mtu 9000
  in_peer busybox ping -c 3 -W 5 -s 8900 192.0.2.10
}

@test "the lower going away is outlived" {
  start
  attach stream
  ip -n "$HOST" link set eno1 down
  ip -n "$HOST" link set eno1 up
  wait_for 20 guest_answers
  passes_and_blocks
}

@test "a lower that is deleted takes its inline link along, and gives it back when it returns" {
  start
  attach stream
  passes_and_blocks
  ip -n "$HOST" link del eno1
  wait_for 20 status_of '.links[0] | .state == "waiting" and .monitor == "off"
    and .detail == "the lower device eno1 does not exist: waiting for it"'
  grep -q 'web01.*eno1 does not exist' "$DIR/agent.err"
  [ "$(status_get '[.workers[].restarts] | add')" -eq 0 ]
  ip link add eno1 netns "$HOST" type veth peer name eno1 netns "$PEER"
  ip -n "$HOST" link set eno1 up
  ip -n "$PEER" addr add 192.0.2.2/24 dev eno1
  ip -n "$PEER" link set eno1 up
  wait_for 30 status_of '.links[0] | .monitor == "inline" and .relay.attached'
  wait_for 30 guest_answers
  blocked forbidden-2
  ask allowed=3
}

@test "an inline link stays one until its guest is gone" {
  start
  attach stream
  sed -i 's/^monitor = .*/monitor = passive/' "$INI"
  run in_host "$TAPWARDEN" plan -c "$INI"
  [[ "$output" == *"! web01: it stays inline until its guest is attached anew"* ]]
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.links[0].detail == "it stays inline until its guest is attached anew"'
  passes_and_blocks
  kill "$(pid_of socket_guest)"
  wait_for 20 status_of '.links[0].monitor == "passive" and .links[0].detail == ""'
  # And the other way: under a guest on the tap.
  spawn tap_guest ip netns exec "$HOST" "$ROOT/build/tests/net/tap_guest" web01 "$GUEST" eth1
  wait_for 10 grep -q '^ready' "$DIR/tap_guest.out"
  wait_for 20 status_of '.links[0].tap.holder.comm == "tap_guest"'
  run in_host "$TAPWARDEN" plan -c "$DIR/commands.ini"
  [[ "$output" == *"! web01: it becomes inline only when its guest is attached anew: tap_guest (pid $(pid_of tap_guest)) holds its tap now"* ]]
  sed -i 's/^monitor = .*/monitor = inline/' "$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.links[0].monitor == "off" and (.links[0].detail | test("holds its tap"))'
  kill "$(pid_of tap_guest)"
  wait_for 20 status_of '.links[0].monitor == "inline"'
}

# flood FRAMES [at-once]: seconds pass; what it says is in $output.
flood() {
  local frames=$1
  shift
  run ip netns exec "$HOST" "$ROOT/build/tests/net/inline_flood" "$DIR/run/guests/web01/qemu.sock" \
    "$PEER" eno1 "$(mac_of web01)" "$frames" "${SEED:-4711}" "$@"
  echo "$output"
  [ "$status" -eq 0 ]
}

# INLINE_FLOOD is the number of frames.
@test "a forbidden text does not arrive, however it is cut, repeated and overlapped" {
  sed -i 's/^scope = .*/scope = stream/' "$INI"
  start
  flood "${INLINE_FLOOD:-100000}"
}

# INLINE_FLOWS is the number of connections.
@test "a hundred thousand connections are followed at a time, and none gets its text to an end" {
  local n=${INLINE_FLOWS:-100000} kib
  sed -i 's/^scope = .*/scope = stream/' "$INI"
  # What a busy machine makes late is not what this is about.
  sed -i '/^monitor/a deadline-ms = 1000' "$INI"
  start
  kib=$(awk '/VmRSS/ { print $2 }' "/proc/$(worker_pid capture)/status")
  spawn tcpdump ip netns exec "$PEER" tcpdump -U -B 65536 -i eno1 -w "$DIR/wire.pcap" "ether src $(mac_of web01)"
  wait_for 10 grep -q 'listening on' "$DIR/tcpdump.err"
  hostile '
    my $n = '"$n"';
    '"$(perl_segments)"'
    sub say { my $all = shift; while (length $all) { substr($all, 0, syswrite($c, $all)) = "" } }
    say(frame($_, 99, 2, "") . frame($_, 100, 16, "forbid")) for 1 .. $n;
    say(frame($_, 106, 16, "den-7")) for 1 .. $n;
    say(frame($n + 1, 99, 2, "") . frame($n + 1, 100, 16, "the last"));
    print "said\n";
    sleep 1000'
  wait_for 300 grep -q said "$DIR/hostile.out"
  wait_for 20 status_of ".links[0].captured.from_guest.frames == $((3 * n + 2))"
  wait_for 60 has_bytes 'the last' "$DIR/wire.pcap"
  status_get '{condemned: .capture.condemned, streams: .capture.streams}' >&2
  echo "the worker: $kib KiB before, $(awk '/VmRSS/ { print $2 }' "/proc/$(worker_pid capture)/status") KiB after" >&2
  kill "$(pid_of tcpdump)"
  wait_for 20 is_gone "$(pid_of tcpdump)"
  cat "$DIR/tcpdump.err" >&2
  grep -q '^0 packets dropped by kernel' "$DIR/tcpdump.err"
  [ "$(grep -aoF forbid "$DIR/wire.pcap" | wc -l)" -eq "$n" ]
  run ! grep -qaF den-7 "$DIR/wire.pcap"
  # [stream] memory is 64 MiB.
  status_of '.capture.streams.memory <= 67108864'
  [ "$(awk '/VmRSS/ { print $2 }' "/proc/$(worker_pid capture)/status")" -lt $((kib + 65536 * 11 / 10)) ]
}

# heavy FAIL: patterns that take a worker a while, in which it is killed, three times.
heavy() {
  local i pid="" before=""
  sed -i "/^monitor/a fail = $1" "$INI"
  for ((i = 0; i < 800; i++)); do
    printf '\n[pattern heavy%d]\nregex = "(?:[a-z]{3}heavy-%d){900}"\n' "$i" "$i" >>"$INI"
  done
  agent_run
  for i in 1 2 3; do
    until pid=$(pgrep -P "$(pid_of agent)" -f capture-worker) && [ "$pid" != "$before" ]; do
      sleep 0.01
    done
    kill -KILL "$pid"
    before=$pid
  done
  wait_for 60 workers_ready
  grep -q 'patterns are left out' "$DIR/agent.err"
}

@test "when patterns cannot be loaded, frames pass where the link is to fail open" {
  heavy open
  attach stream
  # Nobody is there to forbid it.
  ask forbidden-1
}

@test "when patterns cannot be loaded, nothing passes where the link is to fail closed" {
  heavy closed
  plug_in stream
  run ! guest_answers
  wait_for 20 status_of '.links[0].relay | .attached and .to_guest.dropped.verdict > 0'
}

relay_drops() {
  [ "$(relay_of "from_guest.dropped.$1")" -eq "$2" ]
}

@test "a filter and anti-spoof come before patterns: what they drop is no hit of a rule" {
  sed -i '/^monitor/a filter-from-guest = not udp dst port 9' "$INI"
  start
  attach stream
  in_guest bash -c 'echo forbidden-1 >/dev/udp/192.0.2.2/9'
  wait_for 20 relay_drops filter 1
  # The same filter lets the same frame pass elsewhere, and there the rule has it.
  in_guest bash -c 'echo forbidden-2 >/dev/udp/192.0.2.2/10'
  wait_for 20 relay_drops verdict 1
  wait_for 10 status_of '.patterns[0] | .matches == 1 and .dropped == 1'
  status_of '.links[0].filtered | .frames == 1 and .direction == "from_guest"'
  # From another's MAC address, as anti-spoof does not have it.
  ip -n "$GUEST" neigh replace 192.0.2.2 dev eth0 lladdr "$(ip -n "$PEER" -j link show eno1 | jq -r '.[0].address')"
  ip -n "$GUEST" link set eth0 address 52:54:00:00:00:77
  in_guest bash -c 'echo forbidden-3 >/dev/udp/192.0.2.2/10'
  wait_for 20 status_of '.links[0].relay.from_guest.dropped.filter >= 2'
  status_of '.patterns[0].matches == 1'
  ip -n "$GUEST" link set eth0 address "$(mac_of web01)"
  # A reload brings its own.
  sed -i 's/^filter-from-guest = .*/filter-from-guest = not udp dst port 10/' "$INI"
  reload_and_wait 2
  wait_for 20 guest_answers
  in_guest bash -c 'echo forbidden-4 >/dev/udp/192.0.2.2/10; echo forbidden-5 >/dev/udp/192.0.2.2/9'
  wait_for 20 relay_drops verdict 2
  [ "$(records 'select(.alert.signature? == "forbidden") | .tapwarden.match.text' | xargs)" = "forbidden-2 forbidden-5" ]
}

# ask_for_lease: the guest gives its address up and gets it from the peer.
ask_for_lease() {
  ip -n "$GUEST" addr flush dev eth0
  printf '#!/bin/sh\n[ "$1" != bound ] || ip addr add "$ip/24" dev "$interface"\n' >"$DIR/script"
  chmod +x "$DIR/script"
  spawn dnsmasq ip netns exec "$PEER" dnsmasq --conf-file=/dev/null --keep-in-foreground --port=0 --user=root \
    --pid-file="$DIR/dnsmasq.run" --dhcp-leasefile="$DIR/leases" --interface=eno1 --no-ping \
    --dhcp-authoritative --dhcp-range=192.0.2.50,192.0.2.50,3600 --log-facility=-
  wait_for 10 grep -q 'DHCP, IP range' "$DIR/dnsmasq.err"
  spawn udhcpc ip netns exec "$GUEST" busybox udhcpc -f -i eth0 -s "$DIR/script"
}

@test "a lease opens the relay's filter, too" {
  sed -i '/^monitor/a anti-spoof = mac+ip\nlearn = dhcp' "$INI"
  start
  plug_in stream
  ip -n "$GUEST" addr flush dev eth0
  # From its own address before it was given one.
  ip -n "$GUEST" addr add 192.0.2.50/24 dev eth0
  in_guest bash -c 'echo x >/dev/udp/192.0.2.2/9'
  wait_for 20 status_of '.links[0].relay.from_guest.dropped.filter > 0'
  ask_for_lease
  wait_for 30 in_peer busybox ping -q -c 1 -W 1 192.0.2.50
}

@test "a filter that its relay could not be given is told until it could" {
  local pid
  sed -i '/^monitor/a anti-spoof = mac+ip\nlearn = dhcp' "$INI"
  start
  plug_in stream
  # Without memory for the program that a lease brings.
  pid=$(pid_of agent)
  spawn tracer strace -qq -o /dev/null -e trace=memfd_create -e inject=memfd_create:error=ENOMEM -p "$pid"
  wait_for 10 grep -q '^TracerPid:.[1-9]' "/proc/$pid/status"
  ask_for_lease
  wait_for 30 has_record '.link.action == "changed" and (.link.detail | contains("filter from guest"))'
  kill "$(pid_of tracer)"
  wait_for 10 is_gone "$(pid_of tracer)"
  status_of '.links[0].detail == "cannot give the filter of web01 to its relay: Cannot allocate memory"'
  # The next pass.
  ip -n "$HOST" link set web01 txqueuelen 321
  wait_for 30 in_peer busybox ping -q -c 1 -W 1 192.0.2.50
  wait_for 10 status_of '.links[0].detail == ""'
}

# What its author did not expect: no step is counted twice, and each looks at all bytes to come.
SLOW='slow(?:[a-z](?![a-z]*+[0-9]))*(?:[a-z](?![a-z]*+[0-9]))*[0-9]'

# slow ON-ERROR: the pattern, which match-limit does not stop in time; how long it takes is in $whole.
slow() {
  local begun
  printf '\n[pattern slow]\nregex = "%s"\nmatch-limit = 10000000\naction = drop\non-error = %s\n' "$SLOW" "$1" >>"$INI"
  head -c 1300 /dev/zero | tr '\0' a | sed 's/^/slow/' >"$DIR/slow.txt"
  begun=$(date +%s%N)
  "$TAPWARDEN" extract -c "$INI" --pattern slow "$DIR/slow.txt" || [ $? -eq 1 ]
  whole=$(($(date +%s%N) - begun))
}

say_slow() {
  in_peer bash -c "cat '$DIR/slow.txt' >/dev/udp/192.0.2.10/9"
}

@test "a search that takes longer than the deadline is left, and on-error says what becomes of the frame" {
  local before whole
  slow drop
  start
  attach stream
  before=$(unheard "$GUEST")
  say_slow
  wait_for 30 status_of '.links[0].relay | .late == 1 and .failed == 1 and .to_guest.dropped.verdict == 1'
  wait_for 10 status_of '.patterns[] | select(.name == "slow") | .limited == 1 and .matches == 0'
  [ "$(unheard "$GUEST")" -eq "$before" ]
  sed -i 's/^on-error = .*/on-error = pass/' "$INI"
  reload_and_wait 2
  before=$(unheard "$GUEST")
  say_slow
  wait_for 30 heard_all "$before" 1
  # The guest answers that nobody listens, and quotes it.
  wait_for 10 status_of '.links[0].relay | .late >= 2 and .failed == .late and .to_guest.dropped.verdict == 1'
  ask allowed=1
  # As long as the longest frame was in the relay, that was a part of the whole.
  [ "$(relay_of to_guest.latency.p99_ns)" -lt $((whole / 4)) ]
  [ "$(status_get '[.workers[].restarts] | add')" -eq 0 ]
}

@test "a guest whose frames all take until the deadline does not keep the worker from answering" {
  local pid whole n=130
  slow pass
  # Each frame is late, and none is quarantined; in one turn they would take longer than the agent waits.
  printf 'quarantine-after = 0\n' >>"$INI"
  sed -i '/^monitor/a deadline-ms = 100' "$INI"
  start
  spawn tcpdump ip netns exec "$PEER" tcpdump -U -i eno1 -w "$DIR/wire.pcap" "ether src $(mac_of web01)"
  wait_for 10 grep -q 'listening on' "$DIR/tcpdump.err"
  pid=$(worker_pid capture)
  hostile "$(perl_segments)"'
    open(my $f, "<", "'"$DIR"'/slow.txt") or die;
    chomp(my $slow = <$f>);
    my @frames = map { my $n = $_; (frame($n, 100, 16, "number=$n;$slow"), $n % 10 ? () : frame($n, 200, 16, "forbidden-$n")) } 1 .. '$n';
    syswrite($c, join("", @frames, frame(1, 300, 16, "the last")));
    sleep 1000'
  wait_for 120 has_bytes 'the last' "$DIR/wire.pcap"
  diff <(seq -f 'number=%g' "$n") <(grep -aoE 'number=[0-9]+' "$DIR/wire.pcap")
  run ! has_bytes forbidden- "$DIR/wire.pcap"
  [ "$(worker_pid capture)" = "$pid" ]
  [ "$(status_get '[.workers[].restarts] | add')" -eq 0 ]
  status_get ".links[0].relay | {late, failed, dropped: .from_guest.dropped}" >&2
  wait_for 10 status_of ".links[0].relay | .late > 0 and .late == .failed and .from_guest.dropped.verdict == $((n / 10))"
}

@test "the tap of an inline link is nobody else's, and who opens it all the same is told of" {
  local node
  sed -i '/^monitor/a owner = nobody:nogroup' "$INI"
  start
  attach stream
  node=/dev/tap$(ifindex_of web01)
  # Another namespace may have a link of the same number: then there is no node of ours at all.
  if [ "$(stat -c %Hr:%Lr "$node" 2>/dev/null)" = "$(in_host sh -c 'cat /sys/class/net/web01/tap*/dev')" ]; then
    [ "$(stat -c %U:%a "$node")" = root:600 ]
  fi
  [ "$(stat -c %U "$DIR/run/guests/web01")" = nobody ]
  spawn thief ip netns exec "$HOST" "$ROOT/build/tests/net/tap_guest" web01 "$GUEST" eth1
  wait_for 10 grep -q '^ready' "$DIR/thief.out"
  wait_for 20 status_of '.links[0].detail | test("has its tap open, too")'
  wait_for 20 has_record '.link.action == "tap-shared"'
  status_of '.links[0].relay.attached'
  kill "$(pid_of thief)"
  wait_for 20 status_of '.links[0].detail == ""'
  wait_for 20 has_record '.link.action == "tap-alone"'
  wait_for 20 guest_answers
}
