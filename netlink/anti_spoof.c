#include "netlink/anti_spoof.h"

#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "netlink/bpf_emit.h"

#define EXPERIMENTAL 0x88b5 /* IEEE Std 802, local experimental ethertype 1 */

#define TAGS_MAX    2
#define TAG_LEN	    4
#define IP6_HEADERS 4

/* Scratch memory of the IPv6 part. */
enum {
	MEM_UNSPECIFIED, /* the source is :: */
	MEM_FRAGMENT, /* there is a fragment header */
	MEM_NEXT, /* the next header */
};

#define ARP_OF_IP4	  0x00010800 /* hardware Ethernet, protocol IPv4 (RFC 826) */
#define ARP_OF_IP4_LENGTH 0x0604
#define ARP_SENDER_MAC	  8
#define ARP_SENDER_IP	  14
#define ARP_LEN		  28

#define IP4_FRAGMENT 6
#define IP4_PROTO    9
#define IP4_SOURCE   12
#define IP4_LEN	     20
#define IP4_IN_PART  0x3fff /* more fragments, or not the first */

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68

#define IP6_NEXT   6
#define IP6_SOURCE 8
#define IP6_LEN	   40
#define ND_TARGET  8
#define ND_LEN	   24

#define ND_ROUTER_SOLICIT   133
#define ND_NEIGHBOR_SOLICIT 135
#define ND_NEIGHBOR_ADVERT  136
#define ND_REDIRECT	    137
#define MLD_REPORT	    131
#define MLD_DONE	    132
#define MLD2_REPORT	    143

#define LOAD(size)   (BPF_LD | (size) | BPF_ABS)
#define LOAD_X(size) (BPF_LD | (size) | BPF_IND) /* X is where the network header begins */

static uint32_t word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* The network mask of bits 32 * i to 32 * i + 31 of a prefix. */
static uint32_t mask_of(unsigned int prefix_len, unsigned int i)
{
	unsigned int bits = prefix_len > 32 * i ? prefix_len - 32 * i : 0;

	if (bits >= 32)
		return UINT32_MAX;
	return bits ? UINT32_MAX << (32 - bits) : 0;
}

static void load_masked(struct bpf_code *code, uint32_t at, uint32_t mask)
{
	emit(code, LOAD_X(BPF_W), at);
	if (mask != UINT32_MAX)
		emit(code, BPF_ALU | BPF_AND | BPF_K, mask);
}

/* To `ok` when the address at X + `at` is in the prefix; else goes on. */
static void match_prefix(struct bpf_code *code, const struct cidr *address, uint32_t at,
			 struct bpf_label *ok)
{
	const unsigned int words = address->family == AF_INET6 ? 4 : 1;
	struct bpf_label other = { 0 };

	for (unsigned int i = 0; i < words; i++) {
		const uint32_t mask = mask_of(address->prefix, i);

		if (!mask)
			break;
		load_masked(code, at + 4 * i, mask);
		emit_test(code, BPF_JEQ | BPF_K, word(address->address + (size_t)4 * i) & mask, 1,
			  0);
		emit_goto(code, &other);
	}
	emit_goto(code, ok);
	emit_label(code, &other);
}

static void match_addresses(struct bpf_code *code, const struct guest_addrs *addresses,
			    uint8_t family, uint32_t at, struct bpf_label *ok)
{
	for (uint32_t i = 0; i < addresses->n; i++) {
		if (addresses->list[i].family == family)
			match_prefix(code, &addresses->list[i], at, ok);
	}
}

static void match_ip6(struct bpf_code *code, const uint8_t mac[MAC_LEN],
		      const struct guest_addrs *addresses, uint32_t at, struct bpf_label *ok)
{
	const struct cidr local = {
		.family = AF_INET6,
		.prefix = 128,
		.address = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe,
			     mac[3], mac[4], mac[5] },
	};

	match_addresses(code, addresses, AF_INET6, at, ok);
	match_prefix(code, &local, at, ok);
}

/* Of the frame itself, before anything else is loaded. */
static void check_source(struct bpf_code *code, const uint8_t mac[MAC_LEN])
{
	emit_need(code, ETH_HLEN);
	emit(code, LOAD(BPF_W), MAC_LEN);
	emit_drop_unless(code, word(mac));
	emit(code, LOAD(BPF_H), MAC_LEN + 4);
	emit_drop_unless(code, (uint32_t)(mac[4] << 8 | mac[5]));
}

/* A is the ethertype and X where its header begins; to `deep` when there are more tags. */
static void skip_tags(struct bpf_code *code, struct bpf_label *deep)
{
	struct bpf_label typed = { 0 };

	emit(code, LOAD(BPF_H), 2 * MAC_LEN);
	emit(code, BPF_LDX | BPF_IMM, ETH_HLEN);
	for (uint32_t tag = 1; tag <= TAGS_MAX + 1; tag++) {
		emit_test(code, BPF_JEQ | BPF_K, ETH_P_8021Q, 2, 0);
		emit_test(code, BPF_JEQ | BPF_K, ETH_P_8021AD, 1, 0);
		emit_goto(code, &typed);
		if (tag > TAGS_MAX)
			break;
		emit_need(code, ETH_HLEN + tag * TAG_LEN);
		emit(code, LOAD(BPF_H), 2 * MAC_LEN + tag * TAG_LEN);
		emit(code, BPF_LDX | BPF_IMM, ETH_HLEN + tag * TAG_LEN);
	}
	emit_goto(code, deep);
	emit_label(code, &typed);
}

static void check_arp(struct bpf_code *code, enum anti_spoof anti_spoof, const uint8_t mac[MAC_LEN],
		      const struct guest_addrs *addresses, struct bpf_label *pass)
{
	emit_need_behind_x(code, ARP_LEN);
	emit(code, LOAD_X(BPF_W), 0);
	emit_drop_unless(code, ARP_OF_IP4);
	emit(code, LOAD_X(BPF_H), 4);
	emit_drop_unless(code, ARP_OF_IP4_LENGTH);
	emit(code, LOAD_X(BPF_W), ARP_SENDER_MAC);
	emit_drop_unless(code, word(mac));
	emit(code, LOAD_X(BPF_H), ARP_SENDER_MAC + 4);
	emit_drop_unless(code, (uint32_t)(mac[4] << 8 | mac[5]));
	if (anti_spoof == ANTI_SPOOF_MAC) {
		emit_goto(code, pass);
		return;
	}
	match_addresses(code, addresses, AF_INET, ARP_SENDER_IP, pass);
	emit(code, LOAD_X(BPF_W), ARP_SENDER_IP);
	emit_drop_unless(code, 0);
	emit_goto(code, pass);
}

/* RFC 2131: until it has an address, a client sends from 0.0.0.0 and port 68 to port 67. */
static void check_ip4(struct bpf_code *code, const struct guest_addrs *addresses,
		      struct bpf_label *pass)
{
	emit_need_behind_x(code, IP4_LEN);
	match_addresses(code, addresses, AF_INET, IP4_SOURCE, pass);
	emit(code, LOAD_X(BPF_W), IP4_SOURCE);
	emit_drop_unless(code, 0);
	emit(code, LOAD_X(BPF_B), IP4_PROTO);
	emit_drop_unless(code, IPPROTO_UDP);
	emit(code, LOAD_X(BPF_H), IP4_FRAGMENT);
	emit_test(code, BPF_JSET | BPF_K, IP4_IN_PART, 0, 1);
	emit_drop(code);
	emit(code, LOAD_X(BPF_B), 0);
	emit(code, BPF_ALU | BPF_AND | BPF_K, 0xf);
	emit(code, BPF_ALU | BPF_LSH | BPF_K, 2);
	emit(code, BPF_ALU | BPF_ADD | BPF_X, 0);
	emit(code, BPF_MISC | BPF_TAX, 0);
	emit_need_behind_x(code, 4);
	emit(code, LOAD_X(BPF_W), 0);
	emit_drop_unless(code, DHCP_CLIENT_PORT << 16 | DHCP_SERVER_PORT);
	emit_goto(code, pass);
}

static void drop_if(struct bpf_code *code, unsigned int flag)
{
	emit(code, BPF_LD | BPF_MEM, flag);
	emit_test(code, BPF_JEQ | BPF_K, 0, 1, 0);
	emit_drop(code);
}

static void set_flag(struct bpf_code *code, unsigned int flag, uint32_t value)
{
	emit(code, BPF_LD | BPF_IMM, value);
	emit(code, BPF_ST, flag);
}

/* X goes behind an extension header of (its second byte + 1) * 8 bytes; A is what follows it. */
static void skip_option_header(struct bpf_code *code)
{
	emit_need_behind_x(code, 2);
	emit(code, LOAD_X(BPF_B), 0);
	emit(code, BPF_ST, MEM_NEXT);
	emit(code, LOAD_X(BPF_B), 1);
	emit_add(code, 1);
	emit(code, BPF_ALU | BPF_LSH | BPF_K, 3);
	emit(code, BPF_ALU | BPF_ADD | BPF_X, 0);
	emit(code, BPF_MISC | BPF_TAX, 0);
	emit(code, BPF_LD | BPF_MEM, MEM_NEXT);
}

/* A later fragment goes to `later`: the first was looked at, and has all headers (RFC 7112). */
static void skip_fragment_header(struct bpf_code *code, struct bpf_label *later)
{
	emit_need_behind_x(code, 8);
	emit(code, LOAD_X(BPF_H), 2);
	emit_test(code, BPF_JSET | BPF_K, 0xfff8, 0, 1);
	emit_goto(code, later);
	set_flag(code, MEM_FRAGMENT, 1);
	emit(code, LOAD_X(BPF_B), 0);
	emit(code, BPF_ST, MEM_NEXT);
	emit(code, BPF_MISC | BPF_TXA, 0);
	emit_add(code, 8);
	emit(code, BPF_MISC | BPF_TAX, 0);
	emit(code, BPF_LD | BPF_MEM, MEM_NEXT);
}

/* To `icmp` with X where ICMPv6 begins, or to `other` for what is above or in a later fragment. */
static void walk_headers(struct bpf_code *code, struct bpf_label *icmp, struct bpf_label *other)
{
	emit(code, LOAD_X(BPF_B), IP6_NEXT);
	emit(code, BPF_ST, MEM_NEXT);
	emit(code, BPF_MISC | BPF_TXA, 0);
	emit_add(code, IP6_LEN);
	emit(code, BPF_MISC | BPF_TAX, 0);
	emit(code, BPF_LD | BPF_MEM, MEM_NEXT);
	for (unsigned int i = 0; i <= IP6_HEADERS; i++) {
		struct bpf_label options = { 0 }, fragment = { 0 }, next = { 0 };

		emit_goto_if(code, IPPROTO_ICMPV6, icmp);
		emit_goto_if(code, IPPROTO_FRAGMENT, &fragment);
		emit_goto_if(code, IPPROTO_HOPOPTS, &options);
		emit_goto_if(code, IPPROTO_ROUTING, &options);
		emit_goto_if(code, IPPROTO_DSTOPTS, &options);
		emit_goto(code, other);
		emit_label(code, &options);
		if (i < IP6_HEADERS)
			skip_option_header(code);
		emit_goto(code, &next);
		emit_label(code, &fragment);
		if (i < IP6_HEADERS)
			skip_fragment_header(code, other);
		emit_label(code, &next);
	}
	emit_drop(code);
}

static void check_icmp6(struct bpf_code *code, const uint8_t mac[MAC_LEN],
			const struct guest_addrs *addresses, struct bpf_label *pass)
{
	static const uint32_t from_nowhere[] = { ND_ROUTER_SOLICIT, MLD_REPORT, MLD_DONE,
						 MLD2_REPORT };
	struct bpf_label target = { 0 }, solicit = { 0 }, known = { 0 }, whole = { 0 };

	emit(code, BPF_LD | BPF_MEM, MEM_FRAGMENT);
	emit_goto_if(code, 0, &whole);
	emit_need_behind_x(code, 1);
	emit(code, LOAD_X(BPF_B), 0);
	emit_test(code, BPF_JGE | BPF_K, ND_ROUTER_SOLICIT, 0, 2);
	emit_test(code, BPF_JGT | BPF_K, ND_REDIRECT, 1, 0);
	emit_drop(code);
	emit_label(code, &whole);

	emit_need_behind_x(code, 1);
	emit(code, LOAD_X(BPF_B), 0);
	emit_goto_if(code, ND_NEIGHBOR_ADVERT, &target);
	emit_goto_if(code, ND_NEIGHBOR_SOLICIT, &solicit);
	for (size_t i = 0; i < sizeof(from_nowhere) / sizeof(from_nowhere[0]); i++)
		emit_goto_if(code, from_nowhere[i], pass);
	drop_if(code, MEM_UNSPECIFIED);
	emit_goto(code, pass);

	emit_label(code, &solicit);
	emit(code, BPF_LD | BPF_MEM, MEM_UNSPECIFIED);
	emit_goto_if(code, 0, &known);
	emit_label(code, &target);
	emit_need_behind_x(code, ND_LEN);
	match_ip6(code, mac, addresses, ND_TARGET, pass);
	emit_drop(code);
	emit_label(code, &known);
	emit_goto(code, pass);
}

static void check_ip6(struct bpf_code *code, const uint8_t mac[MAC_LEN],
		      const struct guest_addrs *addresses, struct bpf_label *pass)
{
	struct bpf_label ours = { 0 }, icmp = { 0 }, other = { 0 };

	emit_need_behind_x(code, IP6_LEN);
	set_flag(code, MEM_FRAGMENT, 0);
	set_flag(code, MEM_UNSPECIFIED, 0);
	match_ip6(code, mac, addresses, IP6_SOURCE, &ours);
	for (uint32_t i = 0; i < 4; i++) {
		emit(code, LOAD_X(BPF_W), IP6_SOURCE + 4 * i);
		emit_drop_unless(code, 0);
	}
	set_flag(code, MEM_UNSPECIFIED, 1);
	emit_label(code, &ours);
	walk_headers(code, &icmp, &other);
	emit_label(code, &icmp);
	check_icmp6(code, mac, addresses, pass);
	emit_label(code, &other);
	drop_if(code, MEM_UNSPECIFIED);
	emit_goto(code, pass);
}

void anti_spoof_add(struct bpf_code *code, enum anti_spoof anti_spoof, const uint8_t mac[MAC_LEN],
		    const struct guest_addrs *addresses)
{
	struct bpf_label pass = { 0 }, deep = { 0 }, arp = { 0 }, ip4 = { 0 }, ip6 = { 0 };

	if (anti_spoof != ANTI_SPOOF_MAC && anti_spoof != ANTI_SPOOF_MAC_IP)
		return;
	check_source(code, mac);
	skip_tags(code, &deep);
	emit_goto_if(code, ETH_P_ARP, &arp);
	emit_goto_if(code, ETH_P_RARP, &arp);
	if (anti_spoof == ANTI_SPOOF_MAC_IP) {
		emit_goto_if(code, ETH_P_IP, &ip4);
		emit_goto_if(code, ETH_P_IPV6, &ip6);
		emit_goto_if(code, EXPERIMENTAL, &pass);
		emit_label(code, &deep);
		emit_drop(code);
		emit_label(code, &ip4);
		check_ip4(code, addresses, &pass);
		emit_label(code, &ip6);
		check_ip6(code, mac, addresses, &pass);
	} else {
		emit_label(code, &deep);
		emit_goto(code, &pass);
	}
	emit_label(code, &arp);
	check_arp(code, anti_spoof, mac, addresses, &pass);
	emit_label(code, &pass);
}
