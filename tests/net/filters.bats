#!/usr/bin/env bats
# filter and anti-spoof: what the kernel lets through, whatever a guest sends.

bats_require_minimum_version 1.5.0

load filters.bash

FRAMES=$ROOT/build/tests/net/tap_frames

# guest LINK: somebody on its tap, who obeys `send` and says in $DIR/got what comes.
guest() {
  start_sender guest "$DIR/got" "$1"
}

# outsider: somebody on the other end of the wire, who obeys `send_from_outside`.
outsider() {
  start_sender outsider "$DIR/outsider.said" --wire peer1
}

start_sender() {
  local name=$1 said=$2
  shift 2
  mkfifo "$DIR/$name"
  ip netns exec "$NETNS" "$FRAMES" "$@" <>"$DIR/$name" >>"$said" 3>&- &
  HOLDERS="$! $HOLDERS"
  wait_for "$said" ready
}

# until_true COMMAND...: fails when it is not so after a minute.
until_true() {
  local end=$((SECONDS + 60))
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || { echo "never so: $*" && return 1; }
    sleep 0.02
  done
}

# wait_for FILE REGEX
wait_for() {
  until_true grep -q -s "$2" "$1"
}

send() {
  printf '%s\n' "$@" >"$DIR/guest"
}

send_from_outside() {
  printf '%s\n' "$@" >"$DIR/outsider"
}

# see: what comes out of the wire is in $DIR/seen from here on.
see() {
  rm -f "$DIR/tcpdump" "$DIR/seen"
  ip netns exec "$NETNS" tcpdump -i peer1 -Q in --immediate-mode -s 512 -B 8192 -U -w "$DIR/seen" \
    2>"$DIR/tcpdump" 3>&- &
  SEER=$!
  HOLDERS="$SEER $HOLDERS"
  wait_for "$DIR/tcpdump" 'listening on'
}

# hex: the frames seen, a line of hex digits each.
hex() {
  tcpdump -r "$DIR/seen" -nn -t -xx 2>/dev/null |
    awk '/^\t0x/ { gsub(/^\t0x[0-9a-f]*: /, ""); gsub(/ /, ""); line = line $0; next }
      line { print line; line = "" } END { if (line) print line }'
}

# The last of a series: it passes, and all before it were judged when it is there.
MARK_TYPE=88b5
mark() {
  echo "${TO}${OWN}${MARK_TYPE}00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
}

mark_is_seen() {
  hex | grep -q "^$(mark)"
}

# seen: what came out until the mark, without it; or that there was none.
seen() {
  until_true mark_is_seen || return
  hex | grep -v "^$(mark)"
}

# drops LINK: what tc counts.
drops() {
  inside tc -s -j qdisc show dev "$1" clsact | jq '.[0].drops'
}

TO=525400000009
OWN=525400000001
OTHER=525400000003
PAD=0000000000000000000000000000000000000000000000000000

# ip4 SOURCE [PROTO PORTS]: 46 bytes.
ip4() {
  echo "45000028000100004011${4:-0000}${1}c0000209${2:-d4310035}00140000$PAD"
}

arp() {
  echo "0001080006040001$1${2}000000000000c0000209$PAD"
}

@test "a guest sends from the MAC of its link alone, whatever it does" {
  one_link ""
  tapwarden apply
  see
  guest web1
  send "$TO${OWN}0800$(ip4 c0000201)" \
    "$TO${OTHER}0800$(ip4 c0000201)" \
    "$TO${OTHER}81000005$(ip4 c0000201)" \
    "$TO${OTHER}88a800068100000508000000" \
    "$TO${OTHER}0800" \
    "${TO}5254000000020800$(ip4 c0000201)" \
    "${TO}ffffffffffff0800$(ip4 c0000201)" \
    "$TO${OWN}0806$(arp $OTHER c0000201)" \
    "$TO${OWN}810000050806$(arp $OTHER c0000201)" \
    "$TO${OWN}0806$(arp $OWN c0000202)" \
    "$(mark)"
  seen >"$DIR/out"
  diff "$DIR/out" - <<X
$TO${OWN}0800$(ip4 c0000201)
$TO${OWN}0806$(arp $OWN c0000202)
X
  [ "$(drops web1)" = 8 ]
  # The holder of a tap may change the MAC of the link: it helps nobody.
  send "mac 52:54:00:00:00:03" "$TO${OTHER}0800$(ip4 c0000201)" "$TO${OTHER}0806$(arp $OTHER c0000201)" \
    "${TO}${OWN}9999$PAD"
  until hex | grep -q "^${TO}${OWN}9999"; do
    sleep 0.02
  done
  run ! grep -q "^$TO$OTHER" <(hex)
  [ "$(fact web1 .address)" = 52:54:00:00:00:03 ]
  [ "$(drops web1)" = 10 ]
}

@test "mac+ip: its own addresses, what DHCP and discovery need, and nothing else" {
  local ours=$TO$OWN ll=fe80000000000000505400fffe000001 all=ff020000000000000000000000000001
  one_link "anti-spoof = mac+ip
addresses = 192.0.2.1 2001:db8::/64"
  tapwarden apply
  see
  guest web1
  local given=20010db8000000000000000000000077 strange=20010db8000100000000000000000077
  local none=00000000000000000000000000000000 mld=3a000502000001008f00000000000000
  printf '%s\n' \
    "${ours}0800$(ip4 c0000201)" \
    "${ours}810000050800$(ip4 c0000201)" \
    "${ours}0800$(ip4 00000000 00440043)" \
    "${ours}0806$(arp $OWN c0000201)" \
    "${ours}0806$(arp $OWN 00000000)" \
    "${ours}86dd60000000000811ff$given$all${PAD}" \
    "${ours}86dd6000000000183aff$ll${all}8800000000000000$given" \
    "${ours}86dd60000000001000ff$none$all$mld" >"$DIR/good"
  printf '%s\n' \
    "${ours}0800$(ip4 c0000202)" \
    "${ours}810000050800$(ip4 c0000202)" \
    "${ours}88a80006810000050800$(ip4 c0000202)" \
    "${ours}0800$(ip4 00000000)" \
    "${ours}0806$(arp $OWN c0000202)" \
    "${ours}0806$(arp $OTHER c0000201)" \
    "${ours}86dd60000000000811ff$strange$all${PAD}" \
    "${ours}86dd6000000000183aff$ll${all}8800000000000000$strange" \
    "${ours}86dd60000000002000ff$ll${all}3a000502000001008800000000000000$strange" \
    "${ours}88cc0207045254$PAD" \
    "${ours}0800" >"$DIR/bad"
  send "$(paste -d '\n' "$DIR/bad" "$DIR/good" | grep .)" "$(mark)"
  seen >"$DIR/out"
  diff "$DIR/good" "$DIR/out"
  [ "$(drops web1)" = 11 ]
}

@test "filter-from-guest and filter-to-guest are for one direction, beside filter" {
  one_link "filter = not port 53
filter-from-guest = not tcp
filter-to-guest = not udp"
  run -0 tapwarden apply
  run -0 tapwarden plan
  see
  guest web1
  outsider
  local udp dns tcp
  udp=$TO${OWN}0800$(ip4 c0000201 00500051)
  dns=$TO${OWN}0800$(ip4 c0000201 d4310035)
  tcp=$TO${OWN}080045000028000100004006000000000000c0000209d4310019000000000000000050020000$PAD
  send "$udp" "$dns" "$tcp" "$(mark)"
  [ "$(seen)" = "$udp" ]
  local to=${OWN}${TO}
  send_from_outside "$to${udp:24}" "$to${dns:24}" "$to${tcp:24}" "$to${MARK_TYPE}00$PAD"
  wait_for "$DIR/got" "^got $to$MARK_TYPE"
  [ "$(grep '^got' "$DIR/got" | grep -v "$to$MARK_TYPE")" = "got $to${tcp:24}" ]
  [ "$(drops web1)" = 4 ]
}

# agent_counts FRAMES DIRECTION: the agent says so of web1; a count only rises.
agent_counts() {
  until tapwarden status --json 2>/dev/null |
    jq -e --arg d "$2" ".links[0].filtered == {frames: $1, direction: \$d}" >"$DIR/counts"; do
    kill -0 "$AGENT"
    sleep 0.05
  done
}

agent_starts() {
  spawn "$DIR/agent" "$TAPWARDEN" run -c "$INI"
  AGENT=${HOLDERS%% *}
}

reload() {
  one_link "$1"
  workers
  kill -HUP "$AGENT"
}

# workers: to the configuration of an agent that runs.
workers() {
  sed -i '/^log-dir/a user-capture = 64901\nuser-web = 64902' "$INI"
}

@test "status counts what is dropped, by direction where one has a program, over reloads and restarts" {
  one_link ""
  workers
  agent_starts
  agent_counts 0 from_guest
  guest web1
  outsider
  see
  send "$TO${OTHER}0800$(ip4 c0000201)" "$TO${OTHER}0806$(arp $OTHER c0000201)" "$(mark)"
  seen || true
  agent_counts 2 from_guest
  run -0 tapwarden status
  echo "$output"
  grep -Eq '^LINK .*  FILTERED +MATCHES ' <<<"$output"
  grep -Eq '^web1 .*  2 from guest  ' <<<"$output"
  # Another program is put in the place of the first, and the count goes on.
  reload "filter-from-guest = not port 25"
  until inside tc filter show dev web1 egress | grep -q 'bytecode .*\<25\>'; do
    sleep 0.05
  done
  send "$TO${OWN}0800$(ip4 c0000201 d4310019)" "$TO${OTHER}9999$PAD" "${TO}${OWN}9998$PAD"
  until hex | grep -q "^${TO}${OWN}9998"; do
    sleep 0.02
  done
  agent_counts 4 from_guest
  reload "filter-to-guest = not udp"
  agent_counts 4 both
  local to=${OWN}${TO}
  send_from_outside "${to}0800$(ip4 c0000201)" "$to${MARK_TYPE}00$PAD"
  wait_for "$DIR/got" "^got $to$MARK_TYPE"
  agent_counts 5 both
  # What was dropped to the guest is still in it when that program is gone.
  reload ""
  until [ -z "$(inside tc filter show dev web1 ingress)" ]; do
    sleep 0.05
  done
  agent_counts 5 both
  reload "filter-from-guest = not port 26"
  until tapwarden status --json | jq -e '.agent.generation == 5' >"$DIR/counts"; do
    sleep 0.05
  done
  agent_counts 5 both
  kill "$AGENT"
  wait "$AGENT" || true
  agent_starts
  agent_counts 5 from_guest
  # Where nothing of ours is at work nothing is told.
  reload "anti-spoof = off"
  until tapwarden status --json | jq -e '.links[0].filtered == null' >"$DIR/counts"; do
    sleep 0.05
  done
}

@test "a filter that is damaged is set again, those of others stay, and all goes with its keys" {
  one_link "filter = not port 25"
  mv "$INI" "$DIR/both.ini"
  one_link "anti-spoof = off"
  mv "$INI" "$DIR/off.ini"
  one_link ""
  assert_passes <<END
> reload $DIR/both.ini
> pass
create web1
web1 is up
wait -1
> run tc -j filter show dev web1 egress >$DIR/egress
> drain
drain 1
> pass
web1 is up
wait -1
> drain
drain 0
> run tc qdisc del dev web1 clsact
> drain
drain 1
> pass
change web1
web1 is up
wait -1
> sleep 100000
> run tc filter del dev web1 ingress pref 1
> drain
drain 1
> pass
change web1
web1 is up
wait -1
> sleep 100000
> run tc filter replace dev web1 egress pref 1 handle 0x7477 bpf da bytecode '1,6 0 0 0,'
> drain
drain 1
> pass
change web1
web1 is up
wait -1
> run tc -j filter show dev web1 egress | cmp - $DIR/egress
> run tc filter add dev web1 egress pref 9 bpf da bytecode '1,6 0 0 0,'
> sleep 100000
> reload $DIR/off.ini
> drain
drain 1
> pass
change web1
web1 is up
wait -1
> run ! tc filter show dev web1 egress | grep 'pref 1 '
> run tc filter show dev web1 egress | grep -q 'pref 9 '
> run tc filter del dev web1 egress pref 9
> sleep 100000
> reload $INI
> pass
change web1
web1 is up
wait -1
> run ! tc filter show dev web1 ingress | grep .
> sleep 100000
> reload $DIR/off.ini
> pass
change web1
web1 is up
wait -1
> run ! tc qdisc show dev web1 | grep clsact
END
}

@test "a change has no gap: a spoofed frame is dropped all the while" {
  local i flood
  one_link ""
  tapwarden apply
  see
  guest web1
  (while :; do echo "$TO${OTHER}9999$PAD"; done >"$DIR/guest") 3>&- &
  flood=$!
  HOLDERS="$flood $HOLDERS"
  for i in $(seq 12); do
    one_link "filter = not port $i"
    run -0 tapwarden apply
  done
  kill "$flood"
  # The end of a line may be missing.
  send "" "$(mark)"
  [ "$(seen || true)" = "" ]
  [ "$(drops web1)" -gt 30 ]
}

# box KEY = VALUE...: box1, a macvlan of another namespace.
box() {
  BOX=$NETNS-box
  config <<END
[set box]
lower = eno1
kind = macvlan
mode = bridge
$(printf '%s\n' "$@")

[link box1]
set = box
netns = $BOX
mac = 52:54:00:00:00:01
END
}

in_box() {
  ip netns exec "$BOX" "$@"
}

# hooks: those of box1 that have a program of ours.
hooks() {
  local hook
  for hook in egress ingress; do
    if in_box tc filter show dev box1 "$hook" | grep -q 'handle 0x7477 '; then
      echo "$hook"
    fi
  done | xargs
}

@test "a link in another namespace has its filters there, kept and removed as at home" {
  box "anti-spoof = mac" "filter-to-guest = not udp"
  cp "$INI" "$DIR/both.ini"
  box
  cp "$INI" "$DIR/none.ini"
  ip netns add "$BOX"
  in_box sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
  assert_passes <<END
> reload $DIR/both.ini
> pass
create box1
box1 is up
wait -1
> drain
drain 1
> pass
box1 is up
wait -1
> drain
drain 0
> run ip netns exec $BOX tc filter del dev box1 egress pref 1
> drain
drain 1
> pass
change box1
box1 is up
wait -1
> sleep 100000
> run ip netns exec $BOX tc qdisc del dev box1 clsact
> drain
drain 1
> pass
change box1
box1 is up
wait -1
END
  [ "$(hooks)" = "egress ingress" ]

  # They are at work: what box1 sends for another, and what UDP it is sent, is dropped.
  see
  mkfifo "$DIR/boxed"
  ip netns exec "$NETNS-box" "$FRAMES" --wire box1 <>"$DIR/boxed" >"$DIR/boxed.said" 3>&- &
  HOLDERS="$! $HOLDERS"
  wait_for "$DIR/boxed.said" ready
  printf '%s\n' "$TO${OTHER}0800$(ip4 c0000201)" "$TO${OWN}0800$(ip4 c0000201)" "$(mark)" >"$DIR/boxed"
  [ "$(seen)" = "$TO${OWN}0800$(ip4 c0000201)" ]
  [ "$(in_box tc -s -j qdisc show dev box1 clsact | jq '.[0].drops')" = 1 ]
  outsider
  send_from_outside "${OWN}${TO}0800$(ip4 c0000201)"
  until [ "$(in_box tc -s -j qdisc show dev box1 clsact | jq '.[0].drops')" = 2 ]; do
    sleep 0.02
  done

  cp "$DIR/none.ini" "$INI"
  run -0 tapwarden apply
  [ "$(hooks)" = "" ]
  run ! grep -q clsact <(in_box tc qdisc show dev box1)
  cp "$DIR/both.ini" "$INI"
  run -0 tapwarden apply
  [ "$(hooks)" = "egress ingress" ]

  # One that cannot be set keeps it down, and says why.
  run -0 tapwarden down
  run ! ip -n "$BOX" link show box1
  sed -i 's/^anti-spoof/up = no\nanti-spoof/; s/= mac$/= off/; /^filter/d' "$INI"
  tapwarden apply
  in_box tc qdisc add dev box1 ingress
  cp "$DIR/both.ini" "$INI"
  run -2 --separate-stderr tapwarden apply
  echo "$stderr"
  [[ "$stderr" == "tapwarden: could not set the filters of box1: others have the qdisc ingress in the place of clsact: take it away, or turn the link's filters off"* ]]
  [ "$(ip -n "$BOX" -j link show box1 | jq '.[0].flags | index("UP")')" = null ]
}
