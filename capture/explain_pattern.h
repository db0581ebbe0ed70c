/*
 * How a pattern runs: engine, machine code, the texts it is found by, what it keeps, what is
 * unwise.
 *
 * Pure.
 */
#ifndef TW_EXPLAIN_PATTERN_H
#define TW_EXPLAIN_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "capture/literal.h"

#define PATTERN_LINTS_MAX 16

struct pattern_lint {
	const char *name; /* stable: for programs */
	char text[320];
};

struct pattern_explained {
	char engine[64]; /* "PCRE2 10.42 2022-12-11" */
	char *text; /* the regular expression with its context, as it is compiled */
	bool jit;
	char jit_reason[128]; /* why it is not machine code */
	size_t jit_bytes;
	uint32_t captures;
	bool ranges; /* it is tried inside ranges: the next is of their BEGIN */
	struct literal_set required; /* n == 0: tried on every payload */
	/* beside other patterns it is tried where a few bytes in a row are of its sets */
	bool shape;
	bool straight; /* lines of a text are searched for it without PCRE2 */
	size_t lookback; /* bytes before a place that a search there may look at */
	size_t tail; /* bytes of each stream that are kept until a text comes; 0: it sees all */
	size_t stream_max; /* bytes for one direction of one stream, at worst */
	struct pattern_lint lints[PATTERN_LINTS_MAX];
	size_t n_lints;
};

/*
 * `max` bounds a match in a stream, as for stream_match_init(). The error text is that of
 * pattern_compile(): -EINVAL, -ENOMEM. Tries the pattern on a few hostile texts, for some
 * milliseconds at most.
 */
int explain_pattern(const struct pattern_conf *conf, size_t max, struct pattern_explained *ret,
		    struct err *err);
void explain_pattern_done(struct pattern_explained *explained);

#endif
