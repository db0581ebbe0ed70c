#!/usr/bin/env bats
# A link's place in a domain of libvirt, by libvirt's own schema, and the hook that looks at domains.

bats_require_minimum_version 1.5.0

load guest

setup() {
  house_up
  sed -i 's/^count = 2$/count = 2\nqueues = 2/' "$INI"
  cp "$INI" "$DIR/commands.ini"
  grep -q '^queues = 2' "$INI"
  agent_start
  mkdir "$DIR/bin"
  # The hook calls tapwarden by its name.
  printf '#!/bin/sh\nexec "%s" "$@" -c "%s"\n' "$TAPWARDEN" "$DIR/commands.ini" >"$DIR/bin/tapwarden"
  chmod +x "$DIR/bin/tapwarden"
}

teardown() {
  house_down
}

# domain LINK MAC QUEUES: the domain that somebody wrote.
domain() {
  cat <<END
<domain type='qemu'>
  <name>shop</name>
  <memory unit='MiB'>256</memory>
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <interface type='ethernet'>
      <mac address='$2'/>
      <target dev='$1' managed='no'/>
      <model type='virtio'/>
      <driver queues='$3'/>
    </interface>
    <interface type='network'><source network='default'/></interface>
  </devices>
</domain>
END
}

# with_nodes COMMAND...: on the host, with a /dev that has the nodes of its links and no others; /dev
# itself is one for all namespaces of this machine. $NODE is another device for web01's.
with_nodes() {
  in_host unshare --mount --propagation private sh -c '
    nodes=
    for link in web01 web02; do
      index=$(cat "/sys/class/net/$link/ifindex")
      device=$(cat "/sys/class/net/$link/"tap*/dev)
      [ "$link" = web02 ] || device=${NODE:-$device}
      nodes="$nodes $index:$device"
    done
    mount -t tmpfs none /dev
    mknod -m 666 /dev/null c 1 3
    for node in $nodes; do
      device=${node#*:}
      [ "$device" = none ] || mknod "/dev/tap${node%%:*}" c "${device%:*}" "${device#*:}"
    done
    exec "$@"' sh "$@"
}

hook() {
  run --separate-stderr with_nodes env PATH="$DIR/bin:$PATH" "$ROOT/scripts/libvirt/tapwarden" \
    shop "$1" "${2:-begin}" -
}

check() {
  run --separate-stderr with_nodes "$TAPWARDEN" libvirt-xml -c "$DIR/commands.ini" "$@"
}

@test "the element is one that libvirt's schema takes, and names the link's own MAC" {
  run --separate-stderr tapwarden libvirt-xml web01
  [ "$status" -eq 0 ]
  [ "$(xmllint --xpath 'string(/interface/mac/@address)' - <<<"$output")" = "$(mac_of web01)" ]
  [ "$(xmllint --xpath 'string(/interface/target/@dev)' - <<<"$output")" = web01 ]
  [ "$(xmllint --xpath 'string(/interface/driver/@queues)' - <<<"$output")" = 2 ]
  printf '<domain type="qemu"><name>x</name><memory>1</memory><os><type>hvm</type></os><devices>%s</devices></domain>\n' \
    "$output" >"$DIR/domain.xml"
  xmllint --noout --relaxng "$ROOT"/build/unpacked/libvirt0/usr/share/libvirt/schemas/domain.rng "$DIR/domain.xml"
  # The schema is one that refuses something.
  sed -i "s/managed='no'/managed='never'/" "$DIR/domain.xml"
  run xmllint --noout --relaxng "$ROOT"/build/unpacked/libvirt0/usr/share/libvirt/schemas/domain.rng "$DIR/domain.xml"
  [ "$status" -ne 0 ]
}

@test "a domain that fits starts; another MAC, more queues or a link that is down keep it" {
  domain web01 "$(mac_of web01)" 2 | { hook prepare; [ "$status" -eq 0 ]; [ -z "$stderr" ]; }
  domain web01 52:54:00:00:00:99 2 | {
    hook prepare
    [ "$status" -eq 1 ]
    [[ "$stderr" == "tapwarden: this guest cannot be on web01: the guest's MAC address is 52:54:00:00:00:99 and the link's "* ]]
  }
  domain web01 "$(mac_of web01)" 3 | {
    hook prepare
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"the guest opens 3 queues and the link has 2"* ]]
  }
  # Whatever it thinks of a domain that runs already, it must not end it.
  domain web01 52:54:00:00:00:99 2 | { hook reconnect; [ "$status" -eq 0 ]; }
  domain web01 52:54:00:00:00:99 2 | { hook release end; [ "$status" -eq 0 ]; }
  # A link of somebody else, or none at all, is no business of ours.
  domain vnet7 52:54:00:00:00:99 2 | { hook prepare; [ "$status" -eq 0 ]; }
  echo '<domain><devices/></domain>' | { hook prepare; [ "$status" -eq 0 ]; }
}

@test "a tap that somebody holds, or whose node is another's, keeps a domain from starting" {
  check web01 --check "$(mac_of web01)"
  [ "$status" -eq 0 ]
  NODE=none check web01 --check "$(mac_of web01)"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"/dev/tap$(ifindex_of web01) is not there: libvirt would"* ]]
  NODE=$(in_host sh -c 'cat /sys/class/net/web02/tap*/dev') check web01 --check "$(mac_of web01)"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"/dev/tap$(ifindex_of web01) is not this link's: libvirt would open that"* ]]
  guest_start
  check web01 --check "$(mac_of web01)"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"tap_guest (pid $(pid_of tap_guest)) holds its tap"* ]]
}

@test "what no guest of libvirt can be on is told" {
  run --separate-stderr tapwarden libvirt-xml nosuch
  [ "$status" -eq 2 ]
  run --separate-stderr tapwarden libvirt-xml host01
  [ "$status" -eq 2 ]
  run --separate-stderr tapwarden libvirt-xml web01 --queues 2
  [ "$status" -eq 2 ]
}
