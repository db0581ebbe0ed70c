#include "web/event_ring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/time_units.h"

/* "tapwarden":{"v":1,"seq":N}: the object's own keys before seq are few and short. */
#define SEQ_WITHIN 64

/* "timestamp" and "event_type" begin a record. */
#define GAP_WITHIN 96

struct event_entry {
	uint64_t seq;
	bool has_seq;
	size_t len;
	char line[];
};

int event_ring_init(struct event_ring *ring)
{
	*ring = (struct event_ring){ 0 };
	ring->entries = calloc(EVENT_RING_ENTRIES, sizeof(*ring->entries));
	return ring->entries ? 0 : -ENOMEM;
}

static struct event_entry **place(const struct event_ring *ring, uint64_t index)
{
	return &ring->entries[index % EVENT_RING_ENTRIES];
}

const char *event_ring_at(const struct event_ring *ring, uint64_t index, size_t *ret_len)
{
	const struct event_entry *entry = *place(ring, index);

	*ret_len = entry->len;
	return entry->line;
}

static void drop_first(struct event_ring *ring)
{
	struct event_entry **entry = place(ring, ring->first++);

	ring->bytes -= (*entry)->len;
	free(*entry);
	*entry = NULL;
}

void event_ring_done(struct event_ring *ring)
{
	while (ring->entries && ring->first != ring->next)
		drop_first(ring);
	free(ring->entries);
	*ring = (struct event_ring){ 0 };
}

/*
 * Inside a JSON string a quote has a backslash before it, so text that a guest sent can hold
 * neither of the two keys in this form.
 */
bool event_line_seq(const char *line, size_t len, uint64_t *ret)
{
	static const char object[] = "\"tapwarden\":{", key[] = "\"seq\":";
	const char *end = line + len;
	const char *p = memmem(line, len, object, sizeof(object) - 1);
	uint64_t seq = 0;
	int digits = 0;

	if (!p)
		return false;
	p += sizeof(object) - 1;
	p = memmem(p, end - p < SEQ_WITHIN ? (size_t)(end - p) : SEQ_WITHIN, key, sizeof(key) - 1);
	if (!p)
		return false;
	/* 18 digits cannot overflow. */
	for (p += sizeof(key) - 1; p < end && *p >= '0' && *p <= '9' && digits < 18; p++, digits++)
		seq = seq * 10 + (uint64_t)(*p - '0');
	if (digits == 0 || p == end || (*p != ',' && *p != '}'))
		return false;
	*ret = seq;
	return true;
}

uint64_t event_line_lost(const char *line, size_t len)
{
	static const char type[] = "\"event_type\":\"gap\"",
			  gap[] = "\"gap\":{\"lost\":", unit[] = ",\"unit\":\"records\"";
	const char *end = line + len, *p;
	uint64_t n = 0;
	int digits = 0;

	/* Both are near the beginning of it. */
	p = memmem(line, len < GAP_WITHIN ? len : GAP_WITHIN, type, sizeof(type) - 1);
	p = p ? memmem(p, (size_t)(end - p), gap, sizeof(gap) - 1) : NULL;
	if (!p)
		return 0;
	for (p += sizeof(gap) - 1; p < end && *p >= '0' && *p <= '9' && digits < 18; p++, digits++)
		n = n * 10 + (uint64_t)(*p - '0');
	if ((size_t)(end - p) < sizeof(unit) - 1 || memcmp(p, unit, sizeof(unit) - 1) != 0)
		return 0;
	return n;
}

static void number(struct event_ring *ring, struct event_entry *entry)
{
	uint64_t lost = event_line_lost(entry->line, entry->len), next;

	entry->seq = 0;
	entry->has_seq = event_line_seq(entry->line, entry->len, &entry->seq);
	if (!entry->has_seq)
		return;
	next = entry->seq + (lost ? lost : 1);
	if (next > ring->expected)
		ring->expected = next;
}

int event_ring_add(struct event_ring *ring, const void *line, size_t len)
{
	const char *s = line;
	struct event_entry *entry;

	if (len < 2 || len > EVENT_LINE_MAX || s[0] != '{' || s[len - 1] != '}' ||
	    memchr(s, '\n', len) || memchr(s, '\r', len) || memchr(s, '\0', len)) {
		ring->rejected++;
		return -EBADMSG;
	}
	entry = malloc(sizeof(*entry) + len);
	if (!entry)
		return -ENOMEM;
	while (ring->bytes + len > EVENT_RING_BYTES ||
	       ring->next - ring->first == EVENT_RING_ENTRIES)
		drop_first(ring);
	entry->len = len;
	memcpy(entry->line, s, len);
	number(ring, entry);
	*place(ring, ring->next++) = entry;
	ring->bytes += len;
	return 0;
}

/* ---- seqs ------------------------------------------------------------------------------------ */

bool event_ring_seq(const struct event_ring *ring, uint64_t index, uint64_t *ret)
{
	const struct event_entry *entry = *place(ring, index);

	if (entry->has_seq)
		*ret = entry->seq;
	return entry->has_seq;
}

bool event_ring_has(const struct event_ring *ring, const void *line, size_t len)
{
	uint64_t seq;

	if (!event_line_seq(line, len, &seq))
		return false;
	for (uint64_t i = ring->next; i > ring->first; i--) {
		const struct event_entry *entry = *place(ring, i - 1);

		if (entry->has_seq && entry->seq == seq)
			return entry->len == len && memcmp(entry->line, line, len) == 0;
	}
	return false;
}

/* ---- readers --------------------------------------------------------------------------------- */

void event_reader_init(struct event_reader *reader, const struct event_ring *ring,
		       enum event_format format, uint64_t backlog)
{
	uint64_t there = ring->next - ring->first;

	*reader = (struct event_reader){
		.format = format,
		.index = ring->next - (backlog < there ? backlog : there),
	};
	/* The frame of an event around the longest record. */
	buf_init(&reader->line, EVENT_LINE_MAX + 256);
}

/* The index behind the newest record with this seq, or else one with a lower seq. */
static uint64_t behind(const struct event_ring *ring, uint64_t seq)
{
	uint64_t lower = ring->first;

	for (uint64_t i = ring->next; i > ring->first; i--) {
		const struct event_entry *entry = *place(ring, i - 1);

		if (entry->has_seq && entry->seq == seq)
			return i;
		if (entry->has_seq && entry->seq < seq && lower == ring->first)
			lower = i;
	}
	return lower;
}

void event_reader_resume(struct event_reader *reader, const struct event_ring *ring, uint64_t seq,
			 bool filling)
{
	if (seq >= ring->expected)
		reader->index = filling ? ring->next : ring->first;
	else
		reader->index = behind(ring, seq);
}

void event_reader_done(struct event_reader *reader)
{
	buf_done(&reader->line);
}

static void add_line(struct event_reader *reader, const char *line, size_t len, bool has_seq,
		     uint64_t seq)
{
	struct buf *out = &reader->line;

	if (reader->format == EVENT_SSE && has_seq)
		buf_addf(out, "id: %" PRIu64 "\n", seq);
	if (reader->format == EVENT_SSE)
		buf_adds(out, "data: ");
	buf_add(out, line, len);
	buf_adds(out, reader->format == EVENT_SSE ? "\n\n" : "\n");
}

/* As the gap records of the stream, but without a seq: it is this reader's alone. */
static void add_gap(struct event_reader *reader, uint64_t lost, uint64_t now_ns)
{
	const time_t seconds = (time_t)(now_ns / NS_PER_S);
	char stamp[32] = "", line[256];
	struct tm tm;
	int len;

	if (gmtime_r(&seconds, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	len = snprintf(line, sizeof(line),
		       "{\"timestamp\":\"%s.%09" PRIu64 "Z\",\"event_type\":\"gap\","
		       "\"gap\":{\"lost\":%" PRIu64
		       ",\"unit\":\"records\",\"reason\":\"slow-reader\"},"
		       "\"tapwarden\":{\"v\":1}}",
		       stamp, now_ns % NS_PER_S, lost);
	add_line(reader, line, (size_t)len, false, 0);
}

static void next_line(struct event_reader *reader, struct event_ring *ring, uint64_t now_ns)
{
	const struct event_entry *entry;

	buf_reset(&reader->line);
	reader->sent = 0;
	if (reader->index < ring->first) {
		add_gap(reader, ring->first - reader->index, now_ns);
		ring->skipped += ring->first - reader->index;
		reader->index = ring->first;
	} else if (reader->index < ring->next) {
		entry = *place(ring, reader->index++);
		add_line(reader, entry->line, entry->len, entry->has_seq, entry->seq);
	}
}

ssize_t event_reader_read(struct event_reader *reader, struct event_ring *ring, uint64_t now_ns,
			  char *out, size_t max)
{
	size_t done = 0;

	while (done < max) {
		size_t left = reader->line.len - reader->sent;

		if (left == 0) {
			next_line(reader, ring, now_ns);
			if (reader->line.failed)
				return -ENOMEM;
			left = reader->line.len;
			if (left == 0)
				break;
		}
		left = left < max - done ? left : max - done;
		memcpy(out + done, reader->line.data + reader->sent, left);
		reader->sent += left;
		done += left;
	}
	return (ssize_t)done;
}

void event_reader_comment(struct event_reader *reader, const struct event_ring *ring)
{
	if (reader->format != EVENT_SSE || reader->sent < reader->line.len ||
	    reader->index != ring->next)
		return;
	buf_reset(&reader->line);
	reader->sent = 0;
	buf_adds(&reader->line, ":\n\n");
}
