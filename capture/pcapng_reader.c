#include "capture/pcap_reader_parts.h"

#include <string.h>

#include "agent/base/cursor.h"
#include "agent/base/pcapng_format.h"
#include "agent/base/saturate.h"
#include "agent/base/time_units.h"

#define VERSION_MAJOR 1u

/* 10^19 is the last power of ten below 2^64. */
#define DECIMALS_MAX 19u

struct block_step {
	uint32_t type;
	size_t fixed; /* bytes that the block has at least, beside its type and lengths */
	void (*read)(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret);
};

typedef void (*option_cb)(void *data, uint16_t code, const uint8_t *value, size_t len);

static size_t padded(size_t len)
{
	return (len + 3) / 4 * 4;
}

/*
 * Options that end before opt_endofopt or are torn: what came before them counts. One whose value
 * the block has no room for is the last, and has no bytes.
 */
static void each_option(const struct pcap_reader *r, struct cursor *c, option_cb cb, void *data)
{
	const uint8_t *head, *value;
	uint16_t code, len;

	while ((head = cursor_pull(c, 4))) {
		code = pcap_get16(r, head);
		len = pcap_get16(r, head + 2);
		if (code == OPTION_END)
			return;
		value = cursor_pull(c, padded(len));
		cb(data, code, value ? value : head, value ? len : 0);
		if (!value)
			return;
	}
}

struct interface_options {
	const struct pcap_reader *reader;
	struct pcap_interface *interface;
};

static void take_text(char ret[PCAP_NAME_MAX], const uint8_t *value, size_t len)
{
	len = strnlen((const char *)value, len < PCAP_NAME_MAX ? len : PCAP_NAME_MAX - 1);
	memcpy(ret, value, len);
	ret[len] = '\0';
}

static void interface_option(void *data, uint16_t code, const uint8_t *value, size_t len)
{
	const struct interface_options *options = data;
	struct pcap_interface *interface = options->interface;

	if (code == IF_NAME) {
		take_text(interface->name, value, len);
	} else if (code == IF_DESCRIPTION) {
		take_text(interface->description, value, len);
	} else if (code == IF_TSRESOL && len == 1) {
		interface->resolution = value[0];
	} else if (code == IF_TSOFFSET && len == 8) {
		interface->offset = (int64_t)pcap_get64(options->reader, value);
	}
}

/* Those of two hosts that were merged into one file may have the same name: mergecap(1). */
static uint32_t twins_of(const struct pcap_reader *r, const struct pcap_interface *interface)
{
	uint32_t n = 0;

	for (const struct pcap_interface *before = r->interfaces; before < interface; before++)
		n += before->link_type == interface->link_type &&
		     strcmp(before->name, interface->name) == 0;
	return n;
}

static void read_interface(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	const uint8_t *p = cursor_pull(body, 8);
	struct interface_options options = { .reader = r, .interface = pcap_interface_add(r, ret) };

	if (!options.interface)
		return;
	options.interface->link_type = pcap_get16(r, p);
	options.interface->snaplen = pcap_get32(r, p + 4);
	each_option(r, body, interface_option, &options);
	options.interface->twin = twins_of(r, options.interface);
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

/* A loss that would not be told is a fault of the block: nothing else of an option is one. */
static uint64_t read_drops(const struct pcap_reader *r, const uint8_t *value, size_t len,
			   struct pcap_step *ret)
{
	if (len == 8)
		return pcap_get64(r, value);
	pcap_step_bad(ret, "a count of drops that is not of 8 bytes");
	return 0;
}

struct packet_options {
	const struct pcap_reader *reader;
	struct pcap_step *step;
};

/* A packet told them, so that the interface's statistics do not tell them again. */
static void count_drops(const struct pcap_reader *r, const struct pcap_step *step)
{
	uint64_t *drops;

	if (step->result != PCAP_PACKET)
		return;
	drops = &r->interfaces[step->packet.interface].drops;
	*drops = add_saturated(*drops, step->packet.drops);
}

static void packet_option(void *data, uint16_t code, const uint8_t *value, size_t len)
{
	const struct packet_options *options = data;

	if (code == EPB_FLAGS && len == 4)
		options->step->packet.flags = pcap_get32(options->reader, value);
	else if (code == EPB_DROPCOUNT)
		options->step->packet.drops =
			read_drops(options->reader, value, len, options->step);
}

static const struct pcap_interface *interface_at(const struct pcap_reader *r, uint32_t number,
						 struct pcap_step *ret)
{
	if (number < r->n_interfaces)
		return &r->interfaces[number];
	pcap_step_bad(ret, "a packet of an interface that the file does not describe");
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
		pcap_step_bad(ret, "a packet longer than its block, or than any is");
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
		ret->packet.time_ns = to_ns(interface, (uint64_t)pcap_get32(r, times) << 32 |
							       pcap_get32(r, times + 4));
	ret->result = PCAP_PACKET;
}

static void read_enhanced(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	struct packet_options options = { .reader = r, .step = ret };
	const uint8_t *p = cursor_pull(body, 20);

	take_packet(r, body, pcap_get32(r, p), p + 4, pcap_get32(r, p + 12), pcap_get32(r, p + 16),
		    ret);
	if (ret->result == PCAP_PACKET)
		each_option(r, body, packet_option, &options);
	count_drops(r, ret);
}

static void read_old_packet(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	const uint8_t *p = cursor_pull(body, 20);
	uint16_t drops = pcap_get16(r, p + 2);

	take_packet(r, body, pcap_get16(r, p), p + 4, pcap_get32(r, p + 12), pcap_get32(r, p + 16),
		    ret);
	if (ret->result == PCAP_PACKET && drops != UINT16_MAX)
		ret->packet.drops = drops;
	count_drops(r, ret);
}

/* Neither a time nor a captured length: the snapshot length of the first interface cuts. */
static void read_simple(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	size_t wire_len = pcap_get32(r, cursor_pull(body, 4)), kept = wire_len;
	const struct pcap_interface *interface = interface_at(r, 0, ret);

	if (!interface)
		return;
	if (interface->snaplen && kept > interface->snaplen)
		kept = interface->snaplen;
	take_packet(r, body, 0, NULL, kept, wire_len, ret);
}

struct statistics_options {
	const struct pcap_reader *reader;
	struct pcap_step *step;
	uint64_t drops;
};

/* What the interface dropped, as dumpcap(1) has it, and what the system did behind it. */
static void statistics_option(void *data, uint16_t code, const uint8_t *value, size_t len)
{
	struct statistics_options *options = data;

	if (code == ISB_IFDROP || code == ISB_OSDROP)
		options->drops = add_saturated(options->drops, read_drops(options->reader, value,
									  len, options->step));
}

/*
 * Counts are from the beginning of the capture on: section 4.6 of draft-ietf-opsawg-pcapng. The
 * block's time is left alone: that of dumpcap(1) 4.0 is in microseconds, whatever if_tsresol says.
 */
static void read_statistics(struct pcap_reader *r, struct cursor *body, struct pcap_step *ret)
{
	struct statistics_options options = { .reader = r, .step = ret };
	uint32_t number = pcap_get32(r, cursor_pull(body, 12));
	struct pcap_interface *interface;

	if (number >= r->n_interfaces) {
		pcap_step_bad(ret, "statistics of an interface that the file does not describe");
		return;
	}
	interface = &r->interfaces[number];
	each_option(r, body, statistics_option, &options);
	if (ret->result == PCAP_BAD || options.drops <= interface->drops)
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
	const uint8_t *p = cursor_pull(body, 16);

	/* Of another, nothing is known: section 4.1 of the draft. */
	if (pcap_get16(r, p + 4) != VERSION_MAJOR)
		pcap_step_bad(ret, "a section of a version that is not known");
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
		pcap_step_bad(ret, "a section header without its byte-order magic");
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

	if (pcap_get32(r, data + len - 4) != len) {
		pcap_step_bad(ret, "a block whose two lengths differ");
		return;
	}
	body = cursor_init(data + 8, len - BLOCK_OVERHEAD);
	if (cursor_left(&body) < step->fixed)
		pcap_step_bad(ret, "a block shorter than its kind is");
	else
		step->read(r, &body, ret);
}

void pcapng_block(struct pcap_reader *r, const uint8_t *data, size_t len, struct pcap_step *ret)
{
	const struct block_step *step;
	uint32_t type, total;

	if (len < BLOCK_OVERHEAD) {
		pcap_step_need(ret, BLOCK_OVERHEAD);
		return;
	}
	memcpy(&type, data, sizeof(type));
	if (type == BLOCK_SECTION && !section_order(r, data, ret))
		return;
	total = pcap_get32(r, data + 4);
	if (total < BLOCK_OVERHEAD || total % 4) {
		pcap_step_bad(ret, "a block of an impossible length");
		return;
	}
	ret->used = total;
	step = block_step(pcap_get32(r, data));
	if (!step)
		return;
	if (total > PCAP_NEED_MAX)
		pcap_step_bad(ret, "a block longer than any of its kind is");
	else if (total > len)
		pcap_step_need(ret, total);
	else
		ng_body(r, data, total, step, ret);
}
