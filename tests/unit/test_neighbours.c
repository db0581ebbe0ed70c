/* links: capture/neighbours.c capture/neighbours_dhcp.c capture/dhcp.c capture/decode.c */
/* links: capture/decode_link.c */
/* links: agent/base/stats_guest.c agent/base/buf.c agent/base/parse.c agent/base/err.c */
#include "capture/neighbours.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buf.h"
#include "capture/decode.h"
#include "capture/dhcp.h"

#define S UINT64_C(1000000000)

static const uint8_t mac_a[MAC_LEN] = { 0x52, 0x54, 0, 0, 0, 1 };
static const uint8_t mac_b[MAC_LEN] = { 0x52, 0x54, 0, 0, 0, 2 };
static const uint8_t mac_x[MAC_LEN] = { 0x52, 0x54, 0, 0, 0, 9 };

struct fixture {
	struct neighbourhood hood;
	struct neighbours a, b;
	struct stats_guest guests[2];
	struct stats_link counters[2];
	struct buf said;
	uint64_t now;
};

static void on_event(void *data, const struct neighbours *neighbours,
		     const struct neighbours_event *event)
{
	static const char *const names[NEIGHBOURS_EVENTS] = {
		[NEIGHBOURS_NEW] = "new",
		[NEIGHBOURS_CONFLICT] = "conflict",
		[NEIGHBOURS_DUPLICATE] = "duplicate",
		[NEIGHBOURS_GONE] = "gone",
		[NEIGHBOURS_LEASED] = "leased",
		[NEIGHBOURS_FOREIGN] = "foreign",
	};
	struct fixture *f = data;
	char text[INET6_ADDRSTRLEN] = "-";

	if (event->kind != NEIGHBOURS_FOREIGN)
		inet_ntop(event->address.version == 4 ? AF_INET : AF_INET6, event->address.ip, text,
			  sizeof(text));
	buf_addf(&f->said, "%s %c %s;", names[event->kind], neighbours == &f->a ? 'a' : 'b', text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->hood = (struct neighbourhood){ .cb = on_event, .data = f };
	f->now = 1000 * S;
	buf_init(&f->said, 1 << 20);
	neighbours_init(&f->a, &f->hood, &f->guests[0], &f->counters[0], 0, 7, mac_a);
	neighbours_init(&f->b, &f->hood, &f->guests[1], &f->counters[1], 1, 7, mac_b);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	neighbours_done(&f->a);
	neighbours_done(&f->b);
	assert_null(f->hood.first);
	buf_done(&f->said);
	free(f);
	return 0;
}

/* Says what was said since the last call. */
static void expect(struct fixture *f, const char *said)
{
	assert_string_equal(f->said.data ? f->said.data : "", said);
	buf_reset(&f->said);
}

static void give(struct fixture *f, struct neighbours *n, enum stats_direction direction,
		 const struct buf *bytes)
{
	const struct decode_input in = {
		.bytes = (const uint8_t *)bytes->data,
		.len = bytes->len,
		.wire_len = bytes->len,
	};
	struct frame frame;

	assert_int_equal(decode_ethernet(&in, &frame), DECODE_OK);
	neighbours_frame(n, &frame, direction, f->now);
}

static void add(struct buf *b, const void *bytes, size_t len)
{
	buf_add(b, bytes, len);
}

static void ether(struct buf *b, const uint8_t *to, const uint8_t *from, uint16_t type)
{
	const uint8_t field[2] = { (uint8_t)(type >> 8), (uint8_t)type };

	buf_init(b, 4096);
	add(b, to, MAC_LEN);
	add(b, from, MAC_LEN);
	add(b, field, 2);
}

static void ip_bytes(struct buf *b, int family, const char *text)
{
	uint8_t ip[16];

	assert_int_equal(inet_pton(family, text, ip), 1);
	add(b, ip, family == AF_INET ? 4 : 16);
}

static void arp_as(struct fixture *f, struct neighbours *n, const uint8_t *from,
		   const uint8_t *sender, uint8_t operation, const char *ip)
{
	static const uint8_t broadcast[MAC_LEN] = { 255, 255, 255, 255, 255, 255 };
	const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, operation };
	struct buf b;

	ether(&b, broadcast, from, 0x0806);
	add(&b, head, sizeof(head));
	add(&b, sender, MAC_LEN);
	ip_bytes(&b, AF_INET, ip);
	add(&b, broadcast, MAC_LEN);
	ip_bytes(&b, AF_INET, "192.0.2.254");
	give(f, n, STATS_FROM_GUEST, &b);
	buf_done(&b);
}

static void arp(struct fixture *f, struct neighbours *n, const char *ip)
{
	arp_as(f, n, n->mac, n->mac, 1, ip);
}

/* A message of neighbour discovery: type, source, target. */
static void nd(struct fixture *f, struct neighbours *n, enum stats_direction direction,
	       uint8_t type, uint8_t hops, const char *source, const char *target)
{
	static const uint8_t all_nodes[MAC_LEN] = { 0x33, 0x33, 0, 0, 0, 1 };
	const uint8_t ip6[8] = { 0x60, 0, 0, 0, 0, 24, 58, hops };
	const uint8_t icmp[8] = { type };
	struct buf b;

	ether(&b, all_nodes, direction == STATS_FROM_GUEST ? n->mac : mac_x, 0x86dd);
	add(&b, ip6, sizeof(ip6));
	ip_bytes(&b, AF_INET6, source);
	ip_bytes(&b, AF_INET6, "ff02::1");
	add(&b, icmp, sizeof(icmp));
	ip_bytes(&b, AF_INET6, target);
	give(f, n, direction, &b);
	buf_done(&b);
}

struct lease {
	uint8_t type;
	uint32_t xid;
	const char *yours;
	const uint8_t *mac; /* NULL: the link's */
	uint32_t seconds;
	const char *name;
	bool overload; /* the options in `file` */
};

static void dhcp4(struct fixture *f, struct neighbours *n, enum stats_direction direction,
		  const struct lease *l)
{
	bool sent = direction == STATS_FROM_GUEST;
	const uint8_t ports[4] = { 0, sent ? 68 : 67, 0, sent ? 67 : 68 };
	uint8_t message[300] = { sent ? 1 : 2, 1, 6 };
	uint8_t options[64] = { 53, 1, l->type, 51, 4 };
	size_t n_options = 3, len, i;
	struct buf b;
	uint32_t seconds = htonl(l->seconds), xid = htonl(l->xid);

	if (l->seconds) {
		memcpy(options + 5, &seconds, 4);
		n_options = 9;
	}
	if (l->name) {
		options[n_options] = 12;
		options[n_options + 1] = (uint8_t)strlen(l->name);
		memcpy(options + n_options + 2, l->name, strlen(l->name));
		n_options += 2 + strlen(l->name);
	}
	options[n_options++] = 255;
	memcpy(message + 4, &xid, 4);
	inet_pton(AF_INET, l->yours, message + (l->type == DHCP4_RELEASE ? 12 : 16));
	memcpy(message + 28, l->mac ? l->mac : n->mac, MAC_LEN);
	memcpy(message + 236, "\x63\x82\x53\x63", 4);
	if (l->overload) {
		memcpy(message + 108, options, n_options);
		memcpy(message + 240, "\x34\x01\x01\xff", 4);
	} else {
		memcpy(message + 240, options, n_options);
	}
	len = 20 + 8 + sizeof(message);
	ether(&b, sent ? mac_x : n->mac, sent ? n->mac : mac_x, 0x0800);
	add(&b, (uint8_t[]){ 0x45, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, 0, 64, 17, 0, 0 },
	    12);
	ip_bytes(&b, AF_INET, sent ? "0.0.0.0" : "192.0.2.1");
	ip_bytes(&b, AF_INET, "255.255.255.255");
	add(&b, ports, 4);
	i = 8 + sizeof(message);
	add(&b, (uint8_t[]){ (uint8_t)(i >> 8), (uint8_t)i, 0, 0 }, 4);
	add(&b, message, sizeof(message));
	give(f, n, direction, &b);
	buf_done(&b);
}

static void ask(struct fixture *f, struct neighbours *n, uint32_t xid)
{
	dhcp4(f, n, STATS_FROM_GUEST,
	      &(struct lease){ DHCP4_REQUEST, xid, "0.0.0.0", NULL, 0, NULL, false });
}

static void ack(struct fixture *f, struct neighbours *n, uint32_t xid, const char *ip)
{
	dhcp4(f, n, STATS_TO_GUEST,
	      &(struct lease){ DHCP4_ACK, xid, ip, .seconds = 600, .overload = xid & 1 });
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void arp_claims(void **state)
{
	struct fixture *f = *state;

	arp(f, &f->a, "0.0.0.0"); /* a probe */
	arp(f, &f->a, "224.0.0.1");
	arp(f, &f->a, "127.0.0.1");
	expect(f, "");
	arp(f, &f->a, "192.0.2.1");
	arp(f, &f->a, "192.0.2.1");
	arp_as(f, &f->a, mac_a, mac_a, 2, "192.0.2.2");
	arp_as(f, &f->a, mac_a, mac_a, 3, "192.0.2.3"); /* RARP's operation */
	expect(f, "new a 192.0.2.1;new a 192.0.2.2;");
	assert_int_equal(f->guests[0].n, 2);
	assert_int_equal(f->counters[0].addresses, 2);
}

static void another_mac_says_nothing_of_the_guest(void **state)
{
	struct fixture *f = *state;

	arp_as(f, &f->a, mac_x, mac_x, 1, "192.0.2.1");
	arp_as(f, &f->a, mac_a, mac_x, 1, "192.0.2.1");
	arp_as(f, &f->a, mac_b, mac_b, 1, "192.0.2.1");
	expect(f, "foreign a -;foreign a -;");
	assert_int_equal(f->guests[0].n, 0);
	assert_int_equal(f->counters[0].foreign_macs, 3);
}

static void the_other_keeps_its_address(void **state)
{
	struct fixture *f = *state;

	arp(f, &f->a, "192.0.2.1");
	arp(f, &f->b, "192.0.2.1");
	expect(f, "new a 192.0.2.1;conflict b 192.0.2.1;");
	assert_int_equal(f->guests[1].addresses[0].conflict, 1);
	assert_int_equal(f->guests[0].addresses[0].conflict, 0);
	/* Who was silent for long has lost it. */
	arp(f, &f->b, "192.0.2.2");
	f->now += NEIGHBOURS_OWNED_NS + S;
	arp(f, &f->a, "192.0.2.2");
	expect(f, "new b 192.0.2.2;new a 192.0.2.2;");
	/* On another network it may be. */
	f->b.network = 8;
	arp(f, &f->a, "192.0.2.3");
	arp(f, &f->b, "192.0.2.3");
	expect(f, "new a 192.0.2.3;new b 192.0.2.3;");
}

static void discovery(void **state)
{
	struct fixture *f = *state;

	nd(f, &f->a, STATS_FROM_GUEST, 135, 255, "::", "2001:db8::1");
	assert_int_equal(f->guests[0].addresses[0].flags, STATS_ADDRESS_TENTATIVE);
	nd(f, &f->a, STATS_FROM_GUEST, 136, 255, "2001:db8::1", "2001:db8::1");
	assert_int_equal(f->guests[0].addresses[0].flags, 0);
	nd(f, &f->a, STATS_FROM_GUEST, 133, 255, "fe80::1", "::");
	nd(f, &f->a, STATS_FROM_GUEST, 135, 255, "fe80::2", "2001:db8::99");
	expect(f, "new a 2001:db8::1;new a fe80::1;new a fe80::2;");
	/* What a router passed on, what others send, and advertisements of routers. */
	nd(f, &f->a, STATS_FROM_GUEST, 135, 254, "fe80::3", "2001:db8::99");
	nd(f, &f->a, STATS_TO_GUEST, 135, 255, "fe80::4", "2001:db8::99");
	nd(f, &f->a, STATS_FROM_GUEST, 134, 255, "fe80::5", "::");
	expect(f, "new a fe80::5;");
}

static void somebody_has_it_already(void **state)
{
	struct fixture *f = *state;

	nd(f, &f->a, STATS_FROM_GUEST, 135, 255, "::", "2001:db8::1");
	nd(f, &f->a, STATS_TO_GUEST, 136, 255, "2001:db8::1", "2001:db8::1");
	expect(f, "new a 2001:db8::1;duplicate a 2001:db8::1;");
	assert_int_equal(f->guests[0].n, 0);
	/* It is too late, or the guest has it: nobody takes it away by saying so. */
	nd(f, &f->a, STATS_FROM_GUEST, 135, 255, "::", "2001:db8::1");
	f->now += 3 * S;
	nd(f, &f->a, STATS_TO_GUEST, 136, 255, "2001:db8::1", "2001:db8::1");
	nd(f, &f->a, STATS_FROM_GUEST, 136, 255, "2001:db8::2", "2001:db8::2");
	nd(f, &f->a, STATS_TO_GUEST, 136, 255, "2001:db8::2", "2001:db8::2");
	expect(f, "new a 2001:db8::1;new a 2001:db8::2;");
}

static void leases(void **state)
{
	struct fixture *f = *state;

	ack(f, &f->a, 1, "192.0.2.1"); /* of no request */
	ask(f, &f->a, 2);
	ack(f, &f->a, 3, "192.0.2.1"); /* of another one */
	dhcp4(f, &f->a, STATS_TO_GUEST,
	      &(struct lease){ DHCP4_ACK, 2, "192.0.2.1", .mac = mac_b, .seconds = 600 });
	dhcp4(f, &f->a, STATS_FROM_GUEST,
	      &(struct lease){ DHCP4_ACK, 2, "192.0.2.1", .seconds = 600 });
	dhcp4(f, &f->a, STATS_TO_GUEST,
	      &(struct lease){ 2, 2, "192.0.2.1", .seconds = 600 }); /* an offer */
	expect(f, "");
	ack(f, &f->a, 2, "192.0.2.1");
	ack(f, &f->a, 2, "192.0.2.66"); /* once more */
	expect(f, "new a 192.0.2.1;leased a 192.0.2.1;");
	assert_int_equal(f->guests[0].addresses[0].until_ns, f->now + 600 * S);
	/* Renewed, then another. */
	f->now += 300 * S;
	ask(f, &f->a, 5);
	ack(f, &f->a, 5, "192.0.2.1");
	expect(f, "leased a 192.0.2.1;");
	assert_int_equal(f->guests[0].addresses[0].until_ns, f->now + 600 * S);
	ask(f, &f->a, 6);
	ack(f, &f->a, 6, "192.0.2.2");
	expect(f, "gone a 192.0.2.1;new a 192.0.2.2;leased a 192.0.2.2;");
	dhcp4(f, &f->a, STATS_FROM_GUEST,
	      &(struct lease){ DHCP4_RELEASE, 7, "192.0.2.2", NULL, 0, NULL, false });
	expect(f, "gone a 192.0.2.2;");
}

static void names(void **state)
{
	struct fixture *f = *state;

	dhcp4(f, &f->a, STATS_FROM_GUEST,
	      &(struct lease){ DHCP4_DISCOVER, 1, "0.0.0.0", .name = "web\x1b[1m-1.a b" });
	assert_string_equal(f->guests[0].hostname, "web??1m-1.a?b");
}

static void what_a_server_gave_stays(void **state)
{
	struct fixture *f = *state;
	char ip[32];

	ask(f, &f->a, 2);
	ack(f, &f->a, 2, "192.0.2.1");
	for (int i = 1; i < 200; i++) {
		f->now += S;
		snprintf(ip, sizeof(ip), "198.51.100.%d", i);
		arp(f, &f->a, ip);
	}
	assert_int_equal(f->guests[0].n, STATS_ADDRESSES_MAX);
	assert_int_equal(f->counters[0].claims_dropped, 199 - (STATS_ADDRESSES_MAX - 1));
	buf_reset(&f->said);
	arp(f, &f->a, "192.0.2.1");
	arp(f, &f->a, "198.51.100.199");
	arp(f, &f->a, "198.51.100.185");
	expect(f, "");
}

static void a_flood_is_counted(void **state)
{
	struct fixture *f = *state;
	char ip[32];

	for (int i = 1; i < 200; i++) {
		snprintf(ip, sizeof(ip), "198.51.100.%d", i);
		arp(f, &f->a, ip);
	}
	assert_int_equal(f->guests[0].n, NEIGHBOURS_BURST);
	assert_int_equal(f->counters[0].claims_dropped, 199 - NEIGHBOURS_BURST);
	/* The first ones stay, and no more were told. */
	assert_non_null(strstr(f->said.data, "100.16;"));
	assert_null(strstr(f->said.data, "100.17;"));
	/* A server's answer has a measure of its own. */
	buf_reset(&f->said);
	ask(f, &f->a, 2);
	ack(f, &f->a, 2, "192.0.2.1");
	expect(f, "new a 192.0.2.1;leased a 192.0.2.1;");
	/* A clock that was set back stops nothing for long. */
	f->now = 10 * S;
	arp(f, &f->a, "203.0.113.1");
	expect(f, "new a 203.0.113.1;");
}

static void what_is_cut_says_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t message[244] = { 2, 1, 6 };
	struct dhcp4 dhcp4;
	struct dhcp6 dhcp6;

	memcpy(message + 236, "\x63\x82\x53\x63\x35\x01\x05\xff", 8);
	assert_true(dhcp4_parse(message, sizeof(message), &dhcp4));
	for (size_t len = 0; len < 243; len++)
		assert_false(dhcp4_parse(message, len, &dhcp4));
	assert_false(dhcp6_parse(message, 3, &dhcp6));
	(void)f;
}

/* RFC 8415: a Reply with IA_NA(IAADDR). */
static void leases_of_ipv6(void **state)
{
	static const uint8_t reply[] = {
		7,    1, 2,   3,    0, 3, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,  0, 5, 0, 24,
		0x20, 1, 0xd, 0xb8, 0, 0, 0, 0,	 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0, 1, 0,
	};
	struct dhcp6 dhcp;

	(void)state;
	assert_true(dhcp6_parse(reply, sizeof(reply), &dhcp));
	assert_int_equal(dhcp.type, DHCP6_REPLY);
	assert_int_equal(dhcp.xid, 0x010203);
	assert_ptr_equal(dhcp.address, reply + 24);
	assert_int_equal(dhcp.valid, 256);
	for (size_t len = 0; len < sizeof(reply); len++)
		assert_true(!dhcp6_parse(reply, len, &dhcp) || !dhcp.address);
}

/* A message with an IA_NA that has one address. */
static void dhcp6(struct fixture *f, struct neighbours *n, enum stats_direction direction,
		  uint8_t type, uint8_t xid, const uint8_t *to, uint8_t valid)
{
	bool sent = direction == STATS_FROM_GUEST;
	const uint8_t ip6[8] = { 0x60, 0, 0, 0, 0, 56, 17, 64 };
	const uint8_t udp[8] = { 2, sent ? 34 : 35, 2, sent ? 35 : 34, 0, 56 };
	const uint8_t head[] = { type, 0, 0, xid, 0, 3, 0, 40, 0, 0, 0, 1,
				 0,    0, 0, 0,	  0, 0, 0, 0,  0, 5, 0, 24 };
	const uint8_t lives[] = { 0, 0, 0, 60, 0, 0, 0, valid };
	struct buf b;

	ether(&b, to, sent ? n->mac : mac_x, 0x86dd);
	add(&b, ip6, sizeof(ip6));
	ip_bytes(&b, AF_INET6, sent ? "fe80::1" : "fe80::9");
	ip_bytes(&b, AF_INET6, sent ? "ff02::1:2" : "fe80::1");
	add(&b, udp, sizeof(udp));
	add(&b, head, sizeof(head));
	ip_bytes(&b, AF_INET6, "2001:db8::100");
	add(&b, lives, sizeof(lives));
	give(f, n, direction, &b);
	buf_done(&b);
}

static void leases_of_ipv6_are_learned(void **state)
{
	struct fixture *f = *state;

	dhcp6(f, &f->a, STATS_TO_GUEST, DHCP6_REPLY, 1, mac_a, 60); /* of no request */
	dhcp6(f, &f->a, STATS_FROM_GUEST, DHCP6_REQUEST, 2, mac_x, 0);
	dhcp6(f, &f->a, STATS_TO_GUEST, DHCP6_REPLY, 2, mac_b, 60); /* to another */
	dhcp6(f, &f->a, STATS_TO_GUEST, DHCP6_REPLY, 3, mac_a, 60);
	expect(f, "");
	dhcp6(f, &f->a, STATS_TO_GUEST, DHCP6_REPLY, 2, mac_a, 60);
	expect(f, "new a 2001:db8::100;leased a 2001:db8::100;");
	assert_int_equal(f->guests[0].addresses[0].until_ns, f->now + 60 * S);
	dhcp6(f, &f->a, STATS_FROM_GUEST, DHCP6_RELEASE, 4, mac_x, 0);
	expect(f, "gone a 2001:db8::100;");
	/* A lifetime of nothing is none. */
	dhcp6(f, &f->a, STATS_FROM_GUEST, DHCP6_RENEW, 5, mac_x, 0);
	dhcp6(f, &f->a, STATS_TO_GUEST, DHCP6_REPLY, 5, mac_a, 0);
	expect(f, "");
}

static void a_place_goes_to_another_link(void **state)
{
	struct fixture *f = *state;

	arp(f, &f->a, "192.0.2.1");
	neighbours_done(&f->a);
	neighbours_init(&f->a, &f->hood, &f->guests[0], &f->counters[0], 0, 7, mac_a);
	assert_int_equal(f->guests[0].n, 1);
	/* Its writer died in it. */
	f->guests[0].seq++;
	neighbours_done(&f->a);
	neighbours_init(&f->a, &f->hood, &f->guests[0], &f->counters[0], 0, 7, mac_a);
	assert_int_equal(f->guests[0].n, 0);
	assert_int_equal(f->guests[0].seq & 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(arp_claims, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_mac_says_nothing_of_the_guest, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_other_keeps_its_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(discovery, set_up, tear_down),
		cmocka_unit_test_setup_teardown(somebody_has_it_already, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leases, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_server_gave_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flood_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_cut_says_nothing, set_up, tear_down),
		cmocka_unit_test(leases_of_ipv6),
		cmocka_unit_test_setup_teardown(leases_of_ipv6_are_learned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_place_goes_to_another_link, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
