#!/usr/bin/env bats
# plan, apply and down against a real kernel.

bats_require_minimum_version 1.5.0

load links.bash

@test "every mode of both kinds is made as the kernel shows it" {
  local kind mode
  config <<END
[set p]
lower = eno2
mode = passthru
name = p%d
count = 1

$(for kind in macvtap macvlan; do
    for mode in vepa bridge private; do
      printf '[set %s-%s]\nlower = eno1\nkind = %s\nmode = %s\nname = %s%%d\ncount = 2\n\n' \
        "$kind" "$mode" "$kind" "$mode" "${kind#macv}-$mode"
    done
  done)
END
  run -0 tapwarden apply
  [[ "$output" == *"Done: 13 added."* ]]
  for kind in macvtap macvlan; do
    for mode in vepa bridge private; do
      assert_link "${kind#macv}-${mode}1" "$kind" "$mode" eno1 "$kind-$mode"
      assert_link "${kind#macv}-${mode}2" "$kind" "$mode" eno1 "$kind-$mode"
    done
  done
  assert_link p1 macvtap passthru eno2 p

  sed -i '/^mode = passthru/a kind = macvlan' "$INI"
  run -0 tapwarden apply
  [[ "$output" == *"-/+ link p1  kind macvtap -> macvlan"* ]]
  assert_link p1 macvlan passthru eno2 p
}

@test "a second apply changes nothing, and plan says so" {
  config <<END
[set web]
lower = eno1
mtu = 1400
count = 3

[set solo]
lower = eno2
mode = passthru
count = 1
END
  run -1 tapwarden plan
  [[ "$output" == *"Plan: 4 to add."* ]]
  tapwarden apply
  all_links >"$DIR/before"
  run -0 tapwarden plan
  [ "$output" = "Plan: nothing to do, 4 links are as they should be." ]
  run -0 tapwarden apply
  [ "$output" = "Done: nothing to do, 4 as they were." ]
  all_links | diff "$DIR/before" -
}

@test "links of others are left alone by apply and down" {
  ip -n "$NETNS" link add link eno1 name web2 type macvtap
  ip -n "$NETNS" link add link eno1 name plain type macvtap
  ip -n "$NETNS" link add link eno1 name grouped group 7477 type macvtap
  ip -n "$NETNS" link add link eno1 name aliased type macvtap
  ip -n "$NETNS" link set aliased alias tapwarden/web/aliased
  ip -n "$NETNS" link add marked group 7477 type veth peer name other
  ip -n "$NETNS" link set marked alias tapwarden/web/marked
  all_links >"$DIR/before"
  one_set bridge 3

  run -2 --separate-stderr tapwarden apply
  [[ "$output" == *"Done: 2 added, 1 blocked."* ]]
  [ "$stderr" = "tapwarden: link web2: the name is taken by a macvtap that is not ours: left alone" ]
  assert_link web1 macvtap bridge eno1 web
  assert_link web3 macvtap bridge eno1 web

  run -0 tapwarden down
  [[ "$output" == *"Done: 2 deleted."* ]]
  all_links | diff "$DIR/before" -
}

@test "a change of mode is made live: same link, same open tap" {
  local index
  one_set bridge
  tapwarden apply
  hold web1
  index=$(fact web1 .ifindex)
  for mode in vepa private bridge; do
    one_set "$mode"
    run -0 tapwarden apply
    assert_link web1 macvtap "$mode" eno1 web
    [ "$(fact web1 .ifindex)" = "$index" ]
  done
  kill -0 "$HOLDER"
}

@test "MAC, mtu, up and the alias are changed live" {
  local index
  one_set bridge 1
  tapwarden apply
  index=$(fact web1 .ifindex)
  config <<END
[set other]
lower = eno1
mode = bridge

[link web1]
set = other
mac = 52:54:00:00:00:77
mtu = 1300
up = no
END
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  alias \"tapwarden/web/web1\" -> tapwarden/other/web1, mac "*" -> 52:54:00:00:00:77, mtu 1500 -> 1300, filter from guest another -> anti-spoof mac, up yes -> no"* ]]
  run -0 tapwarden apply
  run -0 fact web1 '[.ifindex, .address, .mtu, .ifalias, (.flags | index("UP"))] | join(" ")'
  [ "$output" = "$index 52:54:00:00:00:77 1300 tapwarden/other/web1 " ]
}

# queues LINK: txqueuelen, what it asked for as bcqueuelen, and what its lower has.
queues() {
  fact "$1" '[.txqlen, (.linkinfo.info_data | .bcqueuelen, .usedbcqueuelen)] | @csv'
}

@test "queues are as long as asked for, from the start and live" {
  local index
  one_set bridge 2
  printf 'txqueuelen = 77\nbcqueuelen = 300\nbccutoff = 0\n[link web2]\nset = web\n' >>"$INI"
  printf 'txqueuelen = 78\nbcqueuelen = 400\n' >>"$INI"
  tapwarden apply
  [ "$(queues web1)" = 77,300,400 ]
  [ "$(queues web2)" = 78,400,400 ]
  run -0 tapwarden plan

  hold web1
  index=$(fact web1 .ifindex)
  ip -n "$NETNS" link set web1 txqueuelen 5
  ip -n "$NETNS" link set web1 type macvtap bcqueuelen 6
  sed -i 's/bccutoff = 0/bccutoff = off/' "$INI"
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  txqueuelen 5 -> 77, bcqueuelen 6 -> 300, bccutoff 0 -> off"$'\n'* ]]
  [[ "$output" == *"~ link web2  bccutoff 0 -> off"$'\n'* ]]
  tapwarden apply
  [ "$(queues web1)" = 77,300,400 ]
  [ "$(fact web1 .ifindex)" = "$index" ]
  run -0 tapwarden plan
}

@test "nopromisc keeps the lower device of a passthru link as it is" {
  local index
  one_set passthru 1
  tapwarden apply
  hold web1
  index=$(fact web1 .ifindex)
  [ "$(fact eno1 .promiscuity)" = 1 ]
  printf 'flags = nopromisc\n' >>"$INI"
  run -0 tapwarden apply
  [[ "$output" == *"~ link web1  flags none -> nopromisc"$'\n'* ]]
  [ "$(fact eno1 .promiscuity)" = 0 ]
  [ "$(fact web1 .linkinfo.info_data.nopromisc)" = true ]
  run -0 tapwarden plan

  # Down and up again, with a change in between: the kernel's count must come out right.
  printf 'up = no\n' >>"$INI"
  tapwarden apply
  sed -i '/^flags/d' "$INI"
  run -0 tapwarden plan
  sed -i '/^up/d' "$INI"
  run -0 tapwarden apply
  [[ "$output" == *"~ link web1  flags nopromisc -> none, up no -> yes"$'\n'* ]]
  [ "$(fact eno1 .promiscuity)" = 1 ]
  [ "$(fact web1 .ifindex)" = "$index" ]
  release
  tapwarden down
  [ "$(fact eno1 .promiscuity)" = 0 ]

  printf 'flags = nopromisc\n' >>"$INI"
  tapwarden apply
  [ "$(fact web1 .linkinfo.info_data.nopromisc)" = true ]
  [ "$(fact eno1 .promiscuity)" = 0 ]
}

@test "flags that somebody else set are taken back" {
  one_set bridge 1
  tapwarden apply
  ip -n "$NETNS" link set web1 type macvtap mode source nodst
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  mode source -> bridge, flags nodst -> none"$'\n'* ]]
  tapwarden apply
  run -0 tapwarden plan
}

# sources LINK: its MACs, in order.
sources() {
  fact "$1" '.linkinfo.info_data.macaddr_data // [] | sort | join(" ")'
}

@test "source mode has its list of MACs, changed live by what differs" {
  local index i
  config <<END
[set web]
lower = eno1
mode = source
flags = nodst
source-macs = 52:54:00:00:01:01 52:54:00:00:01:02
count = 1
END
  run -0 tapwarden apply
  [[ "$output" == *"+ link web1  macvtap source on eno1"$'\n'* ]]
  assert_link web1 macvtap source eno1 web
  [ "$(sources web1)" = "52:54:00:00:01:01 52:54:00:00:01:02" ]
  [ "$(fact web1 .linkinfo.info_data.nodst)" = true ]
  run -0 tapwarden plan

  hold web1
  index=$(fact web1 .ifindex)
  sed -i '/^source-macs/s/01:01/01:03 52:54:00:00:01:04/' "$INI"
  run -0 tapwarden apply
  [[ "$output" == *"~ link web1  source MACs +2 -1"$'\n'* ]]
  [ "$(sources web1)" = "52:54:00:00:01:02 52:54:00:00:01:03 52:54:00:00:01:04" ]
  run -0 tapwarden plan

  # Somebody else's hand in it, by one and by more than are kept in mind.
  ip -n "$NETNS" link set web1 type macvtap macaddr del 52:54:00:00:01:03
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  source MACs +1 -0"$'\n'* ]]
  for i in $(seq 0 2999); do
    printf 'link set web1 type macvtap macaddr add 52:54:00:01:%02x:%02x\n' $((i / 256)) $((i % 256))
  done >"$DIR/many"
  ip -n "$NETNS" -batch "$DIR/many"
  run -0 tapwarden apply
  [[ "$output" == *"~ link web1  source MACs more than 64 -> 3"$'\n'* ]]
  [ "$(sources web1)" = "52:54:00:00:01:02 52:54:00:00:01:03 52:54:00:00:01:04" ]

  # Another mode drops the list; the way back brings it again.
  one_set bridge 1
  run -0 tapwarden apply
  [[ "$output" == *"~ link web1  mode source -> bridge, flags nodst -> none"$'\n'* ]]
  printf 'source-macs = 52:54:00:00:01:01\n' >>"$INI"
  sed -i 's/^mode = bridge/mode = source/' "$INI"
  run -0 tapwarden apply
  [[ "$output" == *"~ link web1  mode bridge -> source, source MACs +1 -0"$'\n'* ]]
  [ "$(sources web1)" = "52:54:00:00:01:01" ]
  [ "$(fact web1 .ifindex)" = "$index" ]
}

@test "altnames are given and come back, and those of others stay" {
  local index
  one_set bridge 2
  printf '[link web1]\nset = web\naltnames = shop the-second-name\n' >>"$INI"
  tapwarden apply
  [ "$(fact web1 '.altnames | sort | join(" ")')" = "shop the-second-name" ]
  [ "$(fact web2 .altnames)" = null ]
  run -0 tapwarden plan

  hold web1
  index=$(fact web1 .ifindex)
  ip -n "$NETNS" link property add dev web1 altname of-others
  run -0 tapwarden plan
  ip -n "$NETNS" link property del dev web1 altname shop
  run -0 tapwarden apply
  [[ "$output" == *"~ link web1  altname +shop"$'\n'* ]]
  [ "$(fact web1 '.altnames | sort | join(" ")')" = "of-others shop the-second-name" ]
  [ "$(fact web1 .ifindex)" = "$index" ]

  ip -n "$NETNS" link property del dev web1 altname shop
  ip -n "$NETNS" link property add dev eno2 altname shop
  ip -n "$NETNS" link del web2
  ip -n "$NETNS" link property add dev eno2 altname web2
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: could not add an altname to web1: eno2 has the name shop: another name is needed
tapwarden: could not make web2: eno2 has that name as an altname: another name is needed" ]
}

@test "a lower device goes by its altname too" {
  config <<END
[set web]
lower = enp3s0
mode = bridge
count = 1

[link guest]
set = web
altnames = enp4s0
END
  ip -n "$NETNS" link property add dev eno1 altname enp3s0
  run -0 tapwarden apply
  assert_link web1 macvtap bridge eno1 web
  run -0 tapwarden plan
  run -0 tapwarden reach
  [[ "$output" == *eno1* ]]
  # The name itself comes first, and a guest's altname is none of a lower device.
  ip -n "$NETNS" link property add dev eno2 altname enp5s0
  sed -i 's/^lower = .*/lower = enp5s0/' "$INI"
  run -0 tapwarden apply
  assert_link web1 macvtap bridge eno2 web
  sed -i 's/^lower = .*/lower = enp4s0/' "$INI"
  run -1 tapwarden plan
  [[ "$output" == *"the lower device enp4s0 does not exist: left on eno2"* ]]
}

# macs_of LINK...: what the kernel has, in this order.
macs_of() {
  local link
  for link; do
    fact "$link" .address
  done
}

@test "links swap their MACs, and hand them and altnames on, while they are up" {
  local mode links
  for mode in bridge private; do
    one_set "$mode" 4
    printf '[link web%d]\nset = web\nmac = 52:54:00:00:00:%02d\naltnames = vm%d\n' \
      1 1 1 2 2 2 3 3 3 4 4 4 >>"$INI"
    tapwarden apply
    links=$(fact web1 .ifindex; fact web3 .ifindex)
    # 1 <-> 2, and 3 gets that of 4, which gets a new one.
    sed -i 's/00:01$/00:0x/; s/00:02$/00:01/; s/00:0x$/00:02/; s/00:04$/00:05/; s/00:03$/00:04/
      s/vm1$/vm0/; s/vm2$/vm1/; s/vm0$/vm2/; s/vm3$/vm4x/; s/vm4$/vm3/' "$INI"
    run -0 tapwarden apply
    [ "$(macs_of web1 web2 web3 web4 | tr '\n' ' ')" = "52:54:00:00:00:02 52:54:00:00:00:01 52:54:00:00:00:04 52:54:00:00:00:05 " ]
    [ "$(fact web1 .ifindex; fact web3 .ifindex)" = "$links" ]
    [ "$(fact web1 '.altnames | index("vm2") != null')" = true ]
    [ "$(fact web2 '.altnames | index("vm1") != null')" = true ]
    [ "$(fact web4 '.altnames | index("vm3") != null')" = true ]
    [ "$(fact web1 '.flags | index("UP") != null')" = true ]
    run -0 tapwarden plan
    # A link that is made may have the name that another had as an altname.
    ip -n "$NETNS" link property add dev web1 altname web5
    sed -i 's/^count = 4/count = 5/' "$INI"
    run -0 tapwarden apply
    exists web5
    tapwarden down
  done
}

@test "into passthru takes another link, and the MAC of the lower comes back after" {
  local index lower_mac
  lower_mac=$(fact eno1 .address)
  one_set bridge 1
  tapwarden apply
  index=$(fact web1 .ifindex)
  one_set passthru 1
  run -0 tapwarden apply
  [[ "$output" == *"-/+ link web1  mode bridge -> passthru"* ]]
  assert_link web1 macvtap passthru eno1 web
  [ "$(fact web1 .ifindex)" != "$index" ]
  run -0 tapwarden plan
  tapwarden down
  [ "$(fact eno1 .address)" = "$lower_mac" ]
}

@test "a link that someone deleted is made again, with the same MAC" {
  local mac
  one_set
  tapwarden apply
  mac=$(fact web1 .address)
  ip -n "$NETNS" link del web1
  run -0 tapwarden apply
  [[ "$output" == *"Done: 1 added, 1 as it was."* ]]
  [ "$(fact web1 .address)" = "$mac" ]
}

@test "a MAC that another link has is explained, and the rest is done" {
  ip -n "$NETNS" link add link eno1 name guest9 address 52:54:00:00:00:09 type macvtap mode bridge
  ip -n "$NETNS" link set guest9 up
  one_set bridge 2
  printf '\n[link web1]\nset = web\nmac = 52:54:00:00:00:09\n' >>"$INI"
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: could not bring up web1: guest9 on eno1 already has the MAC 52:54:00:00:00:09: each link on a device needs a MAC of its own" ]
  [[ "$output" == *"Done: 1 added, 1 failed."* ]]
  assert_link web2 macvtap bridge eno1 web

  ip -n "$NETNS" link del guest9
  run -0 tapwarden apply
  assert_link web1 macvtap bridge eno1 web
}

@test "a lower device that is missing is waited for" {
  one_set bridge 1
  sed -i 's/eno1/eno7/' "$INI"
  run -1 tapwarden plan
  [ "$output" = "   ! link web1  the lower device eno7 does not exist: waiting for it
Plan: 1 blocked." ]
  run -2 tapwarden apply
  ip -n "$NETNS" link add eno7 type veth peer name peer7
  run -0 tapwarden apply
  assert_link web1 macvtap bridge eno7 web
}

@test "what the kernel refuses without a word is explained" {
  one_set bridge 1
  printf 'mtu = 9000\n' >>"$INI"
  run -2 tapwarden apply
  [[ "$output" == *"could not make web1: mtu 9000 is above that of the lower device eno1, which is 1500"* ]]

  ip -n "$NETNS" link add link eno1 name solo type macvtap mode passthru
  one_set bridge 1
  run -2 tapwarden apply
  [[ "$output" == *"could not make web1: solo has eno1 for itself (mode passthru)"* ]]

  ip -n "$NETNS" link del solo
  ip -n "$NETNS" link add br7 type bridge
  ip -n "$NETNS" link set eno1 master br7
  run -2 tapwarden apply
  [[ "$output" == *"link web1: the lower device eno1 is a port of the bridge br7: br7 itself can be the lower device"* ]]
}

@test "down removes what is ours, also of sets that are no longer in the file" {
  one_set bridge 2
  printf '\n[set old]\nlower = eno2\nkind = macvlan\ncount = 2\n' >>"$INI"
  tapwarden apply
  one_set bridge 1
  run -0 tapwarden down
  [[ "$output" == *"Done: 4 deleted."* ]]
  for link in web1 web2 old1 old2; do
    run -1 exists "$link"
  done
  run -0 tapwarden down
  [ "$output" = "Done: nothing to do." ]
}

@test "a link whose maker died before the alias is taken over, and by down too" {
  local index
  one_set bridge 2
  ip -n "$NETNS" link add link eno1 name web1 group 7477 type macvtap mode vepa
  ip -n "$NETNS" link add link eno1 name web2 group 7477 type macvtap
  index=$(fact web1 .ifindex)
  run -0 tapwarden apply
  [[ "$output" == *"Done: 2 changed."* ]]
  assert_link web1 macvtap bridge eno1 web
  [ "$(fact web1 .ifindex)" = "$index" ]

  ip -n "$NETNS" link set web1 alias ''
  run -0 tapwarden down
  [[ "$output" == *"Done: 2 deleted."* ]]
}

@test "links that a deletion left half-way are still ours" {
  one_set bridge 3
  tapwarden apply
  inside "$SET_GROUP" web1 7477
  inside "$SET_GROUP" web2 7477
  run -0 tapwarden apply
  assert_link web1 macvtap bridge eno1 web
  inside "$SET_GROUP" web1 7477
  one_set bridge 0
  run -0 tapwarden down
  run -1 exists web1
  run -1 exists web3
}

@test "many links at once" {
  one_set private 300
  run -0 tapwarden apply
  [[ "$output" == *"Done: 300 added."* ]]
  [ "$(ip -n "$NETNS" -o link show type macvtap up | wc -l)" -eq 300 ]
  run -0 tapwarden plan
  run -0 tapwarden down
  [[ "$output" == *"Done: 300 deleted."* ]]
  [ "$(ip -n "$NETNS" -o link show type macvtap | wc -l)" -eq 0 ]
}

@test "a passthru link that goes does not leave its lower device allmulti" {
  one_set passthru 1
  tapwarden apply
  ip -n "$NETNS" link set web1 allmulticast on
  [ "$(fact eno1 .allmulti)" = 1 ]
  tapwarden down
  [ "$(fact eno1 .allmulti)" = 0 ]
}

@test "apply and down refuse while an agent has the lock" {
  one_set
  mkdir "$DIR/run"
  run -2 flock "$DIR/run/agent.lock" ip netns exec "$NETNS" "$TAPWARDEN" apply -c "$INI"
  [ "$output" = "tapwarden: another tapwarden has locked $DIR/run/agent.lock: nothing is changed" ]
  run -1 exists web1
}

@test "apply --json is one value that tells each step" {
  one_set
  ip -n "$NETNS" link add link eno1 name web2 type macvtap
  run -2 --separate-stderr tapwarden apply --json
  run -0 jq -c '[.summary.create, .summary.blocked, (.steps[] | .link, .op, .result, .blocked_by)]' <<<"$output"
  [ "$output" = '[1,1,"web1","create","done",null,"web2","blocked","blocked","foreign"]' ]
}

@test "a passthru link that goes down does not leave its lower device allmulti" {
  one_set passthru 1
  tapwarden apply
  ip -n "$NETNS" link set web1 allmulticast on
  [ "$(fact eno1 .allmulti)" = 1 ]
  printf 'up = no\n' >>"$INI"
  tapwarden apply
  [ "$(fact eno1 '[.allmulti, .promiscuity] | join(" ")')" = "0 0" ]
}

@test "a link that somebody renamed is not made twice" {
  one_set bridge 2
  tapwarden apply
  ip -n "$NETNS" link set web1 name mine
  run -1 tapwarden plan
  [[ "$output" == *"~ link web1  name mine -> web1"$'\n'* ]]
  ip -n "$NETNS" link add web1 type bridge
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: could not rename web1: another bridge has that name: another name is needed" ]
  exists mine
  ip -n "$NETNS" link del web1
  tapwarden apply
  run -0 tapwarden plan
  [ "$output" = "Plan: nothing to do, 2 links are as they should be." ]
  ip -n "$NETNS" link set web2 name mine
  run -0 tapwarden down
  [ -z "$(ip -n "$NETNS" link show type macvtap)" ]
}

@test "a wireless lower device is refused with the reason" {
  one_set bridge 1
  run -2 --separate-stderr inside sh -c 'index=$(cat /sys/class/net/eno1/ifindex)
    mount -t tmpfs none /sys/class/net/eno1 && mkdir /sys/class/net/eno1/phy80211 &&
    echo "$index" >/sys/class/net/eno1/ifindex && exec "$0" apply -c "$1"' "$TAPWARDEN" "$INI"
  [[ "$stderr" == "tapwarden: link web1: the lower device eno1 is wireless, and an access point "* ]]
  run -1 exists web1
  run -0 tapwarden apply
}

@test "what was set and does not show is told, and not taken for done" {
  ip -n "$NETNS" link add link eno1 name stack0 type macvlan mode bridge
  config <<END
[set a]
lower = eno1
bccutoff = 0
count = 1
[set b]
lower = stack0
bccutoff = off
count = 1
END
  run -2 --separate-stderr tapwarden apply
  [ "$stderr" = "tapwarden: could not change a1 for good: it was set, and shows otherwise: bccutoff off -> 0" ]
  [[ "$output" == *"Done: 2 added, 1 failed."* ]]
}
