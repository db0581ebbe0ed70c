#include "web/pcapng_pick.h"

#include <errno.h>
#include <string.h>

#include "agent/base/pcapng_format.h"

#define HEAD	    8u /* type and length of a block */
#define EPB_FIXED   20u /* interface, time, captured and original length */
#define IDB_FIXED   8u
#define OPTION_HEAD 4u

static uint32_t word(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static uint16_t half(const uint8_t *data)
{
	uint16_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* The next option of a block's rest; false at the end, and at one that does not fit. */
struct options {
	const uint8_t *at;
	size_t left;
};

static bool next_option(struct options *options, uint16_t *ret_code, const uint8_t **ret_value,
			size_t *ret_len)
{
	uint16_t code, len;

	if (options->left < OPTION_HEAD)
		return false;
	code = half(options->at);
	len = half(options->at + 2);
	if (code == OPTION_END || padded(len) > options->left - OPTION_HEAD)
		return false;
	*ret_code = code;
	*ret_value = options->at + OPTION_HEAD;
	*ret_len = len;
	options->at += OPTION_HEAD + padded(len);
	options->left -= OPTION_HEAD + padded(len);
	return true;
}

static bool is_text(const uint8_t *value, size_t len, const char *text)
{
	return strlen(text) == len && memcmp(value, text, len) == 0;
}

/* "rule NAME: ..." (capture/keeper.c) */
static bool is_of_rule(const uint8_t *comment, size_t len, const char *rule)
{
	static const char before[] = "rule ";
	size_t name = strlen(rule), head = sizeof(before) - 1;

	return len > head + name && memcmp(comment, before, head) == 0 &&
	       memcmp(comment + head, rule, name) == 0 && comment[head + name] == ':';
}

/* `body` is what is between the block's two lengths. */
static void take_interface(struct pcapng_pick *pick, const uint8_t *body, size_t len)
{
	struct options options = { body + IDB_FIXED, len > IDB_FIXED ? len - IDB_FIXED : 0 };
	bool wanted = !pick->link;
	uint32_t number = pick->n_interfaces;
	const uint8_t *value;
	uint16_t code;
	size_t n;

	if (number == PCAPNG_INTERFACES_MAX)
		return;
	while (!wanted && next_option(&options, &code, &value, &n))
		wanted = code == IF_NAME && is_text(value, n, pick->link);
	pick->of_link[number / 8] &= (uint8_t) ~(1u << number % 8);
	pick->of_link[number / 8] |= (uint8_t)((wanted ? 1u : 0u) << number % 8);
	pick->n_interfaces++;
}

/* By its number in the section that is read. */
static bool is_of_link(const struct pcapng_pick *pick, uint32_t number)
{
	if (number >= pick->n_interfaces - pick->base)
		return false;
	number += pick->base;
	return pick->of_link[number / 8] >> number % 8 & 1;
}

static bool is_in_time(const struct pcapng_pick *pick, uint64_t ns)
{
	return ns >= pick->since_ns && (!pick->until_ns || ns < pick->until_ns);
}

static bool wants_packet(const struct pcapng_pick *pick, const uint8_t *body, size_t len)
{
	bool rule = !pick->rule, packet = !pick->has_packet;
	struct options options;
	const uint8_t *value;
	uint16_t code;
	uint64_t id;
	size_t n;

	if (len < EPB_FIXED || !is_of_link(pick, word(body)) ||
	    padded(word(body + 12)) > len - EPB_FIXED ||
	    !is_in_time(pick, (uint64_t)word(body + 4) << 32 | word(body + 8)))
		return false;
	options.at = body + EPB_FIXED + padded(word(body + 12));
	options.left = len - EPB_FIXED - padded(word(body + 12));
	while (!(rule && packet) && next_option(&options, &code, &value, &n)) {
		if (code == OPTION_COMMENT && pick->rule && is_of_rule(value, n, pick->rule))
			rule = true;
		if (code == EPB_PACKETID && n == sizeof(id)) {
			memcpy(&id, value, sizeof(id));
			packet = packet || id == pick->packet;
		}
	}
	return rule && packet;
}

/*
 * So many in the section that is open, and the next one stays one of its own: it may have as many.
 */
#define INTERFACES_JOINED (PCAPNG_INTERFACES_MAX / 2)

static bool begin_section(struct pcapng_pick *pick)
{
	if (pick->joined && pick->begun && pick->n_interfaces < INTERFACES_JOINED) {
		pick->base = pick->n_interfaces;
		return false;
	}
	pick->begun = true;
	pick->base = pick->n_interfaces = 0;
	return true;
}

/* In a block that was added at `at`, the interface is where all blocks have it that name one. */
static void renumber(const struct pcapng_pick *pick, uint32_t type, struct buf *out, size_t at)
{
	uint32_t number;

	if (out->failed || (type != BLOCK_ENHANCED && type != BLOCK_STATISTICS))
		return;
	memcpy(&number, out->data + at + HEAD, sizeof(number));
	number += pick->base;
	memcpy(out->data + at + HEAD, &number, sizeof(number));
}

/* Whether the block is part of what is picked. */
static bool wants(struct pcapng_pick *pick, uint32_t type, const uint8_t *body, size_t len)
{
	switch (type) {
	case BLOCK_SECTION:
		return begin_section(pick);
	case BLOCK_INTERFACE:
		take_interface(pick, body, len);
		return true;
	case BLOCK_ENHANCED:
		return wants_packet(pick, body, len);
	case BLOCK_STATISTICS:
		/* It counts more than what is picked, unless all of the link is. */
		return len >= 4 && is_of_link(pick, word(body)) && !pick->rule &&
		       !pick->has_packet && !pick->since_ns && !pick->until_ns;
	default:
		return false;
	}
}

ssize_t pcapng_pick(struct pcapng_pick *pick, const uint8_t *data, size_t len, struct buf *out)
{
	size_t at = 0;

	while (len - at >= HEAD) {
		uint32_t block = word(data + at + 4);

		if (block < BLOCK_OVERHEAD || block > PCAPNG_BLOCK_MAX || block % 4)
			return -EBADMSG;
		if (block > len - at)
			break;
		if (word(data + at + block - 4) != block)
			return -EBADMSG;
		if (wants(pick, word(data + at), data + at + HEAD, block - BLOCK_OVERHEAD)) {
			size_t before = out->len;

			buf_add(out, data + at, block);
			renumber(pick, word(data + at), out, before);
		}
		at += block;
	}
	return (ssize_t)at;
}

void pcapng_pick_next_file(struct pcapng_pick *pick)
{
	pick->joined = true;
}
