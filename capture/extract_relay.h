/*
 * What one part of a text has to know of the parts before it, whose ranges or records reach into
 * it. Edge.
 *
 * Every part takes what the part before gave, and gives its own on as early as it can.
 */
#ifndef TW_EXTRACT_RELAY_H
#define TW_EXTRACT_RELAY_H

#include <pthread.h>

#include "capture/range_text.h"

/* No record is known: something before was not read, or who searched it reads on to the end. */
#define RECORD_NOWHERE UINT64_MAX

/* A record that begins in one part and ends in another. */
struct record_carry {
	uint64_t begin; /* its place in the text, or: */
	uint64_t n; /* records before */
};

union extract_carry {
	struct range_carry range;
	struct record_carry record;
};

struct extract_relay {
	uint64_t part; /* may take what was given last */
	union extract_carry carry;
	pthread_mutex_t lock;
	pthread_cond_t moved;
};

void extract_relay_init(struct extract_relay *relay);
void extract_relay_done(struct extract_relay *relay);

/* What was given last, by whichever part: a guess. */
void extract_relay_peek(struct extract_relay *relay, union extract_carry *ret);

/* Waits for the part before. */
void extract_relay_take(struct extract_relay *relay, uint64_t part, union extract_carry *ret);

/* Of a part that has taken. */
void extract_relay_give(struct extract_relay *relay, const union extract_carry *carry);

#endif
