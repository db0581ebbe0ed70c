#!/usr/bin/env bats
# What bash offers at a Tab: what the program has, and nothing that it does not take.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
TAPWARDEN=${TAPWARDEN:-$ROOT/build/tapwarden}
INI=$ROOT/scripts/examples/tapwarden.ini

setup() {
  # shellcheck disable=SC1091 # it is linted by itself
  source "$ROOT/scripts/completion/tapwarden.bash"
  cd "$BATS_TEST_TMPDIR" || return
  touch shop.ipxe other.txt
}

# As bash does for Tab behind the last word: $offered is a line.
tab() {
  local COMP_WORDS=("$TAPWARDEN" "$@") COMP_CWORD=$# COMPREPLY
  _tapwarden
  offered=${COMPREPLY[*]}
}

offers() {
  [ "$offered" = "$1" ] || { echo "offered: $offered"; false; }
}

verbs() {
  "$TAPWARDEN" help | awk '/^`/ { exit } /^  [a-z]/ && $1 != "tapwarden" { print $1 }'
}

@test "verbs, those under boot, and what help explains" {
  tab ''
  offers "$(verbs | tr '\n' ' ' | sed 's/ $//')"
  tab st
  offers status
  tab boot ''
  offers "render kit set lint simulate decode"
  tab help mon
  offers monitor
  tab help sta
  offers status
  tab nonsense ''
  offers ''
  tab boot nonsense ''
  offers ''
}

@test "every option of a verb is offered, and the verb takes each that is" {
  local verb option all n=0
  for verb in $(verbs | grep -v boot) "boot render" "boot kit" "boot set" "boot lint" "boot simulate" "boot decode"; do
    read -ra words <<<"$verb"
    tab "${words[@]}" -
    for option in $offered; do
      run --separate-stderr "$TAPWARDEN" "${words[@]}" "$option" --none --none </dev/null
      [ "$status" -eq 2 ]
      [[ "$stderr" != *"\"$option\" is not understood"* ]] || { echo "$verb: $option"; false; }
      n=$((n + 1))
    done
    # Of its usage, and of the lines that begin with one.
    all=$("$TAPWARDEN" help "${words[0]}" | perl -ne '
      $usage = 1 if $. == 1; $usage = 0 unless /\S/;
      if ($usage) { next unless /tapwarden '"$verb"' / } elsif ("'"$verb"'" =~ / /) { next }
      else { next unless /^  +-/ }
      s/(?<=\S)  .*// unless $usage;
      print "$1\n" while /(?<![\w-])(--?[A-Za-z0-9][a-z-]*)/g')
    for option in $all; do
      [[ " $offered " == *" $option "* ]] || { echo "$verb: no $option: $offered"; false; }
    done
  done
  [ "$n" -ge 80 ]
}

@test "names of links, guests, patterns and states, of the configuration that is named" {
  tab qemu -c "$INI" web0
  offers "web01 web02 web03 web04 web05 web06 web07 web08"
  tab libvirt-xml -c "$INI" p
  offers probe1
  tab explain -c "$INI" ''
  offers "request login"
  tab explain --config "$INI" lo
  offers login
  tab check --config oth
  offers other.txt
  tab extract -c "$INI" --pattern l
  offers login
  tab watch -c "$INI" web01 pro
  offers "probe1 probe"
  tab boot render -c "$INI" ''
  offers shop
  tab boot set -c "$INI" shop ''
  offers "run install rescue local once"
  tab boot render -c "$INI" shop --state r
  offers "run rescue"
  # A guest, or a script's file.
  tab boot lint -c "$INI" s
  offers "shop shop.ipxe"
  # Nothing is told on the terminal of one that is not there, or has a fault.
  printf '[link x]\n' >bad.ini
  run -0 tab qemu -c nowhere.ini ''
  [ -z "$output" ]
  run -0 tab qemu -c bad.ini ''
  [ -z "$output" ]
  tab qemu -c bad.ini ''
  offers ''
}

@test "values of options, files and commands" {
  tab extract --overlap ''
  offers "none starts"
  tab extract --color a
  offers "auto always"
  tab extract -f o
  offers other.txt
  tab extract -e x first o
  offers other.txt
  tab status -c o
  offers other.txt
  tab status --json o
  offers ''
  tab extract --live l
  [[ " $offered " == *" lo "* ]]
  tab qemu -c "$INI" web01 -- seq
  [[ " $offered " == *" seq "* ]]
  tab qemu -c "$INI" web01 -- cat oth
  offers other.txt
  tab qemu -c "$INI" web01 -- -
  offers ''
}

@test "zsh completes a verb, a file and a name at a real Tab" {
  make -s -C "$ROOT" install DESTDIR= PREFIX="$BATS_TEST_TMPDIR/usr" SYSCONFDIR="$BATS_TEST_TMPDIR/etc"
  cp "$INI" some.ini
  # The command that comes of it is run, and says so.
  run -0 timeout 60 zsh -f -c '
    zmodload zsh/zpty
    zpty tab "TERM=dumb zsh -f -i"
    zpty -w tab "fpath=($1/share/zsh/site-functions \$fpath) PATH=$1/bin:\$PATH"
    zpty -w tab "autoload -Uz compinit; compinit -u -D; PS1=re\"\"ady:"
    zpty -r tab seen "*ready:*"
    zpty -w tab $'\''tapwarden expl\t -c some\t req\t'\''
    zpty -r tab seen "*engine *PCRE2*"
    zpty -d tab' zsh "$BATS_TEST_TMPDIR/usr"
}
