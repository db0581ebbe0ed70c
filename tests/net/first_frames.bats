#!/usr/bin/env bats
# What a guest sends as soon as its link is up is seen: the packet socket is there before.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
  printf '\n[record]\npcap = all\n' >>"$INI"
  agent_start
}

teardown() {
  house_down
}

# sender_start LINK IFINDEX: a tap holder that waits for another link of that name, and sends from the
# first moment on: a number in each frame, of an EtherType that nobody else uses.
sender_start() {
  spawn sender ip netns exec "$HOST" perl -MTime::HiRes=usleep -MFcntl -e '
    my ($link, $before, $node) = @ARGV;
    my ($dir, $dev);
    sub line { open(my $f, "<", shift) or return ""; <$f> || "" }
    print "ready\n";
    close(STDOUT);
    usleep(200) until (line("/sys/class/net/$link/ifindex") || $before) != $before;
    usleep(200) until ($dir) = glob("/sys/class/net/$link/macvtap/tap*") and $dev = line("$dir/dev");
    system("mknod", $node, "c", split(/[:\n]/, $dev)) == 0 or die;
    sysopen(my $tap, $node, O_RDWR | O_NONBLOCK) or die "$node: $!";
    (my $mac = line("/sys/class/net/$link/address")) =~ tr/0-9a-f//cd;
    # Behind struct virtio_net_hdr.
    for (my $n = 0;; $n++) {
      syswrite($tap, pack("x10H12H12na60", "f" x 12, $mac, 0x88b5, "n=$n;"));
      usleep(300);
    }' "$1" "$2" "$DIR/sender.tap"
  wait_for 10 grep -q ready "$DIR/sender.out"
}

# numbers FILE [FILTER]
numbers() {
  tshark -n -r "$1" -Y "eth.type == 0x88b5${2:+ && $2}" -T fields -e data.data 2>/dev/null |
    perl -ne 'print "$1\n" if pack("H*", $_) =~ /^n=(\d+);/'
}

has_numbers() {
  [ "$(numbers "$DIR/wire.pcap" | wc -l)" -gt 100 ]
}

@test "the first frames of a link are seen" {
  spawn wire ip netns exec "$PEER" tcpdump -U --immediate-mode -B 16384 -i eno1 -w "$DIR/wire.pcap" ether proto 0x88b5
  wait_for 10 grep -q 'listening on' "$DIR/wire.err"
  sender_start web01 "$(ifindex_of web01)"
  ip -n "$HOST" link del web01
  wait_for 20 has_numbers
  kill "$(pid_of sender)"
  wait_for 10 is_gone "$(pid_of sender)"
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  numbers "$DIR/wire.pcap" | head -n 100 | sort >"$DIR/first"
  diff /dev/null <(comm -23 "$DIR/first" <(numbers "$DIR/log/frames.pcapng" 'frame.interface_name == "web01"' | sort -u))
}

# detail_of LINK: how it is watched, and what its line of the status says.
detail_of() {
  status_get ".links[] | select(.name == \"$1\") | .monitor, .detail"
}

@test "a link whose packet ring cannot be had is told to be unseen, and is seen when it can" {
  spawn tracer strace -f -o /dev/null -e trace=setsockopt -e inject=setsockopt:error=ENOMEM -p "$(pid_of agent)"
  wait_for 20 grep -q attached "$DIR/tracer.err"
  ip -n "$HOST" link del web02
  wait_for 20 grep -q 'link web02 watch-failed: .*: Cannot allocate memory: its frames are not seen: trying again' \
    "$DIR/agent.err"
  [[ $(detail_of web02) == off*"its frames are not seen"* ]]
  [ "$(status_get '.sets[] | select(.name == "web") | .state')" = "degraded: web02 not watched" ]
  kill "$(pid_of tracer)"
  wait_for 20 has_record '.in_iface == "web02" and .link.action == "watched"'
  [ "$(detail_of web02)" = "passive" ]
  [ "$(status_get '.sets[] | select(.name == "web") | .state')" = ok ]
  # Once, however often it was tried.
  [ "$(grep -c 'web02 watch-failed' "$DIR/agent.err")" -eq 1 ]
}
