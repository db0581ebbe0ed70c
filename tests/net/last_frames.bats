#!/usr/bin/env bats
# What a ring holds when nobody reads it any more: the kernel hands over a block that is not full some
# milliseconds after its first frame, and what ends sooner waits for that.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
  printf '\n[record]\npcap = all\n' >>"$INI"
  agent_start
  guest_start
}

teardown() {
  house_down
}

@test "the last frames before the agent ends are read" {
  in_guest bash -c 'for n in 1 2 3 4 5; do echo "last=$n;" >/dev/udp/192.0.2.2/9; done'
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  # In the order of the guest, once each.
  diff <(seq -f 'last=%g;' 5) <(tshark -r "$DIR/log/frames.pcapng" -Y 'udp.dstport == 9 && !icmp' -T fields -e data.text \
    -o data.show_as_text:TRUE 2>/dev/null | grep -o 'last=[0-9];')
  [ "$(records 'select(.gap)')" = "" ]
}
