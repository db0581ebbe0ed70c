/*
 * Ranges in a text that comes in pieces of whole lines: BEGIN and END are patterns here.
 *
 * Pure. Memory is constant, except that with RANGE_DROP what is shown of an open range is kept back
 * until END, up to its max_bytes. Between delimiters the text is not looked at by line: the search
 * jumps to where the next delimiter can be, and what is shown is told in spans as long as possible.
 */
#ifndef TW_RANGE_TEXT_H
#define TW_RANGE_TEXT_H

#include "agent/base/buf.h"
#include "capture/lines.h"
#include "capture/range.h"

/* What RANGE_DROP keeps back of one range, where max_bytes says nothing. */
#define RANGE_HELD_MAX (16u << 20)

struct range_text_ops {
	/*
	 * Whole lines that are shown, one behind the other in the text; `offset` is where they begin in
	 * the whole text. Only the last line of the text may lack its LF. Valid during the call.
	 */
	void (*shown)(void *data, const uint8_t *lines, size_t len, uint64_t offset);
	/* A range is closed, and all of it that is shown was told; NULL: nobody wants to know. */
	void (*closed)(void *data, const struct range_closed *closed, uint64_t offset);
};

struct range_text {
	struct range range;
	struct line_matcher begin, end;
	struct regex_scratch *scratch;
	const struct range_text_ops *ops;
	void *data;
	bool count_lines; /* set by the owner; else the lines of a range_closed are not exact */
	uint64_t n_ranges;
	uint64_t n_dropped; /* of them, by RANGE_DROP */
	uint64_t n_limited; /* lines on which a pattern gave up: as if they did not match */

	uint64_t offset; /* of the piece in hand */
	uint64_t begun; /* offset of the open range */
	const uint8_t *piece, *span; /* span: what is shown and not told yet */
	size_t span_len;
	struct buf held;
	uint64_t held_offset;
	bool out_of_memory; /* something of RANGE_DROP could not be kept: that range was dropped */
};

/* Patterns, scratch and `ops` are the caller's and outlive this. */
void range_text_init(struct range_text *text, const struct range_conf *conf,
		     const struct pattern *begin, const struct pattern *end,
		     struct regex_scratch *scratch, const struct range_text_ops *ops, void *data);
void range_text_done(struct range_text *text);

/* The next piece: whole lines, but for the last line of the text. */
void range_text_feed(struct range_text *text, const uint8_t *piece, size_t len, uint64_t now_ns);

/* The text ends here: the next piece begins another one, which no range reaches into. */
void range_text_end(struct range_text *text, enum range_reason reason);

#endif
