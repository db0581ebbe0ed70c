# Every hostile value in fields of [target] and [guest]: refused, or carried whole through every file of
# the kit and every script, as the programs say that read those. A file of tests has some of the fields.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  LINES_OF_IPXE=$BATS_FILE_TMPDIR/lines
}

# fields REGEX: each in a folder of its own.
fields() {
  local field
  for field in $(perl "$BATS_TEST_DIRNAME/breakout.pl" - list | grep -E "^($1)$"); do
    mkdir -p "$field"
    (cd "$field" && perl "$BATS_TEST_DIRNAME/breakout.pl" "$TAPWARDEN" "$field" "$LINES_OF_IPXE")
  done
}

# ipxe_finds_the_words N: in more than N commands. Each is echoed as far as it goes, and what iPXE expands,
# cuts or joins is not what stands in the script. Settings of bytes are set, and read back.
ipxe_finds_the_words() {
  sed 's/ || goto failed$//; s/ || goto ${next}$//' "$LINES_OF_IPXE" | sort -u >commands
  [ "$(wc -l <commands)" -gt "$1" ]
  {
    echo '#!ipxe'
    sed -n 's/^/echo @@/p' commands
    sed -n 's/^set \([a-z-]*:hexraw\) .*/&\necho @@\1 ${\1}/p' commands
    echo 'echo @@end'
  } >all.ipxe
  {
    sed 's/^/@@/' commands
    sed -n 's/^set \([a-z-]*:hexraw\) \(.*\)/@@\1 \2/p' commands
    echo @@end
  } >expected
  timeout 120 qemu-system-x86_64 -accel tcg -m 128 -display none -machine graphics=off -serial stdio \
    -monitor none -no-reboot -nodefaults -boot reboot-timeout=0 -netdev "user,id=n0,tftp=$PWD,bootfile=all.ipxe" \
    -device virtio-net-pci,netdev=n0,bootindex=1 </dev/null 2>/dev/null |
    tr -d '\r' | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' >console
  # A line of the console has 80 columns.
  perl -0pe 's/([^\n]{80})\n(?!@@|\n)/$1/g' console | grep -a '^@@' >real
  diff expected real
}
