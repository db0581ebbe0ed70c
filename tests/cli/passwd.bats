#!/usr/bin/env bats
# Hashes of crypt(3). The oracles are mkpasswd(1), perl's crypt and the hashes of old notes.

bats_require_minimum_version 1.5.0

TAPWARDEN=${TAPWARDEN:-$BATS_TEST_DIRNAME/../../build/tapwarden}

# hash ARGUMENTS...: of "password", unless $PASSWORD says another.
hash() {
  printf %s "${PASSWORD-password}" | "$TAPWARDEN" passwd -s "$@" 2>/dev/null
}

# refused TEXT ARGUMENTS...: exit code 2, nothing on stdout, TEXT on stderr.
refused() {
  local text=$1
  shift
  run --separate-stderr "$TAPWARDEN" passwd "$@" <<<"${PASSWORD-password}"
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [[ "$stderr" == "tapwarden: passwd: "*": nothing was hashed" ]]
  grep -qF -- "$text" <<<"$stderr"
}

by_perl() {
  printf %s "${PASSWORD-password}" | perl -e 'my $p = <STDIN>; print crypt($p, $ARGV[0]), "\n"' -- "$1"
}

by_mkpasswd() {
  printf %s "${PASSWORD-password}" | mkpasswd -s "$@"
}

@test "hashes that are known from elsewhere" {
  [ "$(hash -m sha-256 -S sOmEsAlT)" = '$5$sOmEsAlT$pKHkGjoFXUgvUv.UYQuekdpjoZx7mqXlIlKJj6abik7' ]
  [ "$(hash -m sha-512 -S sOmEsAlT)" = '$6$sOmEsAlT$F3DN61SEKPHtTeIzgzyLe.rpctiym/qxz5xQz9YM.PyTdH7R13ZDXj6sDMeZg5wklbYJYSqDBXcH4UnAWQrRN0' ]
  [ "$(hash -m md5 -S sOmEsAlT)" = '$1$sOmEsAlT$/P0kMFJ2ixP2kgbWM542W/' ]
  [ "$(hash -m 5 -S sOmEsAlT -R 1000)" = '$5$rounds=1000$sOmEsAlT$BfeuSSLrAXmNpeE3OUw1ANHGYBBOKHtAF9nQC.ToKE3' ]
  [ "$(hash -m bcrypt -S abcdefghijklmnopqrstuu)" = '$2b$05$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu' ]
  [ "$(hash -S F5Jx5fExrKuPp53xLKQ..1)" = '$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC' ]
  [ "$(hash -m des -S ab)" = abJnggxhB/yWI ]
}

@test "a number, a salt and a password in shell variables, as one would with perl" {
  local alg salt=sOmEsAlT
  for alg in 1 5 6; do
    [ "$(hash -S "\$$alg\$$salt")" = "$(by_perl "\$$alg\$$salt")" ]
    [ "$(hash -S "\$$alg\$$salt\$")" = "$(by_perl "\$$alg\$$salt\$")" ]
  done
  [ "$(hash -S "\$6\$rounds=20000\$$salt\$")" = "$(by_perl "\$6\$rounds=20000\$$salt\$")" ]
}

@test "a salt with its cost before it, as crypt(3) takes it" {
  local salt='rounds=20000$sOmEsAlT'
  [ "$(hash -m sha-512 -S "$salt")" = "$(by_perl "\$6\$$salt")" ]
  [ "$(hash -m 5 -S "$salt")" = "$(by_perl "\$5\$$salt")" ]
  refused 'which has its rounds: no -R' -s -m 6 -R 1000 -S "$salt"
  refused 'the cost 999 is out of its range' -s -m 6 -S 'rounds=999$x'
  refused 'a salt of md5crypt' -s -m 1 -S "$salt"
  refused 'too long for a setting' -s -m 6 -S "rounds=1000\$$(printf %0400d 0)"
  refused 'too long for a setting' -s -S "\$6\$$(printf %0400d 0)"
}

@test "the same hash as mkpasswd, by method, salt and rounds" {
  local method rounds n=0
  for method in sha-512 sha-256 SHA512crypt sha256crypt; do
    for rounds in 1000 5000 5001 20000; do
      [ "$(hash -m "$method" -R "$rounds" -S saltsalt)" = "$(by_mkpasswd -m "$method" -R "$rounds" -S saltsalt)" ]
      n=$((n + 1))
    done
    [ "$(hash -m "$method" -S saltsaltsaltsalt)" = "$(by_mkpasswd -m "$method" -S saltsaltsaltsalt)" ]
  done
  for method in bcrypt bcrypt-a; do
    # mkpasswd makes 5 of 4, in silence.
    for rounds in 5 6 7; do
      [ "$(hash -m "$method" -R "$rounds" -S abcdefghijklmnopqrstuu)" = "$(by_mkpasswd -m "$method" -R "$rounds" -S abcdefghijklmnopqrstuu)" ]
      n=$((n + 1))
    done
  done
  [ "$n" -eq 22 ]
  for method in md5 md5crypt sunmd5; do
    [ "$(hash -m "$method" -S saltsalt)" = "$(by_mkpasswd -m "$method" -S saltsalt)" ]
  done
  [ "$(hash -m descrypt -S ab)" = "$(by_mkpasswd -m descrypt -S ab)" ]
  [ "$(hash -m nt)" = "$(by_mkpasswd -m nt)" ]
}

@test "every method of libxcrypt: perl and mkpasswd agree on a hash with a random salt" {
  local method hashed n=0
  for method in $("$TAPWARDEN" passwd --methods --json | perl -ne 'print "$1\n" if /"method": "(.*?)"/'); do
    hashed=$(hash -m "$method")
    [ -n "$hashed" ]
    [ "$(by_perl "$hashed")" = "$hashed" ]
    run "$TAPWARDEN" passwd -s --verify "$hashed" <<<password
    [ "$status" -eq 0 ]
    run "$TAPWARDEN" passwd -s --verify "$hashed" <<<passwore
    [ "$status" -eq 1 ]
    n=$((n + 1))
  done
  [ "$n" -eq 16 ]
  # Whatever mkpasswd can do is there by the same name.
  for method in $(mkpasswd -m help | perl -ne 'print "$1\n" if /^(\S+)\t/'); do
    hashed=$(by_mkpasswd -m "$method")
    "$TAPWARDEN" passwd -m "$method" -s <<<x >/dev/null 2>&1
    "$TAPWARDEN" passwd -s --verify "$hashed" <<<password
  done
}

@test "rounds of every method that has some: perl agrees" {
  local method rounds n=0
  while read -r method rounds; do
    hashed=$(hash -m "$method" -R "$rounds")
    [ "$(by_perl "$hashed")" = "$hashed" ]
    run "$TAPWARDEN" passwd --identify "$hashed"
    grep -q "^rounds  $rounds\b" <<<"$output"
    n=$((n + 1))
  done <<'END'
yescrypt 1
yescrypt 2
yescrypt 3
yescrypt 6
gost-yescrypt 1
scrypt 6
bcrypt 4
bcrypt-y 6
bcrypt-x 5
sha512crypt 1000
sha256crypt 4999
sha1crypt 4
sha1crypt 10000
sunmd5 77
bsdicrypt 1
bsdicrypt 4096
END
  [ "$n" -eq 16 ]
}

# A salt of N characters that crypt(3) takes.
salt() {
  LC_ALL=C tr -dc './0-9A-Za-z' </dev/urandom | head -c "$1"
}

@test "many salts, rounds and passwords of each method: perl agrees, and mkpasswd where it can" {
  local method letters rounds salt n=0 given
  while read -r method letters rounds; do
    for _ in 1 2 3; do
      PASSWORD=$(LC_ALL=C tr -dc ' -~' </dev/urandom | head -c $((RANDOM % 8 + 1)))
      # mkpasswd and perl take a leading blank as it is; an empty one is refused.
      given=(-m "$method")
      [ "$rounds" = - ] || given+=(-R $((rounds + RANDOM % 3)))
      salt=$(salt "$letters")
      [[ $method != bcrypt* ]] || salt=${salt%?}e
      [ "$letters" = 0 ] || given+=(-S "$salt")
      hashed=$(hash "${given[@]}")
      [ -n "$hashed" ] || { echo "${given[*]}"; false; }
      [ "$(by_perl "$hashed")" = "$hashed" ] || { echo "${given[*]}: $hashed"; false; }
      [[ $letters == 0 || $hashed == *"${salt:0:2}"* ]]
      case $method in
      sha512crypt | sha256crypt | bcrypt | bcrypt-a | md5crypt | sunmd5 | descrypt | nt)
        # It gives rounds to sunmd5 in a way of its own.
        [ "$method $rounds" = 'sunmd5 70' ] || [ "$(by_mkpasswd "${given[@]}")" = "$hashed" ] || { echo "${given[*]}: $hashed"; false; }
        ;;
      esac
      n=$((n + 1))
    done
  done <<'END'
yescrypt 0 1
gost-yescrypt 0 1
scrypt 0 6
bcrypt 22 5
bcrypt-a 22 5
bcrypt-y 22 4
bcrypt-x 22 4
sha512crypt 16 1000
sha512crypt 8 5001
sha256crypt 11 4999
sha1crypt 8 400
sunmd5 8 -
sunmd5 8 70
md5crypt 8 -
bsdicrypt 4 17
bsdicrypt 0 4095
descrypt 2 -
bigcrypt 2 -
nt 0 -
END
  [ "$n" -eq 57 ]
}

@test "passwords of any bytes: perl agrees" {
  for PASSWORD in ' a b ' $'tab\there' 'ünïcode' $'\xff\xfe' '$6$x$y' '--help' "it's \"quoted\"" "$(printf 'x%.0s' {1..511})"; do
    [ "$(hash -S '$6$saltsalt$')" = "$(by_perl '$6$saltsalt$')" ]
  done
}

@test "what crypt would cut in silence is refused" {
  PASSWORD=$(printf 'x%.0s' {1..512}) refused 'at most 511 bytes' -s
  PASSWORD=$'one\ntwo' refused 'more than one line' -s
  PASSWORD=$(printf 'x%.0s' {1..73}) refused 'bcrypt looks at the first 72 bytes alone, and this has 73' -s -m bcrypt
  PASSWORD=123456789 refused 'descrypt looks at the first 8 bytes alone' -s -m des
  PASSWORD='' refused 'an empty password' -s
  refused 'at most 16 characters, and this has 17' -s -m 6 -S aaaaaaaaaaaaaaaaa
  refused 'no such character as the one at offset 2' -s -m 6 -S 'ab:c'
  refused 'ends in one of . O e u' -s -m bcrypt -S abcdefghijklmnopqrstuv
  # As it really does.
  [ "$(by_perl '$2b$04$abcdefghijklmnopqrstuv')" = "$(by_perl '$2b$04$abcdefghijklmnopqrstuu')" ]
  refused 'would take this salt for a cost' -s -m 6 -S 'rounds=1'
  run --separate-stderr "$TAPWARDEN" passwd -s < <(printf 'pass\0word')
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"NUL byte"* ]]
  [ -n "$(PASSWORD=123456789 hash -m des --force)" ]
}

@test "rounds out of range: what crypt and gensalt would do is said" {
  refused '10 rounds: sha512crypt takes 1000 to 999999999: crypt(3) refuses such a setting, crypt_gensalt(3) would use 1000' -s -m 6 -R 10
  refused 'crypt_gensalt(3) would use 999999999' -s -m 6 -R 1000000000
  refused '3 rounds: bcrypt takes 4 to 31: crypt_gensalt(3) refuses it' -s -m bcrypt -R 3
  refused 'md5crypt has no rounds' -s -m md5 -R 5
  refused 'crypt_gensalt(3) would use the default' -s -m 6 -R 0
  # As they really do.
  run mkpasswd -m sha-512 -R 10 -s <<<password
  [[ "$output" == '$6$rounds=1000$'* ]]
  run mkpasswd -m sha-512 -R 10 -S saltsalt -s <<<password
  [ "$status" -ne 0 ]
}

@test "costs above the cap are refused unless forced" {
  refused 'above the cap of 5000000' -s -m 6 -R 5000001
  refused 'above the cap of 8' -s -R 9
  refused 'above the cap of 14' -s --verify '$2b$31$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu'
  refused ': --force takes it' -s -m bsdi -R 2000001
  [ -n "$(hash -m sha1 -R 2000001 --force)" ]
}

@test "a password is never an argument, and is not repeated" {
  run --separate-stderr "$TAPWARDEN" passwd -m 6 hunter2
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"a password is no argument"* ]]
  [[ "$stderr" != *hunter2* ]]
}

@test "methods, systems and options that do not exist" {
  refused 'there is no method "sha3"' -m sha3
  refused 'debian12, rhel8, alpine and cloud-init' --for solaris
  refused 'rhel8 does not read yescrypt: its libxcrypt 4.1 came before yescrypt' -s --for rhel8 -m yescrypt
  refused 'and -m names md5crypt' -s -m md5 -S '$6$salt$'
  refused 'no -R' -s -R 1000 -S '$6$salt$'
  run --separate-stderr "$TAPWARDEN" passwd --frobnicate
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"usage: tapwarden passwd"* ]]
}

@test "an option that would have no effect is refused" {
  refused 'a hash does not take --json' -s --json
  refused '--verify does not take -m' -s -m 6 --verify '$6$salt$x'
  refused '--verify does not take --json' -s --json --verify '$6$salt$x'
  refused '--identify does not take -R' -R 5000 --identify '$6$salt$x'
  refused '--identify does not take -s' -s --identify '$6$salt$x'
  refused '--methods does not take -m' --methods -m 6
  refused '--methods does not take -S' --methods -S salt
  refused '--cost does not take -R' --cost -R 5
  refused '--cost does not take --force' --cost --force
  refused '--cost does not take --for' --cost --for rhel8
  refused 'one thing at a time' -s --verify x --identify y
  refused 'one thing at a time' --methods --shadow root
}

@test "the hash that suits a system" {
  [[ "$(hash --for debian12)" == '$y$j9T$'* ]]
  local system
  for system in rhel8 alpine cloud-init; do
    [[ "$(hash --for $system)" == '$6$rounds=100000$'* ]]
  done
  run "$TAPWARDEN" passwd --methods --for alpine
  [[ "$output" != *yescrypt* ]]
  [[ "$output" == *sha512crypt* ]]
}

@test "a whole line of shadow" {
  run hash -m 6 -S saltsalt --shadow _web.user-1
  [ "${output%:*:0:99999:7:::}" = "_web.user-1:$(by_mkpasswd -m sha-512 -S saltsalt)" ]
  local day=${output%:0:99999:7:::}
  [ "${day##*:}" -ge $(($(date +%s) / 86400 - 1)) ]
  [ "${day##*:}" -le $(($(date +%s) / 86400)) ]
  refused 'no name for an account' -s --shadow 'a:b'
  refused 'no name for an account' -s --shadow $'a\nb'
  refused 'no name for an account' -s --shadow ''
}

@test "identify tells method, cost and whether it is weaker than policy" {
  run "$TAPWARDEN" passwd --identify '$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/'
  [ "$status" -eq 1 ]
  [ "$output" = $'method  sha512crypt\nrounds  5000 (the default)\nsalt    8 characters\npolicy  weaker: a cost that is too low' ]
  run "$TAPWARDEN" passwd --identify '$6$a$'
  [ "${lines[2]}" = 'salt    1 character' ]
  run "$TAPWARDEN" passwd --identify "$(hash -R 6)"
  [ "$status" -eq 0 ]
  [[ "$output" == *$'rounds  6\nmemory  32 MiB\n'* ]]
  run "$TAPWARDEN" passwd --identify abJnggxhB/yWI --json
  [ "$status" -eq 1 ]
  jq -e '.method == "descrypt" and .weak and .rounds == null and .hash' <<<"$output"
  refused 'a locked account' --identify '!$6$x'
  refused 'whoever comes needs no password' --identify ''
  refused 'no method of crypt(5) writes this' --identify '$9$abc$def'
}

@test "costs are measured: memory grows as the method says" {
  run "$TAPWARDEN" passwd --cost -m yescrypt --json
  [ "$status" -eq 0 ]
  jq -e 'length == 4 and (map(.memory / 1048576 | round) | .[1] > 1.5 * .[0] and .[3] > 3 * .[1])
    and (map(.seconds) | .[3] > .[0])' <<<"$output"
}

@test "a weak hash is made with a word on stderr" {
  run --separate-stderr "$TAPWARDEN" passwd -s -m md5 <<<password
  [ "$status" -eq 0 ]
  [[ "$output" == '$1$'* ]]
  [[ "$stderr" == *"weaker than policy: a method of old times"* ]]
  run --separate-stderr "$TAPWARDEN" passwd -s <<<password
  [ -z "$stderr" ]
}

# ---- at a terminal ---------------------------------------------------------------------------------

teardown() {
  [ -z "${SCRIPT-}" ] || kill -KILL "$SCRIPT" 2>/dev/null || true
}

# at_terminal ARGUMENTS...: `passwd` on a pty of its own; what it shows goes to $OUT, and what is
# written to fd 7 is typed. A shell has some signals ignored by what it starts in the background.
at_terminal() {
  OUT=$BATS_TEST_TMPDIR/out
  mkfifo "$BATS_TEST_TMPDIR/keys"
  env --default-signal script -qefc "exec $(printf '%q ' "$TAPWARDEN" passwd "$@")" /dev/null <"$BATS_TEST_TMPDIR/keys" >"$OUT" 2>&1 3>&- &
  SCRIPT=$!
  exec 7>"$BATS_TEST_TMPDIR/keys"
}

# shows PATTERN [LINES]
shows() {
  local until=$((SECONDS + 20))
  until [ "$(grep -c -- "$1" "$OUT")" -ge "${2:-1}" ]; do
    [ "$SECONDS" -lt "$until" ]
    sleep 0.02
  done
}

leave() {
  local code=0
  exec 7>&-
  wait "$SCRIPT" || code=$?
  [ "$code" -eq "$1" ]
}

@test "a terminal is asked twice, without echo" {
  at_terminal -m 6 -S saltsalt
  shows 'Password: '
  echo password >&7
  shows 'Once more: '
  echo password >&7
  shows '\$6\$saltsalt\$qFmFH'
  leave 0
  [ "$(grep -c password "$OUT")" -eq 0 ]
}

@test "two passwords that differ are refused" {
  at_terminal -m 6
  shows 'Password: '
  echo password >&7
  shows 'Once more: '
  echo passwort >&7
  shows 'the two passwords differ: nothing was hashed'
  leave 2
}

@test "interrupted at the prompt: the terminal has its echo again" {
  OUT=$BATS_TEST_TMPDIR/out
  mkfifo "$BATS_TEST_TMPDIR/keys"
  script -qefc "$(printf '%q' "$TAPWARDEN") passwd; stty -a | grep -o -- '-*echo\b'" /dev/null <"$BATS_TEST_TMPDIR/keys" >"$OUT" 2>&1 3>&- &
  SCRIPT=$!
  exec 7>"$BATS_TEST_TMPDIR/keys"
  shows 'Password: '
  pkill -TERM -P "$(pgrep -P "$SCRIPT")" -x tapwarden
  shows 'interrupted: nothing was hashed'
  leave 0
  grep -q '^echo' "$OUT"
}

@test "stopped at the prompt: the terminal has its echo, and is asked anew after it" {
  OUT=$BATS_TEST_TMPDIR/out
  mkfifo "$BATS_TEST_TMPDIR/keys"
  # Each sign is printed in two parts, so that the echo of what was typed is not taken for it.
  TERM=dumb PS1='' script -qefc 'bash --norc --noprofile --noediting -i' /dev/null <"$BATS_TEST_TMPDIR/keys" >"$OUT" 2>&1 3>&- &
  SCRIPT=$!
  exec 7>"$BATS_TEST_TMPDIR/keys"
  echo "$(printf %q "$TAPWARDEN") passwd -m 6 -S saltsalt" >&7
  shows 'Password: '
  printf 'passw\032' >&7
  shows Stopped
  printf '%s\n' 'stty -a | sed -n "s/.* \(-*echo\) .*/is \1/p"' >&7
  shows '^is -*echo'
  echo 'fg; echo code $?' >&7
  shows 'Password: ' 2
  echo password >&7
  shows 'Once more: '
  echo password >&7
  shows '\$6\$saltsalt\$qFmFH'
  shows '^code 0'
  echo exit >&7
  leave 0
  grep -q '^is echo' "$OUT"
  run ! grep -q passw.*word "$OUT"
}

@test "any signal that ends a program at its terminal ends the question" {
  local signal
  for signal in INT HUP QUIT; do
    rm -f "$BATS_TEST_TMPDIR/keys" "$BATS_TEST_TMPDIR/out"
    at_terminal -m 6
    shows 'Password: '
    pkill "-$signal" -P "$SCRIPT" -x tapwarden
    shows 'interrupted: nothing was hashed'
    leave 2
  done
}

@test "without a terminal and without -s it says what to do" {
  run --separate-stderr setsid -w "$TAPWARDEN" passwd </dev/null
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"no terminal to ask at: -s reads it from stdin"* ]]
}
