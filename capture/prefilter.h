/*
 * Which of many rules can match in bytes at all: those of which a required text (literal.h) is
 * there.
 *
 * Pure. One pass over the bytes, however many rules there are. A rule without texts can match
 * anywhere: it is always a candidate. The answer is never too few, and PCRE2 has the last word on
 * each candidate; so what is found does not depend on there being a prefilter.
 *
 * Hyperscan 5.4.0 and Vectorscan 5.4.9 of Debian 12 were measured beside it, for a 32 MiB log on
 * one core: 64 texts in 6.4 and 4.8 ms against 9.9 here, 1000 in 17.8 and 20.4 against 32, and 100
 * ms to compile the 1000 against 0.7 at each start of a worker. What they could save is small
 * beside what the regular expressions cost, and they are one library more: so they are not linked.
 */
#ifndef TW_PREFILTER_H
#define TW_PREFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/gram_index.h"
#include "capture/literal.h"

/* Immutable once built: several threads may use it. */
struct prefilter;

/*
 * `sets[i]` has the texts of rule i, of which any will do, as of pattern_required(); with n == 0
 * the rule has none. Nothing of them is kept. Without `simd` no AVX2, which changes no answer. 0 or
 * -ENOMEM.
 */
int prefilter_new(const struct literal_set *const *sets, size_t n_rules, bool simd,
		  struct prefilter **ret);
void prefilter_free(struct prefilter *pf);

/* Rules without texts, ascending. */
const uint32_t *prefilter_always(const struct prefilter *pf, size_t *ret_n);

/* ---- which rules ---------------------------------------------------------------------------- */

/* An answer: one for each thread. */
struct prefilter_choice {
	uint64_t *rules; /* bit i % 64 of word i / 64: rule i is a candidate */
	size_t words;
	uint64_t *texts; /* those that were seen */
};

/* 0 or -ENOMEM. */
int prefilter_choice_init(struct prefilter_choice *choice, const struct prefilter *pf);
void prefilter_choice_done(struct prefilter_choice *choice);

/* No rule but those without texts; what was chosen before is forgotten. */
void prefilter_clear(const struct prefilter *pf, const struct prefilter_choice *choice);

/* Adds the rules of which a text is wholly in `data`. */
void prefilter_choose(const struct prefilter *pf, const uint8_t *data, size_t len,
		      const struct prefilter_choice *choice);

/* ---- and where ------------------------------------------------------------------------------ */

/* Texts at one place, and which rules need them: for each, `n` of `rules`, ascending. */
struct prefilter_hit {
	const uint8_t *at; /* where the text begins */
	const uint32_t *rules;
	size_t n;
};

#define PREFILTER_LANES	   2
#define PREFILTER_LANE_MAX 512

/* One walk over some bytes; large, so it has a place of its own rather than one on the stack. */
struct prefilter_walk {
	const struct prefilter *pf;
	const uint8_t *data;
	size_t len;
	struct prefilter_lane {
		size_t from; /* what begins there or behind is not looked for yet */
		size_t go; /* bytes that are looked at next */
		size_t n, next; /* hits, and which of them is told next */
		struct gram_hit hits[PREFILTER_LANE_MAX];
	} lanes[PREFILTER_LANES];
};

/* The bytes stay where they are for the walk. */
void prefilter_walk_begin(struct prefilter_walk *walk, const struct prefilter *pf,
			  const uint8_t *data, size_t len);

/*
 * The next text that is wholly in the data, in the order of where they begin; false when there are
 * no more. Rules without texts are not told.
 */
bool prefilter_walk_next(struct prefilter_walk *walk, struct prefilter_hit *ret);

#endif
