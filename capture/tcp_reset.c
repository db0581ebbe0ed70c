#include "capture/tcp_reset.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define MAC_BYTES	 6
#define TCP_BYTES	 20
#define IP4_BYTES	 20
#define TTL		 64
#define ETHER_TYPE_BYTES 2

static uint8_t *put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t value)
{
	return put16(put16(p, value >> 16), value & 0xffff);
}

static uint8_t *put(uint8_t *p, const uint8_t *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

/* RFC 1071; `sum` is that of what came before, which had an even length. */
static uint32_t add_sum(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The part of the frame's bytes between its MACs and its IP header: tags and type. */
static size_t type_len(const struct frame *frame)
{
	return 4 * (size_t)frame->n_vlans + ETHER_TYPE_BYTES;
}

static uint8_t *put_ethernet(uint8_t *p, const struct frame *frame, const uint8_t *bytes,
			     enum tcp_reset_to to)
{
	p = put(p, to == TCP_RESET_TARGET ? frame->dst_mac : frame->src_mac, MAC_BYTES);
	p = put(p, to == TCP_RESET_TARGET ? frame->src_mac : frame->dst_mac, MAC_BYTES);
	return put(p, bytes + 2 * MAC_BYTES, type_len(frame));
}

static uint8_t *put_ip4(uint8_t *p, const uint8_t *source, const uint8_t *target)
{
	uint8_t *ip = p;

	p = put(p, (const uint8_t[]){ 0x45, 0 }, 2);
	p = put16(p, IP4_BYTES + TCP_BYTES);
	p = put32(p, 0x4000); /* no identification: it is not to be fragmented (RFC 6864) */
	p = put(p, (const uint8_t[]){ TTL, IPPROTO_TCP, 0, 0 }, 4);
	p = put(p, source, 4);
	p = put(p, target, 4);
	put16(ip + 10, fold(add_sum(0, ip, IP4_BYTES)));
	return p;
}

static uint8_t *put_ip6(uint8_t *p, const uint8_t *source, const uint8_t *target)
{
	p = put32(p, 0x60000000);
	p = put16(p, TCP_BYTES);
	p = put(p, (const uint8_t[]){ IPPROTO_TCP, TTL }, 2);
	p = put(p, source, 16);
	return put(p, target, 16);
}

struct numbers {
	uint16_t source_port, target_port;
	uint32_t seq, ack;
	uint8_t flags;
};

static struct numbers numbers_for(const struct frame *frame, enum tcp_reset_to to)
{
	/* SYN and FIN count as a byte each. */
	uint32_t length = (uint32_t)frame->payload_wire_len + ((frame->tcp_flags & TH_SYN) != 0) +
			  ((frame->tcp_flags & TH_FIN) != 0);
	uint8_t ack = frame->tcp_flags & TH_ACK;

	switch (to) {
	case TCP_RESET_TARGET:
		return (struct numbers){ frame->src_port, frame->dst_port, frame->tcp_seq,
					 ack ? frame->tcp_ack : 0, (uint8_t)(TH_RST | ack) };
	case TCP_RESET_SOURCE:
	case TCP_RESET_ENDS:
		break;
	}
	return (struct numbers){ frame->dst_port, frame->src_port, ack ? frame->tcp_ack : 0,
				 frame->tcp_seq + length, TH_RST | TH_ACK };
}

static uint8_t *put_tcp(uint8_t *p, const struct numbers *n)
{
	p = put16(p, n->source_port);
	p = put16(p, n->target_port);
	p = put32(p, n->seq);
	p = put32(p, n->ack);
	p = put(p, (const uint8_t[]){ TCP_BYTES / 4 << 4, n->flags }, 2);
	p = put16(p, 0); /* window */
	return put32(p, 0); /* checksum, urgent pointer */
}

/* RFC 9293 section 3.1, RFC 8200 section 8.1. */
static void sum_tcp(uint8_t *tcp, const uint8_t *source, const uint8_t *target, size_t address_len)
{
	uint32_t sum = IPPROTO_TCP + TCP_BYTES;

	sum = add_sum(sum, source, address_len);
	sum = add_sum(sum, target, address_len);
	put16(tcp + 16, fold(add_sum(sum, tcp, TCP_BYTES)));
}

size_t tcp_reset(const struct frame *frame, const uint8_t *bytes, enum tcp_reset_to to,
		 uint8_t ret[TCP_RESET_MAX])
{
	const uint8_t *source = to == TCP_RESET_TARGET ? frame->src_ip : frame->dst_ip;
	const uint8_t *target = to == TCP_RESET_TARGET ? frame->dst_ip : frame->src_ip;
	struct numbers numbers;
	uint8_t *p, *tcp;

	if (!frame->has_tcp || (frame->tcp_flags & TH_RST))
		return 0;
	numbers = numbers_for(frame, to);
	p = put_ethernet(ret, frame, bytes, to);
	tcp = frame->ip_version == 4 ? put_ip4(p, source, target) : put_ip6(p, source, target);
	p = put_tcp(tcp, &numbers);
	sum_tcp(tcp, source, target, frame->ip_version == 4 ? 4 : 16);
	return (size_t)(p - ret);
}
