# tapwarden: `make demo` shows the main job, `make test` installs what is missing, builds and tests.
#
#   make                build/tapwarden         make check    the quick tests, without root
#   make lint           format, layers, linters make fuzz     libFuzzer over every parser
#   make units          the unit programs       make install  DESTDIR, PREFIX, SYSCONFDIR
#   make manual         build/man               make deb      a Debian package in build/
#   make bench          ratios against peers, BENCH='links extract' for some areas alone
#
# V=1 prints the commands; DEVELOPER=1 makes strict warnings errors; SAN=address,undefined builds
# with sanitizers into a folder of its own.

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo 0)
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
ZSH_FUNCTIONS ?= $(PREFIX)/share/zsh/site-functions
CFLAGS ?= -O2 -g
SAN ?=
V ?=
DEVELOPER ?=
FUZZ_SECONDS ?= 30
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

empty :=
comma := ,
percent := %
space := $(empty) $(empty)
B := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2);)
# A sub-make sees the tools and libraries that install-deps has just brought.
SUBMAKE = +$(Q)$(MAKE) --no-print-directory -j$(JOBS)

LIBS := libuv libmnl libpcap libpcre2-8 libmicrohttpd jansson libcap-ng libseccomp libcurl
OPTIONAL := $(shell pkg-config --exists libsystemd 2>/dev/null && echo libsystemd)
# Loaded when they are needed, see late_lib.h; by the names that the linker would have written down.
soname = $(shell readelf -d "$$($(CC) -print-file-name=$(1).so)" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
# Asked for once, and only when something is built: a bare machine has no pkg-config yet.
DEPS_CFLAGS = $(eval DEPS_CFLAGS := $$(shell pkg-config --cflags $(LIBS) $(OPTIONAL)))$(DEPS_CFLAGS)
DEPS_LIBS = $(eval DEPS_LIBS := $$(shell pkg-config --libs $(LIBS) $(OPTIONAL)) -liniparser -lcrypt)$(DEPS_LIBS)

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wformat=2 -Wundef
# The folder of the sources is no part of what is built: the same commit gives the same program.
HARDENING := $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE -ffile-prefix-map=$(CURDIR)=.
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
LANGUAGE := -std=gnu11 -D_GNU_SOURCE -I. $(if $(OPTIONAL),-DHAVE_LIBSYSTEMD=1)
ALL_CFLAGS = $(LANGUAGE) $(WARNINGS) $(if $(DEVELOPER),-Werror) $(HARDENING) $(SANITIZE) \
	$(CFLAGS) $(DEPS_CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(LDFLAGS)

SOURCES := $(sort $(wildcard agent/base/*.c netlink/*.c capture/*.c web/*.c agent/*.c))
HEADERS := $(sort $(wildcard agent/base/*.h netlink/*.h capture/*.h web/*.h agent/*.h))
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(B)/web/page_files.o
DYGRAPHS := /usr/share/javascript/dygraphs
PAGE_FILES = $(sort $(wildcard web/ui/*)) $(DYGRAPHS)/dygraph.min.js $(DYGRAPHS)/dygraph.min.css

# Of what the program says of itself, so made after it.
MANUAL := $(if $(shell command -v scdoc),$(B)/man/tapwarden.1 $(B)/man/tapwarden.ini.5)
# What is made of a commit has its date, and is the same bytes whenever it is made.
EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null))
DATED = $(if $(EPOCH),SOURCE_DATE_EPOCH=$(EPOCH))

all: $(B)/tapwarden manual
manual: $(or $(MANUAL),no-manual)

$(B)/tapwarden: $(OBJECTS)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(DEPS_LIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The page is a part of the program.
$(B)/page/page_files.c: scripts/embed-page $(PAGE_FILES)
	$(call say,EMBED,web/ui)scripts/embed-page $(@D) $(PAGE_FILES)

$(B)/web/page_files.o: $(B)/page/page_files.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/man/%: $(B)/tapwarden scripts/man/page scripts/man/scdoc.awk scripts/examples/tapwarden.ini
	@mkdir -p $(@D)
	$(call say,MAN,$@)$(DATED) scripts/man/page $(B)/tapwarden $(subst .,,$(suffix $@)) >$@.new
	@mv $@.new $@

no-manual:
	@echo 'no manual pages are made: scdoc is missing: `scripts/install-deps build` brings it' >&2

# The one file that knows the version, made again only when it changed.
$(B)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
$(B)/agent/version.o: CFLAGS += -DTAPWARDEN_VERSION='"$(VERSION)"'
$(B)/agent/version.o: $(B)/version

define_soname = $(addprefix -D$(1)=,$(addsuffix \",$(addprefix \",$(call soname,$(2)))))
$(B)/agent/curl_lib.o: CFLAGS += $(call define_soname,CURL_SONAME,libcurl)
$(B)/web/mhd_lib.o: CFLAGS += $(call define_soname,MHD_SONAME,libmicrohttpd)
$(B)/agent/service.o: CFLAGS += $(if $(OPTIONAL),$(call define_soname,SYSTEMD_SONAME,libsystemd))
$(B)/agent/base/pcap_lib.o: CFLAGS += $(call define_soname,PCAP_SONAME,libpcap)

# ---- test programs: each links only what its lines `/* links: agent/base/err.c ... */` name ------

UNITS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZERS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
HELPERS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/net/*.c tests/boot/*.c)))
BENCHES := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/*.c)))
CLI_BATS := $(sort $(wildcard tests/cli/*.bats))
ROOT_BATS := $(sort $(wildcard tests/net/*.bats tests/boot/*.bats tests/ui/*.bats))

units: $(UNITS)
replays: $(FUZZERS)
helpers: $(HELPERS)
benches: $(BENCHES)

# What drives the browser, and what judges the page for people who cannot see or point: by npm.
UI_MODULES := build/ui/node_modules/.package-lock.json
ui-modules: $(UI_MODULES)
$(UI_MODULES): tests/ui/package.json
	@mkdir -p build/ui
	$(call say,NPM,$<)cp $< build/ui && cd build/ui && npm install --silent --no-fund --no-audit --ignore-scripts
	@touch $@

# A name may be a glob; one that matches nothing is a file still to be made.
links_of = $(foreach name,$(shell sed -n 's,^/\* links: \(.*\) \*/$$,\1,p' $(1)),$(or $(wildcard $(name)),$(name)))
linked = $$(patsubst $$(percent)c,$(B)/$$(percent)o,$$(call links_of,$(1)/$$*.c))
link_test = $(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(DEPS_LIBS)

.SECONDEXPANSION:
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(call linked,tests/unit)
	$(link_test) -lcmocka
$(B)/tests/net/%: $(B)/tests/net/%.o $(call linked,tests/net)
	$(link_test)
$(B)/tests/bench/%: $(B)/tests/bench/%.o $(call linked,tests/bench)
	$(link_test)
$(B)/tests/boot/%: $(B)/tests/boot/%.o $(call linked,tests/boot)
	$(link_test)
# Without libFuzzer, replay.c feeds the corpus to the same function.
$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(call linked,tests/fuzz)
	$(link_test)
$(B)/libfuzzer/%: $(B)/tests/fuzz/%.o $(call linked,tests/fuzz)
	@mkdir -p $(@D)
	$(link_test) -fsanitize=fuzzer

# ---- checking --------------------------------------------------------------------------------

SANITIZED := SAN=address,undefined
SAN_UNITS := $(UNITS:$(B)/%=build-address-undefined/%)
SAN_FUZZERS := $(FUZZERS:$(B)/%=build-address-undefined/%)
LINTS := lint-format lint-layers lint-shell lint-cppcheck lint-tidy
# The runner chooses by the name: a program, a corpus replay, a bats file or a lint target. What
# failed is said again after all the others.
PROVE = prove --exec tests/run
# One more than there are processors: most tests wait more than they compute.
TEST_JOBS = $$(($(JOBS) + 1))
FAILURES := $(B)/failures

test:
	$(Q)scripts/install-deps build test lint demo
	$(SUBMAKE) DEVELOPER=1 all units helpers benches ui-modules
	$(SUBMAKE) DEVELOPER=1 $(SANITIZED) units replays
	$(Q): >$(FAILURES)
	$(Q)$(PROVE) -j$(TEST_JOBS) $(UNITS) $(SAN_UNITS) $(SAN_FUZZERS) $(CLI_BATS) $(ROOT_BATS) $(LINTS) \
		|| { cat $(FAILURES); exit 1; }

check: all units replays
	$(Q)$(PROVE) -j$(JOBS) $(UNITS) $(FUZZERS) $(CLI_BATS)

bench:
	$(Q)scripts/install-deps build bench
	$(SUBMAKE) all benches
	$(Q)tests/bench/run $(BENCH)

demo:
	$(Q)scripts/install-deps build demo
	$(SUBMAKE) all build/tests/net/tap_guest
	$(Q)scripts/demo

# The corpus grows in the build folder; a finding worth keeping is copied to tests/fuzz/corpus.
FUZZ_SAN := fuzzer-no-link,address,undefined
fuzz:
	$(Q)scripts/install-deps build fuzz
	$(SUBMAKE) CC=clang SAN=$(FUZZ_SAN) libfuzzer-run

libfuzzer-run: $(FUZZERS:$(B)/tests/fuzz/%=$(B)/libfuzzer/%)
	$(Q)for program in $^; do \
		noun=$${program##*/fuzz_}; mkdir -p $(B)/corpus/$$noun && \
		$$program -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
			-artifact_prefix=$(B)/corpus/ $(B)/corpus/$$noun tests/fuzz/corpus/$$noun \
			|| exit 1; \
	done

# ---- lint: no finding is allowed -------------------------------------------------------------

FORMATTED = $(SOURCES) $(HEADERS) $(sort $(wildcard tests/*/*.c tests/*/*.h))
TIDIED := $(SOURCES) $(sort $(wildcard tests/net/*.c tests/boot/*.c tests/bench/*.c tests/fuzz/*.c))
SHELL_SCRIPTS := scripts/libvirt/tapwarden scripts/install-deps scripts/embed-page scripts/demo scripts/check-layers \
	scripts/man/page scripts/completion/tapwarden.bash \
	scripts/deb/build scripts/deb/postinst scripts/deb/prerm scripts/deb/postrm tests/run tests/bench/run .ci/run

# Each test of bats is a subshell, and so its own (SC2030, SC2031); a '$$1' or '`' in single quotes
# is meant there (SC2016); `run` sets stderr (SC2154).
BATS_FILES := $(wildcard tests/*/*.bats tests/*/*.bash)

lint:
	$(SUBMAKE) -k $(LINTS)

# clang-format keeps code to its ColumnLimit, and would break comments where they are tables.
LONG_COMMENT = /\/\*|^[\t ]*\*/ { gsub(/\t/, "        "); \
	if (length > 100) { print FILENAME ":" FNR ": a comment past column 100"; bad = 1 } } \
	END { exit bad }

lint-format:
	$(Q)clang-format --dry-run -Werror $(FORMATTED)
	$(Q)awk '$(LONG_COMMENT)' $(FORMATTED)

lint-layers:
	$(Q)scripts/check-layers .

lint-shell:
	$(Q)shellcheck $(SHELL_SCRIPTS)
	$(Q)shellcheck --shell=bats --exclude=SC2016,SC2030,SC2031,SC2154 $(BATS_FILES)

# cppcheck sees no system header; these macros are more than a call.
CPPCHECK_MACROS := -D'json_array_foreach(a,i,v)=for(v=a;i;i++)'

lint-cppcheck:
	@mkdir -p build/cppcheck
	$(Q)cppcheck --quiet -j$(JOBS) --error-exitcode=1 --std=c11 --inline-suppr \
		--enable=warning,performance,portability,style --cppcheck-build-dir=build/cppcheck \
		--suppressions-list=scripts/cppcheck-suppressions --template=gcc \
		$(filter-out -std=%,$(LANGUAGE)) $(CPPCHECK_MACROS) $(SOURCES)

lint-tidy: $(TIDIED:%.c=build/tidy/%)

build/tidy/%: %.c $(HEADERS) .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY,$<)clang-tidy --quiet --warnings-as-errors='*' $< -- \
		$(LANGUAGE) -DTAPWARDEN_VERSION='""' $(DEPS_CFLAGS) >$@.out 2>&1 || \
		{ cat $@.out; exit 1; }
	@mv $@.out $@

# ---- installing ------------------------------------------------------------------------------

install: all
	install -D -m 0755 $(B)/tapwarden $(DESTDIR)$(PREFIX)/bin/tapwarden
	install -D -m 0644 scripts/examples/tapwarden.ini \
		$(DESTDIR)$(SYSCONFDIR)/tapwarden/tapwarden.ini.example
	install -D -m 0755 scripts/libvirt/tapwarden $(DESTDIR)$(PREFIX)/share/tapwarden/libvirt-hook
	install -D -m 0644 scripts/grafana/tapwarden.json \
		$(DESTDIR)$(PREFIX)/share/tapwarden/grafana.json
	sed 's,@BINDIR@,$(PREFIX)/bin,' scripts/systemd/tapwarden.service | \
		install -D -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/systemd/system/tapwarden.service
	install -D -m 0644 scripts/systemd/tapwarden.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/tapwarden.conf
	install -D -m 0644 scripts/systemd/tapwarden.tmpfiles \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tapwarden.conf
	install -D -m 0644 scripts/completion/tapwarden.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tapwarden
	sed 's,@COMPLETIONS@,$(PREFIX)/share/bash-completion/completions,' scripts/completion/tapwarden.zsh | \
		install -D -m 0644 /dev/stdin $(DESTDIR)$(ZSH_FUNCTIONS)/_tapwarden
	$(if $(MANUAL),install -D -m 0644 $(B)/man/tapwarden.1 $(DESTDIR)$(PREFIX)/share/man/man1/tapwarden.1)
	$(if $(MANUAL),install -D -m 0644 $(B)/man/tapwarden.ini.5 \
		$(DESTDIR)$(PREFIX)/share/man/man5/tapwarden.ini.5)

# What install puts there, which is its own list: of the folders those called tapwarden that are empty.
uninstall:
	$(Q)rm -rf $(B)/uninstall
	$(SUBMAKE) -s install DESTDIR=$(CURDIR)/$(B)/uninstall >/dev/null
	$(Q)cd $(B)/uninstall && find . -type f -printf '%P\0' | (cd $(DESTDIR)/ && xargs -0 rm -fv)
	$(Q)cd $(B)/uninstall && find . -type d -name tapwarden -printf '%P\n' | while read -r dir; do \
		[ ! -d "$(DESTDIR)/$$dir" ] || rmdir --ignore-fail-on-non-empty "$(DESTDIR)/$$dir"; done
	$(Q)rm -rf $(B)/uninstall

# The maintainer of a package is who made it: of the sources it is the commit's author.
DEB_MAINTAINER ?= $(shell git log -1 --format='%an <%ae>' 2>/dev/null)

PACKAGES ?= $(B)

deb:
	$(Q)scripts/install-deps build deb
	$(SUBMAKE) all
	$(Q)rm -rf $(PACKAGES)/deb
	$(Q)umask 022 && $(MAKE) -s --no-print-directory install DESTDIR=$(PACKAGES)/deb PREFIX=/usr SYSCONFDIR=/etc \
		ZSH_FUNCTIONS=/usr/share/zsh/vendor-completions
	$(Q)$(DATED) DEB_MAINTAINER='$(DEB_MAINTAINER)' scripts/deb/build $(PACKAGES)/deb '$(VERSION)' $(PACKAGES)

clean:
	rm -rf build build-*

.PHONY: all manual no-manual units replays helpers benches ui-modules test check bench demo fuzz libfuzzer-run lint $(LINTS) install uninstall deb clean FORCE
.PRECIOUS: $(B)/%.o
-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)
