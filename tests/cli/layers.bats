#!/usr/bin/env bats
# scripts/check-layers: a small house without a fault passes, and each planted fault is found.

setup() {
  house=$BATS_TEST_TMPDIR/house
  mkdir -p "$house/agent/base" "$house/netlink" "$house/capture" "$house/web"
  touch "$house/Makefile" "$house/README.md" "$house/LICENSE"
  put agent/base/err.h '/* Errors. */'
  put agent/base/ini.h '/* Edge: reads files. */'
  put agent/base/ini.c '#include "agent/base/ini.h"' '#include <iniparser/iniparser.h>' \
    '#include <fcntl.h>'
  put netlink/plan.h '/* The plan. Pure. */' '#include "agent/base/err.h"'
  put netlink/plan.c '#include "netlink/plan.h"' '#include <libmnl/libmnl.h>'
  put netlink/channel.h '/* The socket. Edge. */'
  put netlink/channel.c '#include "netlink/channel.h"' '#include "netlink/plan.h"' \
    '#include <sys/socket.h>'
  put capture/regex.h '/*' ' * One rule.' ' *' ' * Pure.' ' */'
  put capture/regex_code.h '/* Pure: of the library. */' '#include <pcre2.h>'
  put capture/regex.c '#include "capture/regex.h"' '#include "capture/regex_code.h"'
  put web/routes.h '/* Pure: paths. */'
  put agent/main.c '#include "netlink/plan.h"' '#include "web/routes.h"' \
    '#include "capture/regex.h"' '#include <uv.h>'
}

# put FILE LINE...: replaces FILE of the house.
put() {
  local file=$house/$1
  shift
  printf '%s\n' "$@" >"$file"
}

check() {
  run "$BATS_TEST_DIRNAME/../../scripts/check-layers" "$house"
}

# finds TEXT: exactly this is said, and the check fails.
finds() {
  check
  [ "$status" -eq 1 ]
  [ "$output" = "$1" ]
}

@test "a house in order passes without a word" {
  check
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "the ground floor includes nothing above it" {
  put agent/base/err.h '/* Errors. */' '#include "netlink/plan.h"'
  finds 'agent/base/err.h:2: base must not include netlink: "netlink/plan.h"'
}

@test "netlink does not know capture" {
  put netlink/channel.c '#include "capture/regex.h"'
  finds 'netlink/channel.c:1: netlink must not include capture: "capture/regex.h"'
}

@test "capture does not know web" {
  put capture/regex.c '#include "capture/regex.h"' '#  include "web/routes.h"'
  finds 'capture/regex.c:2: capture must not include web: "web/routes.h"'
}

@test "web does not know the agent" {
  put agent/cli.h '/* Verbs. */'
  put web/routes.c '#include "agent/cli.h"'
  finds 'web/routes.c:1: web must not include agent: "agent/cli.h"'
}

@test "an include without its path from the root" {
  put netlink/channel.c '#include "plan.h"'
  finds 'netlink/channel.c:1: "plan.h": includes are given by their path from the root'
}

@test "a library outside of its file" {
  put web/routes.c '#include <pcre2.h>'
  finds 'web/routes.c:1: <pcre2.h> belongs to capture/regex_code.h alone'
}

@test "a library outside of its room" {
  put agent/main.c '#include <libmnl/libmnl.h>'
  finds 'agent/main.c:1: <libmnl/libmnl.h> belongs to netlink/ alone'
}

@test "a library without a fixed place has one place" {
  put agent/base/pcap_lib.h '#include <pcap/pcap.h>'
  put capture/source.c '#include <pcap/pcap.h>'
  finds 'capture/source.c:1: <pcap/pcap.h> belongs to agent/base/pcap_lib.h alone'
}

@test "a pure file does no input or output" {
  put capture/regex.c '#include "capture/regex.h"' '#include <unistd.h>'
  finds 'capture/regex.c:2: a pure file must not include <unistd.h>'
}

@test "a pure file has no event loop" {
  put netlink/plan.h '/* The plan. Pure. */' '#include <uv.h>'
  finds 'netlink/plan.h:2: a pure file must not include <uv.h>'
}

@test "a pure file does not include an edge header" {
  put netlink/plan.c '#include "netlink/channel.h"'
  finds 'netlink/plan.c:1: a pure file must not include the edge header "netlink/channel.h"'
}

@test "a pure file does not ask the clock" {
  put netlink/plan.c '#include <time.h>' '/* clock_gettime() in a comment is fine. */' \
    'int f(void) { return time (NULL) > 0; }'
  finds 'netlink/plan.c:3: a pure file must not ask the clock'
}

@test "an edge asks the clock by the one function for it" {
  put netlink/channel.c '#include "netlink/channel.h"' '' '	clock_gettime(CLOCK_REALTIME, &now);'
  finds 'netlink/channel.c:3: clock_ns() of agent/base/clock.h asks the clock'
}

@test "a header says whether it is pure or edge" {
  put web/routes.h '/* Paths; Purely a test. */'
  finds 'web/routes.h:1: the lead comment says neither Pure nor Edge'
}

@test "the word counts in the lead comment alone" {
  put web/routes.h '/* Paths. */' '/* Pure. */'
  finds 'web/routes.h:1: the lead comment says neither Pure nor Edge'
}

@test "the top level holds the rooms and nothing else" {
  mkdir "$house/vendor"
  finds 'vendor:1: not one of the rooms: the top level holds nothing else'
}

@test "every fault is found at once" {
  put netlink/channel.c '#include "capture/regex.h"' '#include <pcre2.h>'
  put web/routes.c '#include <uv.h>'
  check
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -eq 3 ]
}
