/*
 * Hits of several rules in one subject, kept to be told in the order of where they start.
 *
 * Pure.
 */
#ifndef TW_HIT_KEPT_H
#define TW_HIT_KEPT_H

#include <stdbool.h>

#include "capture/extract.h"

/* All zero when empty. */
struct hit_kept {
	struct kept_hit {
		size_t rule;
		size_t order; /* in which they were added */
		struct span whole;
		size_t first_group; /* in `groups` */
	} * v;
	size_t n, cap;
	struct span *groups;
	size_t n_groups, cap_groups;
};

void hit_kept_done(struct hit_kept *kept);

/* Forgets the hits, and keeps the memory. */
void hit_kept_reset(struct hit_kept *kept);

/* The groups are copied. False: there is no memory. */
bool hit_kept_add(struct hit_kept *kept, size_t rule, const struct extract_match *match,
		  size_t n_groups);

/* By start; equal ones stay as they were added. */
void hit_kept_sort(struct hit_kept *kept);

#endif
