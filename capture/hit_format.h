/*
 * How a match is written: its text, groups, a template, or a JSON object a line.
 *
 * Pure. Bytes are written as they are, unless `escape` is set for a terminal.
 */
#ifndef TW_HIT_FORMAT_H
#define TW_HIT_FORMAT_H

#include <stdbool.h>

#include "agent/base/buf.h"
#include "capture/hit.h"
#include "capture/hit_template.h"
#include "capture/range.h"
#include "capture/search.h"

struct hit_format {
	const struct search *search;
	bool json;
	bool names, lines, offsets; /* before each record */
	bool color;
	bool escape; /* what could steer a terminal is shown as \xNN */
	/* a line of a range is not given the LF that it lacks, and a record ends as it does */
	bool raw;
	char end; /* of a record: LF or NUL */
	const char *sep; /* between groups */
	size_t sep_len;
	const char *unset; /* for a group that took no part */
	const struct hit_template *template; /* NULL: the groups, with `sep` */
};

struct hit_line;

/*
 * `source` is what the input is called; `record` is the one that the hit is in, if there are any.
 */
void hit_format_add(const struct hit_format *format, const char *source, const struct hit *hit,
		    const struct hit_line *record, struct buf *out);

/* Whether a hit is written as the bytes that match and `end`, and nothing else of it matters. */
bool hit_format_is_bare(const struct hit_format *format);

/* Such hits, of a text that goes on to `text_end`. */
void hit_format_spans(const struct hit_format *format, const uint8_t *text, const uint8_t *text_end,
		      const struct span *spans, size_t n, struct buf *out);

/* A line of a range, or a part of one, without its LF; or a record without its separator. */
struct hit_line {
	const uint8_t *text;
	size_t len;
	uint64_t offset; /* in the input */
	uint64_t line; /* from 1; 0: not asked for */
	bool begun; /* an earlier part was written */
	bool more; /* there are others behind it */
	bool is_record;
	const uint8_t *rt; /* what separates it from the next */
	size_t rt_len;
};

void hit_format_line(const struct hit_format *format, const char *source,
		     const struct hit_line *line, struct buf *out);

/* A range that is closed, which began at `offset`, in JSON. */
void hit_format_range(const struct hit_format *format, const char *source,
		      const struct range_closed *closed, uint64_t offset, struct buf *out);

/* How many an input has, in the place of its records. */
void hit_format_count(const struct hit_format *format, const char *source, uint64_t count,
		      struct buf *out);

#endif
