#!/usr/bin/env bats
# Everything of a guest's kit, read by the programs it is for.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  printf 'secret-pass-12' >forward
  printf 'other-pass-123' >reverse
  chmod 600 forward reverse
}

# ini [GUEST-KEYS [TARGET-KEYS]]: a guest with CHAP both ways.
ini() {
  cat >t.ini <<END
[agent]
run-dir = $PWD/run
[set web]
lower = eno1
count = 1
name = web%02d
[link web01]
set = web
mac = 52:54:00:99:00:10
[target disk1]
portal = 192.0.2.2
name = iqn.2026-01.example.lab:disk1
lun = 16
chap-user = alice
chap-secret-file = $PWD/forward
reverse-user = bob
reverse-secret-file = $PWD/reverse
$2
[guest shop]
link = web01
target = disk1
initiator = iqn.2026-01.example.lab:shop
root-uuid = 6c816f51-0613-45e7-a15b-bc2d5cd00f88
root-password = "\$6\$sOmEsAlT\$F3DN61SEKPHtTeIzgzyLe.rpctiym/qxz5xQz9YM.PyTdH7R13ZDXj6sDMeZg5wklbYJYSqDBXcH4UnAWQrRN0"
$1
[web]
boot-listen = 192.0.2.1:8080
END
}

kit() {
  rm -rf kit
  "$TAPWARDEN" boot kit shop -o kit -c t.ini
}

# files: what the kit has, without its folders.
files() {
  (cd kit && find . -type f -printf '%P\n' | sort)
}

@test "the same configuration gives the same bytes, as a folder and as tar" {
  ini
  "$TAPWARDEN" boot kit shop -o a.tar -c t.ini
  "$TAPWARDEN" boot kit shop -o - -c t.ini | cmp - a.tar
  kit
  mkdir x && tar -xpf a.tar -C x
  diff -r x kit
  diff <(cd x && find . -type f -printf '%P %m\n' | sort) <(cd kit && find . -type f -printf '%P %m\n' | sort)
  [ "$(tar -tvf a.tar | awk '{ print $2, $4 }' | sort -u)" = "root/root 1970-01-01" ]
}

@test "nothing that is there is overwritten" {
  ini
  mkdir kit && touch kit/mine
  run -2 --separate-stderr "$TAPWARDEN" boot kit shop -o kit -c t.ini
  [ "$stderr" = "tapwarden: cannot make a kit for guest shop: cannot make kit: File exists" ]
  [ "$(ls kit)" = mine ]
  touch a.tar
  run -2 --separate-stderr "$TAPWARDEN" boot kit shop -o a.tar -c t.ini
  [ "$stderr" = "tapwarden: cannot make a kit for guest shop: cannot make a.tar: File exists" ]
}

@test "secrets are in files that only their owner reads, and in no other" {
  local file
  ini 'boot = local'
  kit
  for file in $(cd kit && grep -rlE 'secret-pass-12|other-pass-123|7365637265742d70617373|F3DN61SEKP' .); do
    [ "$(($(stat -c 0%a "kit/$file") & 077))" -eq 0 ]
  done
  grep -q secret-pass-12 kit/guest/etc/iscsi/iscsi.initramfs
}

@test "each way has its files, and no others" {
  ini
  kit
  files | grep -qx guest/etc/default/grub.d/iscsi.cfg
  grep -qx ISCSI_AUTO=true kit/guest/etc/iscsi/iscsi.initramfs
  run -1 grep -q tftp/ <(files)
  ini $'boot = kernel\nkernel = http://192.0.2.1/vmlinuz\ninitrd = /srv/initrd'
  kit
  files | grep -qx tftp/pxelinux.cfg/01-52-54-00-99-00-10
  files | grep -qx tftp/grub/grub.cfg-01-52-54-00-99-00-10
  files | grep -qx guest/etc/kernel/postinst.d/zz-publish-boot
  run -1 grep -q grub.d <(files)
  grep -q 'INITRD http://192.0.2.1:8080/ipxe/52-54-00-99-00-10/initrd$' kit/tftp/pxelinux.cfg/01-*
  ini 'boot = local'
  kit
  files | grep -qx guest/etc/default/grub.d/iscsi.cfg
  run -1 grep -q loader kit/disk.sfdisk
  # A machine with a disk of its own has nothing of iSCSI.
  sed -i -e '/^target = /d' -e '/^initiator = /d' -e 's/^boot = .*/boot = disk/' t.ini
  kit
  run -1 grep -qE 'iscsi|install.sh|target/' <(files)
  files | grep -qx dhcp/kea.json
}

@test "shells take every script, GRUB and its shell the kernel's line" {
  local script
  for way in 'boot = san' 'boot = local' $'boot = kernel\nkernel = http://h/k\ninitrd = /i'; do
    ini "$way"$'\ncmdline = "console=ttyS0 ds=nocloud;s=http://h/ a=\'b"'
    # GRUB adds a backslash before a quote: refused, not changed.
    if [ "$way" != "boot = san" ] || run ! kit; then
      ini "$way"$'\ncmdline = "console=ttyS0 ds=nocloud;s=http://h/"'
      kit
    fi
    for script in kit/*.sh kit/*/*.sh; do
      sh -n "$script"
    done
    shellcheck -s sh -x -P kit -e SC1091,SC2034,SC2086,SC2154 kit/*.sh kit/target/*.sh kit/host/*.sh
    if [ -e kit/guest/etc/default/grub.d/iscsi.cfg ]; then
      # shellcheck source=/dev/null
      (. ./kit/guest/etc/default/grub.d/iscsi.cfg && printf 'linux /vmlinuz %s\n' "$GRUB_CMDLINE_LINUX") >grub
      grub-script-check grub
      grep -q " 'ds=nocloud;s=http://h/'$" grub
    fi
    for script in kit/tftp/grub/*; do
      [ ! -e "$script" ] || grub-script-check "$script"
    done
  done
}

@test "a quote on the line is refused where GRUB would change it" {
  ini $'cmdline = "a=\'b"'
  run -2 --separate-stderr "$TAPWARDEN" boot kit shop -o kit -c t.ini
  [ "$stderr" = "tapwarden: cannot make a kit for guest shop: guest/etc/default/grub.d/iscsi.cfg: cmdline has a quote or backslash, before which GRUB puts another" ]
}

@test "a secret that an initrd's shell would misread is refused with its byte" {
  printf 'secret pass 12' >forward
  ini 'boot = local'
  run -2 --separate-stderr "$TAPWARDEN" boot kit shop -o kit -c t.ini
  [ "$stderr" = "tapwarden: cannot make a kit for guest shop: guest/etc/iscsi/iscsi.initramfs: the CHAP secret cannot stand in a kernel command line: byte 0x20 at offset 6 begins a new argument" ]
}

@test "what the initrd's shell reads is what the configuration says" {
  ini 'boot = local' 'portal = 192.0.2.2 192.0.2.3'
  sed -i '0,/^portal = 192.0.2.2$/{/^portal = 192.0.2.2$/d}' t.ini
  kit
  run -0 sh -c '. ./kit/guest/etc/iscsi/iscsi.initramfs; printf "%s|" "$ISCSI_INITIATOR" "$ISCSI_TARGET_NAME" "$ISCSI_TARGET_IP" "$ISCSI_TARGET_PORT" "$ISCSI_ROOT_LUN" "$ISCSI_USERNAME" "$ISCSI_PASSWORD" "$ISCSI_IN_USERNAME" "$ISCSI_IN_PASSWORD"'
  [ "$output" = "iqn.2026-01.example.lab:shop|iqn.2026-01.example.lab:disk1|192.0.2.2 192.0.2.3|3260|16|alice|secret-pass-12|bob|other-pass-123|" ]
  [ -e kit/guest/etc/multipath.conf ]
  run -0 sh -c '. ./kit/guest/etc/iscsi/initiatorname.iscsi; echo "$InitiatorName"'
  [ "$output" = iqn.2026-01.example.lab:shop ]
}

@test "URI, initrd, fstab and target name the same LUN and the same UUIDs" {
  ini
  kit
  grep -q 'sanboot --drive 0x80 iscsi:192.0.2.2:::10:iqn.2026-01.example.lab:disk1 ' kit/boot.ipxe
  grep -qx LUN=16 kit/vars.sh
  grep -qx lun=16 kit/target/tgt.sh
  grep -qx lun=16 kit/target/lio.sh
  grep -q '^UUID=6c816f51-0613-45e7-a15b-bc2d5cd00f88 / ext4 ' kit/guest/etc/fstab
  grep -q 'root=UUID=6c816f51-0613-45e7-a15b-bc2d5cd00f88 ' kit/guest/etc/default/grub.d/iscsi.cfg
  grep -qx ROOT_UUID=6c816f51-0613-45e7-a15b-bc2d5cd00f88 kit/vars.sh
  findmnt --verify --tab-file kit/guest/etc/fstab 2>&1 | grep -q '0 parse errors'
}

@test "dnsmasq takes its snippet, and Kea's is JSON with the address" {
  ini $'address = 192.0.2.10/24\nhostname = shop.example.lab'
  kit
  dnsmasq --test -C kit/dhcp/dnsmasq.conf
  grep -qx 'dhcp-host=52:54:00:99:00:10,set:shop,192.0.2.10,shop.example.lab' kit/dhcp/dnsmasq.conf
  run -0 jq -r '.Dhcp4 | ."client-classes"[0]."boot-file-name", (.reservations[0] | ."hw-address", ."ip-address", .hostname)' kit/dhcp/kea.json
  [ "${lines[*]}" = "http://192.0.2.1:8080/boot.ipxe 52:54:00:99:00:10 192.0.2.10 shop.example.lab" ]
  xmllint --noout kit/host/libvirt.xml
  [ "$(xmllint --xpath 'string(//interface/target/@dev)' kit/host/libvirt.xml)" = web01 ]
}

@test "seeds are YAML, and the image has them under their names" {
  local file
  ini $'address = 192.0.2.10/24\ngateway = 192.0.2.254\ndns = 192.0.2.53 2001:db8::53'
  kit
  perl -MYAML::XS=LoadFile -e '
    my $u = LoadFile("kit/seed/user-data");
    $u->{chpasswd}{users}[0]{type} eq "hash" or die;
    $u->{chpasswd}{users}[0]{password} =~ /^\$6\$sOmEsAlT\$F3DN61/ or die;
    my $n = LoadFile("kit/seed/network-config");
    $n->{ethernets}{boot}{addresses}[0] eq "192.0.2.10/24" or die;
    join(" ", @{$n->{ethernets}{boot}{nameservers}{addresses}}) eq "192.0.2.53 2001:db8::53" or die;
    my $p = LoadFile("kit/guest/etc/netplan/10-boot.yaml");
    $p->{network}{ethernets}{boot}{critical} or die;
    LoadFile("kit/seed/autoinstall/user-data")->{autoinstall}{identity}{hostname} eq "shop" or die;
    LoadFile("kit/seed/meta-data")->{"local-hostname"} eq "shop" or die;'
  [ "$(blkid -p -o value -s LABEL kit/seed/cidata.iso)" = CIDATA ]
  [ "$(isoinfo -J -f -i kit/seed/cidata.iso | sort | tr '\n' ' ')" = "/meta-data /network-config /user-data /vendor-data " ]
  [ "$(isoinfo -f -i kit/seed/cidata.iso | wc -l)" -eq 4 ]
  for file in meta-data network-config user-data vendor-data; do
    isoinfo -J -x "/$file" -i kit/seed/cidata.iso | cmp - "kit/seed/$file"
  done
}

@test "scripts say what they would do and do nothing without --yes" {
  ini
  kit
  truncate -s 64M disk
  cp --sparse=always disk before
  for script in install undo verify; do
    run -0 "kit/$script.sh" --disk "$PWD/disk"
    [ "${lines[-1]}" = "Nothing was done. With --yes it is." ]
  done
  cmp disk before
  [ ! -e /run/tapwarden-kit/shop ]
  run -0 kit/install.sh
  [[ "$output" == *"+ iscsiadm -m iface -I tapwarden-shop -o update -n iface.initiatorname -v iqn.2026-01.example.lab:shop"* ]]
  [[ "$output" == *"+ mkfs.ext4 -q -U 6c816f51-0613-45e7-a15b-bc2d5cd00f88 /dev/disk/by-path/ip-192.0.2.2:3260-iscsi-iqn.2026-01.example.lab:disk1-lun-16-part3"* ]]
  [[ "$output" != *secret-pass-12* ]]
  run -0 env PACKAGES='openssh-server vim' kit/install.sh
  [[ "$output" == *"+ chroot "*" install "*" initramfs-tools busybox openssh-server vim"* ]]
}

@test "the checklist tells when nobody could log in" {
  ini
  kit
  run -1 grep 'root has no password' kit/CHECKLIST.txt
  sed -i '/^root-password/d' t.ini
  kit
  grep -q 'root has no password' kit/CHECKLIST.txt
}

@test "the checklist's parts are a blank line apart, whatever boots" {
  local boot
  for boot in san 'kernel\nkernel = http://x/k\ninitrd = http://x/i' local; do
    ini
    sed -i "s|^link = web01|&\nboot = $boot|" t.ini
    kit
    grep -qx '' kit/CHECKLIST.txt
    cmp <(cat -s kit/CHECKLIST.txt) kit/CHECKLIST.txt
  done
}

@test "a LUN that is not empty is refused before anything is done to it" {
  ini
  kit
  truncate -s 64M disk
  mkfs.ext4 -q -F disk
  cp disk before
  run -1 kit/install.sh --yes --disk "$PWD/disk"
  [[ "$output" == *"is not empty: ext4 "*": nothing more is done" ]]
  cmp disk before
  truncate -s 0 disk && truncate -s 64M disk
  printf x | dd of=disk bs=1 seek=$((64 * 1048576 - 5)) conv=notrunc status=none
  cp disk before
  run -1 kit/install.sh --yes --disk "$PWD/disk"
  [[ "$output" == *"is not empty: there are bytes in the tail of it: nothing more is done" ]]
  cmp disk before
}

# Stand-ins for what would fetch and set up a Debian: its root is a few folders, and what is run in it is
# written down, with what it reads.
debian_of_folders() {
  mkdir bin
  cat >bin/debootstrap <<'END'
#!/bin/sh
echo "debootstrap $*" >>"$CALLS"
mkdir -p "$2/usr/sbin" "$2/proc" "$2/sys" "$2/dev" "$2/run"
END
  cat >bin/chroot <<'END'
#!/bin/sh
shift
echo "$*" >>"$CALLS"
[ "$1" != chpasswd ] || cat >>"$CALLS"
# A mount namespace that somebody makes meanwhile keeps the disk mounted for longer than install.sh.
[ "$1" != update-initramfs ] || unshare -m sh -c 'echo $$ >"$1"; exec sleep 3' sh "$CALLS.holder" >/dev/null 2>&1 3>&- &
END
  # Where the kernel reads no partition tables, or has no devtmpfs, nodes come by this.
  cat >bin/udevadm <<'END'
#!/bin/sh
partx -a "$DEVICE" 2>/dev/null || true
for part in /sys/class/block/"${DEVICE#/dev/}"p*/dev; do
	[ -e "$part" ] || continue
	name=/dev/$(basename "$(dirname "$part")")
	[ -e "$name" ] || { mknod "$name" b "$(cut -d: -f1 "$part")" "$(cut -d: -f2 "$part")" && echo "$name" >>"$NODES"; }
done
END
  chmod 755 bin/*
  export CALLS=$PWD/calls NODES=$PWD/nodes
}

# apart COMMAND...: what it mounts is not seen by other tests, whose namespaces would keep it mounted.
apart() {
  unshare -m "$@"
}

@test "install.sh makes a disk, verify.sh finds it right or says what is not, and undo.sh leaves nothing" {
  local device
  ini 'swap = 64M'
  kit
  debian_of_folders
  truncate -s 300M disk
  device=$(losetup -fP --show disk)
  echo "$device" >device
  export DEVICE=$device
  export PATH=$PWD/bin:$PATH
  run -0 apart sh -c 'kit/install.sh --yes --disk "$DEVICE" && ! mountpoint -q /run/tapwarden-kit/shop'
  [ "${lines[-1]}" = Done. ]
  grep -q "^debootstrap bookworm /run/tapwarden-kit/shop" calls
  grep -q '^env .*apt-get .* install linux-image-amd64 open-iscsi initramfs-tools busybox grub-pc$' calls
  grep -qx "grub-install --target=i386-pc $device" calls
  grep -qx 'update-initramfs -u' calls
  grep -qFx "root:\$6\$sOmEsAlT\$F3DN61SEKPHtTeIzgzyLe.rpctiym/qxz5xQz9YM.PyTdH7R13ZDXj6sDMeZg5wklbYJYSqDBXcH4UnAWQrRN0" calls
  # The disk by itself, as others see it.
  [ "$(blkid -p -o value -s UUID "${device}p3")" = 6c816f51-0613-45e7-a15b-bc2d5cd00f88 ]
  [ "$(blkid -p -o value -s TYPE "${device}p2")" = swap ]
  debugfs -R 'dump /etc/iscsi/iscsi.initramfs got' "${device}p3" 2>/dev/null
  cmp got kit/guest/etc/iscsi/iscsi.initramfs
  [[ "$(debugfs -R 'stat /etc/iscsi/iscsi.initramfs' "${device}p3" 2>/dev/null)" == *"Mode:  0600"* ]]
  [[ "$(debugfs -R 'stat /usr/sbin/policy-rc.d' "${device}p3" 2>&1)" == *"File not found"* ]]

  tail --pid="$(cat "$CALLS.holder")" -f /dev/null
  run -0 apart kit/verify.sh --yes --disk "$device"
  [[ "$output" != *BAD* ]]
  [[ "$output" == *"ok   the root"*"ok   ./etc/fstab"* ]]
  run -1 apart kit/install.sh --yes --disk "$device"
  [[ "$output" == *"is not empty: "* ]]
  # Another's swap, and a file that somebody changed.
  mkdir mnt
  apart sh -c 'mount "${DEVICE}p3" mnt && echo x >>mnt/etc/fstab'
  mkswap -q -f -U 11111111-2222-3333-4444-555555555555 "${device}p2"
  run -1 apart kit/verify.sh --yes --disk "$device"
  [[ "$output" == *'BAD  the swap is "11111111-'* ]]
  [[ "$output" == *'BAD  ./etc/fstab differs'* ]]
  [ "$(grep -c BAD <<<"$output")" -eq 2 ]

  # What an interrupted script left.
  mkdir -p /run/tapwarden-kit/shop
  mount "${device}p3" /run/tapwarden-kit/shop
  run -0 kit/undo.sh --yes
  [ ! -e /run/tapwarden-kit/shop ]
}

teardown() {
  if [ -e device ]; then
    umount -R /run/tapwarden-kit/shop 2>/dev/null || true
    partx -d "$(cat device)" 2>/dev/null || true
    losetup -d "$(cat device)"
    [ ! -e nodes ] || xargs rm -f <nodes
  fi
}

@test "sfdisk makes the founding layout, or an ESP" {
  ini
  kit
  truncate -s 10G disk
  sfdisk -q disk <kit/disk.sfdisk
  run -0 bash -c 'sfdisk -J disk | jq -r ".partitiontable | .label, (.partitions[] | [.name, .start, .size, .type] | join(\" \"))"'
  [ "${lines[0]}" = gpt ]
  [ "${lines[1]}" = "loader 2048 6144 21686148-6449-6E6F-744E-656564454649" ]
  [ "${lines[2]}" = "swap 8192 1048576 0657FD6D-A4AB-43C4-84E5-0933C84B4F4F" ]
  [[ "${lines[3]}" == "root 1056768 "* ]]
  ini 'firmware = uefi'
  kit
  truncate -s 0 disk && truncate -s 10G disk
  sfdisk -q disk <kit/disk.sfdisk
  [ "$(sfdisk -J disk | jq -r '.partitiontable.partitions[0].type')" = C12A7328-F81F-11D2-BA4B-00A0C93EC93B ]
  grep -q '^UUID=[0-9A-F]\{4\}-[0-9A-F]\{4\} /boot/efi vfat' kit/guest/etc/fstab
  grep -q OVMF kit/host/qemu.sh
}

@test "what is left out is said: on stderr and in the checklist" {
  ini '' 'portal = san.example'
  sed -i -e '0,/^portal = 192.0.2.2$/{/^portal = 192.0.2.2$/d}' -e '/^boot-listen/d' t.ini
  run -0 --separate-stderr "$TAPWARDEN" boot kit shop -o kit -c t.ini
  [[ "$stderr" == *"tapwarden: left out dhcp/dnsmasq.conf: [web] boot-listen is missing"* ]]
  [[ "$stderr" == *"tapwarden: left out target/lio.sh: portal san.example is a name, and LIO takes addresses"* ]]
  grep -q 'lio.sh: portal san.example is a name' kit/CHECKLIST.txt
  [ ! -e kit/target/lio.sh ]
}
