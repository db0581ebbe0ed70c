/*
 * A match as it is told: where it is in its input, and the bytes that it is made of.
 *
 * Pure. What it points to is valid while it is told.
 */
#ifndef TW_HIT_H
#define TW_HIT_H

#include "capture/extract.h"

struct hit {
	const struct extract_match *match;
	const uint8_t
		*subject; /* what the spans count from; more of it than they name is not there */
	uint64_t offset; /* of subject[0] in the input */
	uint64_t line; /* that it starts in, from 1; 0: not asked for */
	size_t rule;
	bool gap; /* the input goes on behind it, but is missing: there might be more of it */
};

typedef void (*hit_cb)(void *data, const struct hit *hit);

#endif
