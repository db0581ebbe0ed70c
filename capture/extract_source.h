/*
 * One file of an extraction while it is searched, and what is found out about it. Edge.
 */
#ifndef TW_EXTRACT_SOURCE_H
#define TW_EXTRACT_SOURCE_H

#include <pthread.h>

#include "capture/extract_job.h"
#include "capture/extract_range.h"
#include "capture/extract_relay.h"
#include "capture/input_kind.h"

struct extract_source {
	struct extract_job *job;
	const char *name;
	int fd;
	bool seekable;
	uint64_t size; /* when it was opened */
	uint8_t head[INPUT_HEAD_MAX]; /* of what is not seekable, read to see what it is */
	size_t head_len;
	uint64_t part_size, n_parts;
	uint64_t first_turn; /* of the outlet, for part 0 */
	uint64_t next; /* part that no thread has taken */
	uint64_t ended; /* the highest offset that was read to */
	int error; /* errno of the first read that failed */
	bool full; /* as of an extract_outlet */
	uint64_t hits;
	uint64_t *given_up; /* of each rule, by all threads */
	/* Lines before each part are counted by the threads, in order. */
	uint64_t counted, lines;
	struct extract_range_losses range_losses;
	struct extract_relay relay; /* of a plan with a range or a separator */
	pthread_mutex_t lock;
	pthread_cond_t moved;
};

/* Neither a text as a whole nor records. */
bool extract_by_line(const struct extract_plan *plan);

bool extract_source_may_map(const struct extract_source *source);

/* The first `code`, a negative errno, is what is told. From any thread. */
void extract_source_fail(struct extract_source *source, int code);

/* What a worker found is added to the totals. From any thread. */
void extract_source_settle(struct extract_source *source, struct extract_worker *worker);

#endif
