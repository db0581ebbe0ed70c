#include "agent/reach_frame.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

/* IEEE Std 802 local experimental ethertypes; linux/if_ether.h has no names for them. */
#define EXPERIMENTAL  0x88b5
#define EXPERIMENTAL2 0x88b6

#define ARP_EXPERIMENT 24 /* OP_EXP1, RFC 5494 */

#define IP4_LEN 20
#define IP6_LEN 40
#define WRONG	0xdead /* for a checksum: it is right by chance alone */

const char *const reach_kind_names[REACH_KINDS] = {
	[REACH_KIND_PLAIN] = "0x88b5",
	[REACH_KIND_FALSE] = "a false MAC",
	[REACH_KIND_OTHER] = "0x88b6",
	[REACH_KIND_ARP] = "ARP",
	[REACH_KIND_TCP] = "TCP",
	[REACH_KIND_UDP] = "UDP",
	[REACH_KIND_ICMP] = "ICMP",
	[REACH_KIND_TCP6] = "TCP over IPv6",
	[REACH_KIND_UDP6] = "UDP over IPv6",
};

const uint16_t reach_kind_types[REACH_KINDS] = {
	[REACH_KIND_PLAIN] = EXPERIMENTAL,  [REACH_KIND_FALSE] = EXPERIMENTAL,
	[REACH_KIND_OTHER] = EXPERIMENTAL2, [REACH_KIND_ARP] = ETH_P_ARP,
	[REACH_KIND_TCP] = ETH_P_IP,	    [REACH_KIND_UDP] = ETH_P_IP,
	[REACH_KIND_ICMP] = ETH_P_IP,	    [REACH_KIND_TCP6] = ETH_P_IPV6,
	[REACH_KIND_UDP6] = ETH_P_IPV6,
};

static const uint8_t protocols[REACH_KINDS] = {
	[REACH_KIND_TCP] = IPPROTO_TCP,	  [REACH_KIND_UDP] = IPPROTO_UDP,
	[REACH_KIND_ICMP] = IPPROTO_ICMP, [REACH_KIND_TCP6] = IPPROTO_TCP,
	[REACH_KIND_UDP6] = IPPROTO_UDP,
};

bool reach_kind_has_port(enum reach_kind kind)
{
	return protocols[kind] == IPPROTO_TCP || protocols[kind] == IPPROTO_UDP;
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/*
 * The first of `addrs` that is of the family and of `prefix` bits or more, in place of what is at
 * `at`.
 */
static void put_address(uint8_t *at, const struct guest_addrs *addrs, uint8_t family,
			uint8_t prefix)
{
	for (uint32_t i = 0; addrs && i < addrs->n; i++) {
		if (addrs->list[i].family == family && addrs->list[i].prefix >= prefix) {
			memcpy(at, addrs->list[i].address, family == AF_INET6 ? 16 : 4);
			return;
		}
	}
}

/*
 * Where none is known it comes from one for documentation (RFC 5737). What is not for the receiver
 * itself is for all on the link: nobody forwards that (RFC 1812, 5.3.5.1).
 */
static void put_ip4s(uint8_t *from, uint8_t *to, const struct reach_frame *frame)
{
	const uint8_t document[4] = { 192, 0, 2, 1 };

	memcpy(from, document, sizeof(document));
	memset(to, 0xff, sizeof(document));
	put_address(from, frame->from_addrs, AF_INET, 0);
	put_address(to, frame->to_addrs, AF_INET, 32);
}

/* From the link-local address of the MAC (RFC 4291, appendix A), or to all nodes. */
static void put_ip6s(uint8_t *from, uint8_t *to, const struct reach_frame *frame)
{
	const uint8_t *mac = frame->from;
	const uint8_t local[16] = {
		0xfe,	    0x80,   0,	    0,	  0,	0,	0,	0,
		mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]
	};
	const uint8_t all[16] = { 0xff, 0x02, [15] = 1 };

	memcpy(from, local, sizeof(local));
	memcpy(to, all, sizeof(all));
	put_address(from, frame->from_addrs, AF_INET6, 0);
	put_address(to, frame->to_addrs, AF_INET6, 128);
}

static void write_arp(const struct reach_frame *frame, uint8_t *at)
{
	put16(at, ARPHRD_ETHER);
	put16(at + 2, ETH_P_IP);
	at[4] = MAC_LEN;
	at[5] = 4;
	put16(at + 6, ARP_EXPERIMENT);
	memcpy(at + 8, frame->from, MAC_LEN);
	memcpy(at + 18, frame->to, MAC_LEN);
	put_ip4s(at + 14, at + 24, frame);
}

/* The checksums of UDP and TCP are at different places of what else is zero. */
static void write_transport(const struct reach_frame *frame, uint8_t *at, size_t len)
{
	if (!reach_kind_has_port(frame->kind)) {
		put16(at + 2, WRONG);
		return;
	}
	put16(at, frame->port);
	put16(at + 2, frame->port);
	if (protocols[frame->kind] == IPPROTO_UDP) {
		put16(at + 4, (unsigned int)len);
		put16(at + 6, WRONG);
		return;
	}
	at[12] = 5 << 4;
	put16(at + 16, WRONG);
}

/* RFC 1071. Bridges that filter look at it (br_validate_ipv4()). */
static unsigned int checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void write_ip4(const struct reach_frame *frame, uint8_t *at, size_t len)
{
	at[0] = 4 << 4 | IP4_LEN / 4;
	put16(at + 2, (unsigned int)len);
	at[8] = 1;
	at[9] = protocols[frame->kind];
	put_ip4s(at + 12, at + 16, frame);
	put16(at + 10, checksum(at, IP4_LEN));
	write_transport(frame, at + IP4_LEN, len - IP4_LEN);
}

static void write_ip6(const struct reach_frame *frame, uint8_t *at, size_t len)
{
	at[0] = 6 << 4;
	put16(at + 4, (unsigned int)(len - IP6_LEN));
	at[6] = protocols[frame->kind];
	at[7] = 1;
	put_ip6s(at + 8, at + 24, frame);
	write_transport(frame, at + IP6_LEN, len - IP6_LEN);
}

void reach_frame_write(const struct reach_frame *frame, uint8_t ret[REACH_FRAME_LEN])
{
	const uint16_t type = reach_kind_types[frame->kind];
	uint8_t *payload = ret + ETH_HLEN;

	memset(ret, 0, REACH_FRAME_LEN);
	memcpy(ret, frame->to, MAC_LEN);
	memcpy(ret + MAC_LEN, frame->from, MAC_LEN);
	put16(ret + ETH_HLEN - 2, type);
	if (type == ETH_P_ARP)
		write_arp(frame, payload);
	else if (type == ETH_P_IP)
		write_ip4(frame, payload, REACH_FRAME_LEN - ETH_HLEN);
	else if (type == ETH_P_IPV6)
		write_ip6(frame, payload, REACH_FRAME_LEN - ETH_HLEN);
	memcpy(ret + REACH_FRAME_MARK, &frame->mark, sizeof(frame->mark));
}
