/* links: agent/base/pcap_lib.c agent/base/late_lib.c */
/* links: netlink/hook_filter.c agent/base/bpf_run.c agent/base/bpf_compile.c */
/* links: agent/base/bpf_code.c agent/base/hint.c agent/base/parse.c agent/base/err.c */
/*
 * Filters at the hook against two oracles: bpf_filter() of libpcap on the frame as it is on the
 * wire, and the kernel, which runs the same program on a datagram of a socket pair.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/bpf_compile.h"
#include "agent/base/bpf_run.h"
#include "netlink/hook_filter.h"

#define PASS 0xffffffffu /* TC_ACT_UNSPEC */
#define DROP 2u /* TC_ACT_SHOT */

#define FRAMES	  400
#define FRAME_MAX 160

static const char *const expressions[] = {
	"ip",
	"arp",
	"ip6",
	"not ip6",
	"tcp",
	"tcp port 80",
	"udp dst portrange 53-68",
	"host 192.0.2.1",
	"src net 192.0.2.0/24 and not tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
	"ip6 host 2001:db8::1",
	"ether src 52:54:00:00:00:01",
	"ether multicast",
	"ether broadcast",
	"vlan",
	"vlan 5",
	"vlan 5 and tcp port 80",
	"vlan and vlan 6 and ip",
	"not vlan",
	"greater 64",
	"len > 100 and ip",
	"ip[0] & 0xf != 5",
	"ip[6:2] & 0x1fff != 0",
	"ether[12:4] = 0x81000005",
	"ether[10:4] = 0x00018100",
	"ether[13:2] = 0x0005",
	"ether[15] = 5",
	"ether[14:4] = 0x00050800",
	"ether[100] = 0 or arp",
	"tcp[(tcp[12] >> 4) * 4] = 71",
	"ip[ip[1] + 8] = 6",
	"icmp[icmptype] = icmp-echo or icmp6",
	"ip proto \\tcp and not (src 192.0.2.1 or dst 192.0.2.1)",
	"len / (ether[20] - ether[21]) > 3",
	"mpls 100",
	"stp or atalk",
	"",
};

static uint32_t seed;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static uint8_t pick(const char *choices, size_t n)
{
	return (uint8_t)choices[next_random() % n];
}

static size_t add(uint8_t *frame, size_t len, const void *bytes, size_t n)
{
	memcpy(frame + len, bytes, n);
	return len + n;
}

/* A frame of what the expressions ask for, often cut short. */
static size_t make_frame(uint8_t frame[FRAME_MAX])
{
	static const uint8_t head[] = { 0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0, 0, 1 };
	static const char *const types[] = { "\x08\x00", "\x86\xdd", "\x08\x06", "\x88\x47" };
	static const uint8_t ip4[] = { 192, 0, 2, 1 };
	static const uint8_t ip6[] = { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
	size_t len = add(frame, 0, head, sizeof(head)), at;
	unsigned int tags = next_random() % 4;

	for (size_t i = 0; i < FRAME_MAX; i++)
		frame[i < len ? 0 : i] = i < len ? frame[0] : (uint8_t)next_random();
	if (next_random() % 8 == 0)
		memset(frame, 0xff, 6);
	for (; tags > 1; tags--) {
		len = add(frame, len, next_random() % 2 ? "\x81\x00\x00" : "\x88\xa8\x00", 3);
		frame[len++] = pick("\5\6\7", 3);
	}
	len = add(frame, len, types[next_random() % 4], 2);
	at = len;
	frame[at] = next_random() % 3 ? 0x45 : 0x46;
	frame[at + 6] = pick("\0\0\x20", 3);
	frame[at + 7] = pick("\0\0\1", 3);
	frame[at + 9] = pick("\6\x11\1", 3);
	if (frame[len - 2] == 0x86)
		frame[at + 6] = pick("\6\x3a\0\x2c", 4);
	if (next_random() % 2)
		memcpy(frame + at + (next_random() % 2 ? 12 : 16), ip4, sizeof(ip4));
	if (next_random() % 2)
		memcpy(frame + at + 8, ip6, sizeof(ip6));
	frame[at + 22] = 0;
	frame[at + 23] = pick("\x50\x35\x44", 3);
	return next_random() % 3 ? FRAME_MAX : next_random() % FRAME_MAX;
}

/* The outer tag of the wire's frame beside it; false when there is none. */
static bool take_tag_out(const uint8_t *frame, size_t len, uint8_t *bytes, struct bpf_frame *ret)
{
	if (len < 18 ||
	    !((frame[12] == 0x81 && frame[13] == 0) || (frame[12] == 0x88 && frame[13] == 0xa8)))
		return false;
	memcpy(bytes, frame, 12);
	memcpy(bytes + 12, frame + 16, len - 16);
	*ret = (struct bpf_frame){
		.data = bytes,
		.len = len - 4,
		.has_tag = true,
		.tpid = (uint16_t)(frame[12] << 8 | frame[13]),
		.tci = (uint16_t)(frame[14] << 8 | frame[15]),
	};
	return true;
}

static void make(const char *expression, struct bpf_code *wire, struct bpf_code *hook)
{
	const struct bpf_op pass = { .code = 6, .k = PASS };
	struct err err;

	if (bpf_compile(expression, wire, &err) || hook_filter_add(hook, wire->ops, wire->n, &err))
		fail_msg("%s: %s", expression, err.text);
	bpf_code_add(hook, pass);
	assert_int_equal(hook->error, 0);
}

static uint32_t wanted(const struct bpf_code *wire, const uint8_t *frame, size_t len)
{
	struct bpf_insn insns[BPF_CODE_MAX];

	for (size_t i = 0; i < wire->n; i++)
		insns[i] = (struct bpf_insn){ wire->ops[i].code, wire->ops[i].jt, wire->ops[i].jf,
					      wire->ops[i].k };
	return bpf_filter(insns, frame, (u_int)len, (u_int)len) ? PASS : DROP;
}

static void says_what_libpcap_says(void **state)
{
	uint8_t frame[FRAME_MAX], bytes[FRAME_MAX];
	size_t tagged = 0, passed = 0;

	(void)state;
	for (size_t e = 0; e < sizeof(expressions) / sizeof(expressions[0]); e++) {
		struct bpf_code wire = { 0 }, hook = { 0 };

		seed = 1;
		make(expressions[e], &wire, &hook);
		for (int i = 0; i < FRAMES; i++) {
			size_t len = make_frame(frame);
			struct bpf_frame seen = { .data = frame, .len = len };
			uint32_t verdict = wanted(&wire, frame, len);

			passed += verdict == PASS;
			if (bpf_run(hook.ops, hook.n, &seen) != verdict)
				fail_msg("%s: frame %d", expressions[e], i);
			if (!take_tag_out(frame, len, bytes, &seen))
				continue;
			tagged++;
			if (bpf_run(hook.ops, hook.n, &seen) != verdict)
				fail_msg("%s: frame %d with its tag beside", expressions[e], i);
		}
		bpf_code_done(&wire);
		bpf_code_done(&hook);
	}
	assert_in_range(tagged, 1000, SIZE_MAX);
	assert_in_range(passed, 1000, SIZE_MAX);
}

/* struct sock_fprog (linux/filter.h), whose names libpcap has taken. */
struct program {
	unsigned short len;
	const struct bpf_op *ops;
};

#ifndef SO_ATTACH_FILTER
#define SO_ATTACH_FILTER 26
#endif

/* Whether the kernel lets the datagram through: any verdict but 0 does, so it is passed by PASS. */
static bool kernel_passes(const int pair[2], const uint8_t *frame, size_t len)
{
	uint8_t got[FRAME_MAX];

	if (send(pair[0], frame, len, MSG_DONTWAIT) < 0)
		assert_int_equal(errno, EPERM);
	return recv(pair[1], got, sizeof(got), MSG_DONTWAIT) > 2;
}

static void the_kernel_runs_it(void **state)
{
	uint8_t frame[FRAME_MAX];

	(void)state;
	for (size_t e = 0; e < sizeof(expressions) / sizeof(expressions[0]); e++) {
		struct bpf_code wire = { 0 }, hook = { 0 };
		struct program program;
		int pair[2];

		seed = 2;
		make(expressions[e], &wire, &hook);
		program = (struct program){ (unsigned short)hook.n, hook.ops };
		assert_return_code(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), errno);
		assert_return_code(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &program,
					      sizeof(program)),
				   errno);
		for (int i = 0; i < FRAMES; i++) {
			size_t len = make_frame(frame);

			/* A datagram cut to two bytes by DROP, 2, is not told from a short one. */
			if (len > 2 &&
			    kernel_passes(pair, frame, len) != (wanted(&wire, frame, len) == PASS))
				fail_msg("%s: frame %d", expressions[e], i);
		}
		close(pair[0]);
		close(pair[1]);
		bpf_code_done(&wire);
		bpf_code_done(&hook);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *expression;
		const char *why;
	} cases[] = {
#define NAME "is not a word of pcap-filter(7), and names are not looked up: "
		{ "host example.org", "\"example.org\" " NAME "write its number or address" },
		{ "port domain", "\"domain\" " NAME "write its number or address" },
		{ "host ab.cd", "\"ab.cd\" " NAME "write its number or address" },
		{ "tpc port 80", "\"tpc\" " NAME "did you mean \"tcp\"?" },
		{ "port 80 and", "can't parse filter expression: syntax error" },
		{ "host 1.2.3.4.5", "\"1.2.3.4.5\" " NAME "write its number or address" },
		{ "host 10.1-2", "\"10.1-2\" " NAME "write its number or address" },
		{ "portrange 1-2-3", "\"1-2-3\" " NAME "write its number or address" },
		{ "port 1-2", "\"1-2\" " NAME "write its number or address" },
		{ "vlan 5000", "VLAN tag 5000 greater than maximum 4095" },
		{ "host 300.1.1.1", "invalid IPv4 address '300.1.1.1'" },
		{ "ether host 52:54", "illegal link layer address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bpf_code code = { 0 };
		struct err err;

		assert_int_equal(bpf_compile(cases[i].expression, &code, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].why);
		assert_null(code.ops);
	}
}

static void refuses_what_the_hook_cannot_have(void **state)
{
	static const struct {
		const char *expression;
		const char *why;
	} cases[] = {
		{ "ip6 protochain 58",
		  "the kernel cannot run it: it jumps back, as protochain does" },
		{ "inbound", "the kernel cannot run it: it asks what is not in the frame, as "
			     "inbound and ifindex do" },
		{ "ifindex 3", "the kernel cannot run it: it asks what is not in the frame, as "
			       "inbound and ifindex do" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bpf_code wire = { 0 }, hook = { 0 };
		struct err err;

		assert_int_equal(bpf_compile(cases[i].expression, &wire, &err), 0);
		assert_int_equal(hook_filter_add(&hook, wire.ops, wire.n, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].why);
		bpf_code_done(&wire);
		bpf_code_done(&hook);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_libpcap_says),
		cmocka_unit_test(the_kernel_runs_it),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_what_the_hook_cannot_have),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
