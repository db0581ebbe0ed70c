#include "web/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/parse_time.h"

#define TIME_WITHIN 48

/*
 * Whether the line has "KEY":"VALUE". Inside a JSON string a quote has a backslash before it, so
 * text that a guest sent cannot hold it in this form; the values are names, which need no escape.
 */
static bool has(const char *line, size_t len, const char *key, const char *value)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "\"%s\":\"%s\"", key, value);

	return n > 0 && (size_t)n < sizeof(text) && memmem(line, len, text, (size_t)n);
}

/* A record begins with its time; one that does not is of none. */
static bool is_within(const struct records_filter *f, const char *line, size_t len)
{
	static const char begin[] = "{\"timestamp\":\"";
	const size_t at = sizeof(begin) - 1;
	char text[TIME_WITHIN];
	const char *end;
	uint64_t ns;

	if (f->since_ns == 0 && f->until_ns == UINT64_MAX)
		return true;
	if (len < at || memcmp(line, begin, at) != 0)
		return false;
	end = memchr(line + at, '"', len - at < sizeof(text) ? len - at : sizeof(text));
	if (!end)
		return false;
	memcpy(text, line + at, (size_t)(end - line) - at);
	text[(size_t)(end - line) - at] = '\0';
	return parse_time(text, &ns, NULL) == 0 && ns >= f->since_ns && ns < f->until_ns;
}

static bool passes(const struct records_filter *f, const char *line, size_t len)
{
	if (f->type && !has(line, len, "event_type", f->type))
		return false;
	if (f->rule && !has(line, len, "rule", f->rule))
		return false;
	if (!is_within(f, line, len))
		return false;
	/* A record of frames names the interface, one of a link's life the link. */
	return !f->link || has(line, len, "in_iface", f->link) || has(line, len, "link", f->link);
}

/* The index behind the record to go on before: where that is, or else where it was. */
static uint64_t begin_of(const struct event_ring *ring, uint64_t before)
{
	uint64_t at = ring->next, below = ring->first, seq;

	if (before == UINT64_MAX)
		return at;
	for (; at > ring->first; at--) {
		if (!event_ring_seq(ring, at - 1, &seq))
			continue;
		if (seq == before)
			return at - 1;
		if (seq < before && below == ring->first)
			below = at;
	}
	return below;
}

void records_page(const struct event_ring *ring, const struct records_filter *filter,
		  struct buf *out)
{
	uint64_t at = begin_of(ring, filter->before);
	uint64_t n = 0, seq = 0;
	bool has_seq = false;

	buf_adds(out, "{\"records\":[");
	/* A page ends at a record that the next one can begin before. */
	while (at > ring->first && (n < filter->limit || !has_seq)) {
		size_t len;
		const char *line = event_ring_at(ring, --at, &len);

		has_seq = event_ring_seq(ring, at, &seq);
		if (!passes(filter, line, len))
			continue;
		buf_adds(out, n++ ? "," : "");
		buf_add(out, line, len);
	}
	if (at > ring->first)
		buf_addf(out, "],\"next\":%" PRIu64 "}\n", seq);
	else
		buf_adds(out, "],\"next\":null}\n");
}
