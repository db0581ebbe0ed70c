#!/usr/bin/env bats
# How many messages go to the kernel, as strace sees them: each costs a system call, and a deletion by
# itself the kernel a wait for all processors.

bats_require_minimum_version 1.5.0

load helper.bash

LINKS=200

setup() {
  wire_up
  config <<END
[set web]
lower = eno1
name = web%03d
count = $LINKS
mode = bridge
END
}

teardown() {
  wire_down
}

# traced COMMAND: what it sends goes to $DIR/sent, a line for each message with all its requests.
traced() {
  inside strace -f -v -s 4096 -e trace=sendto,sendmsg -e signal=none -o "$DIR/sent" \
    "$TAPWARDEN" "$1" -c "$INI"
}

# of TYPE: how many requests of it were sent, and in how many messages.
of() {
  perl -ne '$n = () = /nlmsg_type=$ENV{TYPE}\b/g; $all += $n; $messages += $n > 0;
    END { printf "%d in %d\n", $all, $messages }' "$DIR/sent"
}

@test "what makes $LINKS links goes many to a message, and a look at them too" {
  run -0 traced apply
  [ "$(TYPE=RTM_NEWLINK of)" = "$((3 * LINKS)) in 12" ] # made; their alias; IPv6 off and up
  [ "$(TYPE=RTM_NEWTFILTER of)" = "$LINKS in 10" ] # beside a qdisc and its mark
  run -0 traced plan
  [ "$(TYPE=RTM_GETLINK of)" = "1 in 1" ]
  [ "$(TYPE=RTM_GETTFILTER of)" = "$((2 * LINKS)) in 7" ]
  [ "$(TYPE='RTM_(?:NEW|SET|DEL)\w+' of)" = "0 in 0" ]
}

@test "a change of $LINKS links goes many to a message" {
  tapwarden apply
  printf 'mtu = 1400\n' >>"$INI"
  run -0 traced apply
  [ "$(TYPE=RTM_NEWLINK of)" = "$LINKS in 4" ]
  [ "$(TYPE=RTM_DELLINK of)" = "0 in 0" ]
}

@test "$LINKS links go by one request, for all of their group" {
  tapwarden apply
  run -0 traced down
  [ "$(TYPE=RTM_DELLINK of)" = "1 in 1" ]
  grep RTM_DELLINK "$DIR/sent" | grep -F 'ifi_index=0' | grep -F IFLA_GROUP
  [ "$(TYPE=RTM_NEWLINK of)" = "$LINKS in 4" ] # to that group
  [ -z "$(ip -n "$NETNS" -o link show type macvtap)" ]
}
