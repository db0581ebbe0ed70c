#include "capture/pcap_reader_parts.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/pcapng_format.h"
#include "agent/base/time_units.h"

void pcap_step_bad(struct pcap_step *ret, const char *why)
{
	ret->result = PCAP_BAD;
	ret->why = why;
}

void pcap_step_need(struct pcap_step *ret, size_t bytes)
{
	ret->result = PCAP_MORE;
	ret->need = bytes;
}

void pcap_reader_init(struct pcap_reader *reader)
{
	*reader = (struct pcap_reader){ .format = PCAP_UNKNOWN };
}

void pcap_reader_done(struct pcap_reader *reader)
{
	free(reader->interfaces);
	*reader = (struct pcap_reader){ .format = PCAP_UNKNOWN };
}

struct pcap_interface *pcap_interface_add(struct pcap_reader *r, struct pcap_step *ret)
{
	struct pcap_interface *grown;
	size_t cap;

	if (r->n_interfaces == PCAP_INTERFACES_MAX) {
		pcap_step_bad(ret, "more interfaces than are followed");
		return NULL;
	}
	if (r->n_interfaces == r->cap_interfaces) {
		cap = r->cap_interfaces ? r->cap_interfaces * 2 : 4;
		grown = reallocarray(r->interfaces, cap, sizeof(*grown));
		if (!grown) {
			pcap_step_bad(ret, "out of memory");
			return NULL;
		}
		r->interfaces = grown;
		r->cap_interfaces = cap;
	}
	r->interfaces[r->n_interfaces] =
		(struct pcap_interface){ .resolution = 6, .swapped = r->swapped };
	return &r->interfaces[r->n_interfaces++];
}

/* ---- pcap ----------------------------------------------------------------------------------- */

struct magic {
	uint32_t value;
	uint8_t resolution;
	uint8_t packet_len;
};

static const struct magic magics[] = {
	{ PCAP_MAGIC_US, 6, PCAP_PACKET_LEN },
	{ PCAP_MAGIC_NS, 9, PCAP_PACKET_LEN },
	{ PCAP_MAGIC_PATCHED, 6, PCAP_PACKET_LEN_PATCHED },
};

static const struct magic *find_magic(const uint8_t *head, bool *ret_swapped)
{
	uint32_t value;

	memcpy(&value, head, sizeof(value));
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		*ret_swapped = value == __builtin_bswap32(magics[i].value);
		if (*ret_swapped || value == magics[i].value)
			return &magics[i];
	}
	return NULL;
}

static void classic_header(struct pcap_reader *r, const uint8_t *data, size_t len,
			   const struct magic *magic, struct pcap_step *ret)
{
	struct pcap_interface *interface;

	if (len < PCAP_HEADER_LEN) {
		pcap_step_need(ret, PCAP_HEADER_LEN);
		return;
	}
	interface = pcap_interface_add(r, ret);
	if (!interface)
		return;
	interface->resolution = magic->resolution;
	interface->snaplen = pcap_get32(r, data + 16);
	/* The upper bits tell of a frame check sequence. */
	interface->link_type = pcap_get32(r, data + 20) & 0xffffu;
	r->format = PCAP_CLASSIC;
	r->packet_len = magic->packet_len;
	r->generation++;
	ret->used = PCAP_HEADER_LEN;
}

static void classic_packet(struct pcap_reader *r, const uint8_t *data, size_t len,
			   struct pcap_step *ret)
{
	const struct pcap_interface *interface = &r->interfaces[0];
	uint64_t fraction;
	size_t kept;

	if (len < r->packet_len) {
		pcap_step_need(ret, r->packet_len);
		return;
	}
	kept = pcap_get32(r, data + 8);
	if (kept > PCAP_PACKET_MAX) {
		pcap_step_bad(ret, "a packet longer than any is");
		return;
	}
	if (len - r->packet_len < kept) {
		pcap_step_need(ret, r->packet_len + kept);
		return;
	}
	fraction = pcap_get32(r, data + 4);
	ret->packet = (struct pcap_packet){
		.bytes = data + r->packet_len,
		.len = kept,
		.wire_len = pcap_get32(r, data + 12),
		.time_ns = (uint64_t)pcap_get32(r, data) * NS_PER_S +
			   (interface->resolution == 9 ? fraction : fraction * 1000),
		.link_type = interface->link_type,
	};
	ret->used = r->packet_len + kept;
	ret->result = PCAP_PACKET;
}

/* ---- both ----------------------------------------------------------------------------------- */

static bool begins_with(const uint8_t *head, size_t len, uint32_t value)
{
	return memcmp(head, &value, len < sizeof(value) ? len : sizeof(value)) == 0;
}

static bool may_be_capture(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (begins_with(head, len, magics[i].value) ||
		    begins_with(head, len, __builtin_bswap32(magics[i].value)))
			return true;
	}
	return begins_with(head, len, BLOCK_SECTION);
}

bool pcap_is_capture(const uint8_t *head, size_t len)
{
	uint32_t words[3];
	bool swapped;
	uint16_t major;

	if (len < PCAP_MAGIC_LEN)
		return may_be_capture(head, len);
	memcpy(words, head, sizeof(words));
	if (words[0] == BLOCK_SECTION)
		return words[2] == BYTE_ORDER_MAGIC ||
		       words[2] == __builtin_bswap32(BYTE_ORDER_MAGIC);
	/* All files of this format say version 2.4, but some of very old tools. */
	memcpy(&major, head + 4, sizeof(major));
	return find_magic(head, &swapped) && (swapped ? __builtin_bswap16(major) : major) == 2;
}

static void begin(struct pcap_reader *r, const uint8_t *data, size_t len, struct pcap_step *ret)
{
	const struct magic *magic;

	if (len < PCAP_MAGIC_LEN) {
		pcap_step_need(ret, PCAP_MAGIC_LEN);
		return;
	}
	magic = find_magic(data, &r->swapped);
	if (magic)
		classic_header(r, data, len, magic, ret);
	else if (pcap_is_capture(data, len))
		pcapng_block(r, data, len, ret);
	else
		pcap_step_bad(ret, "neither pcap nor pcapng");
}

void pcap_reader_next(struct pcap_reader *reader, const uint8_t *data, size_t len,
		      struct pcap_step *ret)
{
	ret->result = PCAP_NO_PACKET;
	ret->used = 0;
	ret->need = 0;
	ret->why = NULL;
	switch (reader->format) {
	case PCAP_UNKNOWN:
		begin(reader, data, len, ret);
		break;
	case PCAP_CLASSIC:
		classic_packet(reader, data, len, ret);
		break;
	case PCAP_NG:
		pcapng_block(reader, data, len, ret);
		break;
	}
	if (ret->result == PCAP_MORE || ret->result == PCAP_BAD)
		ret->used = 0;
}
