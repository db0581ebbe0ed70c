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
#include "capture/range_places.h"

/* What RANGE_DROP keeps back of one range, where max_bytes says nothing. */
#define RANGE_HELD_MAX (16u << 20)

struct range_text_ops {
	/*
	 * Whole lines that are shown, one behind the other in the text; `offset` is where they
	 * begin in the whole text, and `before` how many lines are before them, 0 without
	 * number_lines. Only the last line of the text may lack its LF. Valid during the call.
	 */
	void (*shown)(void *data, const uint8_t *lines, size_t len, uint64_t offset,
		      uint64_t before);
	/* A range is closed, and all of it that is shown was told; NULL: nobody wants to know. */
	void (*closed)(void *data, const struct range_closed *closed, uint64_t offset);
};

struct range_text {
	struct range range;
	struct line_matcher begin, end;
	struct regex_scratch *scratch;
	const struct range_text_ops *ops;
	void *data;
	/* Set by the owner. */
	bool count_lines; /* else the lines of a range_closed are not exact */
	bool number_lines;

	uint64_t n_ranges;
	uint64_t n_dropped; /* of them, by RANGE_DROP */
	uint64_t n_overrun; /* of these, because they were larger than a limit */
	uint64_t n_limited; /* lines on which a pattern gave up: as if they did not match */

	uint64_t offset; /* of the piece in hand */
	uint64_t begun; /* offset of the open range */
	const uint8_t *piece, *span; /* span: what is shown and not told yet */
	size_t span_len;
	const uint8_t *piece_end, *shown_end; /* alike: the last line of the piece was shown */
	struct buf held;
	uint64_t held_offset, held_before;
	const uint8_t *numbered; /* in the piece: the lines before it are `before` */
	uint64_t before;
	bool out_of_memory; /* something of RANGE_DROP could not be kept: that range was dropped */

	/*
	 * Of the next piece, and set by the owner: what is known of it, and what it is found to
	 * have.
	 */
	struct range_places *known, *found; /* NULL: nothing; nobody wants to know */
};

/*
 * Patterns, scratch and `ops` are the caller's and outlive this. With RANGE_DROP and without
 * max_bytes the range's own conf has a bound.
 */
void range_text_init(struct range_text *text, const struct range_conf *conf,
		     const struct pattern *begin, const struct pattern *end,
		     struct regex_scratch *scratch, const struct range_text_ops *ops, void *data);
void range_text_done(struct range_text *text);

/* The next piece: whole lines, but for the last line of the text. */
void range_text_feed(struct range_text *text, const uint8_t *piece, size_t len, uint64_t now_ns);

/*
 * The last line that was fed, which had no LF, goes on with `len` bytes more, and `ends` when they
 * are its last. They are not looked at, and not told: returns whether they are shown, which they
 * are not with RANGE_DROP.
 */
bool range_text_continue(struct range_text *text, size_t len, bool ends);

/*
 * Where a text is cut and goes on elsewhere: what is left of a range that is open there, but for
 * what is kept back of it.
 */
struct range_carry {
	uint32_t depth; /* of BEGINs without END; 0: none is open */
	struct range_closed so_far;
	uint64_t begun, before; /* of the open range; lines before, with number_lines */
};

/*
 * Whether parts of a text may be looked at apart, when it is known that a range is open or not:
 * there is no limit, no nesting, and nothing is kept back.
 */
bool range_text_splits(const struct range_conf *conf);
void range_text_leave(const struct range_text *text, struct range_carry *ret);

/* `offset` is that of the part. */
void range_text_resume(struct range_text *text, const struct range_carry *carry, uint64_t offset);

/* The text ends here: the next piece begins another one, which no range reaches into. */
void range_text_end(struct range_text *text, enum range_reason reason);

#endif
