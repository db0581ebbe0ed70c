#!/usr/bin/env bats
# extract on captures. The captures are made by text2pcap; tshark, capinfos and tcpdump are the judges
# of what is found in them and of what is written.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}
export LC_ALL=C

load capture.bash

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
}

extract() {
  "$TAPWARDEN" extract "$@"
}

# quiet COMMAND...: tshark and its kin complain of root.
quiet() {
  "$@" 2>/dev/null
}

# packets FILE [FILTER]: times and bytes.
packets() {
  quiet tcpdump -n --nano -tt -xx -r "$@"
}

# A conversation of two ends with a request that three segments carry, a datagram, and a frame that
# is no IP packet.
conversation() {
  capture "$@" <<'EOF'
tcp 192.0.2.1:40000 > 192.0.2.2:80 100 S
tcp 192.0.2.2:80 > 192.0.2.1:40000 900 SA
tcp 192.0.2.1:40000 > 192.0.2.2:80 101 PA GET /spl
tcp 192.0.2.1:40000 > 192.0.2.2:80 109 PA it-47
udp 192.0.2.1:1000 > 192.0.2.2:514 <13>user=ann user=bob\n
tcp 192.0.2.1:40000 > 192.0.2.2:80 114 PA 11-end HTTP/1.0\r\n\r\n
raw ffffffffffff0200000000010806000108000604000102000000000100000000000000000000c0000202
tcp 192.0.2.2:80 > 192.0.2.1:40000 901 PA HTTP/1.0 200 OK\r\nServer: a\r\n\r\nuser=eve
EOF
}

@test "matches of payloads, with packet numbers and offsets, in pcap and pcapng alike" {
  local format
  for format in pcap nsecpcap modpcap pcapng; do
    conversation "$format" -F "$format"
    run -0 extract -e 'user=(\w+)' -g 1 -n -b -H "$format"
    [ "$output" = "$format:5:4:ann
$format:5:13:bob
$format:8:30:eve" ]
    run -0 extract -e 'user=(\w+)' -g 1 -n -b <"$format"
    [ "${lines[2]}" = 8:30:eve ]
    [ "$(extract --count -e 'user=' "$format" - < <(cat "$format"))" = "$format:3
(standard input):3" ]
  done
  # The same packets as a dissector finds them in.
  [ "$(extract -e 'user=' -n pcapng | cut -d: -f1 | uniq)" = \
    "$(quiet tshark -r pcapng -Y 'frame matches "user="' -T fields -e frame.number)" ]
  run -1 extract -e nowhere pcap
  run -0 extract -q -e user= pcap
  [ -z "$output" ]
}

@test "records are those of the agent" {
  conversation file -n
  extract --json -g path,2 -e '(?<path>/\S+)(x)?' --scope stream file >records
  # Of the first record: a field, and what it is.
  while IFS='|' read -r field expected; do
    [ "$(head -n 1 records | jq -c ".$field")" = "$expected" ] || {
      echo "$field: $(head -n 1 records)"
      return 1
    }
  done <<'EOF'
timestamp|"2023-11-14T22:13:20.005000000Z"
event_type|"alert"
pcap_filename|"file"
pcap_cnt|6
src_ip|"192.0.2.1"
src_port|40000
dest_ip|"192.0.2.2"
dest_port|80
proto|"TCP"
ether|{"src_mac":"02:00:00:00:00:01","dest_mac":"02:00:00:00:00:02","ether_type":2048}
alert.signature|"1"
tapwarden.seq|0
tapwarden.scope|"stream"
tapwarden.offset|4
tapwarden.length|15
tapwarden.match|{"text":"/split-4711-end"}
tapwarden.groups|{"path":{"text":"/split-4711-end","offset":4},"2":null}
tapwarden.frames|[{"n":3,"offset":4,"length":4},{"n":4,"offset":8,"length":5},{"n":6,"offset":13,"length":6}]
tapwarden.gap|false
tapwarden.trunc|false
EOF
  # Both directions of a flow have one id, and nobody knows which end is a guest.
  [ "$(jq -s '[.[].flow_id] | unique | length' records)" -eq 1 ]
  jq -se 'map(.tapwarden | has("flow_dir")) | any | not' records
}

@test "a text that segments cut anywhere is one match, at the same place" {
  local text='GET /needle-42 HTTP/1.0' i j
  # A flow for each place; the last of the three comes first, and the first one twice.
  for ((i = 1; i < ${#text}; i++)); do
    j=$(((i + ${#text}) / 2))
    cat <<EOF
tcp 10.0.0.1:$((40000 + i)) > 10.0.0.2:80 100 S
tcp 10.0.0.1:$((40000 + i)) > 10.0.0.2:80 $((101 + j)) PA ${text:j}
tcp 10.0.0.1:$((40000 + i)) > 10.0.0.2:80 101 PA ${text:0:i}
tcp 10.0.0.1:$((40000 + i)) > 10.0.0.2:80 101 PA ${text:0:i}
tcp 10.0.0.1:$((40000 + i)) > 10.0.0.2:80 $((101 + i)) PA ${text:i}
EOF
  done | capture cut.pcap -F pcap
  run -0 extract --scope stream --json -e 'needle-\d+' cut.pcap
  [ "$(jq -r '[.src_port, .tapwarden.offset, .tapwarden.match.text] | join(" ")' <<<"$output" |
    sort -n)" = "$(for ((i = 1; i < ${#text}; i++)); do echo "$((40000 + i)) 5 needle-42"; done)" ]
  # Packets by themselves: where the cut is not inside it, once more where it was sent twice, and in
  # the part that came early.
  [ "$(extract -n -e 'needle-42' cut.pcap | cut -d: -f1 | sort -n)" = \
    "$(quiet tshark -o tcp.desegment_tcp_streams:false -r cut.pcap -Y 'tcp.payload matches "needle-42"' -T fields -e frame.number)" ]
}

# Of a configuration, as the agent has them; those of the command line are of lines.
@test "ranges of bytes, however segments cut them: perl finds the same" {
  local text='no <<one>> no <<two two>> <<>> <<three' cut include
  printf '[agent]\nrun-dir = /nonexistent\n' >ini
  for include in both none; do
    printf '[pattern %s]\nregex = "[a-z<>]+"\nbegin = "<<"\nend = ">>"\ninclude = %s\nscope = stream\n' \
      "$include" "$include"
  done >>ini
  printf '[pattern lines]\nregex = .\nbegin = a\nend = b\nnest = count\n' >>ini
  for cut in 1 2 7 99; do
    perl -e 'my ($text, $cut) = @ARGV;
      for (my $at = 0; $at < length $text; $at += $cut) {
        printf "tcp 192.0.2.1:40000 > 192.0.2.2:80 %d PA %s\n", 101 + $at, substr $text, $at, $cut }' \
      -- "$text" "$cut" | capture "cut-$cut"
    [ "$(extract -c ini --pattern none -b "cut-$cut")" = "$(perl -e '$_ = shift;
      while (/<<(.*?)(?:>>|$)/g) { my ($at, $in) = ($-[1], $1);
        print $at + $-[0], ":$&\n" while $in =~ /[a-z<>]+/g }' -- "$text")" ]
    [ "$(extract -c ini --pattern both -b "cut-$cut")" = "$(perl -e '$_ = shift;
      while (/<<.*?(?:>>|$)/g) { my ($at, $in) = ($-[0], $&);
        print $at + $-[0], ":$&\n" while $in =~ /[a-z<>]+/g }' -- "$text")" ]
  done
  run -2 extract -c ini --pattern lines cut-1
  [[ "$output" == *"[pattern lines] has end-test, nest, outside or max-lines"* ]]
  run -2 extract --begin '<<' --end '>>' cut-1
  [[ "$output" == *"are of lines, and a capture has none"* ]]
}

@test "nothing is found across a hole, which is told" {
  capture gap.pcap -F pcap <<'EOF'
tcp 10.0.0.1:40000 > 10.0.0.2:80 100 S
tcp 10.0.0.1:40000 > 10.0.0.2:80 101 PA one nee
tcp 10.0.0.1:40000 > 10.0.0.2:80 118 PA dle two
EOF
  run -2 extract --scope stream -e 'nee.*dle' gap.pcap
  [[ "$output" == *"gap.pcap: 1 gap in streams and fragments, of 10 bytes"* ]]
  run -2 --separate-stderr extract --scope stream -e two --json gap.pcap
  [ "$(jq -c 'select(.event_type == "gap") | [.gap.lost, .gap.unit, .gap.reason, .src_ip,
    .tapwarden.offset]' <<<"$output")" = '[10,"bytes","stream-gap","10.0.0.1",7]' ]
  [ "$(jq -c 'select(.event_type == "alert") | .tapwarden.gap' <<<"$output")" = true ]
}

# A needle of which begin.pcap has the first half and end.pcap the other; other.pcap has a datagram.
cut_needle() {
  capture begin.pcap -F pcap <<'EOF'
tcp 10.0.0.1:40000 > 10.0.0.2:80 100 S
tcp 10.0.0.1:40000 > 10.0.0.2:80 101 PA one nee
EOF
  capture end.pcap -F pcap <<<'tcp 10.0.0.1:40000 > 10.0.0.2:80 108 PA dle two'
  capture other.pcap -F pcap <<<'udp 10.0.0.1:9 > 10.0.0.2:9 other'
}

@test "a frame of another time does not end the streams around it" {
  cut_needle
  for years in -20 20; do
    quiet editcap -F pcap -t "$((years * 31557600))" other.pcap late.pcap
    quiet mergecap -a -F pcap -w all.pcap begin.pcap late.pcap end.pcap
    run -0 --separate-stderr extract --scope stream -e 'needle' all.pcap
    [ "$output" = needle ]
    [ -z "$stderr" ]
  done
}

@test "a connection that pauses for days is one" {
  cut_needle
  for hours in 100 119; do
    quiet editcap -F pcap -t "$((hours * 3600))" other.pcap later.pcap
    quiet editcap -F pcap -t "$((hours * 3600 + 9))" end.pcap last.pcap
    quiet mergecap -F pcap -w all.pcap begin.pcap later.pcap last.pcap
    run -0 --separate-stderr extract --scope stream -e 'needle' all.pcap
    [ "$output" = needle ]
  done
}

# statistics NUMBER CODE HEX: a block of them, with an option, as if behind a capture.
statistics() {
  perl -e 'my ($number, $code, $value) = ($ARGV[0], $ARGV[1], pack "H*", $ARGV[2]);
    print pack "VVVVVvva*V", 5, 28 + length($value), $number, 0, 0, $code, length($value), $value, 28 + length($value)' \
    "$1" "$2" "$3"
}

@test "what a foreign file states as lost is told however much it is, or the file is damaged" {
  conversation some -F pcapng
  # Twice isb_ifdrop of all that 64 bits hold: of the file's section, and of it once more.
  { cat some && statistics 0 5 ffffffffffffffff && cat some &&
    statistics 0 5 ffffffffffffffff; } >much
  run -2 extract -e user=eve much
  [[ "$output" == *" 18446744073709551615 frames were lost before"* ]]
  run -2 --separate-stderr extract --json -e user=eve much
  # jq would round what a double does not hold.
  [ "$(grep -o '"gap":{"lost":[0-9]*' <<<"$output" | uniq)" = '"gap":{"lost":9007199254740991' ]
  { cat some && statistics 7 5 0900000000000000; } >nobody
  run -2 extract -e user=eve nobody
  [[ "$output" == *"statistics of an interface that the file does not describe"*"what came before was searched"* ]]
  { cat some && statistics 0 7 09090909; } >short
  run -2 extract -e user=eve short
  [[ "$output" == *"a count of drops that is not of 8 bytes"* ]]
}

@test "a datagram in fragments is searched as one" {
  # Offsets are in 8 bytes: the second fragment comes first.
  perl -e 'my $udp = pack("nnnn", 9, 9, 8 + 24, 0) . "before needle-77 behind.";
    for ([16, 0, substr $udp, 16], [0, 1, substr $udp, 0, 16]) {
      my ($at, $more, $part) = @$_;
      print "raw 0200000000020200000000010800", unpack("H*", pack("CCnnnCCna4a4", 0x45, 0,
        20 + length $part, 7, $more << 13 | $at / 8, 64, 17, 0, "\n\0\0\1", "\n\0\0\2") . $part), "\n" }' |
    capture fragments.pcap -F pcap
  run -0 extract -n -b -e 'needle-\d+' fragments.pcap
  [ "$output" = 2:7:needle-77 ]
  [ "$(extract --json -e 'needle-\d+' fragments.pcap | jq -c .tapwarden.frames)" = \
    '[{"n":2,"offset":7,"length":1},{"n":1,"offset":8,"length":8}]' ]
  quiet tshark -r fragments.pcap -Y 'udp contains "needle-77"' | grep -q .
  # Without its beginning it is not searched, and said to be so; of a frame that is there twice the
  # rest is no loss.
  quiet editcap -F pcap -r fragments.pcap rest 1
  run -2 --separate-stderr extract -e 'needle-\d+' rest
  [ "$stderr" = "tapwarden: rest: 1 packet in fragments lacks its beginning: it was not searched" ]
  quiet mergecap -a -F pcap -w twice fragments.pcap rest
  run -0 --separate-stderr extract -e 'needle-\d+' twice
  [ -z "$stderr" ]
  # All of its frames, also those that came before the first of its bytes.
  run -0 extract -q -e 'needle-\d+' -w out fragments.pcap
  [ "$(packets out)" = "$(packets fragments.pcap)" ]
  # Options for the destination are in the first one alone: the others do not say that it is UDP.
  perl -e 'my $all = pack("CCnN", 17, 0, 0x0104, 0) . pack("nnnn", 9, 9, 8 + 24, 0) . "before needle-77 behind.";
    for ([0, 1, substr $all, 0, 24], [24, 1, substr $all, 24, 8], [32, 0, substr $all, 32]) {
      my ($at, $more, $part) = @$_;
      print "raw 02000000000202000000000186dd", unpack("H*", pack("NnCCa16a16CCnN", 0x60000000, 8 + length $part, 44, 64,
        "\x20\1" . "\0" x 13 . "\1", "\x20\1" . "\0" x 13 . "\2", 60, 0, $at | $more, 7) . $part), "\n" }' |
    capture options.pcap -F pcap
  run -0 extract -q -e 'needle-\d+' -w out options.pcap
  [ "$(packets out)" = "$(packets options.pcap -c 2)" ]
  capture segments.pcap -F pcap <<'EOF'
tcp 10.0.0.1:40000 > 10.0.0.2:80 100 S
tcp 10.0.0.1:40000 > 10.0.0.2:80 108 PA dle
tcp 10.0.0.1:40000 > 10.0.0.2:80 104 PA -nee
tcp 10.0.0.1:40000 > 10.0.0.2:80 101 PA one
EOF
  run -0 extract --scope stream -q -e 'one-needle' -w out segments.pcap
  [ "$(packets out | grep -c '^1700')" -eq 3 ]
}

@test "--bpf: the frames that tcpdump takes" {
  local filter
  conversation file -F pcap
  for filter in 'tcp' 'udp port 514' 'src host 192.0.2.2 and tcp[13] & 2 != 0' 'arp' 'not ip' 'greater 80' \
    'ip[ip[0] & 0xf:1] != 0' 'ether src 02-00-00-00-00-01' 'llc'; do
    run extract --bpf "$filter" -w out file
    [ "$(packets out)" = "$(packets file "$filter")" ]
  done
  run -0 extract --bpf 'udp' -e 'user=\w+' file
  [ "$output" = $'user=ann\nuser=bob' ]
  run -1 extract --bpf 'tcp port 81' -e 'user=\w+' file
  # Only the kernel knows, of a frame that it captures.
  run -2 --separate-stderr extract --bpf 'not inbound' -e user= file
  [ "$stderr" = "tapwarden: file: 8 frames are of a link type that --bpf cannot be tried on: they were not searched" ]
  run ! quiet tcpdump -r file 'not inbound'
  run -2 extract --bpf 'tcp prot 81' -e x file
  [[ "$output" == *'--bpf: "prot" is not a word of pcap-filter(7)'*'did you mean'* ]]
}

@test "links of other kinds than Ethernet are decoded, and --bpf takes of them what tcpdump takes" {
  local ip=4500002400010000401100000a0000010a000002 udp=0009000900100000757365723d616e6e
  local ip6=6000000000101140 addresses=20010db800000000000000000000000120010db8000000000000000000000002
  local name type before4 before6 filter
  # By the number that the file has; IPv6 is 10, 24, 28 or 30 as a family.
  while read -r name type before4 before6; do
    capture plain -F pcap -l "$type" <<EOF
raw ${before4//-/}$ip$udp
raw ${before6//-/}$ip6$addresses$udp
EOF
    # The other byte order: that of whoever wrote the file is also that of a family.
    if [ "$name" = swapped ]; then
      perl -0777 -pi -e 'my ($head, $rest) = unpack "a24 a*"; my $out = pack "NnnNNNN", unpack "VvvVVVV", $head;
        while (length $rest) { my @packet = unpack "V4", $rest; $out .= pack("N4", @packet) . substr $rest, 16, $packet[2];
          $rest = substr $rest, 16 + $packet[2] } $_ = $out' plain
    fi
    for filter in ip ip6 udp 'host 10.0.0.1' 'dst host 2001:db8::2' 'not udp port 9' 'link[0] = 0'; do
      run extract --bpf "$filter" -w out plain
      quiet tcpdump -r plain -w expect "$filter"
      [ "$(quiet capinfos -M -T -r -c out)" = "$(quiet capinfos -M -T -r -c expect | sed 's/^expect/out/')" ] || {
        echo "$name: $filter"
        return 1
      }
    done
    run -0 extract -n -e 'user=\w+' plain
    [ "$output" = $'1:user=ann\n2:user=ann' ]
  done <<'EOF'
raw 101 - -
raw-as-DLT 12 - -
null 0 02000000 1e000000
null-of-Linux 0 02000000 18000000
swapped 0 00000002 0000001e
loop 108 00000002 00000018
sll 113 00000001000602000000000100000800 000000010006020000000001000086dd
sll2 276 0800000000000002000100060200000000010000 86dd000000000002000100060200000000010000
EOF
}

@test "-w: the frames that match, each with the rule and the bytes" {
  conversation file -n
  run -0 extract --scope stream -e '/split-\d+-end' -e 'user=\w+' -q -w out.pcapng file
  quiet tshark -r out.pcapng -T fields -e frame.number -e frame.time_epoch -e frame.len -e frame.comment >got
  diff got - <<'EOF'
1	1700000000.004000000	64	rule 2: payload bytes 4-12,rule 2: payload bytes 13-21
2	1700000000.002000000	62	rule 1: stream bytes 4-8
3	1700000000.003000000	59	rule 1: stream bytes 8-13
4	1700000000.005000000	73	rule 1: stream bytes 13-19
5	1700000000.007000000	92	rule 2: stream bytes 30-38
EOF
  run -0 quiet capinfos -M -c out.pcapng
  [[ "$output" == *"Number of packets:   5"* ]]
  # What is read is not written over.
  run -2 extract -e x -w file file
  [[ "$output" == *"cannot write file: it is read too"* ]]
  cmp <(extract -e 'user=' -b -n file) <(conversation again -n && extract -e 'user=' -b -n again)
  run -2 extract -e user= -w /dev/full file
  [[ "$output" == *"cannot write /dev/full: No space left on device"* ]]
  # Nor is it what is printed that goes there when nobody takes that.
  run -2 bash -c "'$TAPWARDEN' extract -e user= -w closed.pcapng file >&-"
  [ "$output" = "tapwarden: cannot write the output: Bad file descriptor" ]
  quiet capinfos -M -c closed.pcapng
}

@test "-w: matches that a frame has no room for are told; they are found all the same" {
  capture file <<<'udp 192.0.2.2:9 > 192.0.2.1:9 aaaaaaaaaaaaaaaaaaaaab'
  run -0 --separate-stderr extract --count -e a -w out.pcapng file
  [ "$output" = 21 ]
  [ "$stderr" = 'tapwarden: file: of 5 matches not all comments and frames are written: too many came with one frame' ]
  [ "$(quiet tshark -r out.pcapng -T fields -e frame.comment | tr , '\n' | grep -c '^rule 1')" -eq 16 ]
  run -0 --separate-stderr extract --count -e b -w out.pcapng file
  [ -z "$stderr" ]
}

@test "interfaces of one name stay apart, and -w keeps them with their description" {
  local fields=(-T fields -e frame.interface_name -e frame.interface_description -e tcp.payload)
  local host
  for host in here there; do
    capture "$host.pcap" -F pcap <<EOF
tcp 10.0.0.1:40000 > 10.0.0.2:80 100 S
tcp 10.0.0.1:40000 > 10.0.0.2:80 101 PA one nee
tcp 10.0.0.1:40000 > 10.0.0.2:80 108 PA dle $host
EOF
    quiet dumpcap -q -i - --ifname eth0 --ifdescr "of $host" -w "$host" <"$host.pcap"
  done
  quiet mergecap -a -I none -w merged here there
  # Flows of two networks, with the same addresses.
  run -0 extract --scope stream -e 'nee.*' merged
  [ "$(sort <<<"$output")" = $'needle here\nneedle there' ]
  # One of the same name in a later section is the same.
  cat merged merged >twice
  run -0 extract -w copy twice
  quiet tshark -r twice "${fields[@]}" >expect
  quiet tshark -r copy "${fields[@]}" | diff expect -
  [ "$(quiet tshark -r copy -T fields -e frame.interface_id | uniq -c | awk '{print $1, $2}')" = $'3 0\n3 1\n3 0\n3 1' ]
  grep -q "of there" expect
}

# sections NUMBER: one after the other, each with an interface of its own name and a datagram of its own
# number.
sections() {
  perl -e 'sub block { my ($type, $body) = @_; $body .= "\0" x (-length($body) % 4);
      pack "VVa*V", $type, 12 + length $body, $body, 12 + length $body }
    for (1 .. $ARGV[0]) {
      my $text = "text=$_ ";
      my $ip = pack "CCnnnCCnNNnnnna*", 0x45, 0, 28 + length $text, 1, 0, 64, 17, 0, 1, 2, 9, 9, 8 + length $text, 0, $text;
      my $frame = "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0$ip";
      print block(0x0a0d0d0a, pack "VvvVV", 0x1a2b3c4d, 1, 0, ~0, ~0), block(1, pack "vvVvva*", 1, 0, 0, 2, 8, sprintf "if%06d", $_),
        block(6, pack "VVVVVa*", 0, 0, $_, length $frame, length $frame, $frame) }' "$1"
}

@test "interfaces without end: all that are followed are searched and written, and of the rest it is told" {
  sections 65537 >file
  run -2 --separate-stderr extract -e 'text=\d+' -w copy file
  [ "${#lines[@]}" -eq 65536 ]
  [ "$stderr" = "tapwarden: file: more interfaces than are followed after 65537 packets: what came before was searched" ]
  [ "$(quiet capinfos -M -T -r -c copy | cut -f 2)" = 65536 ]
}

@test "without a pattern -w copies what the filter lets through" {
  conversation file -n
  run -0 extract -w copy file
  [ "$(packets copy)" = "$(packets file)" ]
  [ "$(packets file | grep -c '^1700000000.00')" -eq 8 ]
  run -1 extract --bpf 'udp port 9' -w none file
  [ -z "$(packets none)" ]
  # To the standard output, behind what is there.
  echo before >piped
  extract -q -e user= -w - file >>piped
  extract -q -e user= -w out file
  { echo before && cat out; } | cmp - piped
  quiet tshark -r - < <(extract -w - file) >/dev/null
  for option in -n --count --json; do
    run -2 extract "$option" -e user= -w - file
    [ "$output" = "tapwarden: -w -: what matches is printed there, too: give -q or a FILE: nothing was searched" ]
  done
  run -2 extract -w out <<<"a text"
  [[ "$output" == *"is a text, and no pattern was given"* ]]
}

@test "a file that is cut gives everything before the cut, and says where it ends" {
  local format size n
  for format in pcap pcapng; do
    conversation whole -F "$format"
    size=$(stat -c %s whole)
    extract -e '[a-zA-Z0-9=]+' -n -b whole >all
    for ((n = 24; n < size; n += 61)); do
      head -c "$n" whole >part
      run --separate-stderr extract -e '[a-zA-Z0-9=]+' -n -b --stats part
      # As many packets as tcpdump reads in it.
      packets=$(packets part | grep -c ^1700 || true)
      [ "$output" = "$(awk -F: -v n="$packets" '$1 <= n' all)" ]
      if [ "$status" -ne 2 ]; then
        # Between two packets: nobody can tell.
        [[ "$stderr" != *"is cut"* ]]
      else
        [[ "$stderr" == *"part: the capture is cut at byte "*" after $packets packet"*": what came before was searched"* ]]
      fi
    done
  done
  head -c $((size - 3)) whole >part
  run -2 extract -e eve part
  printf 'x%.0s' {1..100} | dd of=whole bs=1 seek=200 conv=notrunc 2>/dev/null
  run -2 extract -e user whole
  [[ "$output" == *"whole: the capture is damaged at byte "* ]]
}

@test "frames of a link type that is not known are not searched, and said to be so" {
  conversation whole
  quiet editcap -T ieee-802-11 whole air
  run --separate-stderr extract -e user air
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [ "$stderr" = "tapwarden: air: $(packets whole | grep -c '^[0-9]') frames are of a link type that is not known here: they were not searched" ]
}

@test "frames that cannot be decoded are told: what is behind the fault is not searched" {
  # A datagram, one whose IPv4 header is four bytes long by its own word, and one behind nine VLAN tags.
  capture broken <<EOF
udp 192.0.2.1:1000 > 192.0.2.2:514 user=ann
raw 0200000000020200000000010800 41000020000100004011f6cac0000201c0000202 03e80202000c0000 757365723d626f62
raw 020000000002020000000001 $(printf '81000001%.0s' {1..9}) 0800 4500001c000100004011f6cac0000201c0000202 757365723d657665
EOF
  run --separate-stderr extract -n -e 'user=\w+' broken
  [ "$status" -eq 2 ]
  [ "$output" = 1:user=ann ]
  [ "$stderr" = "tapwarden: broken: 2 frames are malformed: what is behind the fault was not searched" ]
}

@test "frames that were cut when they were captured" {
  conversation whole -F pcap
  quiet editcap -s 60 -F pcap whole cut
  run -2 extract -e user= -n cut
  [[ "$output" == *"5:user="* ]]
  [[ "$output" == *"cut: 4 frames were cut when they were captured"* ]]
  # What is cut off behind what is looked for is missing all the same.
  run -2 extract -e nowhere cut
}

@test "a text that only looks like a capture is a text" {
  local text
  while read -r text; do
    printf '%b' "$text" >text
    cmp <(grep -a -ob needle text) <(extract -b -e needle text) || {
      echo "$text"
      return 1
    }
    cmp <(grep -a -ob needle text) <(extract -b -e needle <text)
  done <<'EOF'
\n\r\r\nneedle
\n\r\r\n\x1c\x00\x00\x00needle\n
\xd4\xc3\xb2\xa1needle of a magic\n
\xa1\xb2\xc3needle
needle
\nneedle\n
@ 2026-11-22 needle\n
@ needle
EOF
  conversation file -F pcap
  cmp <(grep -a -ob 'user=' file) <(extract --text -b -e 'user=' file)
  run -2 extract --text --bpf udp -e x file
}

@test "what is compressed, or has no frames for --bpf, is not searched and said to be so" {
  local magic input
  conversation file -F pcap
  gzip -c file >packed
  # What else file(1) knows: zstd, xz, bzip2, lz4.
  for magic in '\x28\xb5\x2f\xfd' '\xfd7zXZ\x00' 'BZh91AY&SY' '\x04\x22\x4d\x18'; do
    printf '%b and a text' "$magic" >"packed ${magic:0:6}"
  done
  for input in packed*; do
    run --separate-stderr extract -e '[a-z]' "$input" - < <(cat "$input")
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "$(grep -c ": is compressed: it was not searched;" <<<"$stderr")" -eq 2 ]
    cmp <(grep -a -o '[a-z]' "$input") <(extract --text -e '[a-z]' "$input")
  done
  # As far as any of them begins.
  printf 'BZh91AY&S\nBZh91AY' | cmp <(printf 'BZh91AY&S\nBZh91AY\n') <(extract -e '.*')
  cmp <(extract -e '[a-z]+' file) <(zcat <packed | extract -e '[a-z]+')
  echo user=text >text
  run -2 --separate-stderr extract --bpf udp -h -e 'user=\w+' text file
  [ "$output" = $'user=ann\nuser=bob' ]
  [ "$stderr" = "tapwarden: text: has no frames that --bpf could choose: it was not searched" ]
}

@test "a pipe's matches come as its frames do" {
  conversation file -F pcap
  mkfifo pipe
  extract -e 'user=\w+' <pipe >got 3>&- &
  exec {PIPE}>pipe
  head -c 900 file >&"$PIPE"
  until grep -q ann got; do sleep 0.02; done
  exec {PIPE}>&-
  wait $! || true
}

@test "a folder of captures, a text among them" {
  conversation one -F pcap
  conversation two -n
  echo user=text >three
  run -0 extract -e 'user=\w+' -n one three two
  [ "$output" = "one:5:user=ann
one:5:user=bob
one:8:user=eve
three:1:user=text
two:5:user=ann
two:5:user=bob
two:8:user=eve" ]
  run -0 extract -e 'user=(\w+)' --template '<${1}>' --sep , -0 two
  [ "$(extract -e 'user=(\w+)' --template '<${1}>' -0 two | tr '\0' ' ')" = '<ann> <bob> <eve> ' ]
  run -0 --separate-stderr extract -e '(?=(us))' --overlap starts -g 1 --stats two
  [[ "$stderr" == *"8 frames, 5 with a payload, 0 malformed"* ]]
}
