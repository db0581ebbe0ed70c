#!/usr/bin/env bats
# The API of a running agent, on its socket and for users who log in; curl and jq are the judges.

bats_require_minimum_version 1.5.0

load guest

setup() {
  house_up
  users_config
  agent_start
  # Each method of each path with each status that it may have, a regular expression a line.
  in_host curl -sS --unix-socket "$DIR/run/api.sock" http://x/v1/openapi.json |
    jq -r '.paths | to_entries[] | .key as $path | .value | to_entries[] |
      (.key | ascii_upcase) as $method | .value.responses | keys[] | "\($method) \($path) \(.)"' |
    sed 's,{name},[^/]*,' >"$DIR/documented"
}

# What api() was answered is in the document.
teardown() {
  house_down
  [ ! -e "$DIR/answered" ] || ! grep -vxf "$DIR/documented" "$DIR/answered"
}

# api USER[:PASSWORD] PATH [CURL WORDS...]: the body is in `body`, the status is printed.
api() {
  local user=$1 path=$2 status method
  shift 2
  [[ $user == *:* ]] || user="$user:a secret word"
  read -r status method < <(in_host curl -sS --max-time 20 -u "$user" -o "$DIR/body" \
    -w '%{http_code} %{method}\n' "$@" "http://127.0.0.1:8443$path")
  echo "$method ${path%%\?*} $status" >>"$DIR/answered"
  echo "$status"
}

body() {
  jq -e "$1" "$DIR/body"
}

@test "nobody gets anything, a viewer looks, an admin acts" {
  [ "$(in_host curl -sS -o "$DIR/body" -w '%{http_code}' http://127.0.0.1:8443/v1/links)" = 401 ]
  body '.status == 401 and .code != ""'
  [ "$(api ann:wrong /v1/links)" = 401 ]
  [ "$(api nobody /v1/links)" = 401 ]
  [ "$(api ann /v1/links)" = 200 ]
  body '[.[].name] | contains(["web01", "web02"])'
  [ "$(api ann /v1/links/web01)" = 200 ]
  body ".mac == \"$(mac_of web01)\""
  [ "$(api ann /v1/links/nosuch)" = 404 ]
  [ "$(api ann /v1/reload -X POST)" = 403 ]
  body '.code == "role.insufficient"'
  [ "$(api bob /v1/reload -X POST)" = 200 ]
  wait_for 20 has_record '.tapwarden != null and (.. | strings | test("bob asks: reload: accepted"))'
  [ "$(api bob /v1/links/nosuch/retry -X POST)" = 404 ]
  wait_for 20 has_record '.. | strings | test("bob asks: retry nosuch: there is none of this name")'
}

# try USER JSON: what /v1/explain says.
try() {
  api "$1" /v1/explain -X POST -H 'Content-Type: application/json' -d "$2"
}

@test "a pattern is tried on texts by itself, in a process that has no secrets" {
  local text='GET /one HTTP/1.1 GET /two HTTP/1.1' subject
  subject=$(printf %s "$text" | base64 -w 0)
  [ "$(try bob "{\"regex\": \"(?<m>GET) (\\\\S+)\", \"followed-by\": \" HTTP\", \"groups\": [\"m\", \"2\"],
    \"subjects\": [\"$subject\", \"\"]}")" = 200 ]
  body '.groups == ["m", "2"] and .explained.jit.on and (.explained.engine | startswith("PCRE2"))'
  # grep finds the same places.
  printf %s "$text" | grep -obP '(?<m>GET) (\S+)(?= HTTP)' >"$DIR/grep"
  jq -r '.subjects[0].matches[] | "\(.offset) \(.length)"' "$DIR/body" >"$DIR/ours"
  awk -F: '{ print $1, length($2) }' "$DIR/grep" | cmp - "$DIR/ours"
  body '.subjects[0].matches[1].groups == [{offset: 18, length: 3}, {offset: 22, length: 4}]'
  body '.subjects[1].matches == []'
  # Inside ranges alone, as perl finds them.
  text="a=1 [b=2 c=3] d=4 [e=5"
  [ "$(try bob "{\"regex\": \"\\\\w=\\\\d\", \"begin\": \"\\\\[\", \"end\": \"\\\\]\",
    \"subjects\": [\"$(printf %s "$text" | base64 -w 0)\"]}")" = 200 ]
  perl -e 'while ($ARGV[0] =~ /\[.*?(?:\]|$)/g) { my ($at, $in) = ($-[0], $&);
    while ($in =~ /\w=\d/g) { print $at + $-[0], "\n" } }' "$text" >"$DIR/perl"
  jq -r '.subjects[0].matches[].offset' "$DIR/body" | cmp - "$DIR/perl"
  [ "$(wc -l <"$DIR/perl")" = 3 ]
  [ "$(try bob '{"regex": "a", "begin": "b"}')" = 400 ]
  # What takes for ever is given up, and what is no pattern is told as such.
  subject=$({ printf 'a%.0s' {1..3000}; echo '!'; } | base64 -w 0)
  [ "$(try bob "{\"regex\": \"^(a+)+$\", \"subjects\": [\"$subject\"]}")" = 200 ]
  body '.subjects[0].result == "limit" and (.explained.lints | length > 0)'
  [ "$(try bob '{"regex": "a(b"}')" = 400 ]
  body '.detail | test("offset 3")'
  [ "$(try bob '{"regex": "a", "subjects": ["?"]}')" = 400 ]
  [ "$(try bob '{"regex": "a", "colour": 1}')" = 400 ]
  [ "$(try bob 'regex')" = 400 ]
  [ "$(try bob '')" = 400 ]
  [ "$(try ann '{"regex": "a"}')" = 403 ]
  [ "$(api bob /v1/links)" = 200 ]
  # Nothing of the trials is left.
  run pgrep -f -P "$(pid_of agent)" trial-worker
  [ "$output" = "" ]
}

@test "a session by cookie, until it is ended" {
  local jar=$DIR/jar url=http://127.0.0.1:8443
  in_host curl -sS -f -c "$jar" -H 'Content-Type: application/json' \
    -d '{"user": "ann", "password": "a secret word"}' "$url/v1/session" >"$DIR/body"
  [ "$(in_host curl -sS -b "$jar" -o "$DIR/body" -w '%{http_code}' "$url/v1/sets")" = 200 ]
  body '.[0].name'
  in_host curl -sS -b "$jar" "$url/v1/whoami" | jq -e '.user == "ann" and .role == "viewer"'
  # Somebody else may have read the cookie: it is of no use when its user has logged out.
  cp "$jar" "$jar.old"
  in_host curl -sS -f -b "$jar" -c "$jar" -X DELETE "$url/v1/session" >"$DIR/body"
  run grep -c tapwarden "$jar"
  [ "$output" = 0 ]
  [ "$(in_host curl -sS -b "$jar.old" -o "$DIR/body" -w '%{http_code}' "$url/v1/sets")" = 401 ]
}

@test "a session outlives a reload and a killed worker, but not another password" {
  local jar=$DIR/jar url=http://127.0.0.1:8443 n
  in_host curl -sS -f -c "$jar" -H 'Content-Type: application/json' \
    -d '{"user": "ann", "password": "a secret word"}' "$url/v1/session" >"$DIR/body"
  whoami() {
    in_host curl -sS --max-time 5 -b "$jar" -o "$DIR/body" -w '%{http_code}' "$url/v1/whoami"
  }
  # Guesses at bob's password are remembered as well: after the free ones, each makes the next wait.
  for ((n = 0; n < 3; n++)); do
    [ "$(api bob:guess /v1/links)" = 401 ]
  done
  guess_twice() {
    in_host curl -sS -u bob:guess -o "$DIR/body" -w '%{http_code} ' -o "$DIR/body" "$url/v1/links" "$url/v1/links"
  }
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.generation == 2'
  wait_for 20 agent_serves
  [ "$(whoami)" = 200 ]
  # Were it forgotten, both of the next two were free.
  run guess_twice
  [[ "$output" == *"429 " ]]
  n=$(worker_pid web)
  kill -KILL "$n"
  wait_for 20 status_of "(.workers[] | select(.name == \"web\")).pid != $n"
  [ "$(whoami)" = 200 ]
  hash=$(printf 'another word' | "$TAPWARDEN" passwd -s)
  sed -i "/^\[user ann\]/,/^role/s,^password = .*,password = \"$hash\"," "$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.generation == 3'
  [ "$(whoami)" = 401 ]
}

@test "an act and looks that wait for the same status are all answered" {
  local i asked path method
  for i in 1 2 3 4 5; do
    asked=()
    for path in links/web01/retry status links/web02/retry links; do
      method=GET
      [[ $path != *retry ]] || method=POST
      in_host curl -sS --max-time 20 --unix-socket "$DIR/run/api.sock" -X "$method" -o /dev/null \
        -w "%{http_code}\n" "http://x/v1/$path" >>"$DIR/codes" &
      asked+=($!)
    done
    wait "${asked[@]}"
  done
  [ "$(sort "$DIR/codes" | uniq -c | xargs)" = "20 200" ]
}

@test "apply takes the plan that was looked at, and no other" {
  [ "$(api bob /v1/plan)" = 200 ]
  plan=$(jq -r .hash "$DIR/body")
  [ "$(api bob /v1/apply -X POST -H 'Content-Type: application/json' -d '{"plan": "0000000000000000"}')" = 409 ]
  wait_for 20 has_record '.. | strings | test("bob asks: apply: the file or the links changed")'
  code=$(api bob /v1/apply -X POST -H 'Content-Type: application/json' -d "{\"plan\": \"$plan\"}")
  [ "$code" = 200 ] || { cat "$DIR/body"; false; }
}

@test "what keeps a plan from being made is told to who looks, and to who applies" {
  local agent why="it is not told which file to look at: Permission denied"
  agent=$(pid_of agent)
  spawn tracer strace -f -qq -o /dev/null -e trace=fchdir -e inject=fchdir:error=EACCES -p "$agent"
  wait_for 10 grep -q '^TracerPid:.[1-9]' "/proc/$agent/status"
  [ "$(api bob /v1/plan)" = 500 ]
  body ".detail == \"$why\""
  [ "$(api bob /v1/apply -X POST -H 'Content-Type: application/json' -d '{"plan": "0000000000000000"}')" = 500 ]
  body ".detail == \"$why\""
  wait_for 20 has_record ".. | strings | test(\"bob asks: apply: $why\")"
}

# bob looks at the plan in the background, as $ASKER, and the process that looks for him is stopped.
# It waits with what it does first, and is met there; let go, it waits no more.
look_and_stop() {
  local agent tracer
  agent=$(pid_of agent)
  spawn tracer strace -f -qq -o /dev/null -e trace=fchdir -e inject=fchdir:delay_enter=3s -p "$agent"
  wait_for 10 grep -q '^TracerPid:.[1-9]' "/proc/$agent/status"
  api bob /v1/plan >"$DIR/plan.status" 3>&- &
  ASKER=$!
  wait_for 20 pgrep -f -P "$agent" plan-look
  LOOK=$(pgrep -f -P "$agent" plan-look)
  kill -STOP "$LOOK"
  tracer=$(pid_of tracer)
  kill "$tracer"
  wait_for 10 is_gone "$tracer"
}

# A worker that ends closes what it listens to first.
web_drains() {
  ! in_host ss -Hlntp | grep -q "pid=$1,"
}

@test "a look that takes its time keeps nobody but who asks for it" {
  look_and_stop
  status_of '.agent.pid > 0'
  [ ! -s "$DIR/plan.status" ]
  kill -CONT "$LOOK"
  wait "$ASKER"
  [ "$(cat "$DIR/plan.status")" = 200 ]
  body '.steps == []'
}

@test "a look outlives a reload that replaces the web worker, or is answered that it does not" {
  local web
  web=$(worker_pid web)
  look_and_stop
  kill -HUP "$(pid_of agent)"
  wait_for 20 web_drains "$web"
  kill -CONT "$LOOK"
  wait "$ASKER"
  [ "$(cat "$DIR/plan.status")" = 200 ]
  body '.steps == []'
  wait_for 20 status_of '.agent.generation == 2'
  web=$(worker_pid web)
  look_and_stop
  kill -HUP "$(pid_of agent)"
  wait "$ASKER"
  [ "$(cat "$DIR/plan.status")" = 503 ]
  body '.code == "agent.gone"'
  kill -KILL "$LOOK"
  wait_for 20 status_of '.agent.generation == 3'
}

# planned USER FILE: posts the file to be planned.
planned() {
  api "$1" /v1/plan -X POST -H "Content-Type: application/octet-stream" --data-binary @"$2"
}

@test "a configuration that is sent is planned as the command plans it, and no file is told of" {
  local file=$DIR/other.ini before
  guest_start
  sed 's/^count = 2/count = 3/' "$INI" >"$file"
  printf '\n[set new]\nlower = eno1\nmode = vepa\nowner = root:root\ncount = 1\nname = new%%02d\n' >>"$file"
  before=$(ip -n "$HOST" -j link | jq -c '[.[] | {ifname, ifindex}]')
  [ "$(planned bob "$file")" = 200 ] || { cat "$DIR/body"; false; }
  body '[.steps[].link] | contains(["web03", "new01"])'
  same_plan() {
    in_host "$TAPWARDEN" plan --json -c "$file" >"$DIR/command" || [ $? = 1 ]
    diff <(jq -S '{steps, ports, summary}' "$DIR/command") <(jq -S '{steps, ports, summary}' "$DIR/body")
  }
  same_plan
  # A guest holds one of those that are to go, and that is known.
  sed -e '/^\[guest shop\]/,/^$/d' -e 's/^name = web%02d/name = www%02d/' "$INI" >"$file"
  [ "$(planned bob "$file")" = 200 ] || { cat "$DIR/body"; false; }
  body '.steps | any(.link == "web01" and .op == "blocked" and (.. | strings | test("tap_guest")))'
  same_plan
  # The same bytes for a file that there is, for one that there is not, and for one that none may read.
  for path in /etc/passwd /etc/nosuch /etc/shadow /proc/1/environ; do
    sed "s,^\[web\],&\ntls-cert = $path\ntls-key = $path," "$INI" >"$file"
    printf '\n[target t]\nportal = 192.0.2.9\nname = iqn.2026-01.example:t\nlun = 1\nchap-user = u\nchap-secret-file = %s\n[set n]\nlower = eno1\ncount = 1\nname = n%%d\nkind = macvlan\n[link n1]\nset = n\nnetns = %s\n' "$path" "$path" >>"$file"
    planned bob "$file" >>"$DIR/codes"
    jq -c . "$DIR/body" | sed "s,$path,PATH,g" >>"$DIR/bodies"
    sed -i '/^netns/d' "$file"
    planned bob "$file" >>"$DIR/codes"
    jq -c . "$DIR/body" | sed "s,$path,PATH,g" >>"$DIR/bodies"
  done
  [ "$(sort -u "$DIR/bodies" | wc -l)" = 2 ] || { sort -u "$DIR/bodies"; false; }
  sed '0,/^mode = bridge/s//mode = brigde/' "$INI" >"$file"
  [ "$(planned bob "$file")" = 422 ]
  body '.code == "config.invalid" and (.errors | length == 1) and .errors[0].key == "mode"'
  [ "$(planned ann "$file")" = 403 ]
  printf 'nonsense' >"$file"
  [ "$(planned bob "$file")" = 422 ]
  # No fault is left out for what is in it.
  printf '[set \xff\xfe]\n\xc0 = a\n' >"$file"
  [ "$(planned bob "$file")" = 422 ]
  body '.errors | length == 2 and (.[0].message | contains("\\xff"))'
  : >"$file"
  [ "$(planned bob "$file")" = 422 ] || [ "$(planned bob "$file")" = 200 ]
  head -c 300000 /dev/zero | tr '\0' '#' >"$file"
  [ "$(planned bob "$file")" = 413 ]
  body '.detail == "a request has at most 262144 bytes of content here"'
  head -c 200000 /dev/urandom >"$file"
  [ "$(planned bob "$file")" = 422 ]
  body '(.detail | split(" ")[0] | tonumber) == (.errors | length)'
  [ "$(ip -n "$HOST" -j link | jq -c '[.[] | {ifname, ifindex}]')" = "$before" ]
  run pgrep -f -P "$(pid_of agent)" plan-worker
  [ "$output" = "" ]
}

@test "records by page and by link, metrics, and a document of it all" {
  guest_start
  ask order=1 >/dev/null
  wait_for 20 has_record '.event_type == "alert"'
  [ "$(api ann '/v1/records?type=alert&link=web01&limit=1')" = 200 ]
  body '.records | length == 1 and .[0].event_type == "alert" and .[0].in_iface == "web01"'
  [ "$(api ann '/v1/records?limit=many')" = 400 ]
  [ "$(api ann /metrics)" = 200 ]
  [ "$(tail -n 1 "$DIR/body")" = '# EOF' ]
  grep -q '^tapwarden_records_total [1-9]' "$DIR/body"
  [ "$(api ann /v1/openapi.json)" = 200 ]
  body '.openapi | startswith("3.")'
  body '.paths | has("/v1/links/{name}") and has("/v1/plan")'
  body '.paths["/v1/plan"].post.requestBody.content | keys == ["application/json", "application/octet-stream"]'
  in_host curl -sS --unix-socket "$DIR/run/api.sock" http://x/v1/links | jq -e 'length >= 2'
}

@test "records of a time, as date writes it in any zone" {
  local all from to query
  guest_start
  ask order=1 >/dev/null
  wait_for 20 has_record '.event_type == "alert"'
  # What begins the agent is over; the newest record may be followed by others.
  [ "$(api ann '/v1/records?limit=1000')" = 200 ]
  jq -r '.records[].timestamp' "$DIR/body" | sort >"$DIR/all"
  all=$(wc -l <"$DIR/all")
  [ "$all" -ge 4 ]
  from=$(sed -n 2p "$DIR/all")
  to=$(sed -n "$((all - 1))p" "$DIR/all")
  awk -v from="$from" -v to="$to" '$0 >= from && $0 < to' "$DIR/all" >"$DIR/want"
  for query in "since=$from&until=$to" \
    "since=$(TZ=N-5:45 date --iso-8601=ns -d "$from" | tr , . | sed 's/+/%2B/')&until=${to//:/%3A}" \
    "since=$(TZ=C+4:30 date --iso-8601=ns -d "$from" | tr , .)&until=$to"; do
    [ "$(api ann "/v1/records?limit=1000&$query")" = 200 ]
    jq -r '.records[].timestamp' "$DIR/body" | sort | diff - "$DIR/want"
  done
  # curl has an escape for each byte that is not plain.
  [ "$(api ann /v1/records -G --data-urlencode "until=$from" --data-urlencode limit=1000)" = 200 ]
  jq -r '.records[].timestamp' "$DIR/body" | diff - <(head -n 1 "$DIR/all")
  [ "$(api ann "/v1/records?since=$(($(date +%s) + 1000))")" = 200 ]
  body '.records == [] and .next == null'
  [ "$(api ann '/v1/records?since=yesterday')" = 400 ]
  body '.detail | test("2026-11-29T03:00:00Z")'
}

@test "who holds the taps is looked for beside the loop, however many ask" {
  local asked i
  spawn strace strace -f -e trace=openat -o "$DIR/opened" -p "$(pid_of agent)"
  wait_for 20 grep -q attached "$DIR/strace.err"
  # What the agent does is an event, and after one the status that it has in hand counts for nothing.
  in_host curl -sS --unix-socket "$DIR/run/api.sock" -X POST http://x/v1/links/web01/retry
  asked=()
  for i in 1 2 3 4; do
    tapwarden status --json >"$DIR/status.$i" &
    asked+=($!)
  done
  wait "${asked[@]}"
  jq -e '.links | length > 0' "$DIR"/status.*
  kill "$(pid_of strace)"
  wait_for 20 is_gone "$(pid_of strace)"
  # /proc/PID/fd; the thread of the loop has the process's own number.
  awk -v loop="$(pid_of agent)" '/"fd", / { n[$1 == loop]++ } END { print n[0] + 0, n[1] + 0; exit !(n[0] && !n[1]) }' \
    "$DIR/opened"
}

# A client of the event stream that comes back with the last id it knows, as browsers do; each answer in
# a file of its own. An event counts when the empty line behind it came.
follow() {
  local n last=""
  for ((n = 0; ; n++)); do
    curl -sS -N --unix-socket "$DIR/run/api.sock" -H 'Accept: text/event-stream' \
      ${last:+-H "Last-Event-ID: $last"} "http://x/v1/events?backlog=1" >"$DIR/events.$n" || true
    last=$(ids "$DIR/events.$n" | tail -n 1 | grep . || echo "$last")
    sleep 0.02
  done
}

ids() {
  gawk 'BEGIN { RS = "\n\n" } RT != "" && match($0, /^id: ([0-9]+)/, m) { print m[1] }' "$@"
}

# Whether the client has seen all records from its first one on, up to the one that has this text.
followed_to() {
  local first
  ids "$DIR"/events.* >"$DIR/ids" && [ -s "$DIR/ids" ] && has_record "$1" || return
  first=$(sort -n "$DIR/ids" | head -n 1)
  records "select($1) | .tapwarden.seq" | grep -qxFf - "$DIR/ids" || return
  sort -n "$DIR/ids" >"$DIR/ids.sorted"
  records ".tapwarden.seq | select(. >= $first)" | sort -n >"$DIR/seqs"
  diff "$DIR/seqs" "$DIR/ids.sorted" >"$DIR/diff"
}

@test "what was recorded is told by the next worker, too: by page, and to a stream that goes on" {
  local page n before
  guest_start
  ask order=first >/dev/null
  wait_for 20 has_record '.event_type == "alert" and (.payload_printable // "" | test("first"))'
  wait_for 20 agent_serves
  [ "$(api ann '/v1/records?limit=2')" = 200 ]
  page=$(jq .next "$DIR/body")
  before=$(jq -c '[.records[] | .tapwarden.seq]' "$DIR/body")
  export -f follow ids
  export DIR
  spawn follow ip netns exec "$HOST" bash -c follow
  wait_for 10 grep -qs '^id' "$DIR/events.0"
  spawn loop ip netns exec "$PEER" bash -c 'while curl -sS --max-time 5 -o /dev/null "http://192.0.2.10/index.html?order=$((n++))"; do sleep 0.02; done'
  for n in 2 3 4; do
    kill -HUP "$(pid_of agent)"
    wait_for 20 status_of ".agent.generation == $n"
    wait_for 20 agent_serves
  done
  n=$(worker_pid web)
  kill -KILL "$n"
  wait_for 20 status_of "(.workers[] | select(.name == \"web\")) | .pid != $n and .state == \"ready\""
  # The page before the one that another worker told goes on where that ended.
  [ "$(api ann "/v1/records?limit=2&before=$page")" = 200 ]
  body "[.records[] | .tapwarden.seq] == ($before | map(. - 2))"
  [ "$(api ann '/v1/records?limit=1000')" = 200 ]
  body '[.records[] | .payload_printable // empty] | any(test("first"))'
  [ "$(api ann /v1/health)" = 200 ]
  body '.events.recalled > 10 and .events.missed == 0'
  kill "$(pid_of loop)"
  ask order=last >/dev/null
  wait_for 20 followed_to '.payload_printable // "" | test("order=last")' || { cat "$DIR/diff"; false; }
  [ -s "$DIR/events.4" ]
}

@test "frames that are kept are fetched while they are written, of a link, a rule or one" {
  [ "$(api bob /v1/pcap)" = 404 ]
  body '.code == "pcap.none"'
  printf '\n[record]\npcap = all\n' >>"$INI"
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of '.agent.generation == 2'
  wait_for 20 agent_serves
  guest_start
  ask "order=7"
  wait_for 10 has_record '.tapwarden.rule == "order"'
  [ "$(api ann /v1/pcap)" = 403 ]
  fetched() {
    [ "$(api bob "/v1/pcap$1")" = 200 ] && tshark -r "$DIR/body" -Y "${2:-frame}" 2>"$DIR/tshark" |
      grep -c . >"$DIR/count"
  }
  in_file() {
    fetched "$1" "${2:-}"
    [ "$(cat "$DIR/count")" -gt 0 ]
  }
  wait_for 10 in_file "" 'http.request'
  capinfos "$DIR/body" >"$DIR/capinfos"
  in_file "?link=web01" 'frame.interface_name == "web01"'
  fetched "?link=web01" 'frame.interface_name != "web01"' || true
  [ "$(cat "$DIR/count")" = 0 ]
  wait_for 10 in_file "?link=web01&rule=order" 'frame.comment contains "rule order:"'
  fetched "?link=web01&rule=order" 'not frame.comment' || true
  [ "$(cat "$DIR/count")" = 0 ]
  n=$(records 'select(.tapwarden.rule == "order") | .pcap_cnt' | head -n 1)
  in_file "?packet=$n"
  [ "$(cat "$DIR/count")" = 1 ]
  n=$(records 'select(.tapwarden.rule == "order") | .timestamp' | head -n 1 | xargs date +%s -d)
  in_file "?rule=order&since=$n&until=$((n + 1))"
  fetched "?since=$((n + 1000))" || true
  [ "$(cat "$DIR/count")" = 0 ]
  fetched "?until=$n&rule=order" || true
  [ "$(cat "$DIR/count")" = 0 ]
  in_file "?rule=order&since=$(date -u +%FT%TZ -d "@$n")&until=$(date +%FT%T%:z -d "@$((n + 1))" | sed 's/+/%2B/')"
  [ "$(api bob "/v1/pcap?since=yesterday")" = 400 ]
  fetched "?link=nosuch" || true
  [ "$(cat "$DIR/count")" = 0 ]
}

@test "the dashboard asks for metrics that there are, by labels that they have" {
  local dashboard=$ROOT/scripts/grafana/tapwarden.json metric label
  guest_start
  [ "$(api ann /metrics)" = 200 ]
  jq -r '.. | .expr?, (.query? | strings) | select(. != null)' "$dashboard" |
    grep -o 'tapwarden_[a-z_]*' | sort -u >"$DIR/asked"
  [ "$(wc -l <"$DIR/asked")" -gt 15 ]
  while read -r metric; do
    grep -q "^${metric}[{ ]" "$DIR/body" || { echo "no metric $metric"; false; }
  done <"$DIR/asked"
  # {{rule}} of a legend is a label of the metric that it is of.
  jq -r '.panels[].targets[] | .legendFormat as $l | .expr + " " + $l' "$dashboard" | while read -r expr; do
    metric=$(grep -o 'tapwarden_[a-z_]*' <<<"$expr" | head -n 1)
    for label in $(grep -o '{{[a-z]*}}' <<<"$expr" | tr -d '{}'); do
      grep "^${metric}{" "$DIR/body" | grep -q "$label=" || { echo "$metric has no $label"; exit 1; }
    done
  done
}
