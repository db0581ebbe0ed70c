#!/usr/bin/env bats
# reach and reach --probe: what is said of who can talk to whom, and what frames show.

bats_require_minimum_version 1.5.0

load helper.bash

setup() {
  wire_up
}

teardown() {
  wire_down
  ip netns del "$NETNS-switch" 2>/dev/null || true
}

# switch_up: eno1 is plugged into a bridge of another namespace, which this one does not see.
switch_up() {
  SWITCH=$NETNS-switch
  ip netns add "$SWITCH"
  ip netns exec "$SWITCH" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
  ip -n "$NETNS" link set peer1 netns "$SWITCH"
  plug_in "$SWITCH"
}

# plug_in NETNS: peer1 becomes the port of a bridge there.
plug_in() {
  ip -n "$1" link add br0 type bridge
  ip -n "$1" link set peer1 master br0
  ip -n "$1" link set br0 up
  ip -n "$1" link set peer1 up
}

hairpin() {
  ip netns exec "${SWITCH:-$NETNS}" bridge link set dev peer1 hairpin "$1"
}

# sets KIND MODE...: two links of each mode on eno1.
sets() {
  local kind=$1 mode
  shift
  for mode; do
    printf '[set %s-%s]\nlower = eno1\nkind = %s\nmode = %s\nname = %s-%s%%d\ncount = 2\n\n' \
      "$kind" "$mode" "$kind" "$mode" "${kind#macv}" "$mode"
  done
}

passthru() {
  printf '[set p]\nlower = eno1\nkind = %s\nmode = passthru\nname = p%%d\ncount = 1\n' "$1"
}

# probed: a line for each answer that was tried: FROM > TO and how many unicasts and broadcasts came.
probed() {
  jq -r '.lowers[].cells[] | select(.probe)
    | "\(.from) > \(.to) \(.probe.unicast) \(.probe.broadcast)"' <<<"$output" | sort
}

# grid KIND HAIRPIN: what frames do, as measured by hand, in the words of probed.
grid() {
  local modes="vepa bridge private" from to reflected
  reflected=$([ "$2" = on ] && echo 1 || echo 0)
  for from in $modes; do
    for to in $modes; do
      case "$from $to" in
        "bridge bridge") echo "$1 $from > $1 $to 1 1" ;;
        *private*) echo "$1 $from > $1 $to $reflected 0" ;;
        *) echo "$1 $from > $1 $to $reflected $reflected" ;;
      esac
    done
    case $from in
      private) echo "$1 $from > host $reflected 0" ;;
      *) echo "$1 $from > host $reflected $reflected" ;;
    esac
    echo "host > $1 $from $reflected $reflected"
    echo "$1 $from > outside 1 1"
    echo "outside > $1 $from 1 1"
  done | sort
}

@test "before apply all is planned, and mixed modes are told" {
  config <<END
$(sets macvtap vepa private)
END
  run -0 tapwarden reach
  [[ "$output" == "LOWER  KIND     MODE     LINKS  STATE      NAMES
eno1   macvtap  vepa     2      2 planned  tap-vepa1 tap-vepa2
eno1   macvtap  private  2      2 planned  tap-private1 tap-private2
"* ]]
  [[ "$output" == *"! eno1: links of different modes do not talk directly: macvtap vepa of set macvtap-vepa; macvtap private of set macvtap-private"* ]]
  run -2 --separate-stderr tapwarden reach --probe
  local why="no link of this configuration is up and has a carrier: apply first, or look at its lower device"
  [ "$stderr" = "tapwarden: could not probe: $why" ]
  run -0 tapwarden apply
  ip -n "$NETNS" link set eno1 down
  run -2 --separate-stderr tapwarden reach --probe
  [ "$stderr" = "tapwarden: could not probe: $why" ]
}

@test "that the host does not reach its guests is told when they are chosen" {
  local note="! eno1: the host cannot talk to these guests, but by a reflecting switch: a host-link can"
  config <<END
[set web]
lower = eno1
count = 1
END
  run -1 tapwarden plan
  [ "${lines[-1]}" = "$note" ]
  run -1 tapwarden plan --json
  [ "$(jq -c .notes <<<"$output")" = "[\"${note#! }\"]" ]
  run -0 tapwarden check
  [[ "$output" != *"$note"* ]]
  tapwarden apply
  run -0 tapwarden plan
  [ "$output" = "Plan: nothing to do, 1 link is as it should be." ]
  run -0 tapwarden reach
  [ "${lines[-1]}" = "$note" ]
  sed -i '/^lower/a host-link = host0' "$INI"
  run -1 tapwarden plan
  [[ "$output" == *"+ link host0 "* && "$output" != *"$note"* ]]
}

@test "every pair of modes, with and without hairpin, as the table says" {
  local kind state
  switch_up
  for kind in macvtap macvlan; do
    config <<END
$(sets "$kind" vepa bridge private)
END
    tapwarden apply
    for state in off on; do
      hairpin "$state"
      run -0 tapwarden reach --probe --json
      [ "$(probed)" = "$(grid "$kind" "$state")" ]
      run -0 jq -r '.lowers[0] | "\(.reflects) \(.probe.came_back) \(.probe.differ)"' <<<"$output"
      [ "$output" = "unknown $([ "$state" = on ] && echo true || echo false) 0" ]
    done
    tapwarden down
  done
}

@test "each mode alone, with and without hairpin, as the table says" {
  local kind mode state
  switch_up
  for kind in macvtap macvlan; do
    for mode in vepa bridge private passthru; do
      if [ "$mode" = passthru ]; then
        passthru "$kind" | config
      else
        sets "$kind" "$mode" | config
      fi
      tapwarden apply
      for state in off on; do
        hairpin "$state"
        run -0 tapwarden reach --probe
        [[ "$output" == *"agrees"* ]]
        [[ "$output" != *DIFFERS* ]]
      done
      tapwarden down
    done
  done
}

@test "guests and the host's leg, every pair, while a program holds a tap" {
  local state
  switch_up
  config <<END
$(sets macvtap vepa bridge private)
$(sets macvlan bridge)
END
  tapwarden apply
  hold tap-bridge2
  for state in off on; do
    hairpin "$state"
    run -0 tapwarden reach --probe --all --json
    run -0 jq -c '.lowers[0] | [.probe.differ,
      (.cells[] | select(.from == "macvtap bridge" and .to == "macvlan bridge")
       | .unicast, .broadcast, .probe.pairs, .probe.unicast, .probe.broadcast)]' <<<"$output"
    [ "$output" = '[0,"yes","yes",4,4,4]' ]
  done
  kill -0 "$HOLDER"
}

@test "a bridge port in sight says whether it reflects" {
  plug_in "$NETNS"
  config <<END
$(sets macvtap vepa private)
END
  tapwarden apply
  run -0 tapwarden reach
  [[ "$output" == *"eno1: does its switch reflect? no: its other end peer1 is a bridge port with hairpin off"* ]]
  [[ "$output" != *"private does not isolate"* ]]
  run -0 tapwarden reach --probe
  hairpin on
  run -0 tapwarden reach --probe
  [[ "$output" == *"eno1: does its switch reflect? yes: its other end peer1 is a bridge port with hairpin on"* ]]
  [[ "$output" == *"! eno1: private does not isolate behind a reflecting switch"* ]]
  run -0 tapwarden reach --json
  run -0 jq -r '.lowers[0].cells[] | select(.from == "macvtap private" and .to == .from)
    | "\(.unicast) \(.broadcast) \(.probe)"' <<<"$output"
  [ "$output" = "reflected no null" ]
}

@test "an answer that is wrong is marked, and the exit code is 1" {
  switch_up
  sets macvtap bridge | config
  tapwarden apply
  run -0 tapwarden reach --probe
  # The first link's guest is cut off: classic BPF that returns TC_ACT_SHOT.
  inside tc filter add dev tap-bridge1 egress bpf da bytecode '1,6 0 0 2,'
  run -1 tapwarden reach --probe
  echo "$output"
  grep -Eq '^macvtap bridge  macvtap bridge .* ! DIFFERS: tap-bridge1 > tap-bridge2: unicast arrived at 0 of 1, broadcast arrived at 0 of 1 ' <<<"$output"
  grep -Eq '^host  +macvtap bridge .* agrees ' <<<"$output"
  run -1 tapwarden reach --probe --json
  run -0 jq -r '.lowers[0].probe.differ' <<<"$output"
  [ "$output" = 4 ]
  inside tc qdisc del dev tap-bridge1 clsact
  inside tc qdisc add dev tap-bridge1 clsact
  inside tc filter add dev tap-bridge1 ingress bpf da bytecode '1,6 0 0 2,'
  run -1 tapwarden reach --probe
  echo "$output"
  grep -Eq '^outside +macvtap bridge .* ! DIFFERS: the wire > tap-bridge1: unicast arrived at 0 of 1, broadcast arrived at 0 of 1 ' <<<"$output"
}

@test "frames from outside go by no wire, and what they went by goes with the process" {
  local before link ours=
  switch_up
  sets macvtap bridge | config
  tapwarden apply
  before=$(all_links)
  ip netns exec "$SWITCH" tcpdump -i peer1 -Q in -U --immediate-mode -w "$DIR/wire.pcap" \
    ether proto 0x88b5 2>"$DIR/tcpdump" 3>&- &
  HOLDER=$!
  HOLDERS="$HOLDER $HOLDERS"
  until grep -q 'listening on' "$DIR/tcpdump"; do
    kill -0 "$HOLDER"
    sleep 0.02
  done
  run -0 tapwarden reach --probe --json
  run -0 jq -c '.lowers[0].cells[] | select(.from == "outside") | [.unicast, .broadcast, .probe.pairs,
    .probe.unicast, .probe.broadcast, .probe.differ]' <<<"$output"
  [ "$output" = '["yes","yes",1,1,1,0]' ]
  kill -INT "$HOLDER"
  wait "$HOLDER"
  for link in eno1 tap-bridge1 tap-bridge2; do
    ours="${ours:+$ours or }ether src $(fact "$link" .address)"
  done
  [ "$(tcpdump -r "$DIR/wire.pcap" "$ours" 2>/dev/null | wc -l)" -gt 0 ]
  [ "$(tcpdump -r "$DIR/wire.pcap" "not ($ours)" 2>/dev/null | wc -l)" = 0 ]
  [ "$(all_links)" = "$before" ]
  # Killed as the first of them is sent.
  run -137 inside strace -o /dev/null -P /dev/net/tun -e trace=write -e inject=write:signal=KILL \
    "$TAPWARDEN" reach --probe -c "$INI"
  [ "$(all_links)" = "$before" ]
  # Without a way in, all else is tried and the reason is told.
  run -0 inside strace -f -o /dev/null -e trace=openat -P /dev/net/tun -e inject=openat:error=ENOENT \
    "$TAPWARDEN" reach --probe -c "$INI"
  echo "$output"
  grep -Eq '^outside +macvtap bridge +yes +yes +- ' <<<"$output"
  grep -Eq '^macvtap bridge +macvtap bridge .* agrees ' <<<"$output"
  [[ "$output" == *"! eno1: what comes from outside was not tried: could not open /dev/net/tun: No such file or directory"* ]]
}

@test "links of others count on the same device, and are not probed" {
  switch_up
  sets macvtap vepa | config
  tapwarden apply
  ip -n "$NETNS" link add link eno1 name theirs type macvlan mode bridge
  ip -n "$NETNS" link set theirs up
  run -0 tapwarden reach --probe
  grep -Eq '^eno1 +macvlan +bridge +1 +1 not ours +theirs$' <<<"$output"
  grep -Eq '^macvtap vepa +macvlan bridge +if reflected +if reflected +- ' <<<"$output"
  [[ "$output" == *"macvlan bridge of others"* ]]
}

@test "a thousand links give a small table" {
  config <<END
[set web]
lower = eno1
mode = private
monitor = off
count = 1000
name = web%04d
END
  run -0 tapwarden reach
  [ "${#lines[@]}" -lt 12 ]
  [[ "$output" == *"macvtap  private  1000   1000 planned  web0001 web0002 web0003 web0004 ..."* ]]
}

# listener NODST: a link of each mode and one outside are on the list of src1, of mode source.
listener() {
  config <<END
$(sets macvtap vepa bridge private)
[set src]
lower = eno1
mode = source
flags = $1
name = src%d
count = 2
source-macs = 52:54:00:00:00:01 52:54:00:00:00:02 52:54:00:00:00:03 52:54:00:00:00:04 52:54:00:00:00:99

[link tap-vepa1]
set = macvtap-vepa
mac = 52:54:00:00:00:01

[link tap-bridge1]
set = macvtap-bridge
mac = 52:54:00:00:00:02

[link tap-private1]
set = macvtap-private
mac = 52:54:00:00:00:03

[link src2]
set = src
mac = 52:54:00:00:00:04
END
}

@test "mode source takes what the MACs on its list send, with nodst from everybody else" {
  local flags state
  switch_up
  for flags in '' nodst; do
    listener "$flags"
    tapwarden apply
    for state in off on; do
      hairpin "$state"
      run -0 tapwarden reach --probe --all
      run -0 tapwarden reach --probe --json
      local expected="[1,1] [1,1] [1,1] [1,1] [0,0] [1,1]"
      if [ "$state" = off ]; then
        expected="[0,0] [0,0] [0,0] [0,0] [0,0] [1,1]"
      fi
      run -0 jq -r '[.lowers[0].cells[] | select(.to == "macvtap source" and .probe)
        | "\([.probe.unicast, .probe.broadcast])"] | join(" ")' <<<"$output"
      [ "$output" = "$expected" ]
    done
  done
}

# cell FROM TO: what the JSON in $output says of it: UNICAST BROADCAST, and of the probe how many
# unicasts and broadcasts came, what else was sent and whether it came, and what differs.
cell() {
  jq -r --arg from "$1" --arg to "$2" '.lowers[].cells[] | select(.from == $from and .to == $to)
    | "\(.unicast)|\(.broadcast)|" + (.probe | if . == null then "-" else
      "\(.unicast) \(.broadcast) \(.witness | if . then "\(.frame) \(.arrived)" else "-" end) \(.differ)"
      end)' <<<"$output"
}

agrees() {
  run tapwarden reach --probe --all --json
  jq -c '.lowers[].cells[] | select(.probe.differ > 0)' <<<"$output"
  [ "$status" = 0 ]
  run -0 jq -r '.lowers[0].probe | "\(.differ) \(.unproven)"' <<<"$output"
  [ "$output" = "0 0" ]
}

@test "filters and anti-spoof are in the table, and frames prove them" {
  local state
  switch_up
  config <<END
[set web]
lower = eno1
mode = bridge
count = 2
name = web%d
anti-spoof = mac+ip
addresses = 192.0.2.0/24 2001:db8::/64

[set db]
lower = eno1
mode = bridge
kind = macvlan
count = 2
name = db%d
filter = tcp port 5432

[set quiet]
lower = eno1
mode = vepa
count = 2
name = quiet%d
filter-from-guest = not ether broadcast
filter-to-guest = ether broadcast or not ip

[set shut]
lower = eno1
mode = bridge
count = 2
name = shut%d
filter-to-guest = ether src 52:54:00:00:00:99
END
  tapwarden apply
  # As configured, and nothing of it by frames yet.
  run -0 tapwarden reach
  echo "$output"
  grep -Eq '^macvlan bridge +outside +filtered +filtered +sent on the wire; filter from guest of db1 lets some through$' <<<"$output"
  grep -Eq '^macvtap vepa +outside +yes +no +sent on the wire; filter from guest of quiet1 drops broadcasts$' <<<"$output"
  grep -Eq '^macvtap bridge +outside +filtered +filtered +sent on the wire; anti-spoof from guest of web1 lets some through$' <<<"$output"
  for state in off on; do
    hairpin "$state"
    agrees
    run -0 tapwarden reach --probe --json
    [ "$(cell "macvlan bridge" "macvlan bridge")" = "filtered|filtered|0 0 TCP port 5432 true 0" ]
    [ "$(cell "macvtap vepa" outside)" = "yes|no|1 0 a false MAC false 0" ]
    [ "$(cell "macvtap bridge" outside)" = "filtered|filtered|1 1 0x88b6 false 0" ]
    [ "$(cell outside "macvlan bridge")" = "filtered|filtered|0 0 TCP port 5432 true 0" ]
    local came
    came=$([ "$state" = on ] && echo "1 0 ARP" || echo "0 0 -")
    [[ "$(cell "macvtap vepa" "macvtap vepa")" == "if reflected, filtered|no|${came%% *} 0 "* ]]
  done
}

@test "a filter that drops all of it is the reason of a no" {
  config <<END
[set web]
lower = eno1
mode = bridge
count = 1
name = web%d
filter-to-guest = ether src 52:54:00:00:00:99

[set leg]
lower = eno1
mode = bridge
kind = macvlan
count = 1
name = leg%d
END
  tapwarden apply
  agrees
  run -0 tapwarden reach --probe
  echo "$output"
  grep -Eq '^macvlan bridge +macvtap bridge +no +no +agrees +filter to guest of web1 drops all$' <<<"$output"
  grep -Eq '^macvtap bridge +macvlan bridge +yes +yes +agrees +handed over inside the host$' <<<"$output"
  grep -Eq '^outside +macvtap bridge +filtered +filtered +agrees +received from the wire by its MAC; ' <<<"$output"
}

@test "the filter that a tap is read behind is really in the way, and told where a program reads it" {
  config <<END
[set web]
lower = eno1
mode = bridge
count = 2
name = web%d
filter-to-guest = not tcp port 25
END
  tapwarden apply
  agrees
  run -0 tapwarden reach --probe
  grep -Eq '^macvtap bridge +macvtap bridge +filtered +filtered +agrees; TCP port 25 is dropped ' <<<"$output"
  # Somebody changes the program: all is dropped, then nothing.
  local program
  for program in '1,6 0 0 2,' '1,6 0 0 4294967295,'; do
    inside tc filter replace dev web2 ingress pref 1 handle 0x7477 bpf da bytecode "$program"
    run -1 tapwarden reach --probe
    echo "$output"
    grep -Eq '^macvtap bridge +macvtap bridge .*! DIFFERS: web1 > web2: ' <<<"$output"
  done
  [[ "$output" == *"TCP port 25 arrived"* ]]
  # The same of what they send, and of a link without a tap.
  tapwarden apply
  agrees
  inside tc filter add dev web2 egress pref 9 bpf da bytecode '1,6 0 0 2,'
  run -0 tapwarden reach --probe
  run -1 tapwarden reach --probe --all
  grep -Eq '^macvtap bridge +outside .*! DIFFERS: web2 > the wire: unicast arrived at 1 of 2, ' <<<"$output"
  inside tc filter del dev web2 egress pref 9
  inside tc filter replace dev web2 ingress pref 1 handle 0x7477 bpf da bytecode "$program"
  # Who reads the tap is not disturbed: what its filter does is not seen, which is said.
  hold web2
  run -0 tapwarden reach --probe
  echo "$output"
  grep -Eq '^macvtap bridge +macvtap bridge .*agrees; not seen: the filter of web2, whose tap is held ' <<<"$output"
  run -0 tapwarden reach --probe --json
  run -0 jq -r '.lowers[0] | .probe.unproven, .notes[-1]' <<<"$output"
  [ "$output" = "4
what the filter of a tap drops that a program reads was not seen: the cells say which" ]
  kill -0 "$HOLDER"
}

@test "the filter of a link without a tap is in the way too" {
  local program
  config <<END
[set db]
lower = eno1
mode = bridge
kind = macvlan
count = 2
name = db%d
filter-to-guest = tcp port 5432
END
  tapwarden apply
  agrees
  for program in '1,6 0 0 2,' '1,6 0 0 4294967295,'; do
    inside tc filter replace dev db2 ingress pref 1 handle 0x7477 bpf da bytecode "$program"
    run -1 tapwarden reach --probe
    echo "$output"
    grep -Eq '^macvlan bridge +macvlan bridge .*! DIFFERS: db1 > db2: ' <<<"$output"
  done
}

@test "filters and modes, every pair, as the table says" {
  local kind filter state
  switch_up
  for kind in macvtap macvlan; do
    for filter in "filter = tcp port 80" "filter-to-guest = not arp and not udp port 53" \
      "filter-from-guest = ether broadcast or icmp" "anti-spoof = mac+ip
addresses = 192.0.2.1 2001:db8::1"; do
      {
        sets "$kind" vepa bridge private
        if [ "$kind" = macvtap ]; then
          sets macvlan bridge
        fi
      } | awk -v filter="$filter" '{ print } /^count/ { print filter }' | config
      run -0 tapwarden apply
      for state in off on; do
        hairpin "$state"
        agrees
      done
      tapwarden down
    done
  done
}

@test "filters of passthru and of mode source" {
  local state
  switch_up
  listener ""
  sed -i '/^lower/a filter = not udp port 53' "$INI"
  tapwarden apply
  for state in off on; do
    hairpin "$state"
    agrees
  done
  tapwarden down
  {
    passthru macvtap
    echo "filter = tcp port 80"
  } | config
  tapwarden apply
  for state in off on; do
    hairpin "$state"
    agrees
  done
}

@test "anti-spoof in both kinds lets true frames through, by every mode, with and without hairpin" {
  local spoof state mode
  switch_up
  for spoof in "mac" "mac+ip
addresses = 192.0.2.16/28"; do
    config <<END
$(for mode in vepa bridge private; do
      sets macvtap "$mode" | sed "/^count/a anti-spoof = ${spoof/$'\n'/\\n}"
    done)
$(sets macvlan bridge)
END
    tapwarden apply
    for state in off on; do
      hairpin "$state"
      agrees
    done
    # Who says to be another is told, once nothing drops its frames.
    run -0 tapwarden reach --probe
    grep -Eq '^macvtap private +outside .* agrees; (a false MAC|0x88b6) is dropped ' <<<"$output"
    inside tc filter del dev tap-private1 egress
    run -1 tapwarden reach --probe
    grep -Eq '^macvtap private +outside .*! DIFFERS: tap-private1 > the wire: ' <<<"$output"
    [[ "$output" == *" arrived "* ]]
    tapwarden apply
    run -0 tapwarden reach --json
    if [ "$spoof" = mac ]; then
      [ "$(cell "macvtap bridge" outside)" = "yes|yes|-" ]
    else
      [ "$(cell "macvtap bridge" outside)" = "filtered|filtered|-" ]
    fi
  done
}
