#!/usr/bin/env bats
# What is refused: each with its cause, found by looking, and what to do; the rest is built.

bats_require_minimum_version 1.5.0

load helper.bash

setup() {
  wire_up
  BOX=$NETNS-box
}

teardown() {
  wire_down
  ip netns del "$BOX" 2>/dev/null || true
}

host() {
  ip -n "$NETNS" "$@"
}

# pair NAME: a veth device NAME and its other end NAME-p, both up.
pair() {
  host link add "$1" type veth peer name "$1-p"
  host link set "$1" up
  host link set "$1-p" up
}

# link NAME LOWER [SET'S KEY = VALUE [LINK'S KEY = VALUE]]: a link in a set of its own.
link() {
  printf '[set of-%s]\nlower = %s\n%s\n\n[link %s]\nset = of-%s\n%s\n\n' "$1" "$2" "${3-}" "$1" "$1" "${4-}"
}

# refused: what apply says on stderr, with the exit code of a thing that is not fully done.
refused() {
  run -2 --separate-stderr tapwarden apply
  echo "$stderr"
}

# says TEXT: the one line that apply said beside those of links that wait.
says() {
  refused
  [ "$stderr" = "tapwarden: $1" ]
  is_built rest
}

is_built() {
  [ "$(fact "$1" '.flags | index("UP") != null')" = true ]
}

# asks LINK...: these links, and one with which nothing is wrong.
asks() {
  {
    printf '%s\n' "$@"
    link rest eno2
  } | config
}

MAC=52:54:00:00:00:07

@test "a lower device that is a bridge's port, a loopback, no Ethernet, not there, or in another namespace" {
  pair port
  host link add br7 type bridge
  host link set port master br7
  asks "$(link web1 port)"
  says "link web1: the lower device port is a port of the bridge br7: br7 itself can be the lower device"
  # What it says is so.
  asks "$(link web1 br7)"
  tapwarden apply
  is_built web1

  asks "$(link web2 lo)"
  says "link web2: the lower device lo is a loopback device, which carries no macvtap links: another lower device is needed"

  inside ip tuntap add dev tun7 mode tun
  asks "$(link web3 tun7)"
  says "link web3: the lower device tun7 is no Ethernet device: another lower device is needed"

  asks "$(link web4 eno9)"
  says "link web4: the lower device eno9 does not exist: waiting for it"

  ip netns add "$BOX"
  pair far
  host link add link far-p name on-far type macvlan mode bridge
  host link set far-p netns "$BOX"
  asks "$(link web5 on-far)"
  says "link web5: the device under on-far is in another network namespace: waiting for it"
}

@test "passthru is alone on its device, whoever was there first" {
  pair one
  pair two
  host link add link one name theirs type macvlan mode passthru
  host link add link two name others type macvlan mode vepa
  asks "$(link web1 one)"
  says "could not make web1: theirs has one for itself (mode passthru): another lower device is needed"
  asks "$(link web2 two 'mode = passthru')"
  says "could not make web2: a passthru link must be alone on two, and others is there too: another lower device is needed"
  host link del others
  tapwarden apply
  is_built web2
}

@test "a MAC that the lower device has, a link on it, or one in another namespace" {
  local own
  own=$(fact eno1 .address)
  asks "$(link web1 eno1 '' "mac = $own")"
  says "could not bring up web1: the lower device eno1 itself has the MAC $own: each link on a device needs a MAC of its own"
  [ "$(fact web1 '.flags | index("UP")')" = null ]

  host link add link eno1 name theirs address $MAC type macvlan mode bridge
  host link set theirs up
  asks "$(link web1 eno1 '' "mac = $MAC")"
  says "could not set the MAC of web1: theirs on eno1 already has the MAC $MAC: each link on a device needs a MAC of its own"
  # On another device it is nobody's.
  asks "$(link web6 eno2 '' "mac = $MAC")"
  run -0 tapwarden apply

  ip netns add "$BOX"
  host link set theirs netns "$BOX"
  ip -n "$BOX" link set theirs up
  asks "$(link web7 eno1 '' "mac = $MAC")"
  says "could not bring up web7: a link on eno1 in another network namespace has the MAC $MAC: each link on a device needs a MAC of its own"
  # When it goes the link comes up.
  ip -n "$BOX" link del theirs
  run -0 tapwarden apply
  is_built web7
}

# looks LINK: all that ip and tc tell of it but its number and what follows by itself.
looks() {
  all_links | jq -S "select(.ifname == \"$1\") | del(.ifindex)"
  inside tc filter show dev "$1" egress | sed -n 's/.*bytecode//p'
}

# stays LINK WHY: to make another in its place is refused, and the link is what it was.
stays() {
  local before
  before=$(looks "$1")
  [ "$(wc -l <<<"$before")" -gt 20 ]
  says "$2: it is again what it was"
  diff <(looks "$1") - <<<"$before"
}

# theirs LOWER: in another namespace, a link on LOWER with the MAC.
theirs() {
  ip netns add "$BOX"
  host link add link "$1" name theirs address $MAC type macvlan mode bridge
  host link set theirs netns "$BOX"
  ip -n "$BOX" link set theirs up
}

@test "a link that is refused on another lower device stays on its own" {
  local keys=$'kind = macvlan\nmode = private\nmtu = 1470\ntxqueuelen = 77\nbcqueuelen = 7'
  local more="mac = $MAC"$'\naltnames = first\nmaster = br7'
  theirs eno2
  host link add br7 type bridge
  asks "$(link web1 eno1 "${keys//7/9}" "$more")"
  tapwarden apply
  asks "$(link web1 eno2 "$keys" "$more")"
  stays web1 "could not bring up web1: a link on eno2 in another network namespace has the MAC $MAC: each link on a device needs a MAC of its own"
  [ "$(fact web1 '.link + " " + .master')" = "eno1 br7" ]
  # What it says is so.
  ip -n "$BOX" link del theirs
  run -0 tapwarden apply
  [ "$(fact web1 '.link + " " + .master + " " + .address')" = "eno2 br7 $MAC" ]
  run -0 tapwarden plan
}

@test "a link that is refused as another kind stays of its own" {
  local sources=$'\nmode = source\nsource-macs = 52:54:00:00:01:01 52:54:00:00:01:02'
  theirs eno2
  asks "$(link web1 eno2 "$sources" 'mac = 52:54:00:00:00:08')"
  tapwarden apply
  asks "$(link web1 eno2 'kind = macvlan' "mac = $MAC"$'\nanti-spoof = mac')"
  stays web1 "could not bring up web1: a link on eno2 in another network namespace has the MAC $MAC: each link on a device needs a MAC of its own"
  [ "$(fact web1 .linkinfo.info_kind)" = macvtap ]
  ip -n "$BOX" link del theirs
  run -0 tapwarden apply
  [ "$(fact web1 .linkinfo.info_kind)" = macvlan ]
  run -0 tapwarden plan
}

@test "a link that is refused as a passthru, or as another than that, stays what it was" {
  local own
  pair one
  pair two
  theirs one
  own=$(fact two .address)
  asks "$(link web1 one '' 'up = no')" "$(link web2 two $'mode = passthru\nflags = nopromisc' "mac = 52:54:00:00:00:08")"
  tapwarden apply
  asks "$(link web1 one 'mode = passthru')" "$(link web2 two $'mode = passthru\nflags = nopromisc' "mac = 52:54:00:00:00:08")"
  stays web1 "could not make web1: a passthru link must be alone on one, and one in another network namespace keeps it out: another lower device is needed"

  asks "$(link web2 two '' "mac = $own")"
  stays web2 "could not bring up web2: the lower device two itself has the MAC $own: each link on a device needs a MAC of its own"
  [ "$(fact two .address)" = 52:54:00:00:00:08 ]
}

@test "a link that is refused, and whose place another has got meanwhile" {
  pair one
  theirs eno2
  asks "$(link web1 one '' "mac = $MAC")"
  tapwarden apply
  asks "$(link web1 eno2 '' "mac = $MAC")" "$(link web2 one 'mode = passthru')"
  says "could not bring up web1: a link on eno2 in another network namespace has the MAC $MAC: each link on a device needs a MAC of its own: what it was could not be brought back in full (Invalid argument)"
  run ! exists web1
  is_built web2
}

@test "a link that cannot have its name back is not replaced" {
  pair one
  asks "$(link web1 one)"
  tapwarden apply
  host link set web1 down
  host link set web1 name theirs
  host link property add dev eno1 altname web1
  asks "$(link web1 one 'mode = passthru')"
  says "link web1: mode bridge -> passthru needs another link, and eno1 has the name web1: left alone"
  [ "$(fact theirs .linkinfo.info_data.mode)" = bridge ]
}

@test "a name or another name that is taken, here and in another namespace" {
  host link add web1 type bridge
  host link property add dev eno2 altname web2
  asks "$(link web1 eno1)" "$(link web2 eno1)" "$(link web3 eno1 '' 'altnames = eno2')" \
    "$(link web4 eno1 '' 'altnames = web2-too peer2')"
  before=$(fact web1 .address)
  refused
  diff <(printf '%s\n' "$stderr") - <<X
tapwarden: link web1: the name is taken by a bridge that is not ours: left alone
tapwarden: could not make web2: eno2 has that name as an altname: another name is needed
tapwarden: could not add an altname to web3: eno2 has the name eno2: another name is needed
tapwarden: could not add an altname to web4: peer2 has the name peer2: another name is needed
X
  is_built rest
  is_built web3
  [ "$(fact web4 '.altnames[0]')" = web2-too ]
  [ "$(fact web1 .address)" = "$before" ]

  ip netns add "$BOX"
  ip -n "$BOX" link add web5 type bridge
  asks "$(link web5 eno1 'kind = macvlan' "netns = $BOX")"
  says "link web5: the name is taken by a bridge that is not ours: left alone"
  asks "$(link web6 eno1 'kind = macvlan' 'netns = nowhere')"
  says "link web6: the network namespace nowhere does not exist: waiting for it"
}

@test "an mtu above that of the device, made and changed; and one that the device takes away" {
  pair small
  host link set small mtu 1400
  asks "$(link web1 small 'mtu = 1500')"
  says "could not make web1: mtu 1500 is above that of the lower device small, which is 1400: a smaller one is needed, or that of the device is to be raised first"
  asks "$(link web1 small 'mtu = 1300')"
  tapwarden apply
  asks "$(link web1 small 'mtu = 1401')"
  says "could not set the mtu of web1: mtu 1401 is above that of the lower device small, which is 1400: a smaller one is needed, or that of the device is to be raised first"
  [ "$(fact web1 .mtu)" = 1300 ]
  # What it says is so.
  host link set small mtu 1401
  run -0 tapwarden apply
  [ "$(fact web1 .mtu)" = 1401 ]
}

@test "a macvlan as the lower device: the link is on that one's device, and that is said" {
  host link add link eno1 name theirs type macvlan mode bridge
  asks "$(link web1 theirs)"
  run -1 tapwarden plan
  [[ "$output" == *"+ link web1  macvtap bridge on eno1, as theirs is"$'\n'* ]]
  run -0 tapwarden apply
  [ "$(fact web1 .link)" = eno1 ]
  run -0 tapwarden plan
}

@test "a master that is no bridge, or not there" {
  asks "$(link web1 eno1 'kind = macvlan' 'master = peer2')" "$(link web2 eno1 'kind = macvlan' 'master = br9')"
  refused
  [ "$stderr" = "tapwarden: could not set the master of web1: peer2 is no bridge: a bridge is needed" ]
  [[ "$output" == *"+ link web2  macvlan bridge on eno1, in no bridge until there is br9"$'\n'* ]]
  is_built rest
  is_built web2
  refused
  [[ "$stderr" == *"tapwarden: link web2: the bridge br9 does not exist: waiting for it"* ]]
  host link add br9 type bridge
  asks "$(link web2 eno1 'kind = macvlan' 'master = br9')"
  run -0 tapwarden apply
  [ "$(fact web2 .master)" = br9 ]
}

@test "what others call their links does not steer the terminal" {
  local clear=$'\e[2J'
  ip -n "$NETNS" link add link eno1 name "o$clear" type macvtap mode passthru
  ip -n "$NETNS" link property add dev "o$clear" altname $'\e]0;x\a'
  ip -n "$NETNS" link set "o$clear" alias "$clear"
  config <<'END'
[set web]
lower = eno1
count = 1
END
  run -2 tapwarden apply
  [[ "$output" == *"o?[2J"* ]]
  [[ "$output" != *$'\e'* ]]
  run tapwarden plan
  [[ "$output" != *$'\e'* ]]
  run tapwarden reach
  [[ "$output" != *$'\e'* ]]
}

@test "without the privilege each link says what it takes, and nothing is changed" {
  local before
  asks "$(link web1 eno1)"
  before=$(all_links)
  run -2 inside setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$TAPWARDEN" apply -c "$INI"
  echo "$output"
  for name in web1 rest; do
    grep -q "^tapwarden: could not make $name: it takes CAP_NET_ADMIN in this network namespace (run as root)$" <<<"$output"
  done
  [ "$(all_links)" = "$before" ]
}

@test "what no kernel would take is found by check, before anything is asked" {
  asks "$(link web1 eno1 '' 'mac = 53:54:00:00:00:01')" "$(link web2 eno1 '' 'mac = 00:00:00:00:00:00')" \
    "$(link web3 eno1 '' 'mac = 52:54:00:00:00')" "$(link a-name-of-16-chr eno1)" "$(link we/b eno1)" \
    "$(link web4 eno1 'mode = brigde')" "$(link web5 eno1 'mtu = 60')" "$(link web6 a-device-of-19-chrs)" \
    "$(link web7 eno1 'mode = source' 'source-macs = 01:00:5e:00:00:01')" "$(link web8 eno1 'flags = nodts')" \
    "$(link web9 eno1 'bccutoff = 1x')" "$(link .. eno1)"
  run -2 tapwarden check
  echo "$output"
  sed -n "s,^$INI:[0-9]*: ,,p" <<<"$output" >"$DIR/faults"
  diff "$DIR/faults" - <<'X'
[link web1] mac: 53:54:00:00:00:01 is not a unicast address: a link cannot carry it
[link web2] mac: 00:00:00:00:00:00 is not a unicast address: a link cannot carry it
[link web3] mac: "52:54:00:00:00" is not a MAC address such as 52:54:00:12:34:56
[link a-name-of-16-chr]: "a-name-of-16-chr" is 16 characters long; the kernel allows an interface 15
"of-we/b" is not a name: "/" cannot be in it
"we/b" is not a name: "/" cannot be in it
[set of-web4] mode: unknown mode "brigde": did you mean "bridge"?
[set of-web5] mtu: 60 is out of range (68 to 65535)
[set of-web6] lower: "a-device-of-19-chrs" is 19 characters long; the kernel allows an interface 15
[link web7] source-macs: 01:00:5e:00:00:01 is not a unicast address: no frame comes from it
[set of-web8] flags: unknown flags "nodts": did you mean "nodst"?
[set of-web9] bccutoff: "1x" is not a number
[link ..]: "..": a name begins with a letter or digit
X
  run -2 --separate-stderr tapwarden apply
  run ! exists rest
}
