#include "capture/pcap_reader.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/cursor.h"
#include "agent/base/pcapng_format.h"
#include "agent/base/time_units.h"

/* 10^19 is the last power of ten below 2^64. */
#define DECIMALS_MAX 19u

struct block_step {
	uint32_t type;
	size_t fixed; /* bytes that the block has at least, beside its type and lengths */
	void (*read)(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret);
};

typedef void (*option_cb)(void *data, uint16_t code, const uint8_t *value, size_t len);

static uint16_t get16(const struct pcap_reader *r, const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return r->swapped ? __builtin_bswap16(value) : value;
}

static uint32_t get32(const struct pcap_reader *r, const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return r->swapped ? __builtin_bswap32(value) : value;
}

static uint64_t get64(const struct pcap_reader *r, const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return r->swapped ? __builtin_bswap64(value) : value;
}

static void bad(struct pcap_step *ret, const char *why)
{
	ret->result = PCAP_BAD;
	ret->why = why;
}

static void need(struct pcap_step *ret, size_t bytes)
{
	ret->result = PCAP_MORE;
	ret->need = bytes;
}

static size_t padded(size_t len)
{
	return (len + 3) / 4 * 4;
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

static struct pcap_interface *interface_add(struct pcap_reader *r, struct pcap_step *ret)
{
	struct pcap_interface *grown;
	size_t cap;

	if (r->n_interfaces == PCAP_INTERFACES_MAX) {
		bad(ret, "more interfaces than are followed");
		return NULL;
	}
	if (r->n_interfaces == r->cap_interfaces) {
		cap = r->cap_interfaces ? r->cap_interfaces * 2 : 4;
		grown = reallocarray(r->interfaces, cap, sizeof(*grown));
		if (!grown) {
			bad(ret, "out of memory");
			return NULL;
		}
		r->interfaces = grown;
		r->cap_interfaces = cap;
	}
	r->interfaces[r->n_interfaces] = (struct pcap_interface){ .resolution = 6 };
	return &r->interfaces[r->n_interfaces++];
}

/* ---- pcap ----------------------------------------------------------------------------------- */

struct magic {
	uint32_t value;
	uint8_t resolution;
};

static const struct magic magics[] = {
	{ PCAP_MAGIC_US, 6 },
	{ PCAP_MAGIC_NS, 9 },
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
		need(ret, PCAP_HEADER_LEN);
		return;
	}
	interface = interface_add(r, ret);
	if (!interface)
		return;
	interface->resolution = magic->resolution;
	interface->snaplen = get32(r, data + 16);
	/* The upper bits tell of a frame check sequence. */
	interface->link_type = get32(r, data + 20) & 0xffffu;
	r->format = PCAP_CLASSIC;
	r->generation++;
	ret->used = PCAP_HEADER_LEN;
}

static void classic_packet(struct pcap_reader *r, const uint8_t *data, size_t len,
			   struct pcap_step *ret)
{
	const struct pcap_interface *interface = &r->interfaces[0];
	uint64_t fraction;
	size_t kept;

	if (len < PCAP_PACKET_LEN) {
		need(ret, PCAP_PACKET_LEN);
		return;
	}
	kept = get32(r, data + 8);
	if (kept > PCAP_PACKET_MAX) {
		bad(ret, "a packet longer than any is");
		return;
	}
	if (len - PCAP_PACKET_LEN < kept) {
		need(ret, PCAP_PACKET_LEN + kept);
		return;
	}
	fraction = get32(r, data + 4);
	ret->packet = (struct pcap_packet){
		.bytes = data + PCAP_PACKET_LEN,
		.len = kept,
		.wire_len = get32(r, data + 12),
		.time_ns = (uint64_t)get32(r, data) * NS_PER_S +
			   (interface->resolution == 9 ? fraction : fraction * 1000),
		.link_type = interface->link_type,
	};
	ret->used = PCAP_PACKET_LEN + kept;
	ret->result = PCAP_PACKET;
}

/* ---- pcapng --------------------------------------------------------------------------------- */

/* Options that end before opt_endofopt or are torn: what came before them counts. */
static void each_option(const struct pcap_reader *r, struct cursor *c, option_cb cb, void *data)
{
	const uint8_t *head, *value;
	uint16_t code, len;

	while ((head = cursor_pull(c, 4))) {
		code = get16(r, head);
		len = get16(r, head + 2);
		if (code == OPTION_END)
			return;
		value = cursor_pull(c, padded(len));
		if (!value)
			return;
		cb(data, code, value, len);
	}
}

struct interface_options {
	const struct pcap_reader *reader;
	struct pcap_interface *interface;
};

static void interface_option(void *data, uint16_t code, const uint8_t *value, size_t len)
{
	const struct interface_options *options = data;
	struct pcap_interface *interface = options->interface;

	if (code == IF_NAME) {
		len = strnlen((const char *)value, len);
		if (len > sizeof(interface->name) - 1)
			len = sizeof(interface->name) - 1;
		memcpy(interface->name, value, len);
		interface->name[len] = '\0';
	} else if (code == IF_TSRESOL && len == 1) {
		interface->resolution = value[0];
	} else if (code == IF_TSOFFSET && len == 8) {
		interface->offset = (int64_t)get64(options->reader, value);
	}
}

static void read_interface(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	const uint8_t *p = cursor_pull(body, 8);
	struct interface_options options = { .reader = r, .interface = interface_add(r, ret) };

	if (!options.interface)
		return;
	options.interface->link_type = get16(r, p);
	options.interface->snaplen = get32(r, p + 4);
	each_option(r, body, interface_option, &options);
}

/* Modulo 2^64 where a time is out of every range: it is the file's word. */
static uint64_t to_ns(const struct pcap_interface *interface, uint64_t units)
{
	unsigned int n = interface->resolution & 0x7fu;
	uint64_t ns;

	if (interface->resolution == 9) {
		ns = units;
	} else if (interface->resolution & 0x80u) {
		ns = n < 64 ? (uint64_t)(((unsigned __int128)units * NS_PER_S) >> n) : 0;
	} else {
		uint64_t per_second = 1;

		for (unsigned int i = 0; i < n && i < DECIMALS_MAX; i++)
			per_second *= 10;
		ns = n <= DECIMALS_MAX
			     ? (uint64_t)((unsigned __int128)units * NS_PER_S / per_second)
			     : 0;
	}
	return ns + (uint64_t)interface->offset * NS_PER_S;
}

struct packet_options {
	const struct pcap_reader *reader;
	struct pcap_packet *packet;
};

/* A packet told them, so that the interface's statistics do not tell them again. */
static void count_drops(const struct pcap_reader *r, const struct pcap_step *step)
{
	if (step->result == PCAP_PACKET)
		r->interfaces[step->packet.interface].drops += step->packet.drops;
}

static void packet_option(void *data, uint16_t code, const uint8_t *value, size_t len)
{
	const struct packet_options *options = data;

	if (code == EPB_FLAGS && len == 4)
		options->packet->flags = get32(options->reader, value);
	else if (code == EPB_DROPCOUNT && len == 8)
		options->packet->drops = get64(options->reader, value);
}

static const struct pcap_interface *interface_at(const struct pcap_reader *r, uint32_t number,
						 struct pcap_step *ret)
{
	if (number < r->n_interfaces)
		return &r->interfaces[number];
	bad(ret, "a packet of an interface that the file does not describe");
	return NULL;
}

static void take_packet(const struct pcap_reader *r, struct cursor *body, uint32_t number,
			const uint8_t *times, size_t kept, size_t wire_len, struct pcap_step *ret)
{
	const struct pcap_interface *interface = interface_at(r, number, ret);
	const uint8_t *bytes;

	if (!interface)
		return;
	bytes = kept <= PCAP_PACKET_MAX ? cursor_pull(body, padded(kept)) : NULL;
	if (!bytes) {
		bad(ret, "a packet longer than its block, or than any is");
		return;
	}
	ret->packet = (struct pcap_packet){
		.bytes = bytes,
		.len = kept,
		.wire_len = wire_len,
		.interface = number,
		.link_type = interface->link_type,
	};
	if (times)
		ret->packet.time_ns =
			to_ns(interface, (uint64_t)get32(r, times) << 32 | get32(r, times + 4));
	ret->result = PCAP_PACKET;
}

static void read_enhanced(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	struct packet_options options = { .reader = r, .packet = &ret->packet };
	const uint8_t *p = cursor_pull(body, 20);

	take_packet(r, body, get32(r, p), p + 4, get32(r, p + 12), get32(r, p + 16), ret);
	if (ret->result == PCAP_PACKET)
		each_option(r, body, packet_option, &options);
	count_drops(r, ret);
}

static void read_old_packet(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	const uint8_t *p = cursor_pull(body, 20);
	uint16_t drops = get16(r, p + 2);

	take_packet(r, body, get16(r, p), p + 4, get32(r, p + 12), get32(r, p + 16), ret);
	if (ret->result == PCAP_PACKET && drops != UINT16_MAX)
		ret->packet.drops = drops;
	count_drops(r, ret);
}

/* Neither a time nor a captured length: the snapshot length of the first interface cuts. */
static void read_simple(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	size_t wire_len = get32(r, cursor_pull(body, 4)), kept = wire_len;
	const struct pcap_interface *interface = interface_at(r, 0, ret);

	if (!interface)
		return;
	if (interface->snaplen && kept > interface->snaplen)
		kept = interface->snaplen;
	take_packet(r, body, 0, NULL, kept, wire_len, ret);
}

struct statistics_options {
	const struct pcap_reader *reader;
	uint64_t drops;
};

/* What the interface dropped, as dumpcap(1) has it, and what the system did behind it. */
static void statistics_option(void *data, uint16_t code, const uint8_t *value, size_t len)
{
	struct statistics_options *options = data;

	if ((code == ISB_IFDROP || code == ISB_OSDROP) && len == 8)
		options->drops += get64(options->reader, value);
}

/*
 * Counts are from the beginning of the capture on: section 4.6 of draft-ietf-opsawg-pcapng. The
 * block's time is left alone: that of dumpcap(1) 4.0 is in microseconds, whatever if_tsresol says.
 */
static void read_statistics(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	struct statistics_options options = { .reader = r };
	uint32_t number = get32(r, cursor_pull(body, 12));
	struct pcap_interface *interface = number < r->n_interfaces ? &r->interfaces[number] : NULL;

	each_option(r, body, statistics_option, &options);
	if (!interface || options.drops <= interface->drops)
		return;
	ret->packet = (struct pcap_packet){
		.interface = number,
		.link_type = interface->link_type,
		.drops = options.drops - interface->drops,
	};
	interface->drops = options.drops;
	ret->result = PCAP_LOSS;
}

static void section_option(void *data, uint16_t code, const uint8_t *value, size_t len)
{
	struct pcap_reader *r = data;

	if (code == SHB_USERAPPL)
		r->ours = len == strlen(PCAPNG_APPLICATION) &&
			  memcmp(value, PCAPNG_APPLICATION, len) == 0;
}

static void read_section(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	(void)ret;
	(void)cursor_pull(body, 16);
	r->ours = false;
	each_option(r, body, section_option, r);
}

static const struct block_step block_steps[] = {
	{ BLOCK_SECTION, 16, read_section },	   { BLOCK_INTERFACE, 8, read_interface },
	{ BLOCK_PACKET_OLD, 20, read_old_packet }, { BLOCK_SIMPLE, 4, read_simple },
	{ BLOCK_ENHANCED, 20, read_enhanced },	   { BLOCK_STATISTICS, 12, read_statistics },
};

static const struct block_step *block_step(uint32_t type)
{
	for (size_t i = 0; i < sizeof(block_steps) / sizeof(block_steps[0]); i++) {
		if (block_steps[i].type == type)
			return &block_steps[i];
	}
	return NULL;
}

/* A section header says the byte order of its own length, and of all until the next one. */
static bool section_order(struct pcap_reader *r, const uint8_t *data, struct pcap_step *ret)
{
	uint32_t magic;

	memcpy(&magic, data + 8, sizeof(magic));
	if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC)) {
		bad(ret, "a section header without its byte-order magic");
		return false;
	}
	r->swapped = magic != BYTE_ORDER_MAGIC;
	r->format = PCAP_NG;
	r->n_interfaces = 0;
	r->generation++;
	return true;
}

static void ng_body(struct pcap_reader *r, const uint8_t *data, size_t len,
		    const struct block_step *step, struct pcap_step *ret)
{
	struct cursor body;

	if (get32(r, data + len - 4) != len) {
		bad(ret, "a block whose two lengths differ");
		return;
	}
	body = cursor_init(data + 8, len - BLOCK_OVERHEAD);
	if (cursor_left(&body) < step->fixed)
		bad(ret, "a block shorter than its kind is");
	else
		step->read(r, &body, ret);
}

static void ng_block(struct pcap_reader *r, const uint8_t *data, size_t len, struct pcap_step *ret)
{
	const struct block_step *step;
	uint32_t type, total;

	if (len < BLOCK_OVERHEAD) {
		need(ret, BLOCK_OVERHEAD);
		return;
	}
	memcpy(&type, data, sizeof(type));
	if (type == BLOCK_SECTION && !section_order(r, data, ret))
		return;
	total = get32(r, data + 4);
	if (total < BLOCK_OVERHEAD || total % 4) {
		bad(ret, "a block of an impossible length");
		return;
	}
	ret->used = total;
	step = block_step(get32(r, data));
	if (!step)
		return;
	if (total > PCAP_NEED_MAX)
		bad(ret, "a block longer than any of its kind is");
	else if (total > len)
		need(ret, total);
	else
		ng_body(r, data, total, step, ret);
}

/* ---- both ----------------------------------------------------------------------------------- */

bool pcap_is_capture(const uint8_t *head, size_t len)
{
	uint32_t words[3];
	bool swapped;
	uint16_t major;

	if (len < PCAP_MAGIC_LEN)
		return false;
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
		need(ret, PCAP_MAGIC_LEN);
		return;
	}
	magic = find_magic(data, &r->swapped);
	if (magic)
		classic_header(r, data, len, magic, ret);
	else if (pcap_is_capture(data, len))
		ng_block(r, data, len, ret);
	else
		bad(ret, "neither pcap nor pcapng");
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
		ng_block(reader, data, len, ret);
		break;
	}
	if (ret->result == PCAP_MORE || ret->result == PCAP_BAD)
		ret->used = 0;
}
