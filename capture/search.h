/*
 * The rules of one extraction and how many matches each has had.
 *
 * Pure. Rules are in the order they were given; each finds its matches as if it were alone.
 */
#ifndef TW_SEARCH_H
#define TW_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/extract.h"
#include "capture/literal_find.h"
#include "capture/prefilter.h"
#include "capture/shape.h"
#include "capture/straight.h"

struct search_rule {
	const char *name; /* the configuration's */
	struct pattern *pattern;
	bool has_finder;
	struct literal_finder finder;
	bool has_shape; /* beside other rules it is tried where that is */
	struct straight *straight; /* NULL: PCRE2 is asked */
};

/* Immutable once initialised. */
struct search {
	struct search_rule *rules;
	size_t n;
	struct extract_policy policy;
	struct prefilter *prefilter; /* of several rules: */
	struct shapes *shapes; /* of those that the prefilter has no text of; NULL: none */
	uint32_t *always; /* those that have neither, ascending */
	size_t n_always;
};

/*
 * A rule that was given up on so often is left out of the rest of an input, however many threads
 * search it: each time took what the limit allows, milliseconds, and a hostile text can ask for it
 * on every line.
 */
#define SEARCH_GIVE_UPS_MAX 200

/* What became of a rule's searches. */
struct search_count {
	uint64_t matches;
	uint64_t limited; /* subjects that were not fully searched: REGEX_LIMIT */
	uint64_t failed; /* or for another reason */
	uint64_t left_out; /* subjects not searched: others were given up on too often */
	uint64_t overflowed; /* a match would have been larger than what may be kept */
};

/*
 * Compiles `n` patterns, which outlive the search for their names. The error text is that of
 * pattern_compile(), and *ret_faulty the number of the pattern.
 */
int search_init(struct search *search, const struct pattern_conf *confs, size_t n,
		const struct extract_policy *policy, size_t *ret_faulty, struct err *err);
void search_done(struct search *search);

void search_count_add(struct search_count *sum, const struct search_count *more);

#endif
