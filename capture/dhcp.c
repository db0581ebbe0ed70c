#include "capture/dhcp.h"

#include "agent/base/cursor.h"

/* RFC 2131 section 2: the fixed part, in which sname and file may hold more options. */
#define DHCP4_FIXED  236
#define DHCP4_XID    4
#define DHCP4_CIADDR 12
#define DHCP4_YIADDR 16
#define DHCP4_CHADDR 28
#define DHCP4_SNAME  44
#define DHCP4_FILE   108
#define DHCP4_COOKIE 0x63825363u

enum dhcp4_option {
	OPTION_PAD = 0,
	OPTION_HOSTNAME = 12,
	OPTION_LEASE = 51,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_END = 255,
};

#define OVERLOAD_FILE  1
#define OVERLOAD_SNAME 2

enum dhcp6_option {
	OPTION6_IA_NA = 3,
	OPTION6_IAADDR = 5,
};

/* The first of each kind counts: RFC 3396's pieces of long options are none that matter here. */
static void take_options(struct cursor c, struct dhcp4 *ret, uint8_t *overload)
{
	const uint8_t *p, *value;

	while ((p = cursor_pull(&c, 1)) && *p != OPTION_END) {
		uint8_t code = *p;

		if (code == OPTION_PAD)
			continue;
		p = cursor_pull(&c, 1);
		value = p ? cursor_pull(&c, *p) : NULL;
		if (!value)
			return;
		if (code == OPTION_TYPE && *p == 1 && !ret->type)
			ret->type = *value;
		else if (code == OPTION_LEASE && *p == 4 && !ret->lease)
			ret->lease = be32(value);
		else if (code == OPTION_OVERLOAD && *p == 1)
			*overload = *value;
		else if (code == OPTION_HOSTNAME && *p && !ret->hostname) {
			ret->hostname = value;
			ret->hostname_len = *p;
		}
	}
}

bool dhcp4_parse(const uint8_t *message, size_t len, struct dhcp4 *ret)
{
	struct cursor c = cursor_init(message, len);
	const uint8_t *p = cursor_pull(&c, DHCP4_FIXED);
	const uint8_t *cookie = cursor_pull(&c, 4);
	uint8_t overload = 0, none = 0;
	struct dhcp4 told;

	if (!p || !cookie || be32(cookie) != DHCP4_COOKIE || p[0] < 1 || p[0] > 2)
		return false;
	told = (struct dhcp4){
		.reply = p[0] == 2,
		.xid = be32(p + DHCP4_XID),
		.mac = p[1] == 1 && p[2] == 6 ? p + DHCP4_CHADDR : NULL,
		.client = p + DHCP4_CIADDR,
		.yours = p + DHCP4_YIADDR,
	};
	take_options(c, &told, &overload);
	if (overload & OVERLOAD_FILE)
		take_options(cursor_init(p + DHCP4_FILE, DHCP4_FIXED - DHCP4_FILE), &told, &none);
	if (overload & OVERLOAD_SNAME)
		take_options(cursor_init(p + DHCP4_SNAME, DHCP4_FILE - DHCP4_SNAME), &told, &none);
	/* Without a type it is BOOTP, which knows no leases. */
	if (!told.type)
		return false;
	*ret = told;
	return true;
}

/* The next option: its code, and a cursor on its content. */
static bool next_option6(struct cursor *c, uint16_t *ret_code, struct cursor *ret_value)
{
	const uint8_t *p = cursor_pull(c, 4);
	const uint8_t *value = p ? cursor_pull(c, be16(p + 2)) : NULL;

	if (!value)
		return false;
	*ret_code = be16(p);
	*ret_value = cursor_init(value, be16(p + 2));
	return true;
}

/* RFC 8415 section 21.4: IAID, T1 and T2, then options; 21.6: address, preferred, valid. */
static void take_ia(struct cursor c, struct dhcp6 *ret)
{
	struct cursor value;
	const uint8_t *p;
	uint16_t code;

	if (!cursor_pull(&c, 12))
		return;
	while (!ret->address && next_option6(&c, &code, &value)) {
		p = code == OPTION6_IAADDR ? cursor_pull(&value, 24) : NULL;
		if (!p)
			continue;
		ret->address = p;
		ret->valid = be32(p + 20);
	}
}

bool dhcp6_parse(const uint8_t *message, size_t len, struct dhcp6 *ret)
{
	struct cursor c = cursor_init(message, len), value;
	const uint8_t *p = cursor_pull(&c, 4);
	struct dhcp6 told;
	uint16_t code;

	if (!p || p[0] < DHCP6_SOLICIT || p[0] > DHCP6_DECLINE)
		return false;
	told = (struct dhcp6){ .type = p[0], .xid = be32(p) & 0xffffff };
	while (!told.address && next_option6(&c, &code, &value)) {
		if (code == OPTION6_IA_NA)
			take_ia(value, &told);
	}
	*ret = told;
	return true;
}
