#!/usr/bin/env bats
# What explain says of a pattern of a configuration, and of one given by words.

bats_require_minimum_version 1.5.0

TAPWARDEN=${TAPWARDEN:-$BATS_TEST_DIRNAME/../../build/tapwarden}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  cat >conf <<'INI'
[pattern request]
regex = "(?<method>GET|POST) /\S*"
groups = method
scope = stream
INI
}

explain() {
  run --separate-stderr "$TAPWARDEN" explain "$@"
}

@test "a pattern of the configuration" {
  explain -c conf request
  [ "$status" -eq 0 ]
  [[ "${lines[0]}" == "pattern    request, scope stream" ]]
  grep -Fqx 'prefilter  tried where there is one of "GET /" "POST /"' <<<"$output"
  grep -Eqx 'jit        on: [0-9]+ bytes of machine code' <<<"$output"
}

@test "--json is one value, with the same in it" {
  explain --json -c conf request
  [ "$status" -eq 0 ]
  jq -e '.name == "request" and .jit.on and .prefilter.texts == ["GET /", "POST /"] and .lints == []' \
    <<<"$output"
}

@test "a regex by words, with what is unwise about it" {
  explain --json -e '(?:a|aa)+$' --scope stream
  [ "$status" -eq 0 ]
  [ "$(jq -r '.lints[].name' <<<"$output" | sort | tr '\n' ' ')" = "decided-at-end gives-up no-text " ]
}

@test "what is not there and what is faulty" {
  explain -c conf requst
  [ "$status" -eq 2 ]
  [ "$stderr" = 'tapwarden: the configuration has no [pattern requst]: did you mean "request"?' ]
  explain -e 'a(b'
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"a(b<HERE>"* ]]
  explain
  [ "$status" -eq 2 ]
  [[ "$stderr" == *usage:* ]]
}
