# What a machine without a disk waits for: its script, against nginx with a file of the same size, and
# its whole way to the LUN, against the same made by hand.
#
# A server's share is its CPU time for a request: who else runs on the machine counts less. It has one
# core, wrk(1) the other, eight connections are kept, and the answer goes to anybody, since nginx asks
# nobody either; the agent is asked once for a connection, not for a request.

MAC=52:54:00:00:00:01
NETNS=twb$$
PORT=8080

BATS_TEST_DIRNAME=$ROOT/tests/boot
BATS_TEST_TMPDIR=$BENCH_DIR/boot
BATS_TEST_NUMBER=1
mkdir -m 755 "$BATS_TEST_TMPDIR"
# shellcheck source=tests/boot/house.bash
. "$ROOT/tests/boot/house.bash"

in_netns() {
  ip netns exec "$NETNS" "$@"
}

# until_ok COMMAND...: within 60 seconds, or the bench ends.
until_ok() {
  local deadline=$((SECONDS + 61))
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf 'bench: never: %s\n' "$*" >&2
      exit 1
    fi
    sleep 0.05
  done
}

# configure GUESTS: links of a lower device that is not there: nothing of the kernel's is in the way.
configure() {
  awk -v n="$1" -v dir="$BENCH_DIR" -v port="$PORT" -v mac="$MAC" 'BEGIN {
    printf "[agent]\nrun-dir = %s/run\nlog-dir = %s/log\nuser-capture = 64901\nuser-web = 64902\n", dir, dir
    printf "[set v]\nlower = none0\ncount = %d\nname = v%%05d\nmonitor = off\n", n
    printf "[link v00001]\nset = v\nmac = %s\n", mac
    print "[target disk]\nportal = 192.0.2.2\nname = iqn.2026-01.test.boot:disk\nlun = 1"
    printf "[web]\nboot-listen = 127.0.0.1:%d\nboot-answers = anybody\n", port
    for (i = 1; i <= n; i++)
      printf "[guest g%05d]\nlink = v%05d\ntarget = disk\ninitiator = iqn.2026-01.test.boot:g%05d\n", i, i, i
  }' >"$BENCH_DIR/t.ini"
}

fetch() {
  in_netns curl -sf --max-time 5 "http://127.0.0.1:$1/ipxe/${MAC//:/-}"
}

agent_stop() {
  kill "$AGENT" 2>/dev/null && wait "$AGENT"
  true
}

# The web worker is $OURS when it answers.
agent_start() {
  ip netns exec "$NETNS" "$TAPWARDEN" run -c "$BENCH_DIR/t.ini" >"$BENCH_DIR/agent.log" 2>&1 &
  AGENT=$!
  until_ok fetch "$PORT"
  OURS=$("$TAPWARDEN" status -c "$BENCH_DIR/t.ini" --json | jq '.workers[] | select(.name == "web") | .pid')
  taskset -pc 0 "$OURS" >/dev/null
}

peer_start() {
  mkdir -p "$BENCH_DIR/www/ipxe"
  fetch "$PORT" >"$BENCH_DIR/www/ipxe/${MAC//:/-}"
  chmod -R a+rX "$BENCH_DIR"
  cat >"$BENCH_DIR/nginx.conf" <<END
daemon off;
master_process off;
pid $BENCH_DIR/nginx.pid;
error_log $BENCH_DIR/nginx.log;
events { worker_connections 512; }
http {
  access_log off;
  default_type text/plain;
  keepalive_requests 1000000000;
  sendfile on;
  tcp_nopush on;
  server { listen 127.0.0.1:$((PORT + 1)); root $BENCH_DIR/www; }
}
END
  ip netns exec "$NETNS" nginx -c "$BENCH_DIR/nginx.conf" -p "$BENCH_DIR" 2>"$BENCH_DIR/nginx.err" &
  PEER=$!
  until_ok fetch $((PORT + 1))
  taskset -pc 0 "$PEER" >/dev/null
}

# cost PID PORT: microseconds of the server's CPU for a request.
cost() {
  local before after requests
  before=$(cut -d' ' -f1 "/proc/$1/schedstat")
  requests=$(in_netns taskset -c 1 wrk -t1 -c8 -d1s "http://127.0.0.1:$2/ipxe/${MAC//:/-}" |
    awk '/Non-2xx|Socket errors/ { bad = 1 } /requests in/ { n = $1 } END { print bad ? 0 : n }')
  after=$(cut -d' ' -f1 "/proc/$1/schedstat")
  if [ "$requests" -eq 0 ]; then
    echo 'bench: wrk was answered wrongly' >&2
    exit 1
  fi
  awk -v ns=$((after - before)) -v n="$requests" 'BEGIN { print ns / n / 1000 }'
}

# One guest, ten thousand, and nginx in the same minutes.
row_scripts() {
  local run few=() many=() peer=()
  for ((run = 0; run < BENCH_RUNS; run++)); do
    few+=("$(cost "$OURS" "$PORT")") || exit 1
    peer+=("$(cost "$PEER" $((PORT + 1)))") || exit 1
  done
  row 'a script, CPU of a request, nginx to ours' "$(median "${peer[@]}")" "$(median "${few[@]}")" '>=1.3' us
  agent_stop
  configure 10000
  agent_start
  for ((run = 0; run < BENCH_RUNS; run++)); do
    many+=("$(cost "$OURS" "$PORT")") || exit 1
    peer+=("$(cost "$PEER" $((PORT + 1)))") || exit 1
  done
  row 'with 10000 guests, nginx to ours' "$(median "${peer[@]:BENCH_RUNS}")" "$(median "${many[@]}")" '>=1.3' us
  agent_stop
}

row_load() {
  local run seconds=() rendered=()
  for ((run = 0; run < BENCH_RUNS; run++)); do
    seconds+=("$(figure cpu "$TAPWARDEN" check -c "$BENCH_DIR/t.ini")") || exit 1
    rendered+=("$(figure cpu "$TAPWARDEN" boot render g09999 -c "$BENCH_DIR/t.ini")") || exit 1
  done
  row 'read 10000 guests, CPU, to one second' "$(median "${seconds[@]}")" 1 1 s
  row 'the script of one of 10000, CPU, to one second' "$(median "${rendered[@]}")" 1 1 s
}

# The same by ip(8), tgtadm and a file server: no agent, and the script is a file.
hand_up() {
  local node tgtadm=(tgtadm -C "$((TGT_PORT + 1))" --lld iscsi)
  HAND=twhand$$
  HAND_SAN=twhsan$$
  ip netns add "$HAND"
  ip netns add "$HAND_SAN"
  ip link add hv0 netns "$HAND" type veth peer name san0 netns "$HAND_SAN"
  ip -n "$HAND" link set lo up
  ip -n "$HAND" link set hv0 up
  ip -n "$HAND_SAN" link set san0 up
  ip -n "$HAND_SAN" addr add 10.99.0.2/24 dev san0
  ip -n "$HAND" link add link hv0 name leg0 type macvlan mode bridge
  ip -n "$HAND" addr add 10.99.0.1/24 dev leg0
  ip -n "$HAND" addr add fd99::1/64 dev leg0 nodad
  ip -n "$HAND" link set leg0 up
  ip -n "$HAND" link add link hv0 name mt1 address $GUEST_MAC type macvtap mode bridge
  ip netns exec "$HAND" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/mt1/disable_ipv6'
  ip -n "$HAND" link set mt1 up
  ip -n "$HAND" -6 neigh replace fe80::5054:ff:fe99:10 lladdr $GUEST_MAC dev leg0 nud permanent
  node=$(ip netns exec "$HAND" sh -c 'cat /sys/class/net/mt1/tap*/dev')
  mknod -m 600 hand.tap c "${node%:*}" "${node#*:}"
  background tgtd-hand.log ip netns exec "$HAND_SAN" tgtd -f -C $((TGT_PORT + 1)) --iscsi portal=10.99.0.2:3260
  until_ok "${tgtadm[@]}" --mode target --op show
  "${tgtadm[@]}" --mode target --op new --tid 1 -T iqn.2026-01.test.boot:disk
  "${tgtadm[@]}" --mode logicalunit --op new --tid 1 --lun 1 -b "$PWD/lun"
  "${tgtadm[@]}" --mode target --op bind --tid 1 -I ALL
  mkdir www
  cp kit/boot.ipxe www/boot.ipxe
  background httpd.log ip netns exec "$HAND" busybox httpd -f -p 10.99.0.1:8080 -h "$PWD/www"
  sed "s,^dhcp-leasefile=.*,&-hand," dnsmasq.conf >hand.conf
  background dnsmasq-hand.log ip netns exec "$HAND" dnsmasq -k -C hand.conf --user=root --group=root
}

hand_down() {
  ip netns del "$HAND"
  ip netns del "$HAND_SAN"
  rm -f "/var/run/tgtd/socket.$((TGT_PORT + 1))" "/var/run/tgtd/socket.$((TGT_PORT + 1)).lock"
}

# The marker's program resets the machine, which ends QEMU.
MACHINE=(qemu-system-x86_64 -accel tcg -m 256 -display none -machine graphics=off -serial stdio
  -monitor none -no-reboot -nodefaults)

ours_boot() {
  ip netns exec "$HV" timeout 60 "$TAPWARDEN" qemu mt1 -c t.ini -- "${MACHINE[@]}" -netdev "{netdev}" \
    -device "{device},bootindex=1" </dev/null >console && grep -a -q 'MARKER of the LUN' console
}

hand_boot() {
  timeout 60 "${MACHINE[@]}" -netdev tap,id=n0,fd=3 -device virtio-net-pci,netdev=n0,mac=$GUEST_MAC,bootindex=1 \
    3<>hand.tap </dev/null >console && grep -a -q 'MARKER of the LUN' console
}

row_boot() {
  house_up
  at_exit house_down
  lun
  config 'portal = 10.99.0.2' ''
  serve >serve.log
  hand_up
  at_exit hand_down
  compare 'from QEMU to the LUN, wall' wall 1.1 ours_boot hand_boot
}

ip netns add "$NETNS"
at_exit ip netns del "$NETNS"
ip -n "$NETNS" link set lo up
chmod 755 "$BENCH_DIR"
AGENT=
PEER=
at_exit eval 'kill $AGENT $PEER 2>/dev/null'
configure 1
agent_start
peer_start
row_scripts
row_load
row_boot
