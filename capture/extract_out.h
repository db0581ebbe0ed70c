/*
 * Where the records of an extraction go: a file descriptor, in the order of the input however many
 * workers find them. Edge.
 *
 * The input is cut in parts that are numbered; each part has an outlet of its own, which keeps its
 * records until it is the part's turn. A part that is complete before its turn leaves them here,
 * and whoever completes the one before writes them. What is kept is bounded: a worker that is too
 * far ahead waits.
 */
#ifndef TW_EXTRACT_OUT_H
#define TW_EXTRACT_OUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"

/* So many parts at most, each of less than a MiB, are complete before their turn. */
#define EXTRACT_OUT_KEPT 16u

/* Those of one part, at its number modulo EXTRACT_OUT_KEPT. */
struct extract_kept {
	struct buf buf;
	bool complete;
};

struct extract_out {
	int fd;
	int error; /* errno of the first write(2) that failed: nothing is written any more */
	uint64_t turn; /* the part that may be written */
	bool stopped; /* the rest of the input is not wanted */
	struct extract_kept kept[EXTRACT_OUT_KEPT];
	pthread_mutex_t lock;
	pthread_cond_t moved;
};

/* One part's; used by one thread. */
struct extract_outlet {
	struct extract_out *out;
	uint64_t part;
	struct buf buf; /* records are added here */
	bool full; /* one did not fit into memory */
};

void extract_out_init(struct extract_out *out, int fd);
void extract_out_done(struct extract_out *out);

void extract_outlet_init(struct extract_outlet *outlet, struct extract_out *out, uint64_t part);
void extract_outlet_done(struct extract_outlet *outlet);

/* Written at once; small enough to stay in the cache. */
#define EXTRACT_OUT_SIZE (64u << 10)

/* Whether there are so many records that extract_outlet_record() does anything. */
static inline bool extract_outlet_due(const struct extract_outlet *outlet)
{
	return outlet->buf.len >= EXTRACT_OUT_SIZE || outlet->buf.failed;
}

/* After each record: writes many at once. */
void extract_outlet_record(struct extract_outlet *outlet);

/* What is there is written now, if it is the part's turn: before a wait for input. */
void extract_outlet_flush(struct extract_outlet *outlet);

/*
 * The part is complete; the outlet becomes that of `next`, a higher number. Every part, also one
 * without records, has to be completed, or those behind it wait for ever.
 */
void extract_outlet_complete(struct extract_outlet *outlet, uint64_t next);

/* Stops everyone: there is enough, or what is written goes nowhere. */
void extract_out_stop(struct extract_out *out);
bool extract_out_stopped(struct extract_out *out);

#endif
