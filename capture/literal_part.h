/*
 * What literal.c knows of a part of a pattern: the texts it is one of, or the texts in it.
 *
 * Pure.
 */
#ifndef TW_LITERAL_PART_H
#define TW_LITERAL_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/literal.h"

/* More members make a class say too little to be worth its alternatives. */
#define PART_CLASS_MAX 3

#define PART_NO_LIMIT UINT32_MAX

struct part {
	bool exact; /* the part matches one of `texts`, which may be empty, and nothing else */
	struct literal_set texts;
	struct literal_set
		best; /* one of these is needed too, counted from where the part begins */
	int64_t min, max; /* bytes that the part matches */
};

struct part_count {
	uint32_t min, max; /* how often, PART_NO_LIMIT for no end */
};

struct part part_unknown(int64_t min, int64_t max);
struct part part_empty(void);

/* One character: as a byte, or as UTF-8. `caseless` for an ASCII letter alone. */
struct part part_char(uint32_t value, bool utf8, bool caseless);

/* A lookahead or lookbehind of `inside`: it matches nothing by itself. */
struct part part_ahead(const struct part *inside);
struct part part_behind(const struct part *inside);

/* Either of two. */
struct part part_either(const struct part *a, const struct part *b);

/*
 * Makes an exact part either itself or `other`, also exact; false and no change if they are many.
 */
bool part_add_alternative(struct part *part, const struct part *other);

/* Parts one behind the other. */
struct sequence {
	struct part whole;
	struct literal_set run; /* texts that the last parts are one of */
	int64_t run_min, run_max; /* where these began */
};

void sequence_init(struct sequence *sequence);
void sequence_add(struct sequence *sequence, const struct part *part, struct part_count count);
struct part sequence_end(struct sequence *sequence);

/* What is needed of the whole pattern. */
void part_required(const struct part *part, struct literal_set *ret);

#endif
