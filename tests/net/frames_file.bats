#!/usr/bin/env bats
# The file of frames while links and directories come and go; its judges are capinfos and tcpdump.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
  printf '\n[record]\npcap = all\n' >>"$INI"
}

teardown() {
  house_down
}

# frames_of LINK: how many of its frames the file has.
frames_of() {
  tshark -n -r "$DIR/log/frames.pcapng" -Y "frame.interface_name == \"$1\"" 2>/dev/null | grep -c .
}

has_frames_of() {
  [ "$(frames_of "$1")" -ge "$2" ]
}

@test "a link that joins is one more interface of the same section" {
  printf '
[set late]
lower = eno2
kind = macvtap
count = 1
name = late%%02d
' >>"$INI"
  agent_start
  guest_start
  wait_for 20 has_frames_of web01 4
  ip link add eno2 netns "$HOST" type veth peer name eno2 netns "$PEER"
  ip -n "$PEER" addr add 198.51.100.2/24 dev eno2
  ip -n "$PEER" link set eno2 up
  ip -n "$HOST" link set eno2 up
  wait_for 20 status_of '[.links[] | select(.name == "late01" and .monitor == "passive")] | length == 1'
  # Nobody is there that could answer.
  in_peer busybox arping -q -c 1 -w 1 -b -I eno2 198.51.100.3 || true
  ask more=1
  wait_for 20 has_frames_of web01 8
  wait_for 20 has_frames_of late01 1
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"

  # Those with packets have statistics, once.
  capinfos "$DIR/log/frames.pcapng" >"$DIR/capinfos"
  paste <(sed -n 's/.*Name = //p' "$DIR/capinfos") <(sed -n 's/.*Number of stat entries = //p' "$DIR/capinfos") \
    <(sed -n 's/.*Number of packets = //p' "$DIR/capinfos") >"$DIR/interfaces"
  cat "$DIR/interfaces"
  [ "$(cut -f 1 "$DIR/interfaces" | sort | tr '
' ' ')" = "late01 web01 web02 " ]
  [ "$(awk '$2 != ($3 > 0)' "$DIR/interfaces")" = "" ]
}

# asked_on ADDRESS: the links that brought the question who has it, in all files.
asked_on() {
  local file
  for file in "$DIR"/log/frames.pcapng*; do
    tshark -n -r "$file" -Y "arp.dst.proto_ipv4 == $1" -T fields -e frame.interface_name 2>/dev/null
  done | sort | tr '\n' ' '
}

# ask_all ADDRESS LINK...: the peer asks all guests, of whom nobody has it.
ask_all() {
  in_peer busybox arping -q -c 1 -w 1 -b -I eno1 "$1" || true
  wait_for 20 is_asked_on "$@"
}

is_asked_on() {
  local address=$1
  shift
  [ "$(asked_on "$address")" = "$* " ]
}

# reload N: the agent's Nth configuration.
reload() {
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of ".agent.generation == $1 and ([.workers[].state] | all(. == \"ready\"))"
}

@test "frames are told of their link, also when another worker has other links" {
  agent_start
  ask_all 192.0.2.71 web01 web02
  reload 2
  ask_all 192.0.2.72 web01 web02
  # The same links: the same file.
  [ ! -e "$DIR/log/frames.pcapng.1" ]
  printf '\n[link web01]\nset = web\nmonitor = off\n' >>"$INI"
  reload 3
  ask_all 192.0.2.73 web02
  [ -e "$DIR/log/frames.pcapng.1" ]
  [ "$(asked_on 192.0.2.71)$(asked_on 192.0.2.72)" = 'web01 web02 web01 web02 ' ]
}

# send_raw HEX...: frames of the peer to the guest, from behind the addresses on.
send_raw() {
  in_peer perl -e '
    socket(my $s, 17, 3, 0) or die; # AF_PACKET, SOCK_RAW
    open(my $f, "<", "/sys/class/net/eno1/ifindex") or die;
    my $to = pack("SniSCCa8", 17, 3, <$f>, 0, 0, 6, "");
    for (@ARGV) { send($s, pack("H*", $_), 0, $to) or die }' "${@/#/$(mac_of web01 | tr -d :)0200000000aa}"
}

# bytes FILE: frames in hex, 16 bytes a line, as tcpdump reads it, of those that the peer made up.
bytes() {
  tcpdump -r "$1" -n -t -xx 'ether src 02:00:00:00:00:aa' 2>/dev/null | sed -n 's/^\t0x[0-9a-f]*: *//p'
}

has_bytes() {
  [ "$(bytes "$DIR/$1" | wc -l)" -ge "$2" ]
}

@test "tags that the kernel takes out of frames are in the file, as tcpdump has them" {
  agent_start
  guest_start
  spawn beside ip netns exec "$HOST" tcpdump -U --immediate-mode -i web01 -w "$DIR/beside.pcap"
  wait_for 10 grep -q 'listening on' "$DIR/beside.err"
  # 802.1Q, with priority, 802.1ad over that, and none.
  send_raw 8100a06488b5aaaa 88a800c8810000c988b5bbbb 88b5cccc
  wait_for 10 has_bytes beside.pcap 5
  wait_for 10 has_bytes log/frames.pcapng 5
  bytes "$DIR/log/frames.pcapng" | tr -d ' ' | grep -q 8100a064$
  diff <(bytes "$DIR/beside.pcap") <(bytes "$DIR/log/frames.pcapng")
}

# accepted FILE: by capinfos, with frames in it.
accepted() {
  [ "$(capinfos -Trc "$DIR/log/$1" | cut -f 2)" -gt 0 ]
}

@test "files that somebody cuts or moves away while they are written stay whole" {
  local file
  agent_start
  guest_start
  wait_for 20 has_frames_of web01 4
  # As logrotate(8) does with copytruncate, and without.
  for file in records.json frames.pcapng; do
    cp "$DIR/log/$file" "$DIR/log/$file.copy"
    : >"$DIR/log/$file"
  done
  ask cut=1 >/dev/null
  wait_for 20 has_record '.tapwarden.groups.path.text == "/index.html?cut=1"'
  wait_for 20 has_frames_of web01 4
  mv "$DIR/log/frames.pcapng" "$DIR/log/frames.pcapng.moved"
  ask moved=1 >/dev/null
  wait_for 20 has_frames_of web01 4
  for file in frames.pcapng.copy frames.pcapng.moved frames.pcapng; do
    accepted "$file"
  done
  grep -q 'frames.pcapng was cut or written to by another program' "$DIR/agent.err"
  # The statistics of a section are at its end.
  capinfos "$DIR/log/frames.pcapng.moved" | grep -q 'Number of stat entries = 1'
}
