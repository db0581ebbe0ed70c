/* links: capture/decode.c capture/decode_link.c */
#include "capture/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "agent/base/stats.h"
#include "agent/base/pcapng_format.h"

#define MACS	  "525400000002 525400000001 "
#define VLAN(tci) "8100 " tci " "
#define IP4	  "0800 "
#define IP6	  "86dd "

/* 192.0.2.1 to 192.0.2.2 and 2001:db8::1 to 2001:db8::2 */
#define IP4_ENDS		   "c0000201 c0000202 "
#define IP6_ENDS		   "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IP4_HEAD(len, frag, proto) "45 00 " len " 0001 " frag " 40 " proto " 0000 " IP4_ENDS
#define IP6_HEAD(len, next)	   "60000000 " len " " next " 40 " IP6_ENDS

/* 4660 to 80 */
#define TCP(doff) "1234 0050 00000001 00000002 " doff "018 ffff 0000 0000 "
#define UDP(len)  "1234 0050 " len " 0000 "
#define HELLO	  "68656c6c6f"

struct frame_case {
	const char *name;
	const char *hex;
	const char *expect; /* as describe() says it */
	bool exact; /* nothing of it is padding: every byte less must be noticed */
};

#define FRAME(name_, hex_, expect_, ...)                                       \
	{                                                                      \
		.name = (name_), .hex = hex_, .expect = (expect_), __VA_ARGS__ \
	}

static const struct frame_case cases[] = {
	FRAME("tcp4", MACS IP4 IP4_HEAD("002d", "4000", "06") TCP("5") HELLO,
	      "ok 0800 4 192.0.2.1>192.0.2.2 p6 4660>80 54:hello", .exact = true),
	FRAME("udp4", MACS IP4 IP4_HEAD("0021", "0000", "11") UDP("000d") HELLO,
	      "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 42:hello", .exact = true),
	FRAME("tcp6", MACS IP6 IP6_HEAD("0019", "06") TCP("5") HELLO,
	      "ok 86dd 6 2001:db8::1>2001:db8::2 p6 4660>80 74:hello", .exact = true),
	FRAME("udp6", MACS IP6 IP6_HEAD("000d", "11") UDP("000d") HELLO,
	      "ok 86dd 6 2001:db8::1>2001:db8::2 p17 4660>80 62:hello", .exact = true),
	FRAME("tcp without data", MACS IP4 IP4_HEAD("0028", "4000", "06") TCP("5"),
	      "ok 0800 4 192.0.2.1>192.0.2.2 p6 4660>80 54:", .exact = true),
	FRAME("udp without data", MACS IP4 IP4_HEAD("001c", "0000", "11") UDP("0008"),
	      "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 42:", .exact = true),
	FRAME("padding is cut",
	      MACS IP4 IP4_HEAD("0021", "0000", "11") UDP("000d") HELLO
	      "00000000000000000000000000",
	      "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 42:hello"),
	FRAME("padding behind an empty segment",
	      MACS IP4 IP4_HEAD("0028", "4000", "06") TCP("5") "0000",
	      "ok 0800 4 192.0.2.1>192.0.2.2 p6 4660>80 54:"),
	FRAME("udp shorter than ip", MACS IP4 IP4_HEAD("0021", "0000", "11") UDP("000a") HELLO,
	      "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 42:he"),
	FRAME("ip4 options",
	      MACS IP4 "46 00 0031 0001 0000 40 06 0000 " IP4_ENDS "01010100" TCP("5") HELLO,
	      "ok 0800 4 192.0.2.1>192.0.2.2 p6 4660>80 58:hello", .exact = true),
	FRAME("tcp options",
	      MACS IP4 IP4_HEAD("0039", "4000", "06") TCP("8") "0101080a0000000000000000" HELLO,
	      "ok 0800 4 192.0.2.1>192.0.2.2 p6 4660>80 66:hello", .exact = true),
	FRAME("one tag", MACS VLAN("0014") IP4 IP4_HEAD("0021", "0000", "11") UDP("000d") HELLO,
	      "ok v20 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 46:hello", .exact = true),
	FRAME("priority bits are no part of the id", MACS VLAN("f014") IP4, "ip4-short v20 0800 0"),
	FRAME("802.1ad over 802.1Q",
	      MACS "88a8 0064 " VLAN("0014") IP4 IP4_HEAD("0021", "0000", "11") UDP("000d") HELLO,
	      "ok v100,20 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 50:hello", .exact = true),
	FRAME("old QinQ", MACS "9100 0064 " VLAN("0014") "88cc ", "ok v100,20 88cc 0"),
	FRAME("eight tags",
	      MACS VLAN("0001") VLAN("0002") VLAN("0003") VLAN("0004") VLAN("0005") VLAN("0006")
		      VLAN("0007") VLAN("0008") "88cc",
	      "ok v1,2,3,4,5,6,7,8 88cc 0"),
	FRAME("nine tags",
	      MACS VLAN("0001") VLAN("0002") VLAN("0003") VLAN("0004") VLAN("0005") VLAN("0006")
		      VLAN("0007") VLAN("0008") VLAN("0009") "0806",
	      "vlan-depth v1,2,3,4,5,6,7,8 8100 0"),
	FRAME("half a tag", MACS "8100 00", "vlan-short 8100 0"),
	FRAME("arp", MACS "0806 0001 0800 06 04 0001 525400000001 c0000201 000000000000 c0000202",
	      "ok 0806 0 arp", .exact = true),
	FRAME("arp of another kind",
	      MACS "0806 0006 0800 06 04 0001 525400000001 c0000201 000000000000 c0000202",
	      "ok 0806 0"),
	FRAME("arp cut", MACS "0806 0001080006040001", "arp-short 0806 0"),
	FRAME("llc", MACS "0026 4242030000", "ok 0000 0"),
	FRAME("nothing", "", "ethernet-short 0000 0"),
	FRAME("half a header", "525400000002 525400000001 08", "ethernet-short 0000 0"),
	FRAME("icmp", MACS IP4 IP4_HEAD("001c", "0000", "01") "0800 0000 0001 0001",
	      "ok 0800 4 192.0.2.1>192.0.2.2 p1 icmp8/0 42:", .exact = true),
	FRAME("icmp with data", MACS IP4 IP4_HEAD("0021", "0000", "01") "0301 0000 0001 0001" HELLO,
	      "ok 0800 4 192.0.2.1>192.0.2.2 p1 icmp3/1 42:hello", .exact = true),
	FRAME("icmp cut", MACS IP4 IP4_HEAD("001b", "0000", "01") "0800 0000 0001 00",
	      "icmp-short 0800 4 192.0.2.1>192.0.2.2 p1"),
	FRAME("icmpv6", MACS IP6 IP6_HEAD("000d", "3a") "8000 0000 0001 0001" HELLO,
	      "ok 86dd 6 2001:db8::1>2001:db8::2 p58 icmp128/0 62:hello", .exact = true),
	FRAME("icmpv6 means nothing in ip4",
	      MACS IP4 IP4_HEAD("001c", "0000", "3a") "8000000000010001",
	      "ok 0800 4 192.0.2.1>192.0.2.2 p58"),
	FRAME("hop-by-hop means nothing in ip4",
	      MACS IP4 IP4_HEAD("001c", "0000", "00") "0600000000000000",
	      "ok 0800 4 192.0.2.1>192.0.2.2 p0"),
	FRAME("ip4 says version 6",
	      MACS IP4 "65 00 0021 0001 0000 40 11 0000 " IP4_ENDS UDP("000d") HELLO,
	      "ip4-version 0800 0"),
	FRAME("ip4 header of 16 bytes",
	      MACS IP4 "44 00 0021 0001 0000 40 11 0000 " IP4_ENDS UDP("000d") HELLO,
	      "ip4-header-length 0800 4 192.0.2.1>192.0.2.2 p17"),
	FRAME("ip4 header of 60 bytes", MACS IP4 "4f 00 0021 0001 0000 40 11 0000 " IP4_ENDS "0000",
	      "ip4-header-length 0800 4 192.0.2.1>192.0.2.2 p17"),
	FRAME("ip4 total length above the frame",
	      MACS IP4 IP4_HEAD("0022", "0000", "11") UDP("000d") HELLO,
	      "ip4-total-length 0800 4 192.0.2.1>192.0.2.2 p17"),
	FRAME("ip4 total length below the header",
	      MACS IP4 IP4_HEAD("0013", "0000", "11") UDP("000d") HELLO,
	      "ip4-total-length 0800 4 192.0.2.1>192.0.2.2 p17"),
	FRAME("ip4 total length 0", MACS IP4 IP4_HEAD("0000", "0000", "11") UDP("000d") HELLO,
	      "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 42:hello"),
	FRAME("ip4 first fragment", MACS IP4 IP4_HEAD("0021", "2000", "11") UDP("0800") HELLO,
	      "ok 0800 4 192.0.2.1>192.0.2.2 p17 f0 4660>80 42:hello"),
	FRAME("ip4 later fragment", MACS IP4 IP4_HEAD("0019", "2002", "11") HELLO,
	      "ip4-fragment 0800 4 192.0.2.1>192.0.2.2 p17 f16"),
	FRAME("ip4 last fragment", MACS IP4 IP4_HEAD("0019", "1fff", "11") HELLO,
	      "ip4-fragment 0800 4 192.0.2.1>192.0.2.2 p17 f65528"),
	FRAME("ah in ip4",
	      MACS IP4 IP4_HEAD("0039", "0000", "33") "11040000 00000001 00000001 "
						      "000000000000000000000000" UDP("000d") HELLO,
	      "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 66:hello", .exact = true),
	FRAME("ip6 says version 4", MACS IP6 "40000000 000d 11 40 " IP6_ENDS UDP("000d") HELLO,
	      "ip6-version 86dd 0"),
	FRAME("ip6 payload length above the frame",
	      MACS IP6 IP6_HEAD("000e", "11") UDP("000d") HELLO,
	      "ip6-payload-length 86dd 6 2001:db8::1>2001:db8::2 p17"),
	FRAME("ip6 payload length 0", MACS IP6 IP6_HEAD("0000", "11") UDP("000d") HELLO,
	      "udp-short 86dd 6 2001:db8::1>2001:db8::2 p17"),
	FRAME("ip6 jumbogram", MACS IP6 IP6_HEAD("0000", "00") "1100c20400000015" UDP("000d") HELLO,
	      "ok 86dd 6 2001:db8::1>2001:db8::2 p17 4660>80 70:hello", .exact = true),
	FRAME("ip6 without a next header", MACS IP6 IP6_HEAD("0000", "3b"),
	      "ok 86dd 6 2001:db8::1>2001:db8::2 p59"),
	FRAME("ip6 extensions in a row",
	      MACS IP6 IP6_HEAD("0049", "00") "2b00000000000000 3c02000000000000 0000000000000000 "
					      "0000000000000000 3301000000000000 0000000000000000 "
					      "1101000000000000 00000000" UDP("000d") HELLO,
	      "ok 86dd 6 2001:db8::1>2001:db8::2 p17 4660>80 122:hello", .exact = true),
	FRAME("ip6 atomic fragment",
	      MACS IP6 IP6_HEAD("0015", "2c") "1100000000000001" UDP("000d") HELLO,
	      "ok 86dd 6 2001:db8::1>2001:db8::2 p17 4660>80 70:hello", .exact = true),
	FRAME("ip6 first fragment",
	      MACS IP6 IP6_HEAD("0015", "2c") "1100000100000001" UDP("0800") HELLO,
	      "ok 86dd 6 2001:db8::1>2001:db8::2 p17 f0 4660>80 70:hello"),
	FRAME("ip6 later fragment", MACS IP6 IP6_HEAD("000d", "2c") "1100010900000001" HELLO,
	      "ip6-fragment 86dd 6 2001:db8::1>2001:db8::2 p17 f264"),
	FRAME("ip6 extension cut", MACS IP6 IP6_HEAD("0004", "00") "06000000",
	      "extension-short 86dd 6 2001:db8::1>2001:db8::2 p0"),
	FRAME("ip6 extension longer than the packet",
	      MACS IP6 IP6_HEAD("0008", "3c") "06ff000000000000",
	      "extension-short 86dd 6 2001:db8::1>2001:db8::2 p60"),
	FRAME("ip6 fragment header cut", MACS IP6 IP6_HEAD("0004", "2c") "06000000",
	      "extension-short 86dd 6 2001:db8::1>2001:db8::2 p44"),
	FRAME("ah cut", MACS IP6 IP6_HEAD("0008", "33") "0604000000000000",
	      "extension-short 86dd 6 2001:db8::1>2001:db8::2 p51"),
	FRAME("sixteen extensions",
	      MACS IP6 IP6_HEAD("008d", "3c") "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "1100000000000000" UDP("000d") HELLO,
	      "ok 86dd 6 2001:db8::1>2001:db8::2 p17 4660>80 190:hello", .exact = true),
	FRAME("seventeen extensions",
	      MACS IP6 IP6_HEAD("0095", "3c") "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "3c00000000000000 3c00000000000000 3c00000000000000 "
					      "3c00000000000000 1100000000000000" UDP("000d") HELLO,
	      "extension-count 86dd 6 2001:db8::1>2001:db8::2 p60"),
	FRAME("tcp cut",
	      MACS IP4 IP4_HEAD("0027", "4000", "06") "1234005000000001000000025018ffff000000",
	      "tcp-short 0800 4 192.0.2.1>192.0.2.2 p6"),
	FRAME("tcp header of 16 bytes", MACS IP4 IP4_HEAD("002d", "4000", "06") TCP("4") HELLO,
	      "tcp-header-length 0800 4 192.0.2.1>192.0.2.2 p6 4660>80"),
	FRAME("tcp header above the packet", MACS IP4 IP4_HEAD("002d", "4000", "06") TCP("f") HELLO,
	      "tcp-header-length 0800 4 192.0.2.1>192.0.2.2 p6 4660>80"),
	FRAME("udp cut", MACS IP4 IP4_HEAD("001b", "0000", "11") "12340050000800",
	      "udp-short 0800 4 192.0.2.1>192.0.2.2 p17"),
	FRAME("udp length 7", MACS IP4 IP4_HEAD("0021", "0000", "11") UDP("0007") HELLO,
	      "udp-length 0800 4 192.0.2.1>192.0.2.2 p17 4660>80"),
	FRAME("udp length above the packet",
	      MACS IP4 IP4_HEAD("0021", "0000", "11") UDP("000e") HELLO,
	      "udp-length 0800 4 192.0.2.1>192.0.2.2 p17 4660>80"),
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned int byte;

	for (; *hex; hex += 2) {
		while (*hex == ' ')
			hex++;
		if (!*hex)
			break;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
	}
	return n;
}

/* Bytes that end where the next page cannot be read: one byte too far is a SIGSEGV. */
static uint8_t *guarded(const uint8_t *bytes, size_t len)
{
	static uint8_t *pages;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!pages) {
		pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
		assert_true(pages != MAP_FAILED);
		assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	}
	if (len)
		memcpy(pages + page - len, bytes, len);
	return pages + page - len;
}

static void describe(enum decode_reason reason, const struct frame *f, char *out, size_t size)
{
	char ip[2][INET6_ADDRSTRLEN] = { "", "" };
	int af = f->ip_version == 6 ? AF_INET6 : AF_INET;
	size_t n = (size_t)snprintf(out, size, "%s", decode_reason_name(reason));

	for (unsigned int i = 0; i < f->n_vlans; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%u", i ? "," : " v", f->vlan[i]);
	n += (size_t)snprintf(out + n, size - n, " %04x %u", f->ether_type, f->ip_version);
	if (f->arp)
		snprintf(out + n, size - n, " arp");
	if (!f->ip_version)
		return;
	inet_ntop(af, f->src_ip, ip[0], sizeof(ip[0]));
	inet_ntop(af, f->dst_ip, ip[1], sizeof(ip[1]));
	n += (size_t)snprintf(out + n, size - n, " %s>%s p%u", ip[0], ip[1], f->proto);
	if (f->fragment)
		n += (size_t)snprintf(out + n, size - n, " f%u", f->fragment_offset);
	if (f->has_ports)
		n += (size_t)snprintf(out + n, size - n, " %u>%u", f->src_port, f->dst_port);
	if (f->has_icmp)
		n += (size_t)snprintf(out + n, size - n, " icmp%u/%u", f->icmp_type, f->icmp_code);
	if (f->payload)
		snprintf(out + n, size - n, " %zu:%.*s", f->payload_offset, (int)f->payload_len,
			 (const char *)f->payload);
}

static void frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		const struct frame_case *c = &cases[i];
		uint8_t bytes[512];
		size_t len = unhex(c->hex, bytes);
		struct decode_input in = { guarded(bytes, len), len, len };
		struct frame frame;
		char text[256];

		describe(decode_ethernet(&in, &frame), &frame, text, sizeof(text));
		if (strcmp(text, c->expect) != 0)
			fail_msg("%s: got \"%s\", expected \"%s\"", c->name, text, c->expect);
		assert_false(frame.truncated);
		if (len >= 14)
			assert_true(frame.dst_mac == in.bytes && frame.src_mac == in.bytes + 6);
	}
}

/* A payload lies inside the bytes; there is one exactly when the frame is fine and has one. */
static void check_bounds(const struct frame_case *c, const struct decode_input *in,
			 enum decode_reason reason, const struct frame *f)
{
	if ((f->payload != NULL) != (reason == DECODE_OK && (f->has_ports || f->has_icmp)))
		fail_msg("%s at %zu: payload and reason do not agree", c->name, in->len);
	if (f->payload &&
	    (f->payload < in->bytes || f->payload + f->payload_len > in->bytes + in->len ||
	     f->payload_offset != (size_t)(f->payload - in->bytes)))
		fail_msg("%s at %zu: payload outside the frame", c->name, in->len);
}

/* Every length of every frame, once as a short frame and once as one that the capture cut. */
static void cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		const struct frame_case *c = &cases[i];
		uint8_t bytes[512];
		size_t len = unhex(c->hex, bytes);

		for (size_t n = 0; n < len; n++) {
			struct decode_input in = { guarded(bytes, n), n, n };
			enum decode_reason reason;
			struct frame frame;

			reason = decode_ethernet(&in, &frame);
			check_bounds(c, &in, reason, &frame);
			if (c->exact && reason == DECODE_OK)
				fail_msg("%s at %zu: nothing was missed", c->name, n);
			in.wire_len = len;
			reason = decode_ethernet(&in, &frame);
			check_bounds(c, &in, reason, &frame);
			assert_true(frame.truncated);
		}
	}
}

/* What the capture cut is still matched as far as it was kept. */
static void truncated_payload(void **state)
{
	static const char *const hex[] = {
		MACS IP4 IP4_HEAD("05dc", "4000", "06") TCP("5") HELLO,
		MACS IP6 IP6_HEAD("05b4", "11") UDP("05b4") HELLO,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hex) / sizeof(hex[0]); i++) {
		uint8_t bytes[128];
		size_t len = unhex(hex[i], bytes);
		struct decode_input in = { bytes, len, 1514 };
		struct frame frame;

		assert_int_equal(decode_ethernet(&in, &frame), DECODE_OK);
		assert_true(frame.truncated);
		assert_int_equal(frame.payload_len, 5);
		assert_memory_equal(frame.payload, "hello", 5);
	}
}

/* Captures of other links than Ethernet: the IP packet inside is the same. */
static void other_links(void **state)
{
	static const struct {
		const char *hex;
		uint32_t link_type;
		const char *expect;
	} links[] = {
		{ IP4_HEAD("0021", "0000", "11") UDP("000d") HELLO, LINKTYPE_RAW,
		  "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 28:hello" },
		{ IP4_HEAD("0021", "0000", "11") UDP("000d") HELLO, LINKTYPE_IPV4,
		  "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 28:hello" },
		{ IP6_HEAD("000d", "11") UDP("000d") HELLO, LINKTYPE_IPV6,
		  "ok 86dd 6 2001:db8::1>2001:db8::2 p17 4660>80 48:hello" },
		{ "02000000 " IP4_HEAD("0021", "0000", "11") UDP("000d") HELLO, LINKTYPE_NULL,
		  "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 32:hello" },
		{ "0000 0001 0006 525400000001 0000 0800 " IP4_HEAD("0021", "0000", "11")
			  UDP("000d") HELLO,
		  LINKTYPE_SLL, "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 44:hello" },
		{ "0800 0000 00000002 0001 00 06 5254000000010000 " IP4_HEAD("0021", "0000", "11")
			  UDP("000d") HELLO,
		  LINKTYPE_SLL2, "ok 0800 4 192.0.2.1>192.0.2.2 p17 4660>80 48:hello" },
		{ "0800 0000 0000", LINKTYPE_SLL2, "ethernet-short 0000 0" },
		{ "", LINKTYPE_RAW, "ethernet-short 0000 0" },
		{ "0200", LINKTYPE_NULL, "ethernet-short 0000 0" },
		{ HELLO, 147, "link-type 0000 0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		uint8_t bytes[128];
		size_t len = unhex(links[i].hex, bytes);
		struct decode_input in = { guarded(bytes, len), len, len };
		struct frame frame;
		char text[256];

		describe(decode_link(links[i].link_type, &in, &frame), &frame, text, sizeof(text));
		assert_string_equal(text, links[i].expect);
		assert_null(frame.src_mac);
	}
}

static void names(void **state)
{
	(void)state;
	assert_true(DECODE_REASONS <= STATS_REASONS_MAX);
	for (enum decode_reason reason = 0; reason < DECODE_REASONS; reason++) {
		assert_non_null(decode_reason_name(reason));
		for (enum decode_reason other = 0; other < reason; other++)
			assert_string_not_equal(decode_reason_name(reason),
						decode_reason_name(other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),
		cmocka_unit_test(cuts),
		cmocka_unit_test(truncated_payload),
		cmocka_unit_test(other_links),
		cmocka_unit_test(names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
