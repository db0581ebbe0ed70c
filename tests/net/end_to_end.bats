#!/usr/bin/env bats
# The main job on a real kernel, and what survives when a part of it is killed under traffic.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
}

teardown() {
  umount -l "$DIR/state" 2>/dev/null || true
  house_down
}

@test "what the guest was asked is a record, in the log and on watch" {
  agent_start
  guest_start
  spawn watch ip netns exec "$HOST" "$TAPWARDEN" watch --json -c "$INI"
  wait_for 10 watch_shows_request
  ask "shoes=42"
  wait_for 10 has_record '.tapwarden.groups.path.text == "/index.html?shoes=42"'
  wait_for 10 grep -q 'shoes=42' "$DIR/watch.out"

  run records 'select(.tapwarden.groups.path.text == "/index.html?shoes=42")
    | [.event_type, .in_iface, .src_ip, .dest_ip, .dest_port, .proto, .alert.signature,
       .tapwarden.set, .tapwarden.guest, .tapwarden.flow_dir, .tapwarden.groups.method.text]'
  [ "$output" = '["alert","web01","192.0.2.2","192.0.2.10",80,"TCP","request","web","shop","to_guest","GET"]' ]
}

@test "watch NAME... shows what is of one of them" {
  agent_start
  guest_start
  timeout 60 ip netns exec "$HOST" "$TAPWARDEN" watch -c "$INI" -n 2 nobody order >"$DIR/orders" 3>&- &
  local watch=$!
  # Each is a match of "request", too, and the first of them a record of the guest's address.
  while kill -0 "$watch" 2>/dev/null; do
    ask "order=9" >/dev/null
    sleep 0.1
  done
  wait "$watch"
  [ "$(grep -c ' web01 order from_guest ' "$DIR/orders")" = 2 ]
  [ "$(wc -l <"$DIR/orders")" = 2 ]
}

@test "watch ends on a signal though nobody reads what it prints" {
  agent_start
  guest_start
  mkfifo "$DIR/full"
  # Open for reading too, so that the writer blocks and does not end.
  exec 7<>"$DIR/full"
  ip netns exec "$HOST" "$TAPWARDEN" watch --json -c "$INI" >"$DIR/full" 2>/dev/null 3>&- &
  local watch=$!
  PIDS="$watch $PIDS"
  traffic_start
  wait_for 60 is_blocked "$watch"
  kill -TERM "$watch"
  wait_for 20 is_gone "$watch"
  wait "$watch"
  exec 7>&-
}

is_blocked() {
  grep -q pipe_write "/proc/$1/wchan"
}

# Until the stream stands, nothing is lost but not shown either: ask until something shows.
watch_shows_request() {
  ask "are=you-there" >/dev/null
  grep -q 'are=you-there' "$DIR/watch.out"
}

@test "what the guest answered is a record, found by its context" {
  agent_start
  guest_start
  ask "x=1"
  wait_for 10 has_record '.tapwarden.rule == "order"'
  run records 'select(.tapwarden.rule == "order") | [.src_ip, .tapwarden.flow_dir, .tapwarden.length]'
  [ "${lines[0]}" = '["192.0.2.10","from_guest",4]' ]
}

@test "the payload log holds the bytes that were sent" {
  agent_start
  guest_start
  ask "payload=kept"
  wait_for 10 grep -q 'GET /index.html?payload=kept HTTP/1.1' -r "$DIR/log" --exclude=records.json
}

@test "the status tells frames, the tap's holder and both directions" {
  agent_start
  guest_start
  wait_for 10 status_of '.links[] | select(.name == "web01")
    | .tap.holder.comm == "tap_guest" and .state == "up"
      and .captured.from_guest.frames > 0 and .captured.to_guest.frames > 0 and .captured.payloads > 0'
  [ "$(status_get '.links[] | select(.name == "web01") | .tap.holder.pid')" = "$(pid_of tap_guest)" ]
  [ "$(status_get '.links[] | select(.name == "web02") | .tap.holder')" = null ]
  run tapwarden status
  [ "$status" -eq 0 ]
  [[ "$output" == *"tap_guest ($(pid_of tap_guest))"* ]]
}

@test "the guest gets its boot script by its MAC, through its own tap" {
  agent_start
  guest_start
  ip -n "$HOST" addr add 192.0.2.1/24 dev host01
  run in_guest curl -sS --max-time 5 "http://192.0.2.1:8080/ipxe/$(mac_of web01)"
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = '#!ipxe' ]
  [[ "$output" == *"iscsi:192.0.2.2:::1:iqn.2026-01.example.demo:disk1"* ]]
  # The command renders the same.
  [ "$output" = "$(tapwarden boot render shop)" ]
  run in_guest curl -sS --max-time 5 -o /dev/null -w '%{http_code}' http://192.0.2.1:8080/ipxe/02:00:00:00:00:99
  [ "$output" = 404 ]
}

@test "the guest fetches its kernel, initrd and seeds, whole or in part" {
  head -c 3000000 /dev/urandom >"$DIR/vmlinuz"
  echo initrd >"$DIR/initrd.img"
  sed -i "/^\[guest shop\]/,/^initiator/s,^boot = san,boot = kernel\nkernel = $DIR/vmlinuz\ninitrd = $DIR/initrd.img\nhostname = shop.example," "$INI"
  agent_start
  guest_start
  ip -n "$HOST" addr add 192.0.2.1/24 dev host01
  local url
  url=http://192.0.2.1:8080/ipxe/$(mac_of web01)
  fetch() {
    in_guest curl -sS --max-time 20 -o "$DIR/got" -w '%{http_code}' "$@"
  }
  run in_guest curl -sS --max-time 5 "$url"
  [[ "$output" == *"kernel --name vmlinuz /ipxe/$(mac_of web01 | tr : -)/kernel "* ]]
  [ "$(fetch "$url/kernel")" = 200 ]
  cmp "$DIR/got" "$DIR/vmlinuz"
  [ "$(fetch -r 1000000-1999999 "$url/kernel")" = 206 ]
  cmp "$DIR/got" <(tail -c +1000001 "$DIR/vmlinuz" | head -c 1000000)
  [ "$(fetch "$url/initrd")" = 200 ]
  [ "$(cat "$DIR/got")" = initrd ]
  [ "$(fetch "$url/seed/meta-data")" = 200 ]
  grep -q '^local-hostname: "\?shop.example"\?$' "$DIR/got"
  [ "$(fetch "$url/seed/user-data")" = 200 ]
  [ "$(head -n 1 "$DIR/got")" = '#cloud-config' ]
  [ "$(fetch "$url/seed/cidata.iso")" = 200 ]
  [ "$(fetch "$url/nothing")" = 404 ]
  [ "$(fetch "$url/seed/nothing")" = 404 ]
  # What is no regular file any more, or gone, holds nobody.
  rm "$DIR/vmlinuz" && mkfifo "$DIR/vmlinuz"
  [ "$(fetch "$url/kernel")" = 503 ]
  rm "$DIR/vmlinuz"
  [ "$(fetch "$url/kernel")" = 404 ]
  local n
  for n in kernel initrd seed/user-data; do
    run in_peer curl -sS --max-time 5 -o /dev/null -w '%{http_code}' "$url/$n"
    [ "$output" = 403 ]
  done
}

@test "a guest is installed once: its phone-home, with the token of its seed, makes it run" {
  echo kernel >"$DIR/linux"
  echo initrd >"$DIR/initrd.gz"
  sed -i "s,^initiator = .*:shop$,&\ninstall-kernel = $DIR/linux\ninstall-initrd = $DIR/initrd.gz\ninstall-seed = preseed," "$INI"
  cp "$INI" "$DIR/commands.ini"
  agent_start
  guest_start
  ip -n "$HOST" addr add 192.0.2.1/24 dev host01
  local url home
  url=http://192.0.2.1:8080/ipxe/$(mac_of web01)
  fetch() {
    in_guest curl -sS --max-time 20 -o "$DIR/got" -w '%{http_code}' "$@"
  }
  guest_is() {
    status_of ".guests[] | select(.name == \"shop\") | $1"
  }
  run tapwarden boot set shop rescue
  [ "$status" -eq 2 ]
  [[ "$output" == *"[guest shop] has no rescue-kernel and rescue-initrd to boot"* ]]
  [ "$(tapwarden boot set shop install)" = "shop: install, until its phone-home" ]
  guest_is '.state == "install" and .waits_for == null'
  [ "$(fetch "$url")" = 200 ]
  grep -q "^kernel .*/install-kernel initrd=initrd.img auto=true .*url=$url/seed/preseed.cfg" <(sed "s/$(mac_of web01 | tr : -)/$(mac_of web01)/g" "$DIR/got")
  wait_for 10 guest_is '.waits_for == "kernel" and .steps.script.count == 1'
  [ "$(fetch "$url/install-kernel")" = 200 ]
  [ "$(cat "$DIR/got")" = kernel ]
  [ "$(fetch "$url/install-initrd")" = 200 ]
  [ "$(fetch "$url/seed/preseed.cfg")" = 200 ]
  home=$(grep -o 'http://[^ ]*/phone-home[^ ]*' "$DIR/got")
  [[ "$home" == *"?token="* ]]
  wait_for 10 guest_is '.waits_for == "phone-home"'
  run tapwarden status
  [[ "$output" == *"shop"*"install"*"phone-home"* ]]

  # Nobody ends the install without the token.
  [ "$(fetch "$url/phone-home")" = 403 ]
  [ "$(fetch "${home%?}x")" = 403 ]
  [ "$(in_guest curl -sSI --max-time 20 -o /dev/null -w '%{http_code}' "$home")" = 200 ]
  run in_peer curl -sS --max-time 5 -o /dev/null -w '%{http_code}' "$home"
  [ "$output" = 403 ]
  guest_is '.state == "install"'
  # An agent that starts again goes on with it.
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  agent_start
  guest_is '.state == "install"'
  [ "$(fetch "$home")" = 200 ]
  wait_for 10 guest_is '.state == "run" and .steps["phone-home"].count == 1'
  wait_for 10 has_record '.link.action == "boot-state" and .link.detail == "guest shop: run"'
  [ "$(fetch "$url")" = 200 ]
  grep -q '^sanboot ' "$DIR/got"
  # The token is burnt.
  [ "$(fetch "$home")" = 200 ]
  guest_is '.state == "run"'

  # Who only looks takes nothing; of a hundred that ask at once one gets what is given once.
  [ "$(tapwarden boot set shop once)" = "shop: once, then local" ]
  [ "$(in_guest curl -sSI --max-time 20 -o /dev/null -w '%{http_code}' "$url")" = 200 ]
  guest_is '.state == "once"'
  in_guest curl -sS --max-time 20 --parallel --parallel-immediate --parallel-max 16 \
    -o "$DIR/once.#1" "$url?[1-100]"
  wait_for 10 guest_is '.state == "local"'
  [ "$(find "$DIR" -name 'once.*' | wc -l)" = 100 ]
  [ "$(cat "$DIR"/once.* | grep -c '^sanboot ')" = 1 ]
  [ "$(tapwarden boot set shop once)" = "shop: once, then local" ]
  [ "$(fetch "$url")" = 200 ]
  grep -q '^sanboot ' "$DIR/got"
  wait_for 10 guest_is '.state == "local"'
  [ "$(fetch "$url")" = 200 ]
  grep -q '^exit 0' "$DIR/got"
}

@test "what a guest boots outlives the host with state-dir, and else the agent alone" {
  guest_is() {
    status_of ".guests[] | select(.name == \"shop\") | $1"
  }
  # What a start of the host takes away.
  reboot_host() {
    kill "$(pid_of agent)"
    wait_for 20 is_gone "$(pid_of agent)"
    rm -r "$DIR/run"
  }
  agent_start
  [ "$(tapwarden boot set shop local)" = "shop: local" ]
  [ "$(tapwarden boot set shop local --json | jq -r '.name + " " + .state')" = "shop local" ]
  guest_is '.state == "local"'
  reboot_host
  agent_start
  guest_is '.state == "run"'
  reboot_host
  agent_start
  tapwarden boot set shop local
  # It goes along where state-dir is another one, by a reload and by a start.
  sed -i "s,^run-dir.*,&\nstate-dir = $DIR/first," "$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 20 test -s "$DIR/first/boot-states"
  wait_for 20 test ! -e "$DIR/run/boot-states"
  mv "$DIR/first/boot-states" "$DIR/run"
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  sed -i "s,^state-dir.*,state-dir = $DIR/state," "$INI"
  agent_start
  guest_is '.state == "local"'
  [ ! -e "$DIR/run/boot-states" ]
  [ "$(stat -c %a "$DIR/state/boot-states")" = 600 ]
  reboot_host
  agent_start
  guest_is '.state == "local"'

  # What is damaged is kept, and said.
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  cp "$DIR/state/boot-states" "$DIR/whole"
  truncate -s -1 "$DIR/state/boot-states"
  agent_start
  guest_is '.state == "run"'
  grep -q "state/boot-states: it is cut or changed: every guest boots as it is configured" "$DIR/agent.err"
  head -c -1 "$DIR/whole" | cmp - "$DIR/state/boot-states.bad"
  tapwarden boot set shop local
  cmp "$DIR/whole" "$DIR/state/boot-states"

  # What can be read alone holds.
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  mount --bind "$DIR/state" "$DIR/state"
  mount -o remount,bind,ro "$DIR/state"
  agent_start
  guest_is '.state == "local"'
  run tapwarden boot set shop run
  [ "$status" -eq 2 ]
  [[ "$output" = *"cannot write $DIR/state/boot-states: Read-only file system"* ]]
  umount "$DIR/state"

  # What cannot be kept is not taken either.
  mv "$DIR/state" "$DIR/state.away"
  : >"$DIR/state"
  run tapwarden boot set shop run
  [ "$status" -eq 2 ]
  [[ "$output" = *"the state of guest shop stays as it is: cannot write $DIR/state/boot-states: Not a directory"* ]]
  guest_is '.state == "local"'
}

@test "two agents do not write over each other's states of guests" {
  cp "$INI" "$DIR/second.ini"
  sed -i "s,^run-dir.*,&\nstate-dir = $DIR/state," "$INI"
  sed -i "s,^run-dir.*,run-dir = $DIR/second\nstate-dir = $DIR/state," "$DIR/second.ini"
  sed -i "s,^log-dir.*,log-dir = $DIR/second.log," "$DIR/second.ini"
  second() {
    in_peer "$TAPWARDEN" "$@" -c "$DIR/second.ini"
  }
  agent_start
  tapwarden boot set shop local
  spawn second ip netns exec "$PEER" "$TAPWARDEN" run -c "$DIR/second.ini"
  wait_for 20 grep -q "(pid $(pid_of agent)) has locked $DIR/state/agent.lock: what guests boot next is not kept" "$DIR/second.err"
  wait_for 20 second status
  run second boot set shop once
  [ "$status" -eq 2 ]
  [[ "$output" == *"the state of guest shop stays as it is: $DIR/state is not this agent's"* ]]
  # What is in the folder of the other does not go along.
  sed -i "s,^state-dir.*,state-dir = $DIR/own," "$DIR/second.ini"
  kill -HUP "$(pid_of second)"
  wait_for 20 second boot set shop once
  grep -q '^shop once ' "$DIR/own/boot-states"
  grep -q '^shop local ' "$DIR/state/boot-states"
}

@test "nobody but the guest gets its boot script: neither the wire, nor the host, nor its neighbour" {
  sed -i -e 's/^initiator = .*:shop$/&\n[guest till]\nlink = web02\ntarget = disk1\ninitiator = iqn.2026-01.example.demo:till/' "$INI"
  agent_start
  guest_start
  ip -n "$HOST" addr add 192.0.2.1/24 dev host01
  script_status() {
    "$1" curl -sS --max-time 5 -o "$DIR/got" -w '%{http_code}' "http://192.0.2.1:8080/ipxe/$2"
  }
  [ "$(script_status in_guest "$(mac_of web01)")" = 200 ]
  [ "$(script_status in_guest "$(mac_of web02)")" = 403 ]
  [ "$(script_status in_peer "$(mac_of web01)")" = 403 ]
  [ "$(script_status in_host "$(mac_of web01)")" = 403 ]
  [ "$(cat "$DIR/got")" = "this is for the machine with that MAC address" ]
  wait_for 10 has_record '.service.action == "boot-refused"'
  # A guest that takes its neighbour's address is still itself.
  ip -n "$GUEST" addr add 192.0.2.77/24 dev eth0
  run in_guest curl -sS --interface 192.0.2.77 --max-time 5 -o /dev/null -w '%{http_code}' "http://192.0.2.1:8080/ipxe/$(mac_of web02)"
  [ "$output" = 403 ]
}

# Each wire has an fe80::/64 of its own: one address may be two machines'.
@test "a link-local address is looked for on the wire that it came by" {
  local link=fe80::5054:ff:fe00:77
  sed -i -e 's/^\[set host\]$/[set far]\nlower = eno2\nmode = bridge\ncount = 1\nname = far%02d\n&/' \
    -e 's/^\[pattern request\]$/[set hostfar]\nlower = eno2\nkind = macvlan\nmode = bridge\ncount = 1\nname = hostfar%d\nmonitor = off\n&/' \
    -e 's/^link = web01$/link = far01/' -e 's/^boot-listen.*/boot-listen = [::]:8080/' "$INI"
  cp "$INI" "$DIR/commands.ini"
  ip -n "$HOST" link add eno2 type veth peer name far2
  ip -n "$HOST" link set eno2 up
  ip -n "$HOST" link set far2 up
  agent_start
  spawn tap_guest ip netns exec "$HOST" "$ROOT/build/tests/net/tap_guest" --wait far01 "$GUEST" eth0
  wait_for 10 grep -q '^ready' "$DIR/tap_guest.out"
  local_address() {
    ip -n "$1" link set "$2" addrgenmode none
    ip netns exec "$1" sh -c "echo 0 >/proc/sys/net/ipv6/conf/$2/disable_ipv6"
    ip -n "$1" addr add "$3/64" dev "$2" nodad
    ip -n "$1" link set "$2" up
  }
  local_address "$HOST" host01 fe80::1
  local_address "$HOST" hostfar1 fe80::1
  local_address "$GUEST" eth0 "$link"
  local_address "$PEER" eno1 "$link"
  script_status() {
    "$1" curl -sS --max-time 10 -o /dev/null -w '%{http_code}' "http://[fe80::1%25$2]:8080/ipxe/$(mac_of far01)"
  }
  [ "$(script_status in_peer eno1)" = 403 ]
  [ "$(script_status in_guest eth0)" = 200 ]
}

@test "the workers have their own users, no capabilities and no way to get any" {
  agent_start
  local role pid
  for role in capture:64901 web:64902; do
    pid=$(worker_pid "${role%:*}")
    grep -Eq "^Uid:(.${role#*:}){4}$" "/proc/$pid/status"
    grep -Eq "^Gid:(.${role#*:}){4}$" "/proc/$pid/status"
    grep -Eq '^Groups:\s*$' "/proc/$pid/status"
    [ "$(grep -Ec '^Cap(Inh|Prm|Eff|Amb):.0000000000000000$' "/proc/$pid/status")" -eq 4 ]
    grep -q '^NoNewPrivs:.1$' "/proc/$pid/status"
  done
}

@test "a deleted link is made again, with its MAC, and the guest goes on" {
  agent_start
  guest_start
  local before mac
  before=$(ifindex_of web01)
  mac=$(mac_of web01)
  ip -n "$HOST" link del web01
  wait_for 20 is_other_link web01 "$before"
  [ "$(mac_of web01)" = "$mac" ]
  wait_for 20 guest_answers
  # The new link is watched too, and its making is a record.
  wait_for 20 agent_serves
  ask "after=repair"
  wait_for 10 has_record '.tapwarden.groups.path.text == "/index.html?after=repair"'
  wait_for 10 has_record '.event_type == "link" and .link.action == "created" and .in_iface == "web01"'
  wait_for 10 no_hole_in_records
}

is_other_link() {
  local now
  now=$(ifindex_of "$1")
  [ -n "$now" ] && [ "$now" != "$2" ]
}

is_other_worker() {
  status_of ".workers[] | select(.name == \"$1\") | .pid != $2 and .pid > 0 and .state == \"ready\""
}

@test "the capture worker is killed under traffic: nobody notices, and it comes back" {
  agent_start
  guest_start
  traffic_start
  local links capture web
  links="$(ifindex_of web01) $(ifindex_of web02)"
  capture=$(worker_pid capture)
  web=$(worker_pid web)
  wait_for 10 has_traffic 10
  kill -KILL "$capture"
  wait_for 20 is_other_worker capture "$capture"
  traffic_goes_on
  [ "$(ifindex_of web01) $(ifindex_of web02)" = "$links" ]
  [ "$(worker_pid web)" = "$web" ]
  [ "$(status_get '.workers[] | select(.name == "capture") | .restarts')" -eq 1 ]
  ask "after=kill"
  wait_for 10 has_record '.tapwarden.groups.path.text == "/index.html?after=kill"'
  wait_for 10 no_hole_in_records
}

# What it leaves unread resets the channel: that is not what it died of.
@test "a worker that hangs and is killed is told by the signal" {
  agent_start
  local capture before
  capture=$(worker_pid capture)
  before=$(ifindex_of web02)
  kill -STOP "$capture"
  ip -n "$HOST" link del web02
  wait_for 20 is_other_link web02 "$before"
  kill -KILL "$capture"
  wait_for 20 is_other_worker capture "$capture"
  [ "$(status_get '.workers[] | select(.name == "capture") | .last_death')" = "killed by signal 9 (Killed)" ]
}

@test "the web worker is killed under traffic: nobody notices, and it comes back" {
  agent_start
  guest_start
  traffic_start
  local links capture web
  links="$(ifindex_of web01) $(ifindex_of web02)"
  capture=$(worker_pid capture)
  web=$(worker_pid web)
  wait_for 10 has_traffic 10
  kill -KILL "$web"
  wait_for 20 is_other_worker web "$web"
  traffic_goes_on
  [ "$(ifindex_of web01) $(ifindex_of web02)" = "$links" ]
  [ "$(worker_pid capture)" = "$capture" ]
  # Records reach the new one.
  spawn watch ip netns exec "$HOST" "$TAPWARDEN" watch --json -c "$INI"
  wait_for 10 watch_shows_request
  wait_for 10 no_hole_in_records
}

@test "the agent is killed under traffic: links and tap stay, and the next agent adopts them" {
  agent_start
  guest_start
  traffic_start
  local links capture web
  links="$(ifindex_of web01) $(ifindex_of web02)"
  capture=$(worker_pid capture)
  web=$(worker_pid web)
  wait_for 10 has_traffic 10
  spawn watch ip netns exec "$HOST" "$TAPWARDEN" watch --json -c "$INI"
  wait_for 10 watch_shows_request
  kill -KILL "$(pid_of agent)"
  wait_for 10 is_gone "$capture"
  wait_for 10 is_gone "$web"
  traffic_goes_on
  # There is nothing to change for whoever comes next.
  run tapwarden plan
  [ "$status" -eq 0 ]
  agent_start
  traffic_goes_on
  [ "$(ifindex_of web01) $(ifindex_of web02)" = "$links" ]
  ask "after=adoption"
  wait_for 10 has_record '.tapwarden.groups.path.text == "/index.html?after=adoption"'
  # A watcher lives through it, and the numbers go on where the agent before left the log.
  wait_for 10 grep -q 'after=adoption' "$DIR/watch.out"
  no_hole_in_records
  run cat "$DIR/watch.err"
  [[ "$output" != *'the agent began anew'* ]]
}

@test "the agent ends on SIGTERM under traffic and leaves links and tap" {
  agent_start
  guest_start
  traffic_start
  local links capture web
  links="$(ifindex_of web01) $(ifindex_of web02)"
  capture=$(worker_pid capture)
  web=$(worker_pid web)
  wait_for 10 has_traffic 10
  kill -TERM "$(pid_of agent)"
  # Not by run: the agent is a child of this shell alone.
  wait "$(pid_of agent)"
  is_gone "$capture"
  is_gone "$web"
  traffic_goes_on
  [ "$(ifindex_of web01) $(ifindex_of web02)" = "$links" ]
  run tapwarden status
  [ "$status" -eq 2 ]
  [[ "$output" == *"is tapwarden running?"* ]]
}

@test "the agent does not start with a faulty file, and says where the fault is" {
  sed -i -e 's/^mode = bridge/mode = brigde/' "$INI"
  run --separate-stderr in_host timeout 10 "$TAPWARDEN" run -c "$INI"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"$INI:"*"[set web] mode: "* ]]
  no_link web01
}

@test "a second agent on the same configuration is refused" {
  agent_start
  run --separate-stderr in_host timeout 10 "$TAPWARDEN" run -c "$INI"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"$(pid_of agent)"* ]]
  agent_serves
}

@test "a reload with a faulty file changes nothing and says where the fault is" {
  agent_start
  guest_start
  local links capture web
  links="$(ifindex_of web01) $(ifindex_of web02)"
  capture=$(worker_pid capture)
  web=$(worker_pid web)
  sed -i -e 's/^count = 2/count = 1/' -e 's/^mode = bridge/mode = brigde/' "$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 10 status_of '.agent.reload_error != ""'
  [ "$(status_get .agent.generation)" -eq 1 ]
  [ "$(worker_pid capture) $(worker_pid web)" = "$capture $web" ]
  [ "$(ifindex_of web01) $(ifindex_of web02)" = "$links" ]
  grep -q "$INI:$(grep -n -m1 brigde "$INI" | cut -d: -f1): \[set web\] mode: .*\"brigde\".*\"bridge\"" "$DIR/agent.err"
  ask "still=here"
  wait_for 10 has_record '.tapwarden.groups.path.text == "/index.html?still=here"'
}

@test "a reload with a new pattern and a link less works under traffic" {
  agent_start
  guest_start
  traffic_start
  local link capture
  link=$(ifindex_of web01)
  capture=$(worker_pid capture)
  sed -i -e 's/^count = 2/count = 1/' "$INI"
  printf '\n[pattern colour]\nregex = "colour=(?<name>[a-z]+)"\ngroups = name\n' >>"$INI"
  wait_for 10 has_traffic 10
  kill -HUP "$(pid_of agent)"
  wait_for 20 is_other_worker capture "$capture"
  wait_for 20 no_link web02
  traffic_goes_on
  [ "$(ifindex_of web01)" = "$link" ]
  ask "colour=green"
  wait_for 10 has_record '.tapwarden.rule == "colour" and .tapwarden.groups.name.text == "green"'
  wait_for 10 no_hole_in_records
}

no_link() {
  [ -z "$(ifindex_of "$1")" ]
}

@test "down refuses a held link, and with --force takes ours and only ours" {
  agent_start
  guest_start
  ip -n "$HOST" link add link eno1 name other type macvtap mode bridge
  kill -TERM "$(pid_of agent)"
  wait_for 10 is_gone "$(pid_of agent)"
  run tapwarden down
  [ "$status" -eq 2 ]
  [[ "$output" == *"web01"*"$(pid_of tap_guest)"* ]]
  [ -n "$(ifindex_of web01)" ]
  run tapwarden down --force
  [ "$status" -eq 0 ]
  no_link web01
  no_link host01
  [ -n "$(ifindex_of other)" ]
}
