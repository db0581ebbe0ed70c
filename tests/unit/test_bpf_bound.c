/* links: agent/base/pcap_lib.c agent/base/late_lib.c */
/* links: netlink/bpf_bound.c agent/base/bpf_run.c agent/base/bpf_compile.c agent/base/bpf_code.c */
/* links: agent/base/hint.c agent/base/parse.c agent/base/err.c */
/*
 * What is certain of a filter, against bpf_filter() of libpcap on frames that are made up: none may
 * say otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pcap.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/bpf_compile.h"
#include "netlink/bpf_bound.h"
#include "agent/base/bpf_run.h"

#define FRAMES	  2000
#define FRAME_LEN 256

/* From 52:54:00:00:00:01 to ...:02, to one of many, to all, from one of many; and whoever's ARP. */
enum {
	ONE_TO_ONE,
	ONE_TO_MANY,
	ONE_TO_ALL,
	MANY_TO_ONE,
	OF_ARP,
	WAYS
};

/* S some, A all, N none: of each way in turn. */
static const struct {
	const char *expression, *bounds;
} cases[] = {
	{ "ip", "SSSSN" },
	{ "not tcp port 25", "SSSSA" },
	{ "greater 0", "SSSSS" },
	{ "ether broadcast", "NNANS" },
	{ "not ether broadcast", "AANAS" },
	{ "ether multicast", "NNANS" },
	{ "not ether multicast", "AANAS" },
	{ "ether src 52:54:00:00:00:01", "AAASS" },
	{ "not ether src 52:54:00:00:00:01", "NNNSS" },
	{ "ether dst 52:54:00:00:00:02", "ASNAS" },
	{ "ether host 52:54:00:00:00:02", "ASNAS" },
	{ "ether host 52:54:00:00:00:07", "NSNSS" },
	{ "ether dst 52:54:00:00:00:02 or ether broadcast", "ASAAS" },
	{ "ether dst 52:54:00:00:00:02 and arp", "SSNSS" },
	{ "ether broadcast or tcp port 80", "SSASS" },
	{ "ether broadcast and udp port 67", "NNSNN" },
	{ "ether[0] & 1 = 0", "AANAS" },
	{ "ether[0] & 1 != 0 and ip", "NNSNN" },
	{ "ether[6] >= 0x50", "AAASS" },
	{ "ether[6] > 0x52", "NNNSS" },
	{ "(ether[6] << 1) & 0x100 = 0", "AAASS" },
	{ "ether[6] >> 4 = 5", "AAASS" },
	{ "ether[6] | 1 = 0x53", "AAASS" },
	{ "ether[6:4] = 0x52540000", "AAASS" },
	{ "ether[4:4] = 0x00025254", "ASNSS" },
	{ "vlan", "SSSSN" },
	{ "host 192.0.2.1 or ip6", "SSSSS" },
};

static const uint8_t one[MAC_LEN] = { 0x52, 0x54, 0, 0, 0, 1 };
static const uint8_t two[MAC_LEN] = { 0x52, 0x54, 0, 0, 0, 2 };

static uint32_t seed = 1;

static uint8_t next_byte(void)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint8_t)(seed >> 24);
}

static struct bpf_known known_of(int way)
{
	struct bpf_known known = { .mask = { 1 } };

	if (way == ONE_TO_ALL) {
		memset(known.value, 0xff, MAC_LEN);
		memset(known.mask, 0xff, MAC_LEN);
	}
	if (way == ONE_TO_ONE || way == MANY_TO_ONE) {
		memcpy(known.value, two, MAC_LEN);
		memset(known.mask, 0xff, MAC_LEN);
	}
	if (way == MANY_TO_ONE) {
		known.mask[MAC_LEN] = 1;
	} else if (way == OF_ARP) {
		known = (struct bpf_known){ .value = { [BPF_KNOWN_TYPE] = 8, 6 },
					    .mask = { [BPF_KNOWN_TYPE] = 0xff, 0xff } };
	} else {
		memcpy(known.value + MAC_LEN, one, MAC_LEN);
		memset(known.mask + MAC_LEN, 0xff, MAC_LEN);
	}
	return known;
}

/* Now and then of a type that filters know, and with few values, so that tests hit. */
static void make_frame(uint8_t *frame, const struct bpf_known *known)
{
	static const uint8_t types[][2] = { { 8, 0 }, { 8, 6 }, { 0x86, 0xdd }, { 0x81, 0 } };

	for (size_t i = 0; i < FRAME_LEN; i++)
		frame[i] = next_byte() & 3 ? (uint8_t)(next_byte() & 3) : next_byte();
	if (next_byte() & 3)
		memcpy(frame + BPF_KNOWN_TYPE, types[next_byte() & 3], 2);
	if (next_byte() & 1)
		frame[14] = 0x45;
	if (next_byte() & 1) {
		memcpy(frame, two, MAC_LEN);
		memcpy(frame + MAC_LEN, one, MAC_LEN);
	}
	for (size_t i = 0; i < BPF_KNOWN_LEN; i++)
		frame[i] = (uint8_t)((frame[i] & ~known->mask[i]) |
				     (known->value[i] & known->mask[i]));
}

static void assert_sound(const char *expression, enum bpf_bound bound, const struct bpf_code *code,
			 const struct bpf_known *known)
{
	uint8_t frame[FRAME_LEN];

	for (int i = 0; i < FRAMES; i++) {
		bool matches;

		make_frame(frame, known);
		matches = bpf_filter((const struct bpf_insn *)(const void *)code->ops, frame,
				     FRAME_LEN, FRAME_LEN) != 0;
		if (bound != BPF_MATCHES_SOME && matches != (bound == BPF_MATCHES_ALL))
			fail_msg("%s: a frame does otherwise", expression);
	}
}

static void as_they_are_and_never_wrong(void **state)
{
	static const char letters[BPF_BOUNDS] = { 'S', 'A', 'N' };
	struct bpf_code code = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[WAYS + 1] = "";

		assert_int_equal(bpf_compile(cases[i].expression, &code, NULL), 0);
		for (int way = 0; way < WAYS; way++) {
			const struct bpf_known known = known_of(way);
			const enum bpf_bound bound = bpf_bound(code.ops, code.n, &known);

			text[way] = letters[bound];
			assert_sound(cases[i].expression, bound, &code, &known);
		}
		if (strcmp(text, cases[i].bounds) != 0)
			fail_msg("%s: %s, not %s", cases[i].expression, text, cases[i].bounds);
	}
	bpf_code_done(&code);
}

/* A is 1 or 2, by what is in the frame, where the ways come together. */
static void ways_that_meet(void **state)
{
	static const struct bpf_op ops[] = {
		{ .code = BPF_LD | BPF_H | BPF_ABS, .k = 12 },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .jf = 2, .k = 0x800 },
		{ .code = BPF_LD | BPF_IMM, .k = 1 },
		{ .code = BPF_JMP | BPF_JA, .k = 1 },
		{ .code = BPF_LD | BPF_IMM, .k = 2 },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .jf = 1, .k = 1 },
		{ .code = BPF_RET | BPF_K, .k = 1 },
		{ .code = BPF_RET | BPF_K, .k = 0 },
	};
	const struct bpf_known known = { .mask = { 0 } };

	(void)state;
	assert_int_equal(bpf_bound(ops, sizeof(ops) / sizeof(ops[0]), &known), BPF_MATCHES_SOME);
}

#define OPS_MAX 12

/* The places and numbers are such as meet each other, and inside the frame. */
static struct bpf_op random_op(size_t left)
{
	static const uint16_t codes[] = {
		BPF_LD | BPF_W | BPF_ABS,
		BPF_LD | BPF_H | BPF_ABS,
		BPF_LD | BPF_B | BPF_ABS,

		BPF_LD | BPF_IMM,
		BPF_LD | BPF_W | BPF_LEN,
		BPF_LD | BPF_MEM,
		BPF_LDX | BPF_IMM,
		BPF_LDX | BPF_MEM,
		BPF_LDX | BPF_B | BPF_MSH,
		BPF_ST,
		BPF_STX,
		BPF_ALU | BPF_AND | BPF_K,
		BPF_ALU | BPF_OR | BPF_K,
		BPF_ALU | BPF_LSH | BPF_K,
		BPF_ALU | BPF_RSH | BPF_K,
		BPF_ALU | BPF_ADD, /* BPF_K is 0 */
		BPF_ALU | BPF_AND | BPF_X,
		BPF_ALU | BPF_OR | BPF_X,
		BPF_ALU | BPF_DIV | BPF_X,
		BPF_ALU | BPF_MOD | BPF_X,
		BPF_ALU | BPF_SUB | BPF_X,
		BPF_ALU | BPF_RSH | BPF_X,
		BPF_ALU | BPF_NEG,
		BPF_MISC | BPF_TAX,
		BPF_MISC | BPF_TXA,
		BPF_JMP | BPF_JEQ | BPF_K,
		BPF_JMP | BPF_JEQ | BPF_K,
		BPF_JMP | BPF_JSET | BPF_K,
		BPF_JMP | BPF_JGT | BPF_K,
		BPF_JMP | BPF_JGE | BPF_K,
		BPF_JMP | BPF_JEQ | BPF_X,
		BPF_JMP | BPF_JSET | BPF_X,
		BPF_JMP | BPF_JGT | BPF_X,
		BPF_JMP | BPF_JA,
	};
	struct bpf_op op = { .code = codes[next_byte() % (sizeof(codes) / sizeof(codes[0]))] };

	op.k = next_byte() & 15;
	if (BPF_CLASS(op.code) == BPF_JMP) {
		op.jt = (uint8_t)(next_byte() % left);
		op.jf = (uint8_t)(next_byte() % left);
	}
	if (BPF_CLASS(op.code) == BPF_JMP && BPF_OP(op.code) == BPF_JA)
		op.k = (uint32_t)(next_byte() % left);
	return op;
}

/* The last two return, in either order. */
static size_t make_program(struct bpf_op ops[OPS_MAX])
{
	const size_t n = 4 + next_byte() % (OPS_MAX - 3);
	const uint32_t last = next_byte() & 1;

	for (size_t i = 0; i + 2 < n; i++)
		ops[i] = random_op(n - i - 1);
	ops[n - 2] = (struct bpf_op){ .code = BPF_RET | BPF_K, .k = !last };
	ops[n - 1] = (struct bpf_op){ .code = BPF_RET | BPF_K, .k = last };
	return n;
}

/* Certain of many of them, and wrong of none, by the interpreter that the hook's tests hold to. */
static void programs_by_chance(void **state)
{
	unsigned int certain = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		const struct bpf_known known = known_of(i % WAYS);
		struct bpf_op ops[OPS_MAX];
		const size_t n = make_program(ops);
		const enum bpf_bound bound = bpf_bound(ops, n, &known);
		uint8_t bytes[FRAME_LEN];
		const struct bpf_frame frame = { .data = bytes, .len = sizeof(bytes) };

		if (bound == BPF_MATCHES_SOME)
			continue;
		certain++;
		for (int k = 0; k < 20; k++) {
			make_frame(bytes, &known);
			if (!bpf_run(ops, n, &frame) != (bound == BPF_MATCHES_NONE))
				fail_msg("program %d", i);
		}
	}
	assert_true(certain > 2000);
}

/* Programs that nobody compiled: no return, and jumps out of it. */
static void nonsense_is_not_certain(void **state)
{
	static const struct bpf_op no_end[] = { { .code = 0x00, .k = 1 } };
	static const struct bpf_op far[] = { { .code = 0x15, .jt = 9, .jf = 9 },
					     { .code = 0x06, .k = 1 } };
	const struct bpf_known known = { .mask = { 0 } };

	(void)state;
	assert_int_equal(bpf_bound(no_end, 1, &known), BPF_MATCHES_SOME);
	assert_int_equal(bpf_bound(far, 2, &known), BPF_MATCHES_SOME);
	assert_int_equal(bpf_bound(NULL, 0, &known), BPF_MATCHES_SOME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_they_are_and_never_wrong),
		cmocka_unit_test(ways_that_meet),
		cmocka_unit_test(programs_by_chance),
		cmocka_unit_test(nonsense_is_not_certain),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
