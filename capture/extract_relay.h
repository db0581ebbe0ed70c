/*
 * What one part of a text has to know of the parts before it, whose ranges reach into it. Edge.
 *
 * Every part takes what the part before gave, and gives its own on as early as it can.
 */
#ifndef TW_EXTRACT_RELAY_H
#define TW_EXTRACT_RELAY_H

#include <pthread.h>

#include "capture/range_text.h"

struct extract_relay {
	uint64_t part; /* may take what was given last */
	struct range_carry carry;
	pthread_mutex_t lock;
	pthread_cond_t moved;
};

void extract_relay_init(struct extract_relay *relay);
void extract_relay_done(struct extract_relay *relay);

/* What was given last, by whichever part: a guess. */
void extract_relay_peek(struct extract_relay *relay, struct range_carry *ret);

/* Waits for the part before. */
void extract_relay_take(struct extract_relay *relay, uint64_t part, struct range_carry *ret);

/* Of a part that has taken. */
void extract_relay_give(struct extract_relay *relay, const struct range_carry *carry);

#endif
