/* links: capture/defrag.c capture/decode.c capture/decode_link.c agent/base/buf.c */
#include "capture/defrag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "agent/base/buf.h"

#define TEXT_MAX 4096
#define MEMORY	 65536u
#define S_NS	 UINT64_C(1000000000)

/*
 * A script is fragments separated by '|': [6] [iID] OFFSET+LEN[m][!][@SECONDS]. 'm': more follow;
 * '!': its bytes are others; '6': IPv6. The payload is UDP from 4660 to 80 whose data is the
 * alphabet. Expected is what each of them gives: '-' waits, 'x' dropped, or the packet: its data,
 * and the number of the frame that each part came in; "(...)" one that was given up.
 */
struct defrag_case {
	const char *name;
	const char *script;
	const char *expect;
};

static const struct defrag_case cases[] = {
	{ "two in order", "0+16m|16+5", "- abcdefghijklm#1+16#2+5" },
	{ "two the wrong way round", "16+5|0+16m", "- abcdefghijklm#2+16#1+5" },
	{ "three, the middle last", "0+8m|16+4|8+8m", "- - abcdefghijkl#1+8#3+8#2+4" },
	{ "ipv6", "6 0+16m|6 16+5", "- abcdefghijklm#1+16#2+5" },
	{ "two packets at once", "i1 0+16m|i2 0+16m|i2 16+1|i1 16+2",
	  "- - abcdefghi#2+16#3+1 abcdefghij#1+16#4+2" },
	{ "one is told again", "0+16m|0+16m|16+5", "- - abcdefghijklm#1+16#3+5" },
	{ "one is told again, otherwise: the first wins", "0+16m|0+16m!|16+5",
	  "- - abcdefghijklm#1+16#3+5 conflicts=1" },
	{ "an overlap", "0+16m|8+16m|24+1", "- - abcdefghijklmnopq#1+16#2+8#3+1" },
	{ "an overlap with other bytes", "8+16m|0+16m!|24+1",
	  "- - abcdefghijklmnopq#2+8#1+16#3+1 conflicts=1" },
	{ "an overlap in ipv6", "6 0+16m|6 8+16m|6 24+1",
	  "- x - dropped=1 beginless=1 incomplete=1" },
	{ "one is told again in ipv6", "6 0+16m|6 0+16m|6 16+5", "- - abcdefghijklm#1+16#3+5" },
	{ "not a multiple of eight", "0+15m|16+5", "x - dropped=1 beginless=1 incomplete=1" },
	{ "behind the last", "0+16m|16+5|24+8m", "- abcdefghijklm#1+16#2+5 - incomplete=1" },
	{ "behind the last, which is known", "16+5|24+8m|0+16m",
	  "- x abcdefghijklm#3+16#1+5 dropped=1" },
	{ "a last one before others", "24+8m|8+5|0+8m", "- x - () dropped=1 incomplete=1" },
	{ "another last one", "8+8|8+5|0+8m", "- x abcdefgh#3+8#1+8 dropped=1" },
	{ "without bytes", "0+0m", "x dropped=1 incomplete=1" },
	{ "beyond the longest packet", "i1 65528+8m", "x dropped=1 incomplete=1" },
	{ "too late", "0+16m|16+5@31", "- (abcdefgh) - beginless=1 incomplete=2" },
	{ "in time", "0+16m|16+5@30", "- abcdefghijklm#1+16#2+5" },
	{ "given up: what was not missing is searched", "0+16m|24+8m",
	  "- - (abcdefgh) incomplete=1" },
	{ "given up without a beginning", "16+8m", "- beginless=1 incomplete=1" },
	{ "the last one is told again, when all is whole", "0+16m|16+5|16+5",
	  "- abcdefghijklm#1+16#2+5 - incomplete=1" },
};

struct told {
	struct buf text;
	struct defrag defrag;
};

static void add_data(struct buf *out, const struct frame *frame)
{
	if (frame->payload)
		buf_add(out, frame->payload, frame->payload_len);
}

static void on_incomplete(void *data, const struct frame *frame, const void *owner, uint64_t packet,
			  uint64_t first_ns)
{
	struct told *told = data;

	(void)packet;
	(void)first_ns;
	assert_ptr_equal(owner, told);
	assert_true(frame->truncated);
	buf_addc(&told->text, '(');
	add_data(&told->text, frame);
	buf_adds(&told->text, ") ");
}

static void payload_of(uint8_t *out, size_t len, bool other)
{
	static const uint8_t udp[8] = { 0x12, 0x34, 0, 80, 0x10, 0, 0, 0 };

	for (size_t i = 0; i < len; i++)
		out[i] = i < 8 ? udp[i] : (uint8_t)(other ? '?' : 'a' + (i - 8) % 26);
}

static enum defrag_result add(struct told *told, uint64_t number, uint32_t id, bool ip6,
			      uint32_t offset, size_t len, bool more, bool other, uint64_t now_ns,
			      struct frame *ret)
{
	static const uint8_t ips[2][16] = { { 1 }, { 2 } };
	static uint8_t payload[70000];
	struct frame frame = {
		.ip_version = ip6 ? 6 : 4,
		.src_ip = ips[0],
		.dst_ip = ips[1],
		.fragment = true,
		.fragment_more = more,
		.fragment_offset = offset,
		.fragment_id = id,
		.fragment_proto = IPPROTO_UDP,
		.part = payload + offset,
		.part_len = len,
	};

	payload_of(payload, offset + len, other);
	return defrag_add(&told->defrag, &frame, 7, told, number, now_ns, ret);
}

static void run_step(struct told *told, const char *step, uint64_t number, uint64_t *now_ns)
{
	const char *at = strchr(step, '@');
	bool ip6 = *step == '6';
	char *p = (char *)step + (ip6 ? 2 : 0);
	uint32_t id = 0, offset;
	struct frame frame;
	size_t len;

	if (*p == 'i')
		id = (uint32_t)strtoul(p + 1, &p, 10);
	offset = (uint32_t)strtoul(p, &p, 10);
	len = strtoul(p + 1, &p, 10);
	if (at)
		*now_ns += strtoul(at + 1, NULL, 10) * S_NS;
	switch (add(told, number, id, ip6, offset, len, strchr(p, 'm') != NULL,
		    strchr(p, '!') != NULL, *now_ns, &frame)) {
	case DEFRAG_WAITS:
		buf_addc(&told->text, '-');
		break;
	case DEFRAG_DROPPED:
		buf_addc(&told->text, 'x');
		break;
	case DEFRAG_WHOLE:
		buf_add(&told->text, told->defrag.joined + 8,
			told->defrag.spans[told->defrag.n_spans - 1].offset +
				told->defrag.spans[told->defrag.n_spans - 1].len - 8);
		for (size_t i = 0; i < told->defrag.n_spans; i++)
			buf_addf(&told->text, "#%llu+%u",
				 (unsigned long long)told->defrag.spans[i].packet,
				 told->defrag.spans[i].len);
		break;
	}
	buf_addc(&told->text, ' ');
}

static void scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *copy = strdup(cases[i].script), *rest = copy, *step;
		uint64_t now_ns = S_NS, number = 0;
		const struct defrag_counts *counts;
		struct told told;

		buf_init(&told.text, TEXT_MAX);
		assert_int_equal(defrag_init(&told.defrag, MEMORY, 1, on_incomplete, &told), 0);
		while ((step = strsep(&rest, "|")))
			run_step(&told, step, ++number, &now_ns);
		defrag_done(&told.defrag);
		counts = &told.defrag.counts;
		if (counts->conflicts)
			buf_addf(&told.text, "conflicts=%llu ",
				 (unsigned long long)counts->conflicts);
		if (counts->dropped)
			buf_addf(&told.text, "dropped=%llu ", (unsigned long long)counts->dropped);
		if (counts->beginless)
			buf_addf(&told.text, "beginless=%llu ",
				 (unsigned long long)counts->beginless);
		if (counts->incomplete)
			buf_addf(&told.text, "incomplete=%llu ",
				 (unsigned long long)counts->incomplete);
		told.text.data[--told.text.len] = '\0';
		if (strcmp(told.text.data, cases[i].expect) != 0)
			fail_msg("%s: %s, not %s", cases[i].name, told.text.data, cases[i].expect);
		buf_done(&told.text);
		free(copy);
	}
}

/* Fragments that never end, of packets without number: the oldest goes, the account holds. */
static void a_flood(void **state)
{
	struct frame frame;
	struct told told;

	(void)state;
	buf_init(&told.text, 1 << 20);
	assert_int_equal(defrag_init(&told.defrag, MEMORY, 1, on_incomplete, &told), 0);
	for (uint32_t id = 0; id < 5000; id++) {
		add(&told, id, id, id % 2, 8, 64, true, false, S_NS, &frame);
		assert_true(told.defrag.memory <= told.defrag.memory_max);
	}
	assert_true(told.defrag.counts.incomplete > 4000);
	/* One packet of many: its fragments are counted too. */
	for (uint32_t i = 0; i < 2 * DEFRAG_FRAGMENTS_MAX; i++) {
		add(&told, i, 9999, false, 16 * i, 8, true, false, S_NS, &frame);
		assert_true(told.defrag.memory <= told.defrag.memory_max);
	}
	assert_true(told.defrag.counts.dropped >= DEFRAG_FRAGMENTS_MAX);
	/* And there is still room for one that is whole. */
	assert_int_equal(add(&told, 1, 1, false, 0, 16, true, false, S_NS, &frame), DEFRAG_WAITS);
	assert_int_equal(add(&told, 2, 1, false, 16, 5, false, false, S_NS, &frame), DEFRAG_WHOLE);
	defrag_done(&told.defrag);
	buf_done(&told.text);
}

/* The frame that comes out is decoded as if it had come in one. */
static void decoded(void **state)
{
	struct frame frame, part = { 0 };
	struct told told;
	uint8_t udp[21] = { 0x12, 0x34, 0, 80, 0, 21, 0, 0, 'h', 'e', 'l', 'l', 'o' };
	static const uint8_t ips[2][4] = { { 1 }, { 2 } };
	static const uint8_t macs[2][6] = { { 3 }, { 4 } };

	(void)state;
	buf_init(&told.text, TEXT_MAX);
	assert_int_equal(defrag_init(&told.defrag, MEMORY, 1, on_incomplete, &told), 0);
	part = (struct frame){ .ip_version = 4,
			       .src_ip = ips[0],
			       .dst_ip = ips[1],
			       .src_mac = macs[0],
			       .dst_mac = macs[1],
			       .n_vlans = 1,
			       .vlan = { 5 },
			       .ether_type = 0x0800,
			       .fragment = true,
			       .fragment_more = true,
			       .fragment_proto = IPPROTO_UDP,
			       .part = udp,
			       .part_len = 16 };
	assert_int_equal(defrag_add(&told.defrag, &part, 7, &told, 1, 1, &frame), DEFRAG_WAITS);
	part.fragment_offset = 16;
	part.fragment_more = false;
	part.part = udp + 16;
	part.part_len = 5;
	assert_int_equal(defrag_add(&told.defrag, &part, 7, &told, 2, 1, &frame), DEFRAG_WHOLE);
	assert_int_equal(frame.src_port, 4660);
	assert_int_equal(frame.payload_len, 13);
	assert_memory_equal(frame.payload, "hello", 5);
	assert_memory_equal(frame.src_mac, macs[0], 6);
	assert_memory_equal(frame.dst_ip, ips[1], 4);
	assert_int_equal(frame.vlan[0], 5);
	assert_int_equal(frame.ether_type, 0x0800);
	assert_false(frame.fragment);
	defrag_done(&told.defrag);
	buf_done(&told.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts),
		cmocka_unit_test(a_flood),
		cmocka_unit_test(decoded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
