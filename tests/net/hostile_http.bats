#!/usr/bin/env bats
# What no client should send, to each listener of a running agent: each is refused with the right
# status, and others are served meanwhile. curl, jq, openssl and a raw socket (http_raw.pl) are the
# judges.

bats_require_minimum_version 1.5.0

load guest

setup() {
  house_up
  users_config
  sed -i 's/^boot-listen.*/boot-listen = 127.0.0.1:8080/' "$INI"
  cp "$INI" "$DIR/commands.ini"
  SOCKET=unix:$DIR/run/api.sock
  OPERATORS=127.0.0.1:8443
  BOOT_ADDRESS=127.0.0.1:8080
}

teardown() {
  house_down
}

raw() {
  in_host perl "$ROOT/tests/net/http_raw.pl" "$@"
}

CLOSE='Host: x\r\nConnection: close\r\n'

# expect ADDRESS STATUSES REQUEST: the statuses of all answers, and then the connection ends.
expect() {
  local got
  # shellcheck disable=SC2059 # the request has escapes
  got=$(printf "$3" | raw statuses "$1")
  [ "$got" = "$2" ] || { echo "$1: $3: \"$got\" and not \"$2\"" >&2; return 1; }
}

# curl's words follow; the status is printed, head and body are in files.
ask_operators() {
  in_host curl -sS --max-time 20 -D "$DIR/head" -o "$DIR/body" -w '%{http_code}' "$@"
}

log_in() {
  ask_operators -H 'Content-Type: application/json' -d '{"user": "ann", "password": "a secret word"}' \
    "http://$OPERATORS/v1/session" "$@"
}

cookie_of_head() {
  sed -n 's/^Set-Cookie: \(tapwarden=[^;]*\).*/\1/p' "$DIR/head" | tr -d '\r'
}

@test "request lines and heads: what can be read in two ways is not read at all" {
  local where path
  agent_start
  while read -r where path; do
    expect "$where" 200 "GET http://x$path HTTP/1.1\r\n$CLOSE\r\n"
    expect "$where" 200 "GET HTTPS://user@x:8$path HTTP/1.1\r\n$CLOSE\r\n"
    expect "$where" 200 "GET $path HTTP/1.0\r\n\r\n"
    expect "$where" "200 200" "GET $path HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET $path HTTP/1.0\r\n\r\n"
    expect "$where" "200 404" "GET $path HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/../etc HTTP/1.1\r\n$CLOSE\r\n"
    expect "$where" 200 "GET $path HTTP/1.1\r\nUpgrade: h2c\r\n$CLOSE\r\n"
    expect "$where" 400 "GET $path HTTP/1.1\r\n\r\n"
    expect "$where" 400 "GET $path HTTP/1.1\r\nHost: y\r\n$CLOSE\r\n"
    expect "$where" 400 "GET $path\r\n\r\n"
    expect "$where" 400 "GET $path HTTP/1.1\r\nA : b\r\n$CLOSE\r\n"
    expect "$where" 400 "GET $path HTTP/1.1\r\nAb\r\n$CLOSE\r\n"
    expect "$where" 400 "GET $path HTTP/1.1\r\n: b\r\n$CLOSE\r\n"
    expect "$where" 400 "GET $path HTTP/1.1\r\nA(: b\r\n$CLOSE\r\n"
    expect "$where" 400 "GET $path HTTP/1.1\r\nA: b\rSet-Cookie: c\r\n$CLOSE\r\n"
    expect "$where" 505 "GET $path HTTP/2.0\r\n$CLOSE\r\n"
    expect "$where" 505 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    expect "$where" "" "GET $path x HTTP/1.1\r\n$CLOSE\r\n"
    expect "$where" "" '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n'
    expect "$where" 404 "CONNECT x:80 HTTP/1.1\r\n$CLOSE\r\n"
    expect "$where" 404 "OPTIONS * HTTP/1.1\r\n$CLOSE\r\n"
    expect "$where" 414 "GET $path?$(printf '%02000d' 0) HTTP/1.1\r\n$CLOSE\r\n"
    expect "$where" 431 "GET $path HTTP/1.1\r\nA: $(printf '%070000d' 0)\r\n$CLOSE\r\n"
    # Content that the path does not take; nothing of it is the next request.
    expect "$where" 413 "GET $path HTTP/1.1\r\n${CLOSE}Content-Length: 3\r\n\r\nabc"
    expect "$where" 413 "POST $path HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\nGET $path HTTP/1.1\r\n$CLOSE\r\n"
  done <<END
$SOCKET /v1/health
$OPERATORS /
$BOOT_ADDRESS /boot.ipxe
END
  # An authority alone is the root, which only the page's listener has.
  expect "$OPERATORS" 200 "GET http://x HTTP/1.1\r\n$CLOSE\r\n"
  expect "$OPERATORS" 200 "GET http://x?a HTTP/1.1\r\n$CLOSE\r\n"
  expect "$SOCKET" 404 "GET http://x HTTP/1.1\r\n$CLOSE\r\n"
}

@test "content: its length is one, and the next request begins where it ends" {
  local post='POST /v1/check HTTP/1.1\r\nContent-Type: application/octet-stream\r\nHost: x\r\n'
  local next="GET /v1/nosuch HTTP/1.1\r\n$CLOSE\r\n" chunks='\r\n\r\n3\r\nabc\r\n0\r\n\r\n' value
  agent_start
  expect "$SOCKET" "200 404" "${post}Content-Length: 3\r\n\r\nabc$next"
  expect "$SOCKET" "200 404" "${post}Transfer-Encoding: Chunked$chunks$next"
  expect "$SOCKET" "200 404" "${post}Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\n$next"
  expect "$SOCKET" "100 200" "${post}Connection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
  expect "$SOCKET" 413 "${post}Expect: 100-continue\r\nContent-Length: 300000\r\n\r\n"
  # What a proxy may have read in another way.
  expect "$SOCKET" 400 "${post}Content-Length: 3\r\nContent-Length: 5\r\n\r\nabc$next"
  expect "$SOCKET" 400 "${post}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc$next"
  expect "$SOCKET" 400 "${post}Content-Length : 3\r\n\r\nabc$next"
  expect "$SOCKET" 400 "${post}Transfer-Encoding: chunked\r\nContent-Length: 3$chunks$next"
  expect "$SOCKET" 400 "${post}Content-Length: 3\r\nTransfer-Encoding: chunked$chunks$next"
  expect "$SOCKET" 400 "${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity$chunks$next"
  expect "$SOCKET" 400 "${post}Transfer-Encoding: \x0bchunked$chunks$next"
  expect "$SOCKET" 400 "POST /v1/check HTTP/1.0\r\nTransfer-Encoding: chunked$chunks$next"
  for value in -3 +3 0x3 3a '3 3' '3, 3' '' 3.0; do
    expect "$SOCKET" 400 "${post}Content-Length: $value\r\n\r\nabc$next"
  done
  for value in 18446744073709551619 99999999999999999999999; do
    expect "$SOCKET" 413 "${post}Content-Length: $value\r\n\r\nabc$next"
  done
  for value in gzip identity 'chunked, chunked' 'gzip, chunked' xchunked 'chunked,' 'chunked;a=b' '"chunked"'; do
    expect "$SOCKET" 501 "${post}Transfer-Encoding: $value$chunks$next"
  done
  for value in 0x3 +3 -3 ' 3' '3 ' 3x ''; do
    expect "$SOCKET" 400 "${post}Transfer-Encoding: chunked\r\n\r\n$value\r\nabc\r\n0\r\n\r\n$next"
  done
  expect "$SOCKET" 413 "${post}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n$next"
  expect "$SOCKET" 400 "${post}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n$next"
  # In chunks the bound is met on the way.
  [ "$(head -c 300000 /dev/zero | in_host curl -sS --max-time 20 --unix-socket "$DIR/run/api.sock" -T - -X POST \
    -H 'Content-Type: application/octet-stream' -o "$DIR/body" -w '%{http_code}' http://x/v1/check)" = 413 ]
}

@test "paths are compared as they are, and each takes its methods alone" {
  local path method allow
  agent_start
  for path in /v1/../v1/links /v1//links /v1/links/ //v1/links /./v1/links /v1/%6cinks /v1/links/.. \
    /v1/links/..%2f..%2fetc%2fpasswd /v1/links/web01%00 '/v1/links;x' '/v1/links#x' '/v1\links' \
    /v1/links/../../etc/passwd /ui/../index.html /ui/%2e%2e%2fhandlers.c /ipxe/../boot.ipxe; do
    expect "$SOCKET" 404 "GET ${path//%/%%} HTTP/1.1\r\n$CLOSE\r\n"
    expect "$BOOT_ADDRESS" 404 "GET ${path//%/%%} HTTP/1.1\r\n$CLOSE\r\n"
    expect "$OPERATORS" 404 "GET ${path//%/%%} HTTP/1.1\r\n$CLOSE\r\n"
  done
  # A query is not decoded either; what is refused is not in the head of the answer.
  [ "$(ask_operators -u 'ann:a secret word' "http://$OPERATORS/v1/records?link=%0d%0aSet-Cookie:a=b")" = 400 ]
  run grep -ci set-cookie "$DIR/head"
  [ "$output" = 0 ]
  in_host curl -sS --unix-socket "$DIR/run/api.sock" http://x/v1/openapi.json >"$DIR/openapi"
  jq -r '.paths | to_entries[] | .key as $p | (.value | keys | map(ascii_upcase)) as $has |
    ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "G(T"][] |
    select(. as $m | $has | any(. == $m) | not) | "\(.) \($p) \($has | join(","))"' "$DIR/openapi" |
    sed 's/{name}/web01/' >"$DIR/wrong"
  [ "$(wc -l <"$DIR/wrong")" -gt 100 ]
  while read -r method path allow; do
    case $path in /v1/session | / | /ui/* | /boot.ipxe | /ipxe/*) continue ;; esac
    printf '%s %s HTTP/1.1\r\n%b\r\n' "$method" "$path" "$CLOSE" | raw say "$SOCKET" >"$DIR/answer"
    head -n 1 "$DIR/answer" | grep -q '^HTTP/1.1 405 ' || { echo "$method $path: $(cat "$DIR/answer")"; false; }
    # HEAD comes with GET.
    [ "$(sed -n 's/^Allow: \(.*\)\r/\1/p' "$DIR/answer" | sed 's/HEAD//; s/, /\n/g' | grep . | sort | paste -sd,)" = \
      "$(tr , '\n' <<<"$allow" | grep -vx HEAD | sort | paste -sd,)" ]
  done <"$DIR/wrong"
}

# The client is the host itself, which is no guest: whose path this is, is told by 403.
@test "MAC addresses: every form of one is the same guest, and what is none is no path" {
  local mac form path
  agent_start
  mac=$(tapwarden status --json | jq -r '.guests[] | select(.name == "shop").mac')
  for form in "$mac" "${mac//:/-}" "${mac//:/}" "${mac^^}" "$mac?serial=%00&a=../..#x"; do
    expect "$BOOT_ADDRESS" 403 "GET /ipxe/${form//%/%%} HTTP/1.1\r\n$CLOSE\r\n"
  done
  for form in "${mac%?}" "${mac}0" "$mac:00" "${mac/:/-}" "${mac//:/.}" "${mac//:/::}" "0x${mac//:/}" "+${mac#?}" " $mac" "$mac " "$mac:" \
    ":$mac" "${mac/#??/zz}" "${mac//:/%3a}" "$mac%00" "$mac%0a" "%2f$mac" "$(printf '\303\251')$mac" "$(printf '%0900d' 0)" '' . .. -- \
    ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 01:00:5e:00:00:01; do
    path=/ipxe/${form//%/%%}
    case $form in
    # A request line has two blanks: with more it is none.
    *' '*) expect "$BOOT_ADDRESS" "" "GET $path HTTP/1.1\r\n$CLOSE\r\n" ;;
    *) expect "$BOOT_ADDRESS" 404 "GET $path HTTP/1.1\r\n$CLOSE\r\n" ;;
    esac
  done
  for path in kernel initrd run menu seed seed/user-data seed/autoinstall/meta-data phone-home 'phone-home?token=0'; do
    expect "$BOOT_ADDRESS" 403 "GET /ipxe/$mac/$path HTTP/1.1\r\n$CLOSE\r\n"
  done
  for path in '' / //kernel /./kernel /../kernel /kernel/ /kernel/.. /%6bernel /kernel%00 /kernel%2f /seed/ /seed/.. /seed/../kernel \
    /seed//user-data /seed/%2e%2e/t.ini /seed/autoinstall/../../kernel /..%2f..%2fetc/passwd '\\kernel' "/$(printf '%0300d' 0)"; do
    [ -z "$path" ] || expect "$BOOT_ADDRESS" 404 "GET /ipxe/$mac${path//%/%%} HTTP/1.1\r\n$CLOSE\r\n"
  done
  expect "$BOOT_ADDRESS" 405 "POST /ipxe/$mac HTTP/1.1\r\n${CLOSE}Content-Length: 0\r\n\r\n"
  expect "$BOOT_ADDRESS" 431 "GET /ipxe/$mac HTTP/1.1\r\nA: $(printf '%070000d' 0)\r\n$CLOSE\r\n"
  [ "$(ask_operators --unix-socket "$DIR/run/api.sock" http://x/v1/health)" = 200 ]
  jq -e '.boot.refused >= 12 and .boot.scripts == 0 and .boot.files == 0' "$DIR/body"
}

@test "pages of other sites: no request of theirs acts, and none has ours in a frame" {
  local url=http://$OPERATORS cookie word
  agent_start
  [ "$(log_in)" = 200 ]
  cookie=$(cookie_of_head)
  grep -q '^Set-Cookie: tapwarden=[0-9a-f]*; Path=/; HttpOnly; SameSite=Strict; Max-Age=' "$DIR/head"
  for word in 'Origin: http://evil.example' 'Origin: null' 'Origin: http://127.0.0.1:8444' \
    "Origin: http://$OPERATORS.evil.example" 'Sec-Fetch-Site: cross-site' 'Sec-Fetch-Site: same-site'; do
    [ "$(ask_operators -b "$cookie" -H "$word" -X DELETE "$url/v1/session")" = 403 ]
    jq -e '.code == "origin.foreign"' "$DIR/body"
    [ "$(log_in -H "$word")" = 403 ]
  done
  # What a form can send without asking (Fetch, "CORS-safelisted").
  for word in 'text/plain' 'application/x-www-form-urlencoded' 'multipart/form-data; boundary=a' ''; do
    [ "$(ask_operators -b "$cookie" -H "Content-Type: $word" -d '{"user": "ann", "password": "a secret word"}' \
      "$url/v1/session")" = 415 ]
  done
  [ "$(ask_operators -b "$cookie" "$url/v1/whoami")" = 200 ]
  run grep -ci '^Access-Control' "$DIR/head"
  [ "$output" = 0 ]
  grep -qi '^X-Content-Type-Options: nosniff' "$DIR/head"
  [ "$(ask_operators "$url/")" = 200 ]
  grep -qi '^X-Frame-Options: DENY' "$DIR/head"
  grep -i '^Content-Security-Policy:' "$DIR/head" | grep -q "frame-ancestors 'none'"
  run grep -ci "unsafe" "$DIR/head"
  [ "$output" = 0 ]
}

@test "sessions: nobody chooses one, and what has ended stays so" {
  local url=http://$OPERATORS own=tapwarden=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef first second
  agent_start
  [ "$(log_in -b "$own")" = 200 ]
  first=$(cookie_of_head)
  [ "$first" != "$own" ]
  [ "${#first}" -ge 42 ]
  [ "$(ask_operators -b "$own" "$url/v1/whoami")" = 401 ]
  [ "$(log_in -b "$first")" = 200 ]
  second=$(cookie_of_head)
  [ "$second" != "$first" ]
  [ "$(ask_operators -b "$second" -X DELETE "$url/v1/session")" = 200 ]
  [ "$(ask_operators -b "$second" "$url/v1/whoami")" = 401 ]
  [ "$(ask_operators -b "$second" -X DELETE "$url/v1/session")" = 401 ]
  [ "$(ask_operators -b "$first" "$url/v1/whoami")" = 200 ]
  [ "$(ask_operators -b "${first%?}" "$url/v1/whoami")" = 401 ]
  [ "$(ask_operators -b "${first}0" "$url/v1/whoami")" = 401 ]
  [ "$(ask_operators -b 'tapwarden=' "$url/v1/whoami")" = 401 ]
  # A session of another agent is none of this one's.
  kill "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of agent)"
  agent_start
  [ "$(ask_operators -b "$first" "$url/v1/whoami")" = 401 ]
  # What is too long, or is not what it should be.
  [ "$(ask_operators -u "ann:$(printf '%0600d' 0)" "$url/v1/whoami")" = 401 ]
  [ "$(ask_operators -H 'Content-Type: application/json' -d '{"user": "ann\r\nX: y", "password": "a"}' "$url/v1/session")" = 401 ]
  run grep -c '^X:' "$DIR/head"
  [ "$output" = 0 ]
  [ "$(ask_operators -H 'Content-Type: application/json' -d '{"user": "ann", "user": "bob", "password": "a"}' "$url/v1/session")" = 400 ]
  [ "$(ask_operators -H 'Content-Type: application/json' -d '{"user": ["ann"], "password": {}}' "$url/v1/session")" = 400 ]
}

@test "a thousand idle connections on each listener, and others are served" {
  local n sources=()
  agent_start
  : >"$DIR/empty"
  for n in 1 2 3 4 5 6 7 8; do
    sources+=("$OPERATORS@127.0.1.$n" "$BOOT_ADDRESS@127.0.1.$n")
  done
  spawn idle ip netns exec "$HOST" perl "$ROOT/tests/net/http_raw.pl" hold 125 "${sources[@]}" \
    "$SOCKET" "$SOCKET" "$SOCKET" "$SOCKET" "$SOCKET" "$SOCKET" "$SOCKET" "$SOCKET"
  wait_for 60 grep -q '^held 3000' "$DIR/idle.out"
  for n in 1 2 3 4 5; do
    [ "$(ask_operators --unix-socket "$DIR/run/api.sock" http://x/v1/health)" = 200 ]
    [ "$(ask_operators -u 'ann:a secret word' "http://$OPERATORS/v1/health")" = 200 ]
    [ "$(ask_operators "http://$BOOT_ADDRESS/boot.ipxe")" = 200 ]
  done
  [ "$(ask_operators --unix-socket "$DIR/run/api.sock" http://x/v1/health)" = 200 ]
  jq -e '[.listeners[] | .evicted + .refused_peer] | length == 3 and all(. > 400)' "$DIR/body"
  # All from one address: who else is behind it is served.
  spawn crowd ip netns exec "$HOST" perl "$ROOT/tests/net/http_raw.pl" hold 500 "$OPERATORS" "$OPERATORS"
  wait_for 60 grep -q '^held 1000' "$DIR/crowd.out"
  for n in 1 2 3 4 5; do
    [ "$(ask_operators -u 'ann:a secret word' "http://$OPERATORS/v1/health")" = 200 ]
  done
  status_of '.workers | all(.state == "ready" and .restarts == 0)'
}

@test "heads and contents that trickle are cut off, and others are served meanwhile" {
  local n=0 where
  agent_start
  # A login reads its content before it asks who it is.
  while IFS='|' read -r where bytes; do
    n=$((n + 1))
    spawn "trickle$n" ip netns exec "$HOST" perl "$ROOT/tests/net/http_raw.pl" trickle "$where" "$bytes"
  done <<END
$SOCKET|GET /v1/health HTTP/1.1\r\nHost: x\r\nA: 
$OPERATORS|GET / HTTP/1.1\r\nHost: x\r\nA: 
$BOOT_ADDRESS|GET /boot.ipxe HTTP/1.1\r\nHost: x\r\nA: 
$SOCKET|POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n
$OPERATORS|POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n
END
  [ "$(ask_operators --unix-socket "$DIR/run/api.sock" http://x/v1/health)" = 200 ]
  [ "$(ask_operators "http://$OPERATORS/")" = 200 ]
  [ "$(ask_operators "http://$BOOT_ADDRESS/boot.ipxe")" = 200 ]
  while [ "$n" -gt 0 ]; do
    wait_for 100 grep -q . "$DIR/trickle$n.out"
    grep -qx 'cut -' "$DIR/trickle$n.out" || { cat "$DIR/trickle$n.out"; false; }
    n=$((n - 1))
  done
  [ "$(ask_operators --unix-socket "$DIR/run/api.sock" http://x/v1/health)" = 200 ]
  jq -e '[.listeners[].cut] | add == 5' "$DIR/body"
}

# TLS for the operators' address.
make_tls() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$DIR/key.pem" -out "$DIR/cert.pem" 2>"$DIR/openssl"
  chmod 600 "$DIR/key.pem"
  sed -i "s,^\[web\]$,[web]\ntls-cert = $DIR/cert.pem\ntls-key = $DIR/key.pem," "$INI"
  cp "$INI" "$DIR/commands.ini"
}

@test "TLS: what never becomes a request is cut off, and others are served meanwhile" {
  local n
  make_tls
  agent_start
  # A handshake of which a byte comes now and then; a connection that says nothing; one that trickles
  # inside TLS.
  spawn trickle1 ip netns exec "$HOST" perl "$ROOT/tests/net/http_raw.pl" trickle "$OPERATORS" "$(printf '\x16\x03\x01\x02')"
  spawn hold ip netns exec "$HOST" perl "$ROOT/tests/net/http_raw.pl" hold 600 "$OPERATORS"
  in_host bash -c "{ printf 'GET / HTTP/1.1\r\nHost: x\r\nA: '; while printf x; do sleep 0.2; done; } 2>/dev/null |
    openssl s_client -quiet -connect $OPERATORS" >"$DIR/inside.out" 2>"$DIR/inside.err" 3>&- &
  PIDS="$! $PIDS"
  n=$!
  wait_for 60 grep -q '^held 600' "$DIR/hold.out"
  for _ in 1 2 3 4 5; do
    [ "$(ask_operators --cacert "$DIR/cert.pem" -u 'ann:a secret word' "https://$OPERATORS/v1/health")" = 200 ]
  done
  wait_for 100 grep -q . "$DIR/trickle1.out"
  grep -qx 'cut -' "$DIR/trickle1.out" || { cat "$DIR/trickle1.out"; false; }
  wait_for 100 is_gone "$n"
  [ ! -s "$DIR/inside.out" ]
  all_cut() {
    [ "$(ask_operators --unix-socket "$DIR/run/api.sock" http://x/v1/health)" = 200 ] &&
      jq -e '.listeners[] | select(.listener == "operators") | .cut + .evicted >= 602' "$DIR/body" >"$DIR/jq"
  }
  wait_for 60 all_cut || { cat "$DIR/body"; false; }
}

@test "TLS: old versions and plain HTTP get nothing" {
  local version
  make_tls
  agent_start
  [ "$(ask_operators --cacert "$DIR/cert.pem" -u 'ann:a secret word' "https://$OPERATORS/v1/health")" = 200 ]
  [ "$(ask_operators --cacert "$DIR/cert.pem" -H 'Content-Type: application/json' \
    -d '{"user": "ann", "password": "a secret word"}' "https://$OPERATORS/v1/session")" = 200 ]
  grep -q '^Set-Cookie: tapwarden=.*; Secure' "$DIR/head"
  # Whoever speaks no TLS gets no answer in HTTP.
  expect "$OPERATORS" "" "GET / HTTP/1.1\r\n$CLOSE\r\n"
  tls() {
    in_host openssl s_client -connect "$OPERATORS" "$@" </dev/null 2>&1
  }
  for version in -tls1_2 -tls1_3; do
    tls "$version" -verify_return_error -CAfile "$DIR/cert.pem" >"$DIR/tls" || { cat "$DIR/tls"; false; }
  done
  # The client's own floor is lowered, so that it is the server who refuses.
  for version in -tls1 -tls1_1; do
    run ! tls "$version" -cipher 'ALL:@SECLEVEL=0'
    grep -q 'Cipher is (NONE)' <<<"$output" || { echo "$output"; false; }
  done
  run ! tls -tls1_2 -cipher 'NULL:EXPORT:RC4:3DES:AES128-SHA:@SECLEVEL=0'
  [ "$(ask_operators --cacert "$DIR/cert.pem" -u 'ann:a secret word' "https://$OPERATORS/v1/health")" = 200 ]
}
