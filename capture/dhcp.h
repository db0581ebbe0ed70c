/* DHCP messages as far as they say who has which address: RFC 2131, 2132 and RFC 8415. Pure. */
#ifndef TW_DHCP_H
#define TW_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP4_SERVER_PORT 67
#define DHCP4_CLIENT_PORT 68
#define DHCP6_CLIENT_PORT 546
#define DHCP6_SERVER_PORT 547

#define DHCP_FOREVER UINT32_MAX /* of seconds */

/* RFC 2132 section 9.6 */
enum dhcp4_type {
	DHCP4_DISCOVER = 1,
	DHCP4_REQUEST = 3,
	DHCP4_DECLINE = 4,
	DHCP4_ACK = 5,
	DHCP4_RELEASE = 7,
};

/* RFC 8415 section 7.3 */
enum dhcp6_type {
	DHCP6_SOLICIT = 1,
	DHCP6_REQUEST = 3,
	DHCP6_RENEW = 5,
	DHCP6_REBIND = 6,
	DHCP6_REPLY = 7,
	DHCP6_RELEASE = 8,
	DHCP6_DECLINE = 9,
};

/* Pointers go into the message. */
struct dhcp4 {
	bool reply; /* BOOTREPLY */
	uint8_t type; /* enum dhcp4_type or another */
	uint32_t xid;
	const uint8_t *mac; /* chaddr of Ethernet; NULL: another hardware */
	const uint8_t *client; /* ciaddr: what the client has */
	const uint8_t *yours; /* yiaddr: what it is given */
	uint32_t lease; /* seconds; 0: none is told */
	const uint8_t *hostname; /* NULL: none */
	size_t hostname_len;
};

struct dhcp6 {
	uint8_t type;
	uint32_t xid; /* 24 bits */
	const uint8_t *address; /* the first of an IA_NA; NULL: none */
	uint32_t valid; /* seconds that it lives */
};

/* False for what is no message of a client or server; then `ret` is as it was. */
bool dhcp4_parse(const uint8_t *message, size_t len, struct dhcp4 *ret);
bool dhcp6_parse(const uint8_t *message, size_t len, struct dhcp6 *ret);

#endif
