#!/usr/bin/env bats
# Guests that are more than a boot sector, without a disk as well: Debian's kernel by HTTP with its root
# on the LUN, and a UEFI machine that starts the loader of the LUN's ESP.

bats_require_minimum_version 1.5.0

load house.bash

KERNEL=$ROOT/build/unpacked/linux-image-cloud-amd64

setup() {
  [ "$(dpkg --print-architecture)" = amd64 ] || skip "its guests are given an amd64 host's kernel and busybox"
  house_up
  printf 'secret-pass-12' >forward
  printf 'other-pass-123' >reverse
  chmod 600 forward reverse
}

teardown() {
  house_down
}

# partition NAME: where it begins in the file `lun`, and how much it has, in bytes.
partition() {
  sfdisk -J lun | jq -r --arg name "$1" '.partitiontable.partitions[] | select(.name == $name)
    | "\(.start * 512) \(.size * 512)"'
}

# What the guest finds on the LUN: the kit's files, busybox, and a first process that says where its root
# is, writes that down there and ends the machine.
root_files() {
  local file
  mkdir -p root/sbin root/bin root/proc root/sys root/dev root/run
  cp -a kit/guest/etc root/etc
  cp "$(which busybox)" root/bin/busybox
  ln -s busybox root/bin/sh
  for file in $(ldd root/bin/busybox | grep -o '/[^ ]*'); do
    cp -L --parents "$file" root
  done
  cat >root/sbin/init <<'END'
#!/bin/sh
busybox mount -o remount,rw /
read target </sys/class/iscsi_session/session1/targetname
read initiator </sys/class/iscsi_session/session1/initiatorname
device=$(busybox sed -n 's,^/dev/\([^ ]*\) / ext4 .*,\1,p' /proc/mounts)
echo "root on $device of $target for $initiator" | busybox tee /from-guest
busybox mount -o remount,ro /
busybox reboot -f
END
  chmod 755 root/sbin/init
}

# disk: the LUN with the root that the kit's scripts would make.
disk() {
  local start size
  "$TAPWARDEN" boot kit shop -o kit -c t.ini
  truncate -s 256M lun
  sfdisk -q lun <kit/disk.sfdisk
  root_files
  read -r start size <<<"$(partition root)"
  # shellcheck source=/dev/null
  (. kit/vars.sh && mkfs.ext4 -q -U "$ROOT_UUID" -d root -E offset="$start" lun $((size / 1024))k)
}

# What the kit puts into the guest makes Debian's initrd; a mount namespace lends it the places.
initrd() {
  local version
  version=$(ls "$KERNEL/lib/modules")
  cp -r /etc/initramfs-tools conf
  cp -r kit/guest/etc/initramfs-tools/. conf
  cp -r /etc/iscsi iscsi
  cp kit/guest/etc/iscsi/* iscsi
  mkdir -p /lib/modules
  unshare -m sh -eu -c 'mount --bind "$1/lib/modules" /lib/modules
    mount --bind "$1/boot" /boot
    mount --bind iscsi /etc/iscsi
    depmod "$2"
    mkinitramfs -d "$PWD/conf" -o "$PWD/initrd" "$2"' - "$KERNEL" "$version"
  cp "$KERNEL/boot/vmlinuz-$version" vmlinuz
}

# late FILE: it is not there before the guest has missed it.
late() {
  mv "$1" "$1.late"
  background "late.log" bash -c 'until grep -a -q "once more in 5 seconds" console; do sleep 0.1; done
    mv "$0.late" "$0"' "$1"
}

# kernel_way TARGET-KEYS: Debian's kernel comes up, and what it wrote is in the LUN.
kernel_way() {
  local start size
  config "$1" "boot = kernel
kernel = $PWD/vmlinuz
initrd = $PWD/initrd
interface = eth0
swap = 0
cmdline = console=ttyS0"
  disk
  initrd
  rm -r kit
  [ -z "${LATE-}" ] || late "$LATE"
  boots 90 'root on sda1 of iqn.2026-01.test.boot:disk for iqn.2026-01.test.boot:shop'
  read -r start size <<<"$(partition root)"
  debugfs -R 'cat /from-guest' "lun?offset=$start" | grep '^root on sda1 of'
}

@test "Debian's kernel comes from the host by HTTP and finds its root on the LUN, by the kernel's line" {
  kernel_way 'portal = 10.99.0.2'
}

@test "what cannot be had at first is asked for once more" {
  LATE=initrd kernel_way 'portal = 10.99.0.2'
  [ "$(grep -a -c 'cannot load its kernel, once more in 5 seconds' console)" -ge 1 ]
}

@test "with CHAP, the login stands in the table that iPXE leaves and not on the line" {
  kernel_way "portal = 10.99.0.2
chap-user = alice
chap-secret-file = $PWD/forward
reverse-user = bob
reverse-secret-file = $PWD/reverse"
  run -1 grep -a -q secret-pass-12 console
}

@test "a UEFI machine starts the loader on the ESP of its LUN" {
  local start size
  config 'portal = 10.99.0.2' 'firmware = uefi
swap = 0'
  "$TAPWARDEN" boot kit shop -o kit -c t.ini
  truncate -s 768M lun
  sfdisk -q lun <kit/disk.sfdisk
  read -r start size <<<"$(partition esp)"
  cat >grub.cfg <<'END'
terminal_output console
echo "MARKER of the loader on $root"
reboot
END
  grub-mkimage -O x86_64-efi -p / -c grub.cfg -o loader.efi echo reboot part_gpt fat
  # shellcheck source=/dev/null
  (. kit/vars.sh && mkfs.vfat -i "${ESP_ID%-*}${ESP_ID#*-}" --offset=$((start / 512)) lun $((size / 1024)))
  mmd -i "lun@@$start" ::EFI ::EFI/BOOT
  mcopy -i "lun@@$start" loader.efi ::EFI/BOOT/BOOTX64.EFI
  rm -r kit
  boots 90 'MARKER of the loader'
}
