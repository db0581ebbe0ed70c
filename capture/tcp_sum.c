#include "capture/tcp_sum.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

/* RFC 1071: in any byte order, and in words of any size; `len` may be odd at the end alone. */
static uint64_t add(uint64_t sum, const uint8_t *bytes, size_t len)
{
	uint64_t word, carry = 0;
	uint32_t half;

	for (; len >= sizeof(word); bytes += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum += word;
		carry += sum < word;
	}
	for (; len >= sizeof(half); bytes += sizeof(half), len -= sizeof(half)) {
		memcpy(&half, bytes, sizeof(half));
		sum += half;
		carry += sum < half;
	}
	half = 0;
	memcpy(&half, bytes, len);
	sum += half;
	carry += sum < half;
	sum += carry;
	return sum + (sum < carry);
}

static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

bool ip_sum_is_right(const struct frame *frame)
{
	const uint8_t *header;

	if (frame->ip_version != 4)
		return true;
	header = frame->src_ip - offsetof(struct iphdr, saddr);
	return fold(add(0, header, (size_t)(header[0] & 0x0f) * 4)) == 0xffff;
}

bool tcp_sum_is_right(const struct frame *frame)
{
	size_t ip = frame->ip_version == 6 ? 16 : 4, len;
	uint32_t pseudo[2];
	uint64_t sum;

	if (!frame->tcp || frame->truncated || frame->payload_wire_len != frame->payload_len)
		return true;
	len = (size_t)(frame->payload + frame->payload_len - frame->tcp);
	pseudo[0] = htonl((uint32_t)len);
	pseudo[1] = htonl(IPPROTO_TCP);
	sum = add(0, frame->src_ip, ip);
	sum = add(sum, frame->dst_ip, ip);
	sum = add(sum, (const uint8_t *)pseudo, sizeof(pseudo));
	return fold(add(sum, frame->tcp, len)) == 0xffff;
}
