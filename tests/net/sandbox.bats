#!/usr/bin/env bats
# What the workers have given up, of those that serve; and what a process in their sandbox is refused.

bats_require_minimum_version 1.5.0

load guest.bash

setup() {
  house_up
}

teardown() {
  house_down
}

# status_line ROLE KEY: from /proc/PID/status of that worker.
status_line() {
  sed -n "s/^$2:[[:space:]]*//p" "/proc/$(worker_pid "$1")/status"
}

probe() {
  mkdir -p "$DIR/probe/$1"
  in_host "$ROOT/build/tests/net/sandbox_probe" "$1" "$DIR/probe/$1" </dev/null
}

# number_of NAME: of a system call, on this machine.
number_of() {
  printf '#include <sys/syscall.h>\nSYS_%s\n' "$1" | gcc -E -P - | tail -n 1
}

@test "each worker that serves is filtered, has no rights, and no page of it is writable and code" {
  agent_start
  guest_start
  local role set
  for role in capture web; do
    [ "$(status_line "$role" Seccomp)" = 2 ]
    [ "$(status_line "$role" NoNewPrivs)" = 1 ]
    for set in CapInh CapPrm CapEff CapAmb; do
      [ "$(status_line "$role" "$set")" = 0000000000000000 ]
    done
    [ "$(grep -c ' [r-]wx' "/proc/$(worker_pid "$role")/maps")" -eq 0 ]
    status_of ".workers[] | select(.name == \"$role\") | .sandbox |
      .seccomp and .landlock >= 6 and .mseal and .mdwe"
  done
  tapwarden status | grep -q '^capture .* ready  0  *seccomp, landlock [0-9]*, mseal, mdwe  -$'
  # Its patterns are machine code all the same, and they match.
  status_of '.workers[0] | .patterns > 0 and .jit == .patterns'
  ask "order=sealed"
  wait_for 10 has_record '.tapwarden.groups.path.text == "/index.html?order=sealed"'
}

# By iniparser, which opens what it reads by a name.
@test "the web worker reads a configuration that a client sends" {
  agent_start
  run in_host curl -sS --unix-socket "$DIR/run/api.sock" -H 'Content-Type: application/octet-stream' \
    --data-binary $'[set a]\nlower = eno1\nmode = brigde\n' http://host/v1/check
  jq -e '.faults | length == 1 and .[0].line == 3 and .[0].key == "mode"' <<<"$output"
}

@test "a worker that asks for another program is ended, and the event names the call" {
  agent_start
  local role pid
  for role in capture web; do
    pid=$(worker_pid "$role")
    "$ROOT/build/tests/net/syscall_into" "$pid" "$(number_of execve)"
    # Something to do makes it ask for the next one at once.
    wait_for 20 is_replaced "$role" "$pid"
    status_of ".workers[] | select(.name == \"$role\") | .restarts == 1 and
      .last_death == \"it asked for the system call execve, which its sandbox refuses\""
    grep -q "worker-died: $role worker: it asked for the system call execve, which" "$DIR/agent.err"
  done
}

is_replaced() {
  status_of ".workers[] | select(.name == \"$1\") | .pid != $2 and .pid > 0 and .state == \"ready\""
}

@test "in the capture worker's sandbox only its log directory and what it holds are there" {
  run probe capture
  diff - <(echo "$output") <<END
read-outside EACCES
write-outside EACCES
open-device EACCES
make-log works
rotate-log works
make-dir ENOSYS
write-open-file works
run-program $(refused execve)
make-process $(refused clone)
make-thread SIGSYS
ptrace $(refused ptrace)
signal-agent $(refused kill)
signal-thread-of-agent $(refused tgkill)
socket-packet $(refused socket)
socket-netlink $(refused socket)
socket-tcp $(refused socket)
connect-tcp $(refused connect)
bind-tcp $(refused bind)
connect-abstract $(refused connect)
accept-waiting ENOSYS
map-plain works
map-writable-code $(refused mmap)
map-code $(refused mmap)
data-to-code $(refused mprotect)
write-code SIGSEGV
code-to-data EPERM
unmap-code EPERM
replace-code EPERM
bpf $(refused bpf)
mount $(refused mount)
keyctl $(refused keyctl)
io-uring $(refused io_uring_setup)
leave-namespace $(refused unshare)
perf $(refused perf_event_open)
silence-agent $(refused rt_sigaction)
make-memfd ENOSYS
type-into-terminal ENOSYS
unknown-call ENOSYS
END
}

refused() {
  echo "SIGSYS: it asked for the system call $1, which its sandbox refuses"
}

@test "in the web worker's sandbox no file is there, and it only accepts" {
  run probe web
  diff - <(echo "$output") <<END
read-outside EACCES
write-outside EACCES
open-device EACCES
make-log EACCES
make-dir ENOSYS
write-open-file works
run-program $(refused execve)
make-process $(refused clone)
make-thread works
ptrace $(refused ptrace)
signal-agent $(refused kill)
signal-thread-of-agent $(refused tgkill)
socket-packet $(refused socket)
socket-netlink $(refused socket)
socket-tcp $(refused socket)
connect-tcp $(refused connect)
bind-tcp $(refused bind)
connect-abstract $(refused connect)
accept-waiting works
map-plain works
map-writable-code $(refused mmap)
map-code $(refused mmap)
data-to-code $(refused mprotect)
write-code SIGSEGV
code-to-data EPERM
unmap-code EPERM
replace-code EPERM
bpf $(refused bpf)
mount $(refused mount)
keyctl $(refused keyctl)
io-uring $(refused io_uring_setup)
leave-namespace $(refused unshare)
perf $(refused perf_event_open)
silence-agent $(refused rt_sigaction)
make-memfd works
type-into-terminal ENOSYS
unknown-call ENOSYS
END
}

# Whoever compiles a client's pattern makes code; whoever plans looks for users' numbers, and libc for nscd.
@test "a trial and a plan of what a client sent have what they were given, and may do little with it" {
  probe trial >"$DIR/trial"
  diff "$DIR/trial" - <<END
read-outside EACCES
write-outside EACCES
open-device EACCES
make-log EACCES
write-open-file works
run-program SIGSYS
make-process SIGSYS
ptrace SIGSYS
signal-agent SIGSYS
socket-packet SIGSYS
socket-netlink SIGSYS
socket-tcp SIGSYS
connect-tcp SIGSYS
bind-tcp SIGSYS
connect-abstract SIGSYS
map-plain works
map-writable-code works
bpf SIGSYS
mount SIGSYS
keyctl SIGSYS
io-uring SIGSYS
leave-namespace SIGSYS
perf SIGSYS
silence-agent SIGSYS
make-memfd ENOSYS
type-into-terminal ENOSYS
unknown-call ENOSYS
END
  probe plan >"$DIR/plan"
  diff "$DIR/plan" <(sed -E 's/^(socket-.*|connect-.*|map-writable-code) .*/\1 ENOSYS/
    s/^(make-memfd) .*/\1 works/' "$DIR/trial")
}

# order_of PID: the measures of the process, and where it reads its standard input.
order_of() {
  sed -nE "s/^$1 +landlock_restrict_self\(.* = 0$/landlock/p; s/^$1 +seccomp\(SECCOMP_SET_MODE_FILTER, .* = 0$/seccomp/p
    s/^$1 +(read|pread64)\(0, .*/reads/p" "$DIR/calls" | uniq
}

@test "a trial and a plan are in their sandbox before they read what was sent" {
  local process path pid
  agent_start
  spawn strace strace -f -e trace=execve,read,pread64,seccomp,landlock_restrict_self -o "$DIR/calls" \
    -p "$(pid_of agent)"
  wait_for 20 grep -q attached "$DIR/strace.err"
  for path in plan explain; do
    in_host curl -sS --unix-socket "$DIR/run/api.sock" -H 'Content-Type: application/octet-stream' -d '{"regex": "a"}' \
      "http://x/v1/$path" >"$DIR/$path.json"
  done
  jq -e .explained.jit.on "$DIR/explain.json"
  jq -e '.errors | length > 0' "$DIR/plan.json"
  for process in plan trial; do
    pid=$(awk -v verb="\"$process-worker\"" 'index($0, "execve(") && index($0, verb) { print $1 }' "$DIR/calls")
    [ "$(order_of "$pid")" = $'landlock\nseccomp\nreads' ]
  done
}

# Either would do without the other: a mistake in one list opens nothing.
@test "Landlock by itself refuses files, TCP, signals and abstract sockets" {
  run probe landlock
  diff - <(echo "$output") <<END
read-outside EACCES
write-outside EACCES
open-device EACCES
make-log works
rotate-log works
make-dir EACCES
make-link EACCES
write-open-file works
run-program EACCES
signal-agent EPERM
connect-tcp EACCES
bind-tcp EACCES
connect-abstract EPERM
accept-waiting works
END
}

@test "sealed code by itself cannot be written, moved or added to" {
  run probe pages
  diff - <(echo "$output") <<END
map-plain works
map-writable-code EACCES
data-to-code EACCES
write-code SIGSEGV
code-to-data EPERM
unmap-code EPERM
replace-code EPERM
END
}
