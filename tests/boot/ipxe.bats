#!/usr/bin/env bats
# What the script reader says, against a real iPXE: Debian's ROM in QEMU, which fetches scripts by
# TFTP from QEMU's own network.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}
MAC=52:54:00:99:00:10
UUID=11111111-2222-3333-4444-555555555555

setup() {
  cd "$BATS_TEST_TMPDIR" || return
}

# run_ipxe DIR FILE: what iPXE writes to the serial line, without what moves the cursor. Without a
# disk the BIOS starts the machine again at once, which ends QEMU.
run_ipxe() {
  timeout 120 qemu-system-x86_64 -accel tcg -m 128 -display none -machine graphics=off \
    -serial stdio -monitor none -no-reboot -nodefaults -boot reboot-timeout=0 \
    -netdev "user,id=n0,tftp=$1,bootfile=$2" \
    -device "virtio-net-pci,netdev=n0,mac=$MAC,bootindex=1" -uuid $UUID </dev/null 2>/dev/null |
    tr -d '\r' | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g'
}

@test "what a script echoes, it echoes in a real iPXE" {
  run_ipxe "$BATS_TEST_DIRNAME/ipxe" all.ipxe | grep -a -o '@@.*' >real
  run --separate-stderr "$TAPWARDEN" boot simulate --json --mac $MAC --uuid $UUID \
    "$BATS_TEST_DIRNAME/ipxe/all.ipxe"
  [ "$status" -eq 1 ]
  grep -o '"prints: @@.*"' <<<"$output" | sed 's/^"prints: //; s/"$//' >simulated
  [ "$(wc -l <simulated)" -gt 50 ]
  diff real simulated
}

@test "the commands that the reader takes for Debian's are those of its ROM" {
  printf '#!ipxe\nhelp\n' >help.ipxe
  run_ipxe "$PWD" help.ipxe | sed -n '/^Available commands/,/^Type/p' >help
  [ "$(wc -l <help)" -gt 10 ]
  grep -o '^  .*' help | tr -s ' ' '\n' | sed '/^$/d' | sort >real
  [ "$(wc -l <real)" -gt 40 ]
  for command in $(cat real) poweroff imgverify imgtrust ping ntp param console md5sum; do
    printf '#!ipxe\n%s || exit\n' "$command" >one.ipxe
    "$TAPWARDEN" boot lint one.ipxe >found || true
    if ! grep -q "$command: \(Debian's \)\?iPXE has no such command" found; then
      echo "$command"
    fi
  done | sort >known
  diff real known
}
