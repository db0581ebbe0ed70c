/*
 * Patterns that need no backtracking: bytes of sets, one behind the other, as `Host: \K\S+`, `\d+`
 * and `foobar[0-9]+`.
 *
 * Pure. Where what a run takes can never be what comes behind it, to take all of the run is the one
 * way to match, and a few instructions a byte do it. The matches are those of PCRE2; what is not
 * certain to be such a pattern is left to PCRE2.
 */
#ifndef TW_STRAIGHT_H
#define TW_STRAIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/literal_find.h"
#include "capture/regex.h"
#include "capture/set_reader.h"

/* Longer patterns are seldom, and gain less. */
#define STRAIGHT_ITEMS_MAX 48
#define STRAIGHT_NO_LIMIT  SET_NO_LIMIT

/* From `min` to `max` bytes of a set, as many as there are. */
struct straight_item {
	uint64_t set[4]; /* bit b % 64 of set[b / 64]: byte b */
	uint32_t min, max;
};

struct straight {
	struct straight_item items[STRAIGHT_ITEMS_MAX];
	size_t n;
	size_t keep; /* the item that the match begins with: \K stands before it */
	bool takes_cr; /* one of the sets has it */
	bool by_literal; /* a text is `before` bytes behind each start: */
	struct literal_finder finder;
	size_t before;
	size_t sure_from, sure_n; /* items of one byte each, which are there when the text is */
	/* By low nibble, the high nibbles of the first item's bytes: 0 to 7 and 8 to 15. */
	uint8_t rows[2][16];
	bool simd;
};

/* As the options of the same name of PCRE2; patterns are of bytes. */
struct straight_options {
	bool caseless, dotall;
};

/*
 * Whether `regex`, which PCRE2 compiles, is such a pattern for lines: no match is empty or depends
 * on where its line begins, so blocks of lines are searched as if they were one. `required` is what
 * literal_required() says of it. Without `simd` no AVX2, which changes no answer.
 */
bool straight_compile(const char *regex, const struct straight_options *options,
		      const struct literal_set *required, bool simd, struct straight *ret);

/* Room that straight_find() needs for spans at least. */
#define STRAIGHT_SPANS_MIN 64

/*
 * The next matches in whole lines from *cursor on, which is moved to where to go on: `len`, when
 * there are no more. False: from *cursor on it would take too long, because of the text, and PCRE2
 * is to go on, which has limits for that.
 */
bool straight_find(const struct straight *s, const uint8_t *data, size_t len, size_t *cursor,
		   struct span *spans, size_t max, size_t *ret_n);

#endif
