#include "web/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Whether the line has "KEY":"VALUE". Inside a JSON string a quote has a backslash before it, so text
 * that a guest sent cannot hold it in this form; the values are names, which need no escape.
 */
static bool has(const char *line, size_t len, const char *key, const char *value)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "\"%s\":\"%s\"", key, value);

	return n > 0 && (size_t)n < sizeof(text) && memmem(line, len, text, (size_t)n);
}

static bool passes(const struct records_filter *f, const char *line, size_t len)
{
	if (f->type && !has(line, len, "event_type", f->type))
		return false;
	if (f->rule && !has(line, len, "rule", f->rule))
		return false;
	/* A record of frames names the interface, one of a link's life the link. */
	return !f->link || has(line, len, "in_iface", f->link) || has(line, len, "link", f->link);
}

void records_page(const struct event_ring *ring, const struct records_filter *filter,
		  struct buf *out)
{
	uint64_t at = filter->before < ring->next ? filter->before : ring->next;
	uint64_t n = 0;

	buf_adds(out, "{\"records\":[");
	while (at > ring->first && n < filter->limit) {
		size_t len;
		const char *line = event_ring_at(ring, --at, &len);

		if (!passes(filter, line, len))
			continue;
		buf_adds(out, n++ ? "," : "");
		buf_add(out, line, len);
	}
	if (at > ring->first)
		buf_addf(out, "],\"next\":%" PRIu64 "}\n", at);
	else
		buf_adds(out, "],\"next\":null}\n");
}
