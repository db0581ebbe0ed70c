#!/usr/bin/env bats
# The passes of the supervising loop against a real kernel, on a clock that the test moves.

bats_require_minimum_version 1.5.0

load helper.bash

setup() {
  wire_up
}

teardown() {
  wire_down
}

one_link() {
  config <<END
[set web]
lower = eno1
count = 1
$1
END
}

# assert_passes <<END: commands that begin with "> ", each followed by what it must print.
assert_passes() {
  local script
  script=$(cat)
  sed -n 's/^> //p' <<<"$script" >"$DIR/commands"
  sed '/^> /d' <<<"$script" >"$DIR/expected"
  inside "$PASSES" "$INI" <"$DIR/commands" >"$DIR/output"
  diff -u "$DIR/expected" "$DIR/output"
}

@test "a link is made, kept, and found lost and made again" {
  one_link
  assert_passes <<'END'
> drain
drain 0
> pass
create web1
web1 is up
wait -1
> drain
drain 1
> drain
drain 0
> pass
web1 is up
wait -1
> run ip link del web1
> drain
drain 1
> pass
lost web1, 1 in a row
create web1
web1 is up
wait -1
END
}

@test "whoever keeps deleting a link wins in the end, and a reload starts anew" {
  local n=1 seconds failed
  one_link
  {
    printf '> pass\ncreate web1\nweb1 is up\nwait -1\n'
    for seconds in 0 1 2 4 8 16 32 60 60; do
      printf '> run ip link del web1\n> pass\nlost web1, %d in a row\n' "$n"
      if [ "$seconds" -gt 0 ]; then
        printf 'web1 is missing: lost %d times in a row: waiting\nwait %d\n> wait\n> pass\n' \
          "$n" "${seconds}000"
      fi
      printf 'create web1\nweb1 is up\nwait -1\n'
      n=$((n + 1))
    done
    printf '> run ip link del web1\n> pass\nlost web1, 10 in a row\n'
    failed='web1 is failed: lost 10 times in a row: given up until a reload\nwait -1\n'
    printf '%b> sleep 100000000\n> pass\n%b' "$failed" "$failed"
    printf '> reload %s\n> pass\ncreate web1\nweb1 is up\nwait -1\n' "$INI"
  } | assert_passes
}

@test "what the kernel refuses is tried again, later each time" {
  ip -n "$NETNS" link add link eno1 name guest9 address 52:54:00:00:00:09 type macvtap mode bridge
  ip -n "$NETNS" link set guest9 up
  one_link '
[link web1]
set = web
mac = 52:54:00:00:00:09'
  assert_passes <<'END'
> pass
create web1: could not bring up web1: guest9 on eno1 already has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own
web1 is down: could not bring up web1: guest9 on eno1 already has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own
wait 1000
> pass
web1 is down: could not bring up web1: guest9 on eno1 already has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own
wait 1000
> wait
> pass
change web1: could not bring up web1: guest9 on eno1 already has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own
web1 is down: could not bring up web1: guest9 on eno1 already has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own
wait 2000
> run ip link del guest9
> wait
> pass
change web1
web1 is up
wait -1
END
}

@test "a link whose replacement is refused stays what it was, and is no loss" {
  ip -n "$NETNS" link set eno2 address 52:54:00:00:00:09
  one_link '
[link web1]
set = web
mac = 52:54:00:00:00:09'
  sed 's/eno1/eno2/' "$INI" >"$DIR/other.ini"
  assert_passes <<END
> pass
create web1
web1 is up
wait -1
> reload $DIR/other.ini
> pass
replace web1: could not bring up web1: the lower device eno2 itself has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own: it is again what it was
web1 is up: could not bring up web1: the lower device eno2 itself has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own: it is again what it was
wait 1000
> run ip -o link show web1 | grep -c 'web1@eno1.*[<,]UP[,>]'
1
> wait
> pass
replace web1: could not bring up web1: the lower device eno2 itself has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own: it is again what it was
web1 is up: could not bring up web1: the lower device eno2 itself has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own: it is again what it was
wait 2000
> run ip link set eno2 address 52:54:00:00:00:0a
> wait
> pass
replace web1
web1 is up
wait -1
END
}

@test "a lower device that goes takes its links along, and they come back with it" {
  one_link
  {
    printf '> pass\ncreate web1\nweb1 is up\nwait -1\n'
    # More often than a link may be lost: the lower device is to blame.
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
      cat <<'END'
> run ip link del eno1
> pass
lost web1, 0 in a row
blocked web1: the lower device eno1 does not exist: waiting for it
web1 is waiting: the lower device eno1 does not exist: waiting for it
wait -1
> run ip link add eno1 type veth peer name peer1 && ip link set peer1 up
> drain
drain 1
> pass
create web1
web1 is lower-down
wait -1
> run ip link set eno1 up
> pass
web1 is up
wait -1
END
    done
  } | assert_passes
}

@test "a lower device that came back between two passes is to blame, too" {
  one_link
  assert_passes <<'END'
> pass
create web1
web1 is up
wait -1
> run ip link del eno1 && ip link add eno1 type veth peer name peer1
> pass
lost web1, 0 in a row
create web1
web1 is lower-down
wait -1
END
}

@test "what is set by hand is set right, and a foreign link is told once" {
  one_link 'mode = bridge'
  assert_passes <<'END'
> pass
create web1
web1 is up
wait -1
> run ip link set web1 down address 52:54:00:00:00:77 && ip link set web1 type macvtap mode vepa
> pass
mac of web1 is 52:54:00:00:00:77, held by 
change web1
web1 is up
wait -1
> run ip link del web1 && ip link add web1 type veth peer name other
> pass
lost web1, 1 in a row
blocked web1: the name is taken by a veth that is not ours: left alone
web1 is blocked: the name is taken by a veth that is not ours: left alone
wait -1
> pass
web1 is blocked: the name is taken by a veth that is not ours: left alone
wait -1
> run ip link del web1
> pass
create web1
web1 is up
wait -1
END
}

@test "the host that begins to speak on a tap is noticed and made quiet" {
  inside sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
  one_link
  assert_passes <<'END'
> pass
create web1
web1 is up
wait -1
> run until ip link show web1 | grep -q 'state UP'; do sleep 0.02; done
> drain
drain 1
> drain
drain 0
> run echo 0 >/proc/sys/net/ipv6/conf/web1/disable_ipv6
> drain
drain 1
> pass
change web1
web1 is up
wait -1
> run ip link set web1 arp on
> drain
drain 1
> pass
change web1
web1 is up
wait -1
> pass
web1 is up
wait -1
END
}

@test "a link whose alias somebody took is not lost, and gets it back" {
  one_link
  assert_passes <<END
> pass
create web1
web1 is up
wait -1
> run ip link set web1 alias ""
> pass
change web1
web1 is up
wait -1
> run ip link set web1 alias mine
> pass
lost web1, 1 in a row
blocked web1: the name is taken by a link in group 7477 with the alias "mine": left alone
web1 is blocked: the name is taken by a link in group 7477 with the alias "mine": left alone
wait -1
END
}

@test "a held link that is not wanted any more waits until it is let go" {
  one_link
  cp "$INI" "$DIR/with.ini"
  tapwarden apply
  hold web1
  sed -i 's/count = 1/count = 0/' "$INI"
  assert_passes <<END
> pass
wait 30000
> run kill $HOLDER
> wait
> run sleep 0.2
> pass
delete web1
wait -1
END
}

@test "what is changed on a link that is to be down is found without being told" {
  one_link
  printf 'up = no\n' >>"$INI"
  assert_passes <<END
> pass
create web1
web1 is down
wait 30000
> drain
drain 1
> run ip link set web1 type macvtap mode private
> drain
drain 0
> wait
> pass
change web1
web1 is down
wait 30000
END
  [ "$(fact web1 .linkinfo.info_data.mode)" = bridge ]
}

@test "more notifications than the socket takes only mean another pass" {
  one_link
  assert_passes <<'END'
> pass
create web1
web1 is up
wait -1
> run i=0; while [ $i -lt 3000 ]; do echo "link set web1 alias a$i"; i=$((i + 1)); done | ip -b -
> run ip link set web1 alias tapwarden/web/web1
> drain
drain 1
> drain
drain 0
> pass
web1 is up
wait -1
END
}

@test "a guest that changes its MAC is an event, and is given its own again" {
  one_link
  printf '\n[link web1]\nset = web\nmac = 52:54:00:00:00:01\n' >>"$INI"
  tapwarden apply
  hold web1
  assert_passes <<'END'
> pass
web1 is up
wait -1
> run ip link set web1 address 52:54:00:00:00:66
> pass
mac of web1 is 52:54:00:00:00:66, held by tap_open
change web1
web1 is up
wait -1
> pass
web1 is up
wait -1
END
}

@test "whoever keeps setting a link otherwise is answered later each time" {
  local n seconds
  one_link 'mtu = 1400'
  {
    printf '> pass\ncreate web1\nweb1 is up\nwait -1\n'
    n=1
    for seconds in 0 0 1 2 4 8; do
      printf '> run ip link set web1 mtu 1300\n> pass\n'
      if [ "$seconds" -gt 0 ]; then
        printf 'web1 is up: somebody keeps changing it, %d times in a row: waiting\nwait %d000\n' \
          "$((n - 1))" "$seconds"
        printf '> wait\n> pass\n'
      fi
      printf 'change web1\nweb1 is up\nwait -1\n'
      n=$((n + 1))
    done
  } | assert_passes
}

@test "what was set and does not show is told once, and tried later each time" {
  # The cutoff is one of the real lower device, so that two sets cannot have two.
  ip -n "$NETNS" link add link eno1 name stack0 type macvlan mode bridge
  config <<'END'
[set a]
lower = eno1
bccutoff = 0
count = 1
[set b]
lower = stack0
bccutoff = off
count = 1
END
  assert_passes <<'END'
> pass
create a1
create b1
change a1: could not change a1 for good: it was set, and shows otherwise: bccutoff off -> 0
a1 is up: could not change a1 for good: it was set, and shows otherwise: bccutoff off -> 0
b1 is up
wait 1000
> pass
a1 is up: could not change a1 for good: it was set, and shows otherwise: bccutoff off -> 0
b1 is up
wait 1000
> run ip link set stack0 down; ip link del b1; ip link del stack0
> wait
> pass
lost b1, 0 in a row
blocked b1: the lower device stack0 does not exist: waiting for it
a1 is up
b1 is waiting: the lower device stack0 does not exist: waiting for it
wait -1
END
}

@test "a link that somebody renamed is renamed back, under the guest that holds it" {
  one_link
  tapwarden apply
  hold web1
  {
    cat <<'END'
> pass
web1 is up
wait -1
> run ip link set web1 name mine
> pass
change web1
web1 is up
wait -1
> run ip link show web1 >/dev/null && kill -0 $HOLDER
END
  } | HOLDER=$HOLDER assert_passes
}

@test "the mtu follows the lower device, up again too" {
  one_link
  assert_passes <<'END'
> pass
create web1
web1 is up
wait -1
> run ip link set eno1 mtu 1400 && ip link set eno1 mtu 9000
> pass
change web1
web1 is up
wait -1
> run ip -j link show web1 | grep -q '"mtu":9000'
> pass
web1 is up
wait -1
END
}

@test "a look that broke off is forgotten by the next one" {
  one_link
  export DIR
  # The first request, for the links, is answered; the next one is not.
  assert_passes <<'END'
> pass
create web1
web1 is up
wait -1
> look
web1 is up, mtu 1500
> run ip link set web1 mtu 1400
> drain
drain 1
> run strace -qq -o /dev/null -e inject=sendto:error=EPERM:when=2+ -p $PPID & echo $! >"$DIR/strace"
> run until grep -q '^TracerPid:.[1-9]' /proc/$PPID/status; do sleep 0.05; done
> look
could not talk to rtnetlink: Operation not permitted
> run kill $(cat "$DIR/strace"); until grep -q '^TracerPid:.0' /proc/$PPID/status; do sleep 0.05; done
> look
web1 is up, mtu 1400
END
}

@test "a lower device that is renamed keeps its links, and has them as its own when it is back" {
  one_link
  assert_passes <<'END'
> pass
create web1
web1 is up
wait -1
> run ip link set eno1 name eno7 && ip link set web1 address 52:54:00:00:00:66
> pass
mac of web1 is 52:54:00:00:00:66, held by 
change web1
web1 is up
wait -1
> pass
blocked web1: the lower device eno1 does not exist: left on eno7
web1 is up: the lower device eno1 does not exist: left on eno7
wait -1
> run ip link set eno7 name eno1
> pass
web1 is up
wait -1
END
}
