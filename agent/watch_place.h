/*
 * Where a watcher is in the record stream, so that it can be cut and found again. Pure.
 *
 * The stream has no name for one run of the agent, and one that finds no log of another numbers its
 * records from 0. So the last record is asked for once more, and is known again by its bytes: where
 * another has its number, another agent wrote it.
 */
#ifndef TW_WATCH_PLACE_H
#define TW_WATCH_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/watch_line.h"

#define WATCH_HEADER_MAX 64

struct watch_place {
	struct watch_seq last; /* of the last record that had a number */
	struct buf line; /* that record */
	bool back; /* the stream was cut, and no record with a number has come since */
};

enum watch_step {
	WATCH_ON, /* the record follows on what was seen */
	WATCH_SEEN, /* it is the last one that was seen */
	WATCH_HOLE, /* the records between are missing */
	WATCH_ANEW /* it is of an agent that was started since */
};

/* `line_max`: bytes of the longest record. watch_place_done() must follow. */
void watch_place_init(struct watch_place *place, size_t line_max);
void watch_place_done(struct watch_place *place);

/* The stream ended. */
void watch_place_cut(struct watch_place *place);

/*
 * What to ask for: the path with its query, which lives as long as the program, and in `header` one
 * more header, or "" for none.
 */
const char *watch_place_ask(const struct watch_place *place, char header[WATCH_HEADER_MAX]);

/*
 * Takes the next record of the stream, whose number is `seq`. `ret_missed` is set to how many
 * records before it were not to be had: not 0 for WATCH_HOLE, and any number for WATCH_ANEW, of the
 * new agent's.
 */
enum watch_step watch_place_take(struct watch_place *place, const char *record, size_t len,
				 const struct watch_seq *seq, uint64_t *ret_missed);

#endif
