/* Strict parsers of what guests boot from: as those of parse.h, on the whole text. Pure. */
#ifndef TW_PARSE_BOOT_H
#define TW_PARSE_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"

#define UUID_TEXT_LEN 36

/* x86 and arm64 take a command line of 2048 bytes with its NUL (COMMAND_LINE_SIZE). */
#define CMDLINE_MAX 2047

/* An address with the length of its network, or none: then DHCP gives it. */
struct net_address {
	char text[46]; /* as inet_ntop() prints it; "" for DHCP */
	uint8_t bits;
	bool ipv6;
};

/* Lower-case hex digits in groups of 8-4-4-4-12: how blkid(8) prints it and udev names it. */
int parse_uuid(const char *s, struct err *err);

/* "dhcp", or an address that a host can have: 192.0.2.10/24, 2001:db8::10/64. */
int parse_net_address(const char *s, struct net_address *ret, struct err *err);

/* One IPv4 or IPv6 address. */
int parse_ip(const char *s, struct err *err);

/* A hash of crypt(5) that begins with '$': what stands in the second field of shadow(5). */
int parse_crypt_hash(const char *s, struct err *err);

/* A file of this host by its path, or an http, https or tftp URL that needs no quoting anywhere. */
int parse_boot_source(const char *s, struct err *err);
bool boot_source_is_url(const char *s);

/* Words of printable ASCII, single blanks between them, quotes that end. */
int parse_cmdline(const char *s, struct err *err);

/* A name that RFC 3720 section 11.1.4 allows a CHAP user, as far as every tool carries it. */
int parse_chap_user(const char *s, struct err *err);

/* A Debian release, as debootstrap(8) takes it: letters, digits, '-'. */
int parse_suite(const char *s, struct err *err);

#endif
