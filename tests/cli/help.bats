#!/usr/bin/env bats
# What the command line says of itself, and how it refuses.

bats_require_minimum_version 1.5.0

TAPWARDEN=${TAPWARDEN:-$BATS_TEST_DIRNAME/../../build/tapwarden}
VERBS="run check plan apply down status reach qemu watch explain boot passwd help"

@test "help names every verb and goes to stdout" {
  run --separate-stderr "$TAPWARDEN" help
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  local verb
  for verb in $VERBS; do
    grep -Eq "^  $verb +" <<<"$output"
  done
}

@test "help does not show what only the agent calls" {
  run "$TAPWARDEN" help
  run ! grep -E -- '^ *[a-z]+-worker( |$)' <<<"$output"
}

@test "-h and --help are help" {
  run "$TAPWARDEN" help
  local help=$output
  run "$TAPWARDEN" -h
  [ "$status" -eq 0 ]
  [ "$output" = "$help" ]
  run "$TAPWARDEN" --help
  [ "$status" -eq 0 ]
  [ "$output" = "$help" ]
}

@test "help VERB and VERB --help show that verb's usage" {
  local verb
  for verb in $VERBS; do
    run "$TAPWARDEN" help "$verb"
    [ "$status" -eq 0 ]
    [[ "${lines[0]}" == "usage: tapwarden $verb"* ]]
    local help=$output
    run "$TAPWARDEN" "$verb" --help
    [ "$status" -eq 0 ]
    [ "$output" = "$help" ]
  done
}

@test "help explains every topic that it lists" {
  local topic help n=0
  help=$("$TAPWARDEN" help)
  while read -r topic _; do
    run "$TAPWARDEN" help "$topic"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -ge 5 ]
    n=$((n + 1))
  done < <(sed "1,/TOPIC. explains/d; /^$/,\$d" <<<"$help")
  [ "$n" -ge 9 ]
  run --separate-stderr "$TAPWARDEN" help nonsense
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [ "$stderr" = 'tapwarden: no help on "nonsense": `tapwarden help` lists what there is' ]
  run -2 --separate-stderr "$TAPWARDEN" help filter
  [[ "$stderr" == *'"filter": did you mean "filters"?: '* ]]
}

@test "what verbs and topics explain fits a terminal of 80 columns" {
  local word
  run -0 "$TAPWARDEN" help
  run ! grep -E '^.{81}' <<<"$output"
  # Usages and examples are words to type, however long.
  for word in $VERBS extract libvirt-xml \
    $("$TAPWARDEN" help | sed "1,/TOPIC. explains/d; /^$/,\$d" | awk '$1 != "config" { print $1 }'); do
    run -0 "$TAPWARDEN" help "$word"
    run ! grep -E '^.{80}' <(grep -v tapwarden <<<"$output")
  done
}

@test "help config documents every section" {
  run "$TAPWARDEN" help config
  [ "$status" -eq 0 ]
  local section
  for section in agent set link pattern record target guest web user; do
    grep -q "\[$section" <<<"$output"
  done
  run ! grep 'SIZE, 0 to 0' <<<"$output"
  run "$TAPWARDEN" help config
  # A terminal of 80 columns shows what a key is for; what it can be may be longer.
  run ! grep -E '^ {8}.{73}' <<<"$output"
}

@test "boot VERB has a usage of its own, and help boot has them all" {
  local verb usage
  for verb in render kit set lint simulate decode; do
    run -2 --separate-stderr "$TAPWARDEN" boot "$verb"
    [[ "$stderr" == "tapwarden: boot $verb: a word is missing: usage: tapwarden boot $verb "* ]]
    usage=${stderr##*usage: }
    run -0 "$TAPWARDEN" help boot
    grep -qF -- "$usage" <<<"$output"
    usage=$output
    run -0 "$TAPWARDEN" boot "$verb" --help
    [ "$output" = "$usage" ]
  done
  run -2 --separate-stderr "$TAPWARDEN" boot rendr
  [[ "$stderr" == "tapwarden: boot: \"rendr\" is not understood here: did you mean \"render\"?: usage: tapwarden boot render|kit|"* ]]
}

@test "help takes one verb or topic, and no option" {
  local line args
  run -0 "$TAPWARDEN" help boot
  local help=$output
  run -0 "$TAPWARDEN" help boot kit
  [ "$output" = "$help" ]
  for line in "run extra" "filters extra" "boot kitt" "boot kit extra" "-x" "--names"; do
    read -ra args <<<"$line"
    run -2 --separate-stderr "$TAPWARDEN" help "${args[@]}"
    [ -z "$output" ]
    [[ "$stderr" == *"\"${args[*]: -1}\" is not understood here: usage: tapwarden help "* ]]
  done
  run -2 --separate-stderr "$TAPWARDEN" --verison
  [[ "$stderr" == *"did you mean \"--version\"?"* ]]
}

@test "a value that is none is told with its option" {
  local line args
  for line in "explain -e x --scope strem" "boot render g --state strem" "boot simulate g --set strem" \
    "libvirt-xml l --queues strem"; do
    read -ra args <<<"$line"
    run -2 --separate-stderr "$TAPWARDEN" "${args[@]}"
    [[ "$stderr" == *"\"strem\" is no value of ${args[*]: -2:1}: usage: "* ]]
  done
  run -2 --separate-stderr "$TAPWARDEN" libvirt-xml l --queues 2
  [[ "$stderr" == *"\"--queues\" goes with --check: usage: "* ]]
}

@test "--version is one line" {
  run "$TAPWARDEN" --version
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 1 ]
  [[ "$output" == "tapwarden "?* ]]
}

@test "no verb: help, and exit code 2" {
  run "$TAPWARDEN"
  [ "$status" -eq 2 ]
  [[ "$output" == *"tapwarden check"* ]]
}

@test "an unknown verb: a hint on stderr, and exit code 2" {
  run --separate-stderr "$TAPWARDEN" stauts
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [ "$stderr" = 'tapwarden: no verb "stauts": did you mean "status"?: `tapwarden help` lists them' ]
  run --separate-stderr "$TAPWARDEN" frobnicate
  [ "$status" -eq 2 ]
  [ "$stderr" = 'tapwarden: no verb "frobnicate": `tapwarden help` lists them' ]
}

@test "an unknown option or operand: the usage on stderr, and exit code 2" {
  local verb
  for verb in check plan apply down status reach; do
    run --separate-stderr "$TAPWARDEN" "$verb" --no-such-option
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ "$stderr" == *"usage: tapwarden $verb"* ]]
    run --separate-stderr "$TAPWARDEN" "$verb" operand
    [ "$status" -eq 2 ]
    [ -z "$output" ]
  done
}

@test "the word that is not understood is named, not the one before it" {
  local line args
  for line in "status --json -Xn" "check -Xn operand" "watch --json -Xn" "explain p -Xn" "boot lint g -Xn" \
    "passwd -s -Xn" "libvirt-xml l -Xn" "extract -q -Xn"; do
    read -ra args <<<"$line"
    run --separate-stderr "$TAPWARDEN" "${args[@]}"
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"\"-X\" is not understood here"* ]] || { echo "$line: $stderr"; false; }
  done
  for line in "status -c" "explain -c" "passwd -m" "passwd -sm" "passwd --salt" "boot render -c" "run -c" \
    "reach -c" "watch -n" "extract -e" "extract --threads" "libvirt-xml --check"; do
    read -ra args <<<"$line"
    run --separate-stderr "$TAPWARDEN" "${args[@]}"
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"\"${args[*]: -1}\" lacks its value"* || "$line" == "passwd -sm" ]]
    [[ "$stderr" == *"\"-m\" lacks its value"* || "$line" != "passwd -sm" ]]
  done
  run -2 --separate-stderr "$TAPWARDEN" run -v --verbose
  [[ "$stderr" == *"\"--verbose\" is not understood here"* ]]
  run --separate-stderr "$TAPWARDEN" status --json --jsno
  [[ "$stderr" == *"\"--jsno\" is not understood here"* ]]
  run -2 --separate-stderr "$TAPWARDEN" reach --all
  [[ "$stderr" == "tapwarden: reach: \"--all\" goes with --probe: usage: tapwarden reach "* ]]
}

@test "an output that cannot be written is an error" {
  [ -c /dev/full ]
  run --separate-stderr sh -c '"$1" help >/dev/full' sh "$TAPWARDEN"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"cannot write the output: No space left on device"* ]]
}

@test "a worker's verb by hand ends with an error, not a crash" {
  local verb
  for verb in capture-worker web-worker; do
    run timeout 10 "$TAPWARDEN" "$verb" </dev/null 3>&-
    [ "$status" -eq 1 ] || [ "$status" -eq 2 ]
    [ -n "$output" ]
  done
}
