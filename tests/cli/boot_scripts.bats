#!/usr/bin/env bats
# boot lint, simulate and decode, as commands.

bats_require_minimum_version 1.5.0

TAPWARDEN=${TAPWARDEN:-$BATS_TEST_DIRNAME/../../build/tapwarden}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  printf 'secret-pass-12' >secret
  chmod 600 secret
  cat >t.ini <<END
[agent]
run-dir = /nonexistent/run
log-dir = /nonexistent/log
[set web]
lower = eno1
count = 3
name = web%02d
[link web01]
set = web
mac = 52:54:00:00:00:01
[target disk]
portal = 192.0.2.2
name = iqn.2026-01.test.san:disk
lun = 1
chap-user = alice
chap-secret-file = $PWD/secret
[guest shop]
link = web01
target = disk
initiator = iqn.2026-01.test.host:shop
[guest mail]
link = web02
boot = kernel
kernel = http://192.0.2.2/vmlinuz
initrd = http://192.0.2.2/initrd.img
target = disk
initiator = iqn.2026-01.test.host:mail
END
}

@test "a guest begins with the script for all, and boots its disk" {
  run --separate-stderr "$TAPWARDEN" boot simulate -c t.ini shop
  [ "$status" -eq 0 ]
  [ "${lines[0]%% *}" = /boot.ipxe:3 ]
  [[ "${lines[0]}" == *"chain --autofree --replace /ipxe/52-54-00-00-00-01" ]]
  [ "${lines[-1]}" = "boots the SAN disk iscsi:192.0.2.2:::1:iqn.2026-01.test.san:disk" ]
  [ -z "$stderr" ]
}

@test "when its disk cannot be had, the guest goes on after a message" {
  run --separate-stderr "$TAPWARDEN" boot simulate -c t.ini --fail sanboot shop
  [ "$status" -eq 1 ]
  [ "${lines[-1]}" = "fails: the firmware's next device (status 1), after 5.000 s of waiting" ]
}

@test "scripts of every way of booting are without fault" {
  for guest in shop mail; do
    run "$TAPWARDEN" boot lint -c t.ini "$guest"
    echo "$output"
    [ "$status" -eq 0 ]
  done
}

@test "a faulty script is told, line by line, and exits 1" {
  printf '#!ipxe\nchian x\ngoto nowhere\n' >bad.ipxe
  run --separate-stderr "$TAPWARDEN" boot lint bad.ipxe
  [ "$status" -eq 1 ]
  [ "${lines[0]}" = "bad.ipxe:2: error: chian: iPXE has no such command: did you mean chain?" ]
  [ "${lines[1]}" = "bad.ipxe:3: error: there is no label :nowhere" ]
  [ "${lines[2]}" = "2 errors, 0 warnings, 0 notes" ]
  run --separate-stderr "$TAPWARDEN" boot lint --json - <bad.ipxe
  [ "$status" -eq 1 ]
  [[ "$output" == *'"level": "error"'* ]]
}

@test "what is no ASCII and what moves a cursor reaches no terminal" {
  printf '#!ipxe\necho \033[2J\377 || bad\033\n' >bad.ipxe
  for verb in lint simulate; do
    run "$TAPWARDEN" boot "$verb" bad.ipxe
    [[ "$output" != *$'\033'* ]]
    [[ "$output" != *$'\377'* ]]
    run "$TAPWARDEN" boot "$verb" --json bad.ipxe
    perl -MJSON::PP -e 'decode_json(join "", <STDIN>)' <<<"$output"
  done
}

@test "settings, choices and caps of the machine" {
  printf '#!ipxe\nmenu\nitem a A\nitem b B\nchoose x && goto ${x}\n:a\nexit 5\n:b\npoweroff\n' >m.ipxe
  run "$TAPWARDEN" boot simulate m.ipxe
  [ "${lines[-1]}" = "shows a menu and waits for a choice, for ever" ]
  run "$TAPWARDEN" boot simulate --choose a m.ipxe
  [ "${lines[-1]}" = "fails: the firmware's next device (status 5)" ]
  run "$TAPWARDEN" boot simulate --choose b --caps poweroff m.ipxe
  [ "${lines[-1]}" = "switches the machine off" ]
  printf '#!ipxe\nchain http://s/${serial:uristring}/${net0/mac:hexhyp}\n' >s.ipxe
  run "$TAPWARDEN" boot simulate --set 'serial=a b' --mac 52:54:00:00:00:09 s.ipxe
  [ "${lines[-1]}" = "runs http://s/a%20b/52-54-00-00-00-09, which is not known here" ]
}

@test "a text is decoded, from the command line and from stdin" {
  run --separate-stderr "$TAPWARDEN" boot decode https://ipxe.org/410d613c
  [ "$status" -eq 0 ]
  [[ "${lines[3]}" == "cause "*"the target refused the initiator's CHAP name or secret" ]]
  run --separate-stderr "$TAPWARDEN" boot decode - <<<"root=UUID=x iscsi_auto"
  [ "$status" -eq 1 ]
  [[ "$output" == *"error: ip= is missing"* ]]
  run --separate-stderr "$TAPWARDEN" boot decode --json iscsi:192.0.2.1:::10:iqn.2026-01.test:d
  [ "$status" -eq 0 ]
  perl -MJSON::PP -e 'my $d = decode_json(join "", <STDIN>);
    my %f = map { $_->{name} => $_->{value} } @{$d->{fields}};
    exit($d->{kind} eq "SAN address" && $f{lun} == 16 ? 0 : 1)' <<<"$output"
}

@test "no argument reaches a terminal as a control" {
  local arguments
  for arguments in $'x\e[2J' $'help x\e[2J' $'boot set -c t.ini x\e[2J run' $'boot set -c t.ini shop x\xc2\x9b2J' \
    $'boot render -c t.ini --state x\xc2\x9b2J shop' $'boot render -c t.ini x\e[2J' \
    $'boot kit -c t.ini x\e[2J -o x' $'boot simulate -c t.ini ./x\e[2J'; do
    # shellcheck disable=SC2086 # words
    run "$TAPWARDEN" $arguments
    [ "$status" -eq 2 ]
    [[ "$output" == *'x\x1b[2J'* || "$output" == *'x\xc2\x9b2J'* ]]
    [[ "$output" != *$'\e'* && "$output" != *$'\xc2\x9b'* ]]
  done
}

@test "the script of a state is rendered, too" {
  sed -i 's,^initiator = .*:shop$,&\nrescue-kernel = http://192.0.2.2/vmlinuz\nrescue-initrd = http://192.0.2.2/i\nmenu = rescue,' t.ini
  run -0 "$TAPWARDEN" boot render shop -c t.ini
  [[ "$output" == *"choose --default run --timeout 10000 "* ]]
  run -0 "$TAPWARDEN" boot render --state rescue shop -c t.ini
  [[ "$output" == *"kernel --name vmlinuz http://192.0.2.2/vmlinuz initrd=initrd.img || goto \${next}"* ]]
  run -0 "$TAPWARDEN" boot render --state run shop -c t.ini
  [[ "$output" == *"sanboot "* ]]
  run -2 "$TAPWARDEN" boot render --state install shop -c t.ini
  [[ "$output" == *"install-kernel: none is given"* ]]
  # What the menu chains to is simulated with it.
  run -0 "$TAPWARDEN" boot simulate --choose rescue shop -c t.ini
  [[ "${lines[-1]}" == "boots the kernel "* ]]
  run -2 --separate-stderr "$TAPWARDEN" boot simulate --choose recsue shop -c t.ini
  [ "$stderr" = 'tapwarden: cannot simulate shop: no menu has "recsue": choose one of run, rescue' ]
  # A menu that has it and fails is no menu without it.
  run -1 --separate-stderr "$TAPWARDEN" boot simulate --choose rescue --fail choose shop -c t.ini
  [[ "$output" == *"made to fail  choose "* && -z "$stderr" ]]
  run -2 --separate-stderr "$TAPWARDEN" boot simulate --fail sanbot shop -c t.ini
  [ "$stderr" = 'tapwarden: cannot simulate shop: --fail: iPXE has no command "sanbot": did you mean "sanboot"?' ]
}

@test "what cannot be read is refused with its reason" {
  refused() {
    local text=$1
    shift
    run --separate-stderr "$TAPWARDEN" boot "$@" </dev/null
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    grep -qF -- "$text" <<<"$stderr"
  }
  refused "tapwarden: cannot check a script: cannot open ./no.ipxe: No such file" lint ./no.ipxe
  refused "there is no [guest nobody]" lint -c t.ini nobody
  refused "cannot read ./: Is a directory" simulate ./
  refused 'iPXE'"'"'s "nosuch" is not known' lint --caps nosuch -
  refused 'there is no [guest shpo]: did you mean "shop"?' lint -c t.ini shpo
  refused 'net0/mac: "xx" is no hex' simulate --mac xx -
  refused "usage" simulate --set novalue -
  refused "usage" lint
  refused "usage" decode a b
  refused '"hello" is no kernel command line' decode hello
  refused "there is nothing in it" decode -
  head -c 2000000 /dev/zero >big.ipxe
  refused "more than 1048576 bytes" lint big.ipxe
}
