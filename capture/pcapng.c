#include "capture/pcapng.h"

#include <string.h>

#include "agent/base/pcapng_format.h"

/* if_tsresol: a power of ten. */
#define TSRESOL_NS 9

/* epb_verdict: the first byte says whose words follow, 1 for Linux' tc (linux/pkt_cls.h). */
#define VERDICT_TC  1
#define TC_ACT_OK   0
#define TC_ACT_SHOT 2

/* Where a block began, so that its length can be filled in. */
struct block {
	struct buf *out;
	size_t begin;
};

static void add32(struct buf *out, uint32_t value)
{
	buf_add(out, &value, sizeof(value));
}

static size_t padded(size_t len)
{
	return (len + 3) / 4 * 4;
}

/* In one piece: `head`, then the bytes and zeros up to a multiple of four. */
static void add_padded(struct buf *out, const void *head, size_t head_len, const void *bytes,
		       size_t len)
{
	char *at = buf_reserve(out, head_len + padded(len));

	if (!at)
		return;
	memcpy(at, head, head_len);
	at += head_len;
	if (len)
		memcpy(at, bytes, len);
	memset(at + len, 0, padded(len) - len);
	out->len += head_len + padded(len);
	out->data[out->len] = '\0';
}

static struct block block_begin(struct buf *out, uint32_t type)
{
	struct block block = { .out = out, .begin = out->len };

	add32(out, type);
	add32(out, 0); /* the length: filled in by block_end() */
	return block;
}

static void block_end(const struct block *block)
{
	uint32_t len = (uint32_t)(block->out->len - block->begin) + 4;

	add32(block->out, len);
	if (!block->out->failed)
		memcpy(block->out->data + block->begin + 4, &len, sizeof(len));
}

static void add_option(struct buf *out, uint16_t code, const void *value, size_t len)
{
	const uint16_t head[2] = { code, (uint16_t)len };

	add_padded(out, head, sizeof(head), value, len);
}

static void add_text(struct buf *out, uint16_t code, const char *text, size_t max)
{
	if (text)
		add_option(out, code, text, strnlen(text, max));
}

static void add_u64(struct buf *out, uint16_t code, uint64_t value)
{
	add_option(out, code, &value, sizeof(value));
}

/* A time as two words, the upper first, whatever the byte order: section 4.3 of the draft. */
static void add_time_option(struct buf *out, uint16_t code, uint64_t time_ns)
{
	uint32_t words[2] = { (uint32_t)(time_ns >> 32), (uint32_t)time_ns };

	add_option(out, code, words, sizeof(words));
}

void pcapng_section(struct buf *out, const char *application, const char *host)
{
	static const uint16_t version[2] = { 1, 0 };
	static const int64_t unknown_length = -1;
	struct block block = block_begin(out, BLOCK_SECTION);

	add32(out, BYTE_ORDER_MAGIC);
	buf_add(out, version, sizeof(version));
	buf_add(out, &unknown_length, sizeof(unknown_length));
	add_text(out, SHB_USERAPPL, application, PCAPNG_COMMENT_MAX);
	add_text(out, OPTION_COMMENT, host, PCAPNG_COMMENT_MAX);
	add_option(out, OPTION_END, NULL, 0);
	block_end(&block);
}

void pcapng_interface(struct buf *out, const struct pcapng_interface *interface)
{
	const uint16_t link_type[2] = { interface->link_type, 0 };
	const uint8_t resolution = TSRESOL_NS;
	struct block block = block_begin(out, BLOCK_INTERFACE);

	buf_add(out, link_type, sizeof(link_type));
	add32(out, interface->snaplen);
	add_text(out, IF_NAME, interface->name, PCAPNG_COMMENT_MAX);
	add_text(out, IF_DESCRIPTION, interface->description, PCAPNG_COMMENT_MAX);
	add_option(out, IF_TSRESOL, &resolution, sizeof(resolution));
	add_option(out, OPTION_END, NULL, 0);
	block_end(&block);
}

static uint32_t packet_flags(const struct pcapng_packet *packet)
{
	static const uint32_t directions[] = {
		[PCAPNG_UNKNOWN] = 0,
		[PCAPNG_INBOUND] = EPB_FLAG_INBOUND,
		[PCAPNG_OUTBOUND] = EPB_FLAG_OUTBOUND,
	};

	return directions[packet->direction] |
	       (packet->checksum_partial ? EPB_FLAG_CHECKSUM_PARTIAL : 0) |
	       (packet->gso ? EPB_FLAG_GSO : 0);
}

static void add_verdict(struct buf *out, enum pcapng_verdict verdict)
{
	uint64_t action = verdict == PCAPNG_DROPPED ? TC_ACT_SHOT : TC_ACT_OK;
	uint8_t value[1 + sizeof(action)] = { VERDICT_TC };

	if (verdict == PCAPNG_NO_VERDICT)
		return;
	memcpy(value + 1, &action, sizeof(action));
	add_option(out, EPB_VERDICT, value, sizeof(value));
}

void pcapng_packet(struct buf *out, const struct pcapng_packet *packet)
{
	uint32_t flags = packet_flags(packet);
	const struct block block = { .out = out, .begin = out->len };
	const uint32_t head[] = {
		BLOCK_ENHANCED,
		0, /* the length: filled in by block_end() */
		packet->interface,
		(uint32_t)(packet->time_ns >> 32),
		(uint32_t)packet->time_ns,
		(uint32_t)packet->len,
		(uint32_t)packet->wire_len,
	};

	add_padded(out, head, sizeof(head), packet->bytes, packet->len);
	if (flags)
		add_option(out, EPB_FLAGS, &flags, sizeof(flags));
	if (packet->has_drops)
		add_u64(out, EPB_DROPCOUNT, packet->drops);
	if (packet->has_id)
		add_u64(out, EPB_PACKETID, packet->id);
	add_verdict(out, packet->verdict);
	for (size_t i = 0; i < packet->n_comments && i < PCAPNG_COMMENTS_MAX; i++)
		add_text(out, OPTION_COMMENT, packet->comments[i], PCAPNG_COMMENT_MAX);
	add_option(out, OPTION_END, NULL, 0);
	block_end(&block);
}

void pcapng_statistics(struct buf *out, const struct pcapng_statistics *statistics)
{
	struct block block = block_begin(out, BLOCK_STATISTICS);

	add32(out, statistics->interface);
	add32(out, (uint32_t)(statistics->time_ns >> 32));
	add32(out, (uint32_t)statistics->time_ns);
	add_time_option(out, ISB_STARTTIME, statistics->start_ns);
	add_time_option(out, ISB_ENDTIME, statistics->end_ns);
	add_u64(out, ISB_IFRECV, statistics->received);
	add_u64(out, ISB_OSDROP, statistics->dropped);
	add_option(out, OPTION_END, NULL, 0);
	block_end(&block);
}

/* The length of the block at `p`; 0 when it is not whole. */
static size_t block_length(const uint8_t *p, size_t len, uint32_t *ret_type)
{
	uint32_t head[2], tail;

	if (len < BLOCK_OVERHEAD)
		return 0;
	memcpy(head, p, sizeof(head));
	if (head[1] < BLOCK_OVERHEAD || head[1] % 4 || head[1] > len)
		return 0;
	memcpy(&tail, p + head[1] - sizeof(tail), sizeof(tail));
	if (tail != head[1])
		return 0;
	*ret_type = head[0];
	return head[1];
}

size_t pcapng_whole(const void *data, size_t len, uint64_t *ret_packets)
{
	const uint8_t *p = data;
	uint64_t packets = 0;
	size_t at = 0, n;
	uint32_t type;

	while ((n = block_length(p + at, len - at, &type)) > 0) {
		packets += type == BLOCK_ENHANCED;
		at += n;
	}
	if (ret_packets)
		*ret_packets = packets;
	return at;
}
