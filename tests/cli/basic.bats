#!/usr/bin/env bats
# Verbs on good and bad configurations, without root and without an agent.

bats_require_minimum_version 1.5.0

ROOT=$BATS_TEST_DIRNAME/../..
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}

setup() {
  ini=$BATS_TEST_TMPDIR/tapwarden.ini
  cat >"$ini" <<END
[agent]
run-dir = $BATS_TEST_TMPDIR/run
log-dir = $BATS_TEST_TMPDIR/log

[set web]
lower = eno1
count = 2
END
}

# refuses TEXT: `check` ends with 2 and says TEXT on stderr, where a %s stands for the file.
refuses() {
  run --separate-stderr "$TAPWARDEN" check -c "$ini"
  [ "$status" -eq 2 ]
  # shellcheck disable=SC2059 # the text is the format
  grep -qF -- "$(printf "$1" "$ini")" <<<"$stderr"
}

@test "check of a good file: exit code 0" {
  run --separate-stderr "$TAPWARDEN" check -c "$ini"
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
}

@test "the example configuration is good" {
  run --separate-stderr "$TAPWARDEN" check -c "$ROOT/scripts/examples/tapwarden.ini"
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
}

@test "the demo's configuration is good" {
  sed "s,@DIR@,$BATS_TEST_TMPDIR,g" "$ROOT/scripts/demo.ini" >"$ini"
  run --separate-stderr "$TAPWARDEN" check -c "$ini"
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
}

@test "check of a file that is not there" {
  ini=$BATS_TEST_TMPDIR/none.ini
  refuses '%s'
  [[ "$stderr" == *"No such file"* ]]
}

@test "check names file, line, section and key, with a hint" {
  echo 'mode = brigde' >>"$ini"
  refuses '%s:8: [set web] mode: '
  [[ "$stderr" == *'"brigde"'*'"bridge"'* ]]
}

@test "check finds every fault at once" {
  printf 'mtuu = 9000\n[sett x]\nlower = eno1\n[guest g]\nlink = nowhere\n' >>"$ini"
  refuses '%s:8: [set web] mtuu: '
  refuses '%s:9: '
  refuses '%s:11: [guest g] '
}

@test "check compiles the patterns" {
  printf '[pattern p]\nregex = "(open"\n' >>"$ini"
  refuses '%s:9: [pattern p] regex: '
}

@test "check reads what the file includes and names it" {
  mkdir "$BATS_TEST_TMPDIR/conf.d"
  printf '[pattern p]\nregexp = x\n' >"$BATS_TEST_TMPDIR/conf.d/p.ini"
  sed -i '1a include = conf.d/*.ini' "$ini"
  run --separate-stderr "$TAPWARDEN" check -c "$ini"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"conf.d/p.ini:2: [pattern p] regexp: "*'"regex"'* ]]
}

@test "every verb that acts on a configuration refuses a bad one the same way" {
  echo 'mode = brigde' >>"$ini"
  local verb
  for verb in plan apply down reach run "boot render g"; do
    # shellcheck disable=SC2086 # words are meant
    run --separate-stderr timeout 10 "$TAPWARDEN" $verb -c "$ini"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ "$stderr" == *"$ini:8: [set web] mode: "* ]]
  done
}

@test "status and watch ask the agent of a configuration that has faults by now" {
  echo 'mode = brigde' >>"$ini"
  local verb
  for verb in status watch; do
    run --separate-stderr timeout 10 "$TAPWARDEN" "$verb" -c "$ini"
    [ "$status" -eq 2 ]
    [[ "$stderr" == "tapwarden: "*"is tapwarden running?"* ]]
  done
}

@test "watch tells of a name that nothing has, and of what was meant" {
  run -2 --separate-stderr "$TAPWARDEN" watch -c "$ini" web1 wbe2
  [[ "$stderr" == "tapwarden: $ini has no link, set, pattern or log \"wbe2\": did you mean \"web2\"?: waiting for one"* ]]
  [[ "$stderr" != *'"web1"'* ]]
}

@test "a single fault is told once by the agent that does not start" {
  echo 'mode = brigde' >>"$ini"
  run -2 --separate-stderr "$TAPWARDEN" run -c "$ini"
  [ "$stderr" = "tapwarden: $ini:8: [set web] mode: unknown mode \"brigde\": did you mean \"bridge\"?: the agent does not start" ]
  echo 'moed = bridge' >>"$ini"
  run -2 --separate-stderr "$TAPWARDEN" run -c "$ini"
  [ "${#stderr_lines[@]}" -eq 3 ]
  [[ "${stderr_lines[1]}" == *":9: [set web] moed: "* ]]
}

@test "status without an agent says so" {
  run --separate-stderr "$TAPWARDEN" status -c "$ini"
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [[ "$stderr" == "tapwarden: "*"is tapwarden running?: \`tapwarden reach\` and \`plan\` look without one" ]]
}

@test "a copy of the file elsewhere finds what it includes by absolute globs alone" {
  mkdir "$BATS_TEST_TMPDIR/conf.d" "$BATS_TEST_TMPDIR/elsewhere"
  printf '[pattern bad]\nregex = "a("\n' >"$BATS_TEST_TMPDIR/conf.d/bad.ini"
  local copy=$BATS_TEST_TMPDIR/elsewhere/copy.ini
  sed "1a include = conf.d/*.ini" "$ini" >"$copy"
  run -0 "$TAPWARDEN" check -c "$copy"
  [[ "$output" == *"(1 file read)"* ]]
  sed "1a include = $BATS_TEST_TMPDIR/conf.d/*.ini" "$ini" >"$copy"
  run -2 "$TAPWARDEN" check -c "$copy"
  [[ "$output" == *"conf.d/bad.ini:2: [pattern bad] regex: "*"2 files read, 1 fault" ]]
}

@test "boot render prints the guest's script" {
  cat >>"$ini" <<'END'
[target t]
portal = 192.0.2.2
name = iqn.2026-01.example:t
lun = 1
[guest g]
link = web1
target = t
initiator = iqn.2026-01.example:g
END
  run --separate-stderr "$TAPWARDEN" boot render g -c "$ini"
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = '#!ipxe' ]
  [[ "$output" == *"iscsi:192.0.2.2:::1:iqn.2026-01.example:t"* ]]
  run --separate-stderr "$TAPWARDEN" boot render nobody -c "$ini"
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [[ "$stderr" == *nobody* ]]
}

@test "install puts everything below DESTDIR, and the example is good there too" {
  make -s -C "$ROOT" install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr >/dev/null
  cd "$BATS_TEST_TMPDIR/root"
  run find . -type f -printf '%P %m\n'
  [ "$(sort <<<"$output")" = "$(sort <<'END'
etc/tapwarden/tapwarden.ini.example 644
usr/bin/tapwarden 755
usr/lib/systemd/system/tapwarden.service 644
usr/lib/sysusers.d/tapwarden.conf 644
usr/lib/tmpfiles.d/tapwarden.conf 644
usr/share/bash-completion/completions/tapwarden 644
usr/share/man/man1/tapwarden.1 644
usr/share/man/man5/tapwarden.ini.5 644
usr/share/tapwarden/grafana.json 644
usr/share/tapwarden/libvirt-hook 755
usr/share/zsh/site-functions/_tapwarden 644
END
  )" ]
  grep -q '^ExecStart=/usr/bin/tapwarden run' usr/lib/systemd/system/tapwarden.service
  run ./usr/bin/tapwarden check -c etc/tapwarden/tapwarden.ini.example
  [ "$status" -eq 0 ]
}

@test "packagers are told of the libraries that are loaded late" {
  local soname
  readelf -p .note.dlopen "$TAPWARDEN" | sed -n "s/^ *\[[^]]*\] *\(\[{.*\)/\1/p" >"$BATS_TEST_TMPDIR/notes"
  [ "$(jq -s length "$BATS_TEST_TMPDIR/notes")" -eq 4 ]
  for soname in $(jq -r ".[].soname[]" "$BATS_TEST_TMPDIR/notes"); do
    ldconfig -p | grep -q "^\s*$soname "
    run -1 grep -q "NEEDED.*$soname" <(readelf -d "$TAPWARDEN")
  done
}

@test "check: who can log in, and where, and by which hash" {
  cat >>"$ini" <<'END'
[web]
listen = 192.0.2.1:8443 127.0.0.1:8080
tls-key = /etc/ssl/private/x.pem
[user anna]
password = secret
[user ben]
password = "$6$rounds=5000001$sOmEsAlT$F3DN61SEKPHtTeIzgzyLe.rpctiym/qxz5xQz9YM.PyTdH7R13ZDXj6sDMeZg5wklbYJYSqDBXcH4UnAWQrRN0"
[user carl]
password = "$6$sOmEsAlT$F3DN61SEKPHtTeIzgzyLe.rpctiym/qxz5xQz9YM.PyTdH7R13ZDXj6sDMeZg5wklbYJYSqDBXcH4UnAWQrRN0"
role = boss
END
  refuses '%s:9: [web] listen: 192.0.2.1 is no loopback address'
  refuses '%s:10: [web] tls-key: tls-cert is missing beside it'
  refuses '%s:12: [user anna] password: no method of crypt(5) writes this: `tapwarden passwd` makes one'
  refuses '%s:14: [user ben] password: sha512crypt: the cost 5000001 is above the cap of 5000000'
  refuses '%s:17: [user carl] role: '
}

@test "check: a weak hash is no fault, and is told" {
  cat >>"$ini" <<'END'
[web]
listen = 127.0.0.1:8080
[user carl]
password = "$1$sOmEsAlT$/P0kMFJ2ixP2kgbWM542W/"
END
  run --separate-stderr "$TAPWARDEN" check -c "$ini"
  [ "$status" -eq 0 ]
  [[ "$stderr" == "$ini:11: [user carl] password: a md5crypt hash, weaker than policy: a method of old times: it holds all the same" ]]
}

@test "check: what two guests share and two machines must not have is told" {
  sed -i "s,^count = 2,count = 4," "$ini"
  cat >>"$ini" <<'END'
[target a]
portal = 192.0.2.2
name = iqn.2026-01.example.lab:a
[target b]
portal = 192.0.2.3
name = iqn.2026-01.example.lab:a
[target c]
portal = 192.0.2.3
name = iqn.2026-01.example.lab:a
lun = 2
[guest one]
link = web1
target = a
initiator = iqn.2026-01.example.lab:one
address = 192.0.2.10/24
uuid = 6f0c8e5a-1f5a-4d6e-9d0b-0a1b2c3d4e5f
[guest two]
link = web2
target = a
initiator = iqn.2026-01.example.lab:one
address = 192.0.2.10/25
uuid = 6f0c8e5a-1f5a-4d6e-9d0b-0a1b2c3d4e5f
[guest three]
link = web3
target = c
initiator = iqn.2026-01.example.lab:three
address = dhcp
[guest four]
link = web4
boot = disk
address = dhcp
END
  run --separate-stderr "$TAPWARDEN" check -c "$ini"
  [ "$status" -eq 0 ]
  [ "$(sed 's/^.*:[0-9]*: //; s/, too:.*//' <<<"$stderr" | sort)" = "[guest two] address: [guest one] has 192.0.2.10
[guest two] initiator: [guest one] has iqn.2026-01.example.lab:one
[guest two] target: [guest one] has a
[guest two] uuid: [guest one] has 6f0c8e5a-1f5a-4d6e-9d0b-0a1b2c3d4e5f
[target b] name: [target a] has iqn.2026-01.example.lab:a LUN 0" ]
}

@test "check: an address that is listened at twice is a fault" {
  printf '[web]\nboot-listen = 192.0.2.1:80 [::1]:80 192.0.2.1:81 192.0.2.1:80\nlisten = [::1]:80 [::1]:81\n' >>"$ini"
  printf '[user carl]\npassword = "$y$j9T$lkVvYPfe4LEw1UkYINq0U1$KNqIaZjrPkLbe.8AYSMvlAFYK3Amh4XTO0T2pd68Aw5"\n' >>"$ini"
  refuses '%s:9: [web] boot-listen: 192.0.2.1 port 80 is given twice'
  refuses '%s:10: [web] listen: ::1 port 80 is given twice'
}

@test "check: a listener that nobody can log in to is a fault" {
  printf '[web]\nlisten = [::1]:8080\n' >>"$ini"
  refuses '%s:9: [web] listen: nobody can log in there: no [user NAME] is in the file'
}

@test "check: what is for inline links is told where there is none" {
  cat >"$ini" <<END
[set web]
lower = eno1
count = 2
name = web%d
peer = dgram
[link web2]
set = web
fail = open
[pattern stop]
regex = stop
action = drop
[pattern see]
regex = see
END
  run -0 --separate-stderr "$TAPWARDEN" check -c "$ini"
  [ "$stderr" = "$ini:5: [set web] peer: it is for monitor = inline: nothing heeds it
$ini:8: [link web2] fail: it is for monitor = inline: nothing heeds it
$ini:11: [pattern stop] action: no link that tries it has monitor = inline: nothing is dropped" ]
  # One inline link is enough, if it tries the pattern.
  sed -i 's/^fail = open/&\nmonitor = inline\npatterns = see/' "$ini"
  run -0 --separate-stderr "$TAPWARDEN" check -c "$ini"
  [ "$stderr" = "$ini:13: [pattern stop] action: no link that tries it has monitor = inline: nothing is dropped" ]
  sed -i 's/^patterns = see/&, stop/' "$ini"
  run -0 --separate-stderr "$TAPWARDEN" check -c "$ini"
  [ -z "$stderr" ]
}

@test "status of what is no agent of this version is no empty table" {
  printf '[agent]\nrun-dir = %s\n' "$BATS_TEST_TMPDIR" >"$ini"
  cd "$BATS_TEST_TMPDIR"
  local answer
  for answer in '[]' '{"sets": []}' 'hello'; do
    printf 'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s' "${#answer}" "$answer" >answer
    # Whoever asks looks first whether somebody listens, and then comes again.
    socat UNIX-LISTEN:api.sock,fork SYSTEM:'read -r line && cat answer' 3>&- &
    until [ -S api.sock ]; do sleep 0.02; done
    run -2 --separate-stderr "$TAPWARDEN" status -c "$ini"
    kill "$!"
    wait "$!" || true
    rm -f api.sock
    [ -z "$output" ]
    [[ "$stderr" == "tapwarden: cannot read the agent's answer: "* ]]
  done
}

@test "check tells of a user that this host has not, and that a worker may not be" {
  sed -i '1a user-capture = no-such-user\nuser-web = root' "$ini"
  run -0 --separate-stderr "$TAPWARDEN" check -c "$ini"
  [[ "${stderr_lines[0]}" == "$ini:2: [agent] user-capture: there is no user \"no-such-user\" "*": here the agent would not start" ]]
  [ "${stderr_lines[1]}" = "$ini:3: [agent] user-web: user \"root\" is root, and a worker must not be: here the agent would not start" ]
}

@test "without a configuration, what to do is told for the usual place alone" {
  run -2 --separate-stderr "$TAPWARDEN" check -c "$BATS_TEST_TMPDIR/none.ini"
  [ "$stderr" = "$BATS_TEST_TMPDIR/none.ini: cannot be opened: No such file or directory
0 files read, 1 fault" ]
  # Where tapwarden is installed and in use there is one.
  if ! [ -e /etc/tapwarden/tapwarden.ini ]; then
    run -2 --separate-stderr "$TAPWARDEN" status
    [[ "$stderr" == *": -c FILE names another configuration, and /etc/tapwarden/tapwarden.ini.example is a start" ]]
  fi
}
