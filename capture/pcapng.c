#include "capture/pcapng.h"

#include <string.h>

#include "agent/base/pcapng_format.h"

/* if_tsresol: a power of ten. */
#define TSRESOL_NS 9

/* epb_verdict: the first byte says whose words follow, 1 for Linux' tc (linux/pkt_cls.h). */
#define VERDICT_TC  1
#define TC_ACT_OK   0
#define TC_ACT_SHOT 2

/* All that a block can have beside bytes and texts, and a text in it with what goes around that. */
#define FIXED_MAX 128u
#define TEXT_MAX  (PCAPNG_COMMENT_MAX + 8u)

/*
 * A block that is being made: room for the most that it can be is asked for once, and what there is
 * of it goes there without further questions.
 */
struct block {
	struct buf *out;
	char *begin, *at; /* the next byte */
};

static void add(struct block *block, const void *bytes, size_t len)
{
	memcpy(block->at, bytes, len);
	block->at += len;
}

static void add32(struct block *block, uint32_t value)
{
	add(block, &value, sizeof(value));
}

static size_t padded(size_t len)
{
	return (len + 3) / 4 * 4;
}

/* With zeros up to a multiple of four. */
static void add_padded(struct block *block, const void *bytes, size_t len)
{
	size_t zeros = padded(len) - len;

	if (len)
		add(block, bytes, len);
	memset(block->at, 0, zeros);
	block->at += zeros;
}

/* For a block with `bytes` bytes and `texts` texts. False: there is no room for it. */
static bool block_begin(struct block *block, struct buf *out, uint32_t type, size_t bytes,
			size_t texts)
{
	block->out = out;
	block->begin = block->at = buf_reserve(out, FIXED_MAX + padded(bytes) + texts * TEXT_MAX);
	if (!block->begin)
		return false;
	add32(block, type);
	add32(block, 0); /* the length: filled in by block_end() */
	return true;
}

static void add_option(struct block *block, uint16_t code, const void *value, size_t len)
{
	const uint16_t head[2] = { code, (uint16_t)len };

	add(block, head, sizeof(head));
	add_padded(block, value, len);
}

/* Ends the options, too. */
static void block_end(struct block *block)
{
	uint32_t len;

	add_option(block, OPTION_END, NULL, 0);
	len = (uint32_t)(block->at - block->begin) + (uint32_t)sizeof(len);
	memcpy(block->begin + sizeof(uint32_t), &len, sizeof(len));
	add32(block, len);
	*block->at = '\0';
	block->out->len += len;
}

static void add_text(struct block *block, uint16_t code, const char *text)
{
	if (text)
		add_option(block, code, text, strnlen(text, PCAPNG_COMMENT_MAX));
}

static void add_u64(struct block *block, uint16_t code, uint64_t value)
{
	add_option(block, code, &value, sizeof(value));
}

/* A time as two words, the upper first, whatever the byte order: section 4.3 of the draft. */
static void add_time(struct block *block, uint64_t time_ns)
{
	add32(block, (uint32_t)(time_ns >> 32));
	add32(block, (uint32_t)time_ns);
}

static void add_time_option(struct block *block, uint16_t code, uint64_t time_ns)
{
	const uint16_t head[2] = { code, sizeof(time_ns) };

	add(block, head, sizeof(head));
	add_time(block, time_ns);
}

void pcapng_section(struct buf *out, const char *application, const char *host)
{
	static const uint16_t version[2] = { 1, 0 };
	static const int64_t unknown_length = -1;
	struct block block;

	if (!block_begin(&block, out, BLOCK_SECTION, 0, 2))
		return;
	add32(&block, BYTE_ORDER_MAGIC);
	add(&block, version, sizeof(version));
	add(&block, &unknown_length, sizeof(unknown_length));
	add_text(&block, SHB_USERAPPL, application);
	add_text(&block, OPTION_COMMENT, host);
	block_end(&block);
}

void pcapng_interface(struct buf *out, const struct pcapng_interface *interface)
{
	const uint16_t link_type[2] = { interface->link_type, 0 };
	const uint8_t resolution = TSRESOL_NS;
	struct block block;

	if (!block_begin(&block, out, BLOCK_INTERFACE, 0, 2))
		return;
	add(&block, link_type, sizeof(link_type));
	add32(&block, interface->snaplen);
	add_text(&block, IF_NAME, interface->name);
	add_text(&block, IF_DESCRIPTION, interface->description);
	add_option(&block, IF_TSRESOL, &resolution, sizeof(resolution));
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

static void add_verdict(struct block *block, enum pcapng_verdict verdict)
{
	uint64_t action = verdict == PCAPNG_DROPPED ? TC_ACT_SHOT : TC_ACT_OK;
	uint8_t value[1 + sizeof(action)] = { VERDICT_TC };

	if (verdict == PCAPNG_NO_VERDICT)
		return;
	memcpy(value + 1, &action, sizeof(action));
	add_option(block, EPB_VERDICT, value, sizeof(value));
}

void pcapng_packet(struct buf *out, const struct pcapng_packet *packet)
{
	size_t comments = packet->n_comments < PCAPNG_COMMENTS_MAX ? packet->n_comments
								   : PCAPNG_COMMENTS_MAX;
	uint32_t flags = packet_flags(packet);
	struct block block;

	if (!block_begin(&block, out, BLOCK_ENHANCED, packet->len, comments))
		return;
	add32(&block, packet->interface);
	add_time(&block, packet->time_ns);
	add32(&block, (uint32_t)packet->len);
	add32(&block, (uint32_t)packet->wire_len);
	add_padded(&block, packet->bytes, packet->len);
	if (flags)
		add_option(&block, EPB_FLAGS, &flags, sizeof(flags));
	if (packet->has_drops)
		add_u64(&block, EPB_DROPCOUNT, packet->drops);
	if (packet->has_id)
		add_u64(&block, EPB_PACKETID, packet->id);
	add_verdict(&block, packet->verdict);
	for (size_t i = 0; i < comments; i++)
		add_text(&block, OPTION_COMMENT, packet->comments[i]);
	block_end(&block);
}

void pcapng_statistics(struct buf *out, const struct pcapng_statistics *statistics)
{
	struct block block;

	if (!block_begin(&block, out, BLOCK_STATISTICS, 0, 0))
		return;
	add32(&block, statistics->interface);
	add_time(&block, statistics->time_ns);
	add_time_option(&block, ISB_STARTTIME, statistics->start_ns);
	add_time_option(&block, ISB_ENDTIME, statistics->end_ns);
	add_u64(&block, ISB_IFRECV, statistics->received);
	add_u64(&block, ISB_OSDROP, statistics->dropped);
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

void pcapng_first_interfaces(const void *data, size_t len, struct buf *out)
{
	const uint8_t *p = data;
	size_t at = 0, n;
	uint32_t type;

	for (; (n = block_length(p + at, len - at, &type)) > 0; at += n) {
		if (at && type == BLOCK_SECTION)
			break;
		if (type == BLOCK_INTERFACE)
			buf_add(out, p + at, n);
	}
}

/* What the options from `p` on say. */
static uint64_t drops_of(const uint8_t *p, const uint8_t *end)
{
	uint16_t head[2];
	uint64_t drops = 0;

	for (; end - p >= (ptrdiff_t)sizeof(head); p += sizeof(head) + padded(head[1])) {
		memcpy(head, p, sizeof(head));
		if (head[0] == OPTION_END)
			break;
		if (head[0] != EPB_DROPCOUNT)
			continue;
		memcpy(&drops, p + sizeof(head), sizeof(drops));
		break;
	}
	return drops;
}

void pcapng_each_packet(const void *data, size_t len,
			void (*cb)(void *context, const struct pcapng_told *told), void *context)
{
	const uint8_t *p = data;
	uint32_t words[7], type;
	size_t at = 0, n;

	for (; at < len && (n = block_length(p + at, len - at, &type)) > 0; at += n) {
		if (type != BLOCK_ENHANCED)
			continue;
		memcpy(words, p + at, sizeof(words));
		cb(context,
		   &(struct pcapng_told){
			   .interface = words[2],
			   .time_ns = (uint64_t)words[3] << 32 | words[4],
			   .drops = drops_of(p + at + sizeof(words) + padded(words[5]), p + at + n),
		   });
	}
}
