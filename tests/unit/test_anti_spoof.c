/* links: netlink/anti_spoof.c agent/base/bpf_run.c agent/base/bpf_code.c agent/base/link_types.c */
/* links: agent/base/parse.c agent/base/err.c */
/* What a guest may send: its own, what is not its own, and what tries to get round. */
#include "netlink/anti_spoof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/bpf_run.h"

#define PASS 0xffffffffu /* TC_ACT_UNSPEC */
#define DROP 2u /* TC_ACT_SHOT */

#define FRAME_MAX 256

static const uint8_t mac[MAC_LEN] = { 0x52, 0x54, 0, 0, 0, 1 };

/* Ethernet from our MAC to another, and from another. */
#define OURS   "525400000002 525400000001 "
#define THEIRS "525400000002 525400000003 "
#define Q5     "8100 0005 "
#define AD6    "88a8 0006 "

#define ARP_HEAD "00010800 0604 0001 "
#define ARP(sender_mac, sender_ip) \
	"0806 " ARP_HEAD sender_mac " " sender_ip " 000000000000 c0000209 "

/* IPv4 of 20 bytes and UDP; `fragment` is flags and offset. */
#define IP4_UDP(fragment, source, ports) \
	"0800 45000024 0001" fragment " 4011 0000 " source " c0000209 " ports " 0010 0000 00000000 "
#define WHOLE "0000"
#define DNS   "d431 0035"

#define IP6(next, source) \
	"86dd 60000000 0020 " next " ff " source " ff020000000000000000000000000001 "
#define LINK_LOCAL	"fe800000000000005054 00fffe000001"
#define GIVEN		"20010db8000000000000000000000001"
#define IN_PREFIX	"20010db8000100000000000000001234"
#define STRANGE		"20010db8000200000000000000000001"
#define NOWHERE		"00000000000000000000000000000000"
#define ICMP6(type)	type " 00 0000 00000000 "
#define SOLICIT(target) ICMP6("87") target " "
#define ADVERT(target)	ICMP6("88") target " "

static const struct {
	const char *what;
	const char *frame;
	char verdicts[4]; /* of mac and of mac+ip: P or D */
} cases[] = {
	{ "own IPv4", OURS IP4_UDP(WHOLE, "c0000201", DNS), "PP" },
	{ "own IPv4 of a prefix", OURS IP4_UDP(WHOLE, "c63364fe", DNS), "PP" },
	{ "IPv4 of others", OURS IP4_UDP(WHOLE, "c0000202", DNS), "PD" },
	{ "IPv4 beside the prefix", OURS IP4_UDP(WHOLE, "c6336501", DNS), "PD" },
	{ "MAC of others", THEIRS IP4_UDP(WHOLE, "c0000201", DNS), "DD" },
	{ "MAC that differs in its last byte", "525400000002 525400000000 9999", "DD" },
	{ "broadcast MAC as source", "525400000002 ffffffffffff 0800", "DD" },
	{ "too short for a MAC", "525400000002 5254000000", "DD" },
	{ "too short for a type", "525400000002 525400000001 08", "DD" },
	{ "nothing", "", "DD" },
	{ "a type and nothing else", OURS "0800", "PD" },
	{ "IPv4 header cut", OURS "0800 45000024 00010000 40110000 c00002", "PD" },
	{ "IPv4 of others, as a fragment", OURS IP4_UDP("00b9", "c0000202", DNS), "PD" },
	{ "own IPv4, as a fragment", OURS IP4_UDP("20b9", "c0000201", DNS), "PP" },

	{ "DHCP client", OURS IP4_UDP(WHOLE, "00000000", "0044 0043"), "PP" },
	{ "DHCP client with IPv4 options",
	  OURS "0800 46000028 00010000 40110000 00000000 ffffffff 01010101 0044 0043 0010 0000",
	  "PP" },
	{ "0.0.0.0 with the ports in IPv4 options",
	  OURS "0800 46000028 00010000 40110000 00000000 ffffffff 00440043 d431 0035 0010 0000",
	  "PD" },
	{ "0.0.0.0 to DNS", OURS IP4_UDP(WHOLE, "00000000", DNS), "PD" },
	{ "DHCP server from 0.0.0.0", OURS IP4_UDP(WHOLE, "00000000", "0043 0044"), "PD" },
	{ "DHCP client in fragments", OURS IP4_UDP("2000", "00000000", "0044 0043"), "PD" },
	{ "DHCP ports cut off", OURS "0800 45000024 00010000 40110000 00000000 ffffffff 0044 00",
	  "PD" },
	{ "0.0.0.0 over TCP",
	  OURS "0800 45000028 00010000 40060000 00000000 ffffffff 0044 0043 0000", "PD" },

	{ "own ARP", OURS ARP("525400000001", "c0000201"), "PP" },
	{ "ARP probe", OURS ARP("525400000001", "00000000"), "PP" },
	{ "ARP of others' address", OURS ARP("525400000001", "c0000202"), "PD" },
	{ "ARP of others' MAC", OURS ARP("525400000003", "c0000201"), "DD" },
	{ "ARP cut off", OURS "0806 " ARP_HEAD "525400000001 c0000201 000000000000 c00002", "DD" },
	{ "ARP with addresses of another length",
	  OURS "0806 00010800 0804 0001 525400000001 c0000201 000000000000 c0000209 00000000",
	  "DD" },
	{ "ARP of another hardware",
	  OURS "0806 00060800 0604 0001 525400000001 c0000201 000000000000 c0000209", "DD" },
	{ "RARP as QEMU announces by",
	  OURS "8035 00010800 0604 0003 525400000001 00000000 525400000001 00000000", "PP" },
	{ "RARP of others' MAC",
	  OURS "8035 00010800 0604 0003 525400000003 00000000 525400000001 00000000", "DD" },

	{ "own IPv4 in a VLAN", OURS Q5 IP4_UDP(WHOLE, "c0000201", DNS), "PP" },
	{ "IPv4 of others in a VLAN", OURS Q5 IP4_UDP(WHOLE, "c0000202", DNS), "PD" },
	{ "IPv4 of others in two VLANs", OURS AD6 Q5 IP4_UDP(WHOLE, "c0000202", DNS), "PD" },
	{ "own IPv4 in two VLANs", OURS AD6 Q5 IP4_UDP(WHOLE, "c0000201", DNS), "PP" },
	{ "own IPv4 in three VLANs", OURS AD6 Q5 Q5 IP4_UDP(WHOLE, "c0000201", DNS), "PD" },
	{ "ARP of others' address in a VLAN", OURS Q5 ARP("525400000001", "c0000202"), "PD" },
	{ "ARP of others' MAC in two VLANs", OURS Q5 Q5 ARP("525400000003", "c0000201"), "DD" },
	{ "a VLAN tag cut off", OURS "8100 00", "DD" },
	{ "MAC of others in a VLAN", THEIRS Q5 IP4_UDP(WHOLE, "c0000201", DNS), "DD" },

	{ "LLDP", OURS "88cc 0207 04525400000001", "PD" },
	{ "802.3 with SNAP and IPv4", OURS "0028 aaaa03000000 0800 45000024", "PD" },
	{ "old QinQ", OURS "9100 0005 " IP4_UDP(WHOLE, "c0000202", DNS), "PD" },
	{ "the type of experiments", OURS "88b5 0000", "PP" },

	{ "own IPv6", OURS IP6("11", GIVEN) DNS " 0010 0000", "PP" },
	{ "IPv6 of a prefix", OURS IP6("11", IN_PREFIX) DNS " 0010 0000", "PP" },
	{ "link-local IPv6 of the MAC", OURS IP6("11", LINK_LOCAL) DNS " 0010 0000", "PP" },
	{ "IPv6 of others", OURS IP6("11", STRANGE) DNS " 0010 0000", "PD" },
	{ "link-local IPv6 of others",
	  OURS IP6("11", "fe80000000000000505400fffe000003") DNS " 0010 0000", "PD" },
	{ "IPv6 header cut", OURS "86dd 60000000 0020 11ff " GIVEN " ff02", "PD" },
	{ "IPv6 of others in a VLAN", OURS Q5 IP6("11", STRANGE) DNS " 0010 0000", "PD" },

	{ "solicitation", OURS IP6("3a", LINK_LOCAL) SOLICIT(STRANGE), "PP" },
	{ "advertisement of its own", OURS IP6("3a", LINK_LOCAL) ADVERT(GIVEN), "PP" },
	{ "advertisement of others'", OURS IP6("3a", LINK_LOCAL) ADVERT(STRANGE), "PD" },
	{ "advertisement cut off", OURS IP6("3a", LINK_LOCAL) ICMP6("88") "20010db8", "PD" },
	{ "detection of its own", OURS IP6("3a", NOWHERE) SOLICIT(GIVEN), "PP" },
	{ "detection of others'", OURS IP6("3a", NOWHERE) SOLICIT(STRANGE), "PD" },
	{ "router solicitation from nowhere", OURS IP6("3a", NOWHERE) ICMP6("85"), "PP" },
	{ "echo from nowhere", OURS IP6("3a", NOWHERE) ICMP6("80"), "PD" },
	{ "UDP from nowhere", OURS IP6("11", NOWHERE) DNS " 0010 0000", "PD" },
	{ "listener report from nowhere, behind hop-by-hop options",
	  OURS IP6("00", NOWHERE) "3a00 05020000 0100 " ICMP6("8f"), "PP" },
	{ "advertisement of others' behind hop-by-hop options",
	  OURS IP6("00", LINK_LOCAL) "3a00 05020000 0100 " ADVERT(STRANGE), "PD" },
	{ "advertisement of others' behind long options",
	  OURS IP6("3c", LINK_LOCAL) "3a01 010c000000000000000000000000 " ADVERT(STRANGE), "PD" },
	{ "advertisement of others' behind three headers",
	  OURS IP6("00", LINK_LOCAL) "3c00 010400000000 2b00 010400000000 3a00 010400000000 " ADVERT(
		  STRANGE),
	  "PD" },
	{ "advertisement of its own behind three headers",
	  OURS IP6("00", LINK_LOCAL) "3c00 010400000000 2b00 010400000000 3a00 010400000000 " ADVERT(
		  GIVEN),
	  "PP" },
	{ "five headers",
	  OURS IP6("3c", GIVEN) "3c00 010400000000 3c00 010400000000 3c00 010400000000 "
				"3c00 010400000000 1100 010400000000 " DNS,
	  "PD" },
	{ "headers cut off", OURS IP6("3c", GIVEN) "3aff 010400000000", "PD" },
	{ "advertisement of its own in a fragment",
	  OURS IP6("2c", LINK_LOCAL) "3a00 0001 00000001 " ADVERT(GIVEN), "PD" },
	{ "advertisement alone in an atomic fragment",
	  OURS IP6("2c", LINK_LOCAL) "3a00 0000 00000001 " ADVERT(STRANGE), "PD" },
	{ "echo in the first fragment", OURS IP6("2c", GIVEN) "3a00 0001 00000001 " ICMP6("80"),
	  "PP" },
	{ "first fragment without its ICMPv6", OURS IP6("2c", GIVEN) "3a00 0001 00000001 ", "PD" },
	{ "a later fragment", OURS IP6("2c", GIVEN) "3a00 0010 00000001 00000000", "PP" },
	{ "a later fragment from nowhere", OURS IP6("2c", NOWHERE) "3a00 0010 00000001 00", "PD" },
};

static size_t parse(const char *text, uint8_t frame[FRAME_MAX])
{
	size_t len = 0;
	char pair[3] = "";

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		memcpy(pair, text++, 2);
		assert_in_range(len, 0, FRAME_MAX - 1);
		frame[len++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return len;
}

static void make(enum anti_spoof anti_spoof, struct bpf_code *code)
{
	static const char *const texts[] = { "192.0.2.1", "198.51.100.0/24", "2001:db8::1",
					     "2001:db8:1::/64" };
	struct guest_addrs addresses = { 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse_prefix(texts[i], &addresses.list[addresses.n++], NULL), 0);
	anti_spoof_add(code, anti_spoof, mac, &addresses);
	bpf_code_add(code, (struct bpf_op){ .code = BPF_RET | BPF_K, .k = PASS });
	assert_int_equal(code->error, 0);
}

static uint32_t wanted(size_t i, int mode)
{
	return cases[i].verdicts[mode] == 'P' ? PASS : DROP;
}

static void verdicts(void **state)
{
	(void)state;
	for (int mode = 0; mode < 2; mode++) {
		struct bpf_code code = { 0 };

		make(mode ? ANTI_SPOOF_MAC_IP : ANTI_SPOOF_MAC, &code);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			uint8_t frame[FRAME_MAX];
			struct bpf_frame seen = { .data = frame,
						  .len = parse(cases[i].frame, frame) };

			if (bpf_run(code.ops, code.n, &seen) != wanted(i, mode))
				fail_msg("%s: anti-spoof %s: not %c", cases[i].what,
					 anti_spoof_names[mode + ANTI_SPOOF_MAC],
					 cases[i].verdicts[mode]);
		}
		bpf_code_done(&code);
	}
}

/*
 * Cut anywhere, a frame that is dropped is still dropped: no verdict is 0, which would let it pass.
 */
static void cut_frames_are_not_let_through(void **state)
{
	(void)state;
	for (int mode = 0; mode < 2; mode++) {
		struct bpf_code code = { 0 };

		make(mode ? ANTI_SPOOF_MAC_IP : ANTI_SPOOF_MAC, &code);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			uint8_t frame[FRAME_MAX];
			size_t len = parse(cases[i].frame, frame);

			for (size_t cut = 0; cut <= len; cut++) {
				struct bpf_frame seen = { .data = frame, .len = cut };
				uint32_t verdict = bpf_run(code.ops, code.n, &seen);

				assert_true(verdict == PASS || verdict == DROP);
			}
		}
		bpf_code_done(&code);
	}
}

/* The kernel as it runs the same program on a datagram; a verdict of 2 leaves two bytes of it. */
static void the_kernel_says_the_same(void **state)
{
	(void)state;
	for (int mode = 0; mode < 2; mode++) {
		struct bpf_code code = { 0 };
		struct sock_fprog program;
		int pair[2];

		make(mode ? ANTI_SPOOF_MAC_IP : ANTI_SPOOF_MAC, &code);
		program.len = (unsigned short)code.n;
		program.filter = (void *)code.ops;
		assert_return_code(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), errno);
		assert_return_code(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &program,
					      sizeof(program)),
				   errno);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			uint8_t frame[FRAME_MAX], got[FRAME_MAX];
			size_t len = parse(cases[i].frame, frame);

			if (len <= DROP)
				continue;
			assert_int_equal(send(pair[0], frame, len, MSG_DONTWAIT), len);
			if (recv(pair[1], got, sizeof(got), MSG_DONTWAIT) !=
			    (wanted(i, mode) == PASS ? (ssize_t)len : (ssize_t)DROP))
				fail_msg("%s: %d", cases[i].what, mode);
		}
		close(pair[0]);
		close(pair[1]);
		bpf_code_done(&code);
	}
}

static void addresses_are_parsed(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* NULL: it is good */
	} texts[] = {
		{ "192.0.2.1", NULL },
		{ "0.0.0.0/0", NULL },
		{ "::/0", NULL },
		{ "2001:db8::/32", NULL },
		{ "192.0.2.1/24", "\"192.0.2.1/24\" has bits behind its prefix" },
		{ "192.0.2.0/33", "\"192.0.2.0/33\": a prefix has 0 to 32 bits" },
		{ "2001:db8::/129", "\"2001:db8::/129\": a prefix has 0 to 128 bits" },
		{ "192.0.2.0/", "\"192.0.2.0/\": a prefix has 0 to 32 bits" },
		{ "guest", "\"guest\" is not an address, as 192.0.2.1 or 2001:db8::/64" },
		{ "192.0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
		  "\"192.0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0\" is not an address, as 192.0.2.1 or 2001:db8::/64" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cidr address;
		struct err err = { "" };
		int code = parse_prefix(texts[i].text, &address, &err);

		assert_int_equal(code, texts[i].why ? -EINVAL : 0);
		assert_string_equal(err.text, texts[i].why ? texts[i].why : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(cut_frames_are_not_let_through),
		cmocka_unit_test(the_kernel_says_the_same),
		cmocka_unit_test(addresses_are_parsed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
