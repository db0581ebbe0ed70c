#!/usr/bin/env bats
# What others have on a link beside its filter, or in the place of one: it stays, and is told.

bats_require_minimum_version 1.5.0

load filters.bash

# theirs: what others have on web1, as tc tells it.
theirs() {
  inside tc qdisc show dev web1 clsact
  inside tc filter show dev web1 egress | grep -v " handle 0x7477 "
  inside tc filter show dev web1 ingress | grep -v " handle 0x7477 "
}

@test "filters of others on a held tap stay whatever is done, and are in no way" {
  local before
  one_link ""
  tapwarden apply
  hold web1
  inside tc filter add dev web1 egress pref 1 handle 1 bpf da bytecode "1,6 0 0 4294967295,"
  inside tc filter add dev web1 egress pref 9 bpf da bytecode "1,6 0 0 0,"
  inside tc filter add dev web1 ingress pref 9 chain 4 bpf da bytecode "1,6 0 0 0,"
  before=$(theirs)
  run -0 tapwarden plan
  run -0 tapwarden apply
  [ "$(theirs)" = "$before" ]
  one_link "filter = not port 25"
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  filter from guest another -> "*", filter to guest none -> "*"Plan: 1 to change."* ]]
  run -0 tapwarden apply
  run -0 tapwarden plan
  [ "$(theirs | grep " handle 0x1 ")" = "$(grep " handle 0x1 " <<<"$before")" ]
  one_link "anti-spoof = off"
  run -0 tapwarden apply
  [ "$(theirs)" = "$before" ]
  run -0 tapwarden plan
  # The link is held, and its filters with it.
  run -2 tapwarden down
  [ "$(theirs)" = "$before" ]
  release
  run -0 tapwarden down
  run ! exists web1
}

@test "a clsact that others made is used, and stays where nothing of ours was" {
  one_link "anti-spoof = off"
  tapwarden apply
  inside tc qdisc add dev web1 clsact
  run -0 tapwarden plan
  run -0 tapwarden apply
  inside tc qdisc show dev web1 | grep -q clsact
  inside tc filter add dev web1 ingress pref 7 bpf da bytecode "1,6 0 0 0,"
  one_link ""
  run -0 tapwarden apply
  inside tc filter show dev web1 egress | grep -q " handle 0x7477 "
  one_link "anti-spoof = off"
  run -0 tapwarden apply
  run -0 tapwarden plan
  inside tc filter show dev web1 ingress | grep -q "pref 7 "
  [ -z "$(inside tc filter show dev web1 egress)" ]
  # Nor does it go when it is empty, and one that was made for ours does.
  inside tc filter del dev web1 ingress
  one_link ""
  run -0 tapwarden apply
  one_link "anti-spoof = off"
  run -0 tapwarden apply
  [ "$(inside tc qdisc show dev web1 clsact)" = "qdisc clsact ffff: parent ffff:fff1 " ]
  inside tc qdisc del dev web1 clsact
  one_link ""
  run -0 tapwarden apply
  one_link "anti-spoof = off"
  run -0 tapwarden apply
  run ! grep clsact <(inside tc qdisc show dev web1)
}

@test "what others have in the place of a filter is told by apply and by the passes" {
  one_link "anti-spoof = off"
  tapwarden apply
  inside tc qdisc add dev web1 clsact
  inside tc filter add dev web1 egress pref 1 protocol ip bpf da bytecode "1,6 0 0 0,"
  one_link ""
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: could not set the filters of web1: others have a filter of preference 1 there: see tc filter show: give them another preference" ]
  inside tc filter show dev web1 egress | grep -q "protocol ip pref 1 "
  inside tc qdisc del dev web1 clsact
  inside tc qdisc add dev web1 egress_block 4711 clsact
  inside tc qdisc add dev eno2 egress_block 4711 clsact
  assert_passes <<END
> pass
change web1: could not set the filters of web1: others have put a filter block (tc block) in the place of its own: take it away, or turn the link's filters off
web1 is up: could not set the filters of web1: others have put a filter block (tc block) in the place of its own: take it away, or turn the link's filters off
wait 1000
> run [ -z "\$(tc filter show block 4711)" ]
> run tc qdisc del dev web1 clsact
> wait
> pass
change web1: could not set the filters of web1: the kernel says "Parent Qdisc doesn't exists": Invalid argument
web1 is up: could not set the filters of web1: the kernel says "Parent Qdisc doesn't exists": Invalid argument
wait 2000
> drain
drain 1
> wait
> pass
change web1
web1 is up
wait -1
END
  inside tc qdisc show dev eno2 | grep -q "egress_block 4711"
}

@test "the same filter in another chain, which no frame goes to, is not ours" {
  one_link ""
  tapwarden apply
  inside tc filter add dev web1 egress chain 5 pref 1 handle 0x7477 protocol all bpf da bytecode \
    "$(inside tc filter show dev web1 egress | sed -n "s/.*bytecode '\(.*\)'.*/\1/p")"
  inside tc filter del dev web1 egress chain 0 pref 1
  run -1 tapwarden plan
  [[ "$output" == *"filter from guest none -> anti-spoof mac"* ]]
  run -0 tapwarden apply
  run -0 tapwarden plan
}
