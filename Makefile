# tapwarden: `make demo` shows the main job, `make test` installs what is missing, builds and tests.
#
# V=1 prints the commands; DEVELOPER=1 makes strict warnings errors; SAN=address,undefined builds
# with sanitizers into a folder of its own; DESTDIR and PREFIX steer `make install`.

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo 0)
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
CC ?= cc
CFLAGS ?= -O2 -g
SAN ?=
V ?=
DEVELOPER ?=

empty :=
comma := ,
space := $(empty) $(empty)
B := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2);)

LIBS := libuv libmnl libpcre2-8 libmicrohttpd jansson libcap-ng libcurl
OPTIONAL := $(shell pkg-config --exists libsystemd 2>/dev/null && echo libsystemd)
# Asked for only when something is built: `make demo` on a bare machine has no pkg-config yet.
DEPS_CFLAGS = $(shell pkg-config --cflags $(LIBS) $(OPTIONAL))
DEPS_LIBS = $(shell pkg-config --libs $(LIBS) $(OPTIONAL)) -liniparser

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wformat=2 -Wundef
HARDENING := $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) $(if $(DEVELOPER),-Werror) $(HARDENING) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(if $(OPTIONAL),-DHAVE_LIBSYSTEMD=1) $(CFLAGS) $(DEPS_CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

SOURCES := $(sort $(wildcard agent/base/*.c netlink/*.c capture/*.c web/*.c agent/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o)

all: $(B)/tapwarden

$(B)/tapwarden: $(OBJECTS)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(DEPS_LIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The one file that knows the version, made again only when it changed.
$(B)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
$(B)/agent/version.o: CFLAGS += -DTAPWARDEN_VERSION='"$(VERSION)"'
$(B)/agent/version.o: $(B)/version

# A unit test links only what its lines `/* links: agent/base/parse.c ... */` name.
UNITS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
units: $(UNITS)

links_of = $(shell sed -n 's,^/\* links: \(.*\) \*/$$,\1,p' $(1))
.SECONDEXPANSION:
$(B)/tests/unit/%: $(B)/tests/unit/%.o $$(patsubst $$(percent)c,$(B)/$$(percent)o,$$(call links_of,tests/unit/$$*.c))
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(DEPS_LIBS) -lcmocka
percent := %.

clean:
	rm -rf build build-*

.PHONY: all units clean FORCE
.PRECIOUS: $(B)/%.o
-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)
