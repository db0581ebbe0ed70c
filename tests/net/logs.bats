#!/usr/bin/env bats
# Logs of the host that are followed: through rotation and truncation under writes, and from one
# capture worker to the next.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
  LOG=$DIR/app.log
  cat >>"$INI" <<END

[pattern event]
regex = "event (?<n>\d+)"
groups = n

[log app]
follow = $LOG
patterns = event
END
}

teardown() {
  house_down
}

# event N...: a line each, as a program writes that opens its log for each.
event() {
  printf 'at noon: event %d!\n' "$@" >>"$LOG"
}

followed() {
  agent_start
  wait_for 20 status_of '.logs[0].state == "followed"'
}

# The numbers of the events that were found, as they came.
found() {
  records 'select(.tapwarden.log == "app" and .event_type == "alert") | .tapwarden.groups.n.text' |
    tr -d '"'
}

has_found() {
  found | grep -qx "$1"
}

has_event() {
  has_record ".service.action == \"$1\""
}

# rotated N: so many times, as the agent saw it.
rotated() {
  [ "$(records 'select(.service.action == "log-rotated")' | wc -l)" -ge "$1" ]
}

# writer_start FROM TO: events with pauses that a clock tells, each written with the file opened anew.
writer_start() {
  spawn writer bash -c 'for ((i = $1; i <= $2; i++)); do
    echo "at noon: event $i!" >>"$3"
    ((i % 5)) || sleep 0.01
  done' _ "$1" "$2" "$LOG"
}

@test "lines that are added are searched, the match is told with its line, log and file" {
  event 1
  followed
  event 2
  wait_for 20 has_found 2
  printf 'half a line: event' >>"$LOG"
  event 3
  printf ' 4\r\n' >>"$LOG"
  wait_for 20 has_found 3
  event 5
  wait_for 20 has_found 5
  [ "$(found | tr '\n' ' ')" = "2 3 5 " ]
  run records 'select(.tapwarden.groups.n.text == "2")
    | [.alert.signature, .tapwarden.scope, .tapwarden.log, .tapwarden.file == "'"$LOG"'",
       .tapwarden.offset, .tapwarden.length, .payload_printable, has("src_ip"), has("in_iface")]'
  [ "$output" = '["event","line","app",true,27,7,"at noon: event 2!",false,false]' ]
  wait_for 10 status_of '.logs[0] | [.lines, .matches, .behind] == [4, 3, 0]'
}

@test "a renamed file is read to its end, then the new one: each line once, in order" {
  touch "$LOG"
  followed
  writer_start 1 2000
  for n in 1 2 3; do
    sleep 0.3
    mv "$LOG" "$LOG.$n"
    wait_for 20 rotated "$n"
  done
  wait_for 60 has_found 2000
  diff <(seq 2000) <(found)
  has_event log-rotated
}

@test "what comes and is renamed while nobody looks is found by its new name, in order" {
  touch "$LOG"
  followed
  event 1
  kill -STOP "$(pid_of agent)"
  mv "$LOG" "$LOG.1"
  event 2 3
  mv "$LOG" "$LOG.2"
  event 4
  kill -CONT "$(pid_of agent)"
  wait_for 60 has_found 4
  diff <(seq 4) <(found)
  rotated 2
}

@test "a file that is cut is read from its beginning" {
  touch "$LOG"
  followed
  event {1..100}
  wait_for 20 has_found 100
  cp "$LOG" "$LOG.1"
  : >"$LOG"
  event 101 102
  wait_for 20 has_found 102
  # Cut, and longer than before when it is looked at next.
  : >"$LOG"
  event {103..400}
  wait_for 20 has_found 400
  diff <(seq 400) <(found)
  [ "$(records 'select(.service.action == "log-cut")' | wc -l)" -eq 2 ]
}

@test "a reload while lines come loses none and tells none twice" {
  touch "$LOG"
  followed
  writer_start 1 2000
  for n in 1 2 3 4 5; do
    sleep 0.3
    kill -HUP "$(pid_of agent)"
    [ "$n" -ne 3 ] || mv "$LOG" "$LOG.1"
  done
  wait_for 60 has_found 2000
  diff <(seq 2000) <(found)
  no_hole_in_records
}

@test "a worker that hands over to another ends by itself" {
  local old
  touch "$LOG"
  followed
  old=$(worker_pid capture)
  spawn strace strace -e trace=none -o "$DIR/ended" -p "$old"
  wait_for 20 grep -q attached "$DIR/strace.err"
  kill -HUP "$(pid_of agent)"
  wait_for 20 is_gone "$(pid_of strace)"
  grep -x "+++ exited with 0 +++" "$DIR/ended" || { cat "$DIR/ended"; false; }
}

@test "a killed worker loses no line" {
  touch "$LOG"
  followed
  writer_start 1 3000
  for n in 1 2 3; do
    sleep 0.6
    kill -KILL "$(worker_pid capture)"
    [ "$n" -ne 2 ] || mv "$LOG" "$LOG.1"
    wait_for 20 status_of '.workers[0].state == "ready"'
  done
  wait_for 60 has_found 3000
  # What it had read last may be told again.
  diff <(seq 3000) <(found | sort -n -u)
}

@test "a file that is not there is waited for, and then read from its beginning" {
  agent_start
  wait_for 20 has_event log-missing
  wait_for 10 status_of '.logs[0] | .state == "missing" and .error == "No such file or directory"'
  tapwarden status | grep -Eq '^app +.*missing: No such file or directory$'
  event 1
  wait_for 20 has_found 1
}

@test "a link that is not root's, a pipe and a folder are not followed" {
  event 1
  mv "$LOG" "$LOG.real"
  ln -s "$LOG.real" "$LOG"
  chown -h nobody "$LOG"
  agent_start
  wait_for 20 status_of '.logs[0].error == "it is a symbolic link that is not root'\''s"'
  rm "$LOG"
  mkfifo "$LOG"
  wait_for 20 status_of '.logs[0].error == "it is not a regular file"'
  rm "$LOG"
  ln -s "$LOG.real" "$LOG"
  wait_for 20 has_found 1
}

@test "of a line that is too long the rest is told as lost" {
  touch "$LOG"
  followed
  { printf 'event 1 '; head -c 1500000 /dev/zero | tr '\0' x; echo ' event 2'; echo 'event 3'; } >>"$LOG"
  wait_for 20 has_found 3
  [ "$(found | tr '\n' ' ')" = "1 3 " ]
  run records 'select(.gap.reason == "line-too-long") | .gap.lost' 
  [ "$(awk '{ sum += $1 } END { print sum }' <<<"$output")" -eq $((1500000 + 17 - 1048576)) ]
}

@test "a pattern with a range is tried on its lines alone" {
  cat >>"$INI" <<END

[pattern inside]
regex = "word (?<w>\S+)"
groups = w
begin = "^BEGIN"
end = "^END"
include = none

[log ranged]
follow = $LOG
patterns = inside, event
END
  touch "$LOG"
  followed
  printf '%s\n' 'word 1' 'BEGIN word 2' 'word 3 event 7' 'END word 4' 'word 5' 'BEGIN' 'word 6' >>"$LOG"
  wait_for 20 has_record '.tapwarden.groups.w.text == "6"'
  mv "$LOG" "$LOG.1"
  printf '%s\n' 'word 7' 'BEGIN' 'word 8' >>"$LOG"
  wait_for 20 has_record '.tapwarden.groups.w.text == "8"'
  run records 'select(.tapwarden.log == "ranged" and .event_type == "alert")
    | [.tapwarden.rule, .tapwarden.offset, .tapwarden.match.text]'
  [ "$(sort <<<"$output" | tr '\n' ' ')" = \
    '["event",27,"event 7"] ["inside",13,"word 8"] ["inside",20,"word 3"] ["inside",59,"word 6"] ' ]
}

# shown: the words that were found, as they came.
shown() {
  records 'select(.tapwarden.rule == "inside" and .event_type == "alert") | .tapwarden.groups.w.text' |
    tr -d '"' | tr '\n' ' '
}

@test "a range that is open goes on with the next worker" {
  cat >>"$INI" <<END

[pattern inside]
regex = "word (?<w>\S+)"
groups = w
begin = "^BEGIN"
end = "^END"
include = none

[pattern whole]
regex = "word (?<w>\S+)"
begin = "^BEGIN"
end = "^END"
open-end = drop

[log ranged]
follow = $LOG
patterns = inside, whole
END
  local old
  touch "$LOG"
  followed
  printf '%s\n' 'word 1' 'BEGIN' 'word 2' >>"$LOG"
  wait_for 20 has_record '.tapwarden.groups.w.text == "2"'
  old=$(worker_pid capture)
  kill -HUP "$(pid_of agent)"
  wait_for 20 status_of ".workers[0] | .state == \"ready\" and .pid != $old"
  printf '%s\n' 'word 3' >>"$LOG"
  wait_for 20 has_record '.tapwarden.groups.w.text == "3"'
  # The place is in the counters page a moment after the record is in its file.
  wait_for 20 status_of '.logs[] | select(.name == "ranged") | .behind == 0'
  sleep 1
  kill -KILL "$(worker_pid capture)"
  wait_for 20 status_of '.workers[0] | .state == "ready" and .restarts == 1'
  printf '%s\n' 'word 4' 'END' 'word 5' 'BEGIN' 'word 6' >>"$LOG"
  wait_for 20 has_record '.tapwarden.groups.w.text == "6"'
  [ "$(shown)" = '2 3 4 6 ' ]
  # What was kept back of the other one went with the first worker: that is told, once.
  run records 'select(.event_type == "gap") | [.gap.reason, .gap.unit, .gap.lost, .tapwarden.rule]'
  [ "$output" = '["restart","ranges",1,"whole"]' ]
  wait_for 10 status_of '.logs[] | select(.name == "ranged") | .ranges_lost == 1 and .files_lost == 0 and .notes_lost == 0'
  tapwarden status | grep -qx '! log ranged: 1 open range ended with a worker'
}

@test "notes of renames that the kernel let go of are told" {
  touch "$LOG"
  followed
  kill -STOP "$(pid_of agent)"
  perl -e 'my ($d, $n) = @ARGV; open my $f, ">", "$d/a" or die; close $f;
    for (1 .. $n) { rename "$d/a", "$d/b" or die; rename "$d/b", "$d/a" or die }' \
    "$DIR" "$(cat /proc/sys/fs/inotify/max_queued_events)"
  kill -CONT "$(pid_of agent)"
  wait_for 20 has_event log-notes-lost
  wait_for 10 status_of '.logs[0].notes_lost >= 1'
  tapwarden status | grep -q '^! log [^ ]*: [0-9]* times* notes of renames were lost'
  event 1
  wait_for 20 has_found 1
}

@test "a search of a line that would not come to its end is left" {
  cat >>"$INI" <<END

[pattern slow]
regex = "slow(?:[a-z](?![a-z-]*+[0-9]))*(?:[a-z](?![a-z-]*+[0-9]))*[0-9]"
match-limit = 10000000

[log hostile]
follow = $LOG
patterns = slow
END
  touch "$LOG"
  followed
  # Each step looks at all that is behind it: match-limit would end them after minutes.
  printf 'slow%s%s\n' "$(head -c 4000 /dev/zero | tr '\0' a)" "$(head -c 300000 /dev/zero | tr '\0' -)" >>"$LOG"
  event 1
  wait_for 60 has_record '.tapwarden.log == "hostile" and .gap.reason == "limit"'
  wait_for 20 has_found 1
}

@test "lines of which each takes long leave the worker time to answer" {
  cat >>"$INI" <<END

[pattern slow]
regex = "slow(?:[a-z](?![a-z]*+[0-9]))*(?:[a-z](?![a-z]*+[0-9]))*[0-9]"
match-limit = 10000000

[pattern slower]
regex = "slow(?:[a-z](?![a-z]*+[0-9]))*(?:[a-z](?![a-z]*+[0-9]))*[0-9]"
match-limit = 10000000

[log hostile]
follow = $LOG
patterns = slow slower
END
  touch "$LOG"
  followed
  # Sixteen of them are looked at before messages have their turn, and each ends by a limit.
  yes "slow$(head -c 4000 /dev/zero | tr '\0' a)" | head -n 60 >>"$LOG"
  event 1
  wait_for 60 status_of '.logs[1] | .behind == 0 and .lines == 61 and .limited == 120'
  wait_for 20 has_found 1
  status_of '[.workers[].restarts] == [0, 0]'
}

@test "lines that make a pattern give up are counted, and hold nothing else up" {
  cat >>"$INI" <<END

[pattern evil]
regex = "q=(?:a|aa)+b"

[log hostile]
follow = $LOG
patterns = evil
END
  touch "$LOG"
  agent_start
  guest_start
  wait_for 20 status_of '[.logs[].state] == ["followed", "followed"]'
  yes "q=$(printf 'a%.0s' {1..60})cb" | head -n 10000 >>"$LOG"
  ask "in=between" >/dev/null
  wait_for 20 has_record '.tapwarden.groups.path.text == "/index.html?in=between"'
  wait_for 100 status_of '.logs[1] | .behind == 0 and .limited == 10000'
  [ "$(records 'select(.tapwarden.rule == "evil" and .tapwarden.log == "hostile") | .gap.lost' |
    awk '{ sum += $1 } END { print sum }')" -eq 10000 ]
  status_of '[.workers[].restarts] == [0, 0]'
}
