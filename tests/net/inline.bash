# A house with monitor = inline: its guest's frames pass the capture worker, and a pattern forbids some.
# The guest is a namespace with a web server in it.

load guest.bash

setup() {
  house_up
  house_config <<END
[set web]
lower = eno1
count = 1
name = web%02d
monitor = inline
peer = stream

[pattern forbidden]
regex = "forbidden-[0-9]+"
scope = packet
action = drop
END
}

teardown() {
  house_down
}

start() {
  agent_run
  wait_for 20 workers_ready
  wait_for 20 status_of '.links[0].monitor == "inline"'
}

# plug_in stream|dgram: the guest, with its network device eth0 behind the link.
plug_in() {
  local at=$DIR/run/guests/web01
  if [ "$1" = stream ]; then
    set -- "$at/qemu.sock"
  else
    set -- "$at/qemu.sock" "$at/relay.sock"
  fi
  spawn socket_guest ip netns exec "$HOST" "$ROOT/build/tests/net/socket_guest" web01 "$GUEST" eth0 "$@"
  wait_for 10 grep -q '^ready' "$DIR/socket_guest.out"
  ip -n "$GUEST" addr add 192.0.2.10/24 dev eth0
  ip -n "$GUEST" link set eth0 up
  spawn httpd ip netns exec "$GUEST" busybox httpd -f -p 192.0.2.10:80 -h "$DIR/www"
}

attach() {
  plug_in "$1"
  wait_for 20 guest_answers
}

blocked() {
  ! in_peer curl -sS --max-time 1 -o /dev/null "http://192.0.2.10/index.html?$1" 2>/dev/null
}

passes_and_blocks() {
  ask allowed=1
  blocked forbidden-1
  ask allowed=2
  wait_for 10 has_record '.alert.signature == "forbidden"'
}

# The host's own stack counts each datagram to a port where nobody listens.
unheard() {
  ip netns exec "$1" awk '/^Udp:/ && $3 != "NoPorts" { print $3 }' /proc/net/snmp
}

# heard_all BEFORE SENT: as many more than before.
heard_all() {
  [ $(($(unheard "$GUEST") - $1)) -eq "$2" ]
}

# datagrams FROM N: each 10 in a burst, so that no queue is full.
datagrams() {
  in_peer bash -c 'for ((i = 0; i < $1; i++)); do echo x >/dev/udp/192.0.2.10/9; done' - "$1"
}

reload_and_wait() {
  local want=$1
  kill -HUP "$(pid_of agent)"
  wait_for 30 grep -q "generation $want\$" "$DIR/agent.err"
}

# hostile CODE: a perl program listens as QEMU does, and CODE has the connection as $c.
hostile() {
  spawn hostile ip netns exec "$HOST" perl -MIO::Socket::UNIX -e '
    my ($path, $code) = @ARGV;
    unlink $path;
    my $s = IO::Socket::UNIX->new(Local => $path, Listen => 1) or die;
    my $n = 0;
    $| = 1;
    while (my $c = $s->accept) { print "peer\n"; $n++; eval $code; die $@ if $@; }' \
    "$DIR/run/guests/web01/qemu.sock" "$1"
}

hostile_peers() {
  [ "$(grep -c peer "$DIR/hostile.out")" -ge "$1" ]
}

has_bytes() {
  grep -qF "$1" "$2"
}

# perl_segments: frame(FLOW, SEQ, FLAGS, TEXT) of perl is a segment of web01's guest to the peer's port 80,
# behind its length.
perl_segments() {
  sed "s/TO/$(ip -n "$PEER" -j link show eno1 | jq -r '.[0].address | gsub(":"; "")')/; s/FROM/$(mac_of web01 | tr -d :)/" <<'END'
sub sum {
  my $sum = unpack("%32n*", shift);
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  pack("n", ~$sum & 0xffff);
}
sub frame {
  my ($flow, $seq, $flags, $text) = @_;
  my $ip = pack("CCnnnCCnNN", 0x45, 0, 40 + length $text, 1, 0, 64, 6, 0, 0x0a000000 + $flow, 0xc0000202);
  my $tcp = pack("nnNNCCnnn", 1024, 80, $seq, 0, 0x50, $flags, 8192, 0, 0) . $text;
  substr($tcp, 16, 2) = sum(substr($ip, 12) . pack("nn", 6, length $tcp) . $tcp . "\0");
  substr($ip, 10, 2) = sum($ip);
  pack("N/a*", pack("H12 H12 n", "TO", "FROM", 0x800) . $ip . $tcp);
}
END
}
