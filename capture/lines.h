/*
 * Lines of a text, and the next of them that matches a pattern.
 *
 * Pure. A line ends with LF; the CR before it is kept in the line and not seen by a match. The last
 * line of a text may end without either.
 */
#ifndef TW_LINES_H
#define TW_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/literal_find.h"
#include "capture/pattern.h"

/* Behind the LF of the line that `p` is in, or the end of the text. */
const uint8_t *line_end(const uint8_t *p, const uint8_t *end);

/* Where the line that `p` is in begins; `start` is the beginning of a line, not behind `p`. */
const uint8_t *line_start(const uint8_t *start, const uint8_t *p);

/* What a match sees of a line of `len` bytes: all but its CR and LF. */
size_t line_subject(const uint8_t *line, size_t len);

/* How many LFs there are. */
uint64_t lines_count(const uint8_t *data, size_t len);

/* Immutable once initialised; the pattern is the caller's and outlives it. */
struct line_matcher {
	const struct pattern *pattern;
	bool by_literal;
	struct literal_finder finder;
};

void line_matcher_init(struct line_matcher *matcher, const struct pattern *pattern);

struct line_match {
	const uint8_t *line; /* NULL: no line matches */
	size_t len; /* with its LF */
	size_t behind; /* where the first match in it ends */
};

/*
 * The first line from `p`, the beginning of a line, that matches. A line whose match hits a limit
 * does not match and is added to `ret_limited`.
 */
struct line_match line_matcher_next(const struct line_matcher *matcher,
				    struct regex_scratch *scratch, const uint8_t *p,
				    const uint8_t *end, uint64_t *ret_limited);

/* Whether a line matches with a match that starts at `from` or behind; counts as above. */
bool line_matches(const struct line_matcher *matcher, struct regex_scratch *scratch,
		  const uint8_t *line, size_t len, size_t from, size_t *ret_behind,
		  uint64_t *ret_limited);

#endif
