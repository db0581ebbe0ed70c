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
