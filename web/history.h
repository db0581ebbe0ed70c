/*
 * The records that were written before this worker began, from the end of the log's files, and what
 * the log gets while it begins. Edge: reads files that the agent opened.
 */
#ifndef TW_HISTORY_H
#define TW_HISTORY_H

#include <stdint.h>
#include <sys/types.h>

#include "web/event_ring.h"

struct history {
	int fd; /* of the file that is written to now; -1: none */
	off_t at; /* up to where it was read: the begin of a line */
	uint64_t recalled; /* lines that the ring took */
};

void history_init(struct history *history);

/* The fd is closed, if it is open. */
void history_done(struct history *history);

/*
 * Adds the whole lines at the end of the file `fd` to the ring, as many as that can hold. The fd is
 * owned from here on and read on by history_more(), in place of the one before: files come in the
 * order in which they were written. 0 or a negative errno.
 */
int history_take(struct history *history, struct event_ring *ring, int fd);

/* Adds what the last file got since. 0 or a negative errno. */
int history_more(struct history *history, struct event_ring *ring);

#endif
