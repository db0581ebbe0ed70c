/*
 * Records of several rules that wait until no rule can have one that begins before them.
 *
 * Pure. The order is that of where they begin in the input; of those that begin at the same place
 * that of their rules, and then that in which they were added.
 */
#ifndef TW_EXTRACT_ORDER_H
#define TW_EXTRACT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

/* What may wait, by extract_order_size(); the memory that it takes is at most about the double. */
#define EXTRACT_ORDER_MAX ((size_t)16 << 20)

struct extract_order {
	struct buf buf; /* a record is added here, and then told to extract_order_add() */
	size_t ended; /* the last one that was, in the buffer */
	size_t bytes; /* of those that wait */
	uint64_t added;
	struct ordered {
		uint64_t place;
		uint64_t number; /* in which they were added */
		size_t rule;
		size_t at, len; /* in the buffer */
	} * v; /* a heap: the first of all is v[0] */
	size_t n, cap;
};

/* `max` bytes are the largest record. */
void extract_order_init(struct extract_order *order, size_t max);
void extract_order_done(struct extract_order *order);

/*
 * What was added to the buffer since is a record that begins at `place`. False: there was no memory
 * for it, and it is gone.
 */
bool extract_order_add(struct extract_order *order, uint64_t place, size_t rule);

/* Moves the first record to `out`, if it begins before `before`. False: there is no such record. */
bool extract_order_take(struct extract_order *order, uint64_t before, struct buf *out);

/* Bytes that wait, with what is noted of each. */
size_t extract_order_size(const struct extract_order *order);

#endif
