/*
 * The delimiters of ranges in a piece of a text, found before it is known whether a range is open
 * where the piece begins.
 *
 * Pure. Each place is the answer to one question: from some line on, with a range open or not,
 * which line is next to change that? Whoever guessed wrong asks another question; from the place on
 * where both had the same state the answers are the same again.
 */
#ifndef TW_RANGE_PLACES_H
#define TW_RANGE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More are not kept, and searched for again: so many in one piece are lines of few bytes. */
#define RANGE_PLACES_MAX 32768u

struct range_place {
	size_t from; /* bytes of the piece before the line that was searched from */
	size_t line; /* before the line that was found; with len 0, all of the piece */
	size_t len; /* of the line, with its LF */
	size_t behind; /* in the line: where the first match ends */
	uint64_t limited; /* lines on which the search gave up */
	bool open; /* what was searched for is END, else BEGIN */
};

/* In the order of the piece. */
struct range_places {
	struct range_place *v;
	size_t n, cap;
	size_t next; /* where range_places_find() goes on */
};

void range_places_done(struct range_places *places);

/* Forgets all of them. */
void range_places_reset(struct range_places *places);

/* Without memory, or beyond the bound, nothing is kept. */
void range_places_add(struct range_places *places, const struct range_place *place);

/*
 * What is known of the lines from `from` on; false: it has to be searched. `from` never goes back.
 */
bool range_places_find(struct range_places *places, bool open, size_t from,
		       struct range_place *ret);

#endif
