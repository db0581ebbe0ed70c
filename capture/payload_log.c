#include "capture/payload_log.h"

#include <errno.h>
#include <string.h>

#include "capture/record.h"

/* Time, link, two addresses and the rest: 203 bytes at most. */
#define HEADER_MAX 256

static const char *const direction_words[STATS_DIRECTIONS] = {
	[STATS_FROM_GUEST] = "from",
	[STATS_TO_GUEST] = "to",
};

static void add_end(struct buf *out, const struct frame *frame, const uint8_t *ip, uint16_t port)
{
	char text[ADDRESS_TEXT_MAX];

	record_format_ip(text, frame, ip);
	buf_addf(out, frame->ip_version == 6 ? "[%s]" : "%s", text);
	if (frame->has_ports)
		buf_addf(out, ":%u", port);
}

int payload_log_entry(struct buf *out, uint64_t time_ns, const char *link,
		      enum stats_direction direction, const struct frame *frame)
{
	char time_text[RECORD_TIME_TEXT];

	buf_reset(out);
	record_format_time(time_text, time_ns);
	buf_addf(out, "@ %s %s %s ", time_text, link, direction_words[direction]);
	add_end(out, frame, frame->src_ip, frame->src_port);
	buf_adds(out, " > ");
	add_end(out, frame, frame->dst_ip, frame->dst_port);
	buf_addf(out, " %s %zu%s\n", record_proto_name(frame->proto), frame->payload_len,
		 frame->truncated ? " cut" : "");
	buf_add(out, frame->payload, frame->payload_len);
	buf_addc(out, '\n');
	return out->failed ? -ENOBUFS : 0;
}

/* LEN of a header line without its newline: its last field, or the last but one before "cut". */
static bool header_length(const char *line, size_t len, size_t *ret)
{
	static const char cut[] = " cut";
	size_t value = 0, at, digits = 0;

	if (len < 2 || memcmp(line, "@ ", 2) != 0)
		return false;
	if (len > sizeof(cut) && memcmp(line + len - (sizeof(cut) - 1), cut, sizeof(cut) - 1) == 0)
		len -= sizeof(cut) - 1;
	for (at = len; at > 0 && line[at - 1] >= '0' && line[at - 1] <= '9'; at--)
		digits++;
	if (digits == 0 || digits > 5 || at == 0 || line[at - 1] != ' ')
		return false;
	for (; at < len; at++)
		value = value * 10 + (size_t)(line[at] - '0');
	*ret = value;
	return true;
}

/* The length of the entry at `data`; 0 when it is not whole. */
static size_t entry_length(const char *data, size_t len)
{
	const char *newline = memchr(data, '\n', len < HEADER_MAX ? len : HEADER_MAX);
	size_t header, payload;

	if (!newline)
		return 0;
	header = (size_t)(newline - data) + 1;
	if (!header_length(data, header - 1, &payload))
		return 0;
	if (payload >= len - header || data[header + payload] != '\n')
		return 0;
	return header + payload + 1;
}

size_t payload_log_whole(const void *data, size_t len, uint64_t *ret_entries)
{
	uint64_t entries = 0;
	size_t at = 0, n;

	while (at < len && (n = entry_length((const char *)data + at, len - at)) > 0) {
		at += n;
		entries++;
	}
	if (ret_entries)
		*ret_entries = entries;
	return at;
}
