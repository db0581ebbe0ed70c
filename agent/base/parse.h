/*
 * Strict parsers of single values: the whole text must be the value. Each returns 0 or -EINVAL
 * with the reason in `err`, and leaves its output untouched on failure. Pure.
 */
#ifndef TW_PARSE_H
#define TW_PARSE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define MAC_LEN	     6
#define MAC_TEXT_MAX 18 /* "52:54:00:12:34:56" and NUL */

/* A name of ours: set, link, pattern, guest ... */
#define NAME_MAX_LEN 63

/* A kernel interface name, IFNAMSIZ with its NUL. */
#define IFNAME_SIZE 16

/* An iSCSI name: RFC 3720 section 3.2.6.1 allows 223 bytes. */
#define ISCSI_NAME_MAX 223

#define HOST_TEXT_MAX	 254 /* RFC 1123: 253 characters and NUL */
#define ISCSI_PORT	 3260
#define ADDRESS_TEXT_MAX 64 /* "[ipv6]:port" and NUL */

/* An address or name and a port: "192.0.2.1", "192.0.2.1:3260", "[2001:db8::1]:3260", "san". */
struct host_port {
	char host[HOST_TEXT_MAX]; /* an IPv6 address without brackets, as inet_ntop() prints it */
	bool ipv6; /* host is an IPv6 address */
	bool name; /* host is a name, not an address */
	uint16_t port;
};

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct err *err);

/* yes|no|true|false|on|off|1|0, any case */
int parse_bool(const char *s, bool *ret, struct err *err);

/* A number of bytes with an optional suffix K, M or G (powers of 1024), any case. */
int parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct err *err);

/* Six pairs of hex digits, all separated by ':' or all by '-', or bare (12 digits). */
int parse_mac(const char *s, uint8_t ret_mac[MAC_LEN], struct err *err);
void format_mac(char out[MAC_TEXT_MAX], const uint8_t mac[MAC_LEN]);

/*
 * An altname of a link: 1 to 127 printable ASCII characters, and no '/', ',' or blank. The kernel
 * takes more, but such a name could be written nowhere.
 */
int parse_altname(const char *s, struct err *err);

/* Unicast and not zero: what a link may carry. */
bool mac_is_unicast(const uint8_t mac[MAC_LEN]);

/* [a-z0-9] first, then [a-z0-9._-], at most NAME_MAX_LEN: names that survive INI's case folding. */
int parse_name(const char *s, struct err *err);

/* As dev_valid_name() of the kernel, and without '%' and non-ASCII bytes. */
int parse_ifname(const char *s, struct err *err);

/* Letters, digits, '-' in labels of at most 63 (RFC 1123), at most 253 in all. */
int parse_hostname(const char *s, struct err *err);

/* `port` is the default when the text names none; 0 makes a port mandatory. */
int parse_host_port(const char *s, uint16_t port, struct host_port *ret, struct err *err);

/* A network namespace: its name in /run/netns (ip-netns(8)), or the pid of a process in it. */
#define NETNS_NAME_SIZE 64

int parse_netns(const char *s, struct err *err);

/* An address of one host and the length of its network's prefix: "192.0.2.1/24". */
struct cidr {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t prefix; /* bits, at least 1 */
	uint8_t address[16]; /* of AF_INET the first 4 bytes; the rest zero */
};

#define CIDR_TEXT_MAX 50 /* INET6_ADDRSTRLEN, "/128" */

/* Refused: an address that no interface can have (unspecified, multicast, loopback, broadcast). */
int parse_cidr(const char *s, struct cidr *ret, struct err *err);

/* "192.0.2.1", "192.0.2.0/28", "::/0": an address, or a prefix with nothing behind its bits. */
int parse_prefix(const char *s, struct cidr *ret, struct err *err);
void format_cidr(char out[CIDR_TEXT_MAX], const struct cidr *cidr);

/* "iqn.", "eui." or "naa." names by RFC 3720, 3721 and 3980. Upper case is refused, with a hint. */
int parse_iscsi_name(const char *s, struct err *err);

#endif
