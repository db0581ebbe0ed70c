#!/usr/bin/env bats
# The snippets of the kit in the servers they are for: dnsmasq, ISC's dhcpd and Kea each give the guest
# its address, and iPXE the address of its script; what is not iPXE gets a loader. Busybox's client asks.

bats_require_minimum_version 1.5.0

load house.bash

UNPACKED=$ROOT/build/unpacked

setup() {
  house_up
  ip -n "$HV" addr add 10.99.0.1/24 dev hv0
  ip -n "$SAN" link set san0 address "$GUEST_MAC"
  ip -n "$SAN" addr flush dev san0
  config 'portal = 10.99.0.2' 'address = 10.99.0.77/24
hostname = shop.example'
  "$TAPWARDEN" boot kit shop -o kit -c t.ini
  cat >script <<'END'
#!/bin/sh
[ "$1" != bound ] || echo "$ip $hostname ${boot_file:-$bootfile}" >"$LEASE"
END
  chmod 755 script
}

teardown() {
  house_down
}

# lease [OPTIONS]: what the server gives: address, name and file.
lease() {
  rm -f lease
  LEASE=$PWD/lease ip netns exec "$SAN" timeout 60 busybox udhcpc -f -q -n -t 20 -T 1 -i san0 \
    -s "$PWD/script" -O hostname -O bootfile "$@" >udhcpc.log 2>&1 || { cat udhcpc.log; return 1; }
  cat lease
}

# gives LEASE [OPTIONS]
gives() {
  local got
  got=$(lease "${@:2}") || { cat server.log; return 1; }
  [ "$got" = "$1" ] || { echo "\"$got\" and not \"$1\""; cat server.log; return 1; }
}

# serves NAME LOADER: asks as iPXE does, and as a firmware.
serves() {
  gives "10.99.0.77 $1 http://10.99.0.1:8080/boot.ipxe" -x 0x4d:69505845
  gives "10.99.0.77 $1 $2"
}

@test "dnsmasq" {
  { printf '%s\n' port=0 interface=hv0 bind-interfaces dhcp-authoritative dhcp-range=10.99.0.0,static "dhcp-leasefile=$PWD/leases"
    cat kit/dhcp/dnsmasq.conf; } >dnsmasq.conf
  background server.log ip netns exec "$HV" dnsmasq -k -C dnsmasq.conf --user=root --group=root
  # The domain is an option of its own.
  serves shop undionly.kpxe
}

@test "ISC's dhcpd" {
  { echo 'authoritative; subnet 10.99.0.0 netmask 255.255.255.0 { }'; cat kit/dhcp/dhcpd.conf; } >dhcpd.conf
  : >leases
  background server.log ip netns exec "$HV" "$UNPACKED/isc-dhcp-server/usr/sbin/dhcpd" -f -cf dhcpd.conf -lf "$PWD/leases" \
    -pf "$PWD/dhcpd.pid" hv0
  serves shop.example undionly.kpxe
}

@test "Kea" {
  local lib LIBS=
  jq '.Dhcp4 += {"interfaces-config": {"interfaces": ["hv0"]}, "authoritative": true,
    "lease-database": {"type": "memfile", "persist": false}, "subnet4": [{"subnet": "10.99.0.0/24"}]}' kit/dhcp/kea.json >kea.json
  for lib in kea-common liblog4cplus-2.0.5 libmariadb3; do
    LIBS=$LIBS:$(echo "$UNPACKED/$lib"/usr/lib/*/)
  done
  background server.log env "LD_LIBRARY_PATH=${LIBS#:}" KEA_PIDFILE_DIR="$PWD" KEA_LOCKFILE_DIR="$PWD" \
    ip netns exec "$HV" "$UNPACKED/kea-dhcp4-server/usr/sbin/kea-dhcp4" -c kea.json
  serves shop.example ''
}
