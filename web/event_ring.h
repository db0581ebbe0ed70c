/*
 * The last records, kept for those who stream them: a ring with a bound in bytes, and readers that
 * each have a place in it. Pure.
 *
 * A reader costs one line of memory and never holds the ring back: when it is too slow its place is
 * overwritten, and it is told by a gap line how many records it missed.
 */
#ifndef TW_EVENT_RING_H
#define TW_EVENT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/buf.h"

/* A record is one JSON line; a payload of 65535 bytes, as base64 and as escaped text, fits. */
#define EVENT_LINE_MAX (512u << 10)

#define EVENT_RING_BYTES   (4u << 20)
#define EVENT_RING_ENTRIES 65536u /* a power of two */

struct event_entry;

struct event_ring {
	struct event_entry **entries; /* EVENT_RING_ENTRIES places, by index modulo */
	uint64_t first, next; /* indexes of the oldest entry and of the one to come */
	size_t bytes;
	/*
	 * The seq behind the highest so far: one more, or `lost` more of a gap of records; 0: none
	 * had a seq. Two capture workers of which one relieves the other may write in turns.
	 */
	uint64_t expected;
	uint64_t rejected; /* not one line of JSON object shape, or too long */
	uint64_t skipped; /* records that slow readers missed, all together */
};

int event_ring_init(struct event_ring *ring); /* 0 or -ENOMEM */
void event_ring_done(struct event_ring *ring);

/*
 * Adds one record: `len` bytes that must begin with '{', end with '}' and hold neither NUL nor
 * newline; they are not parsed further. The oldest make room. Returns 0, -EBADMSG for anything else
 * (counted), -ENOMEM.
 */
int event_ring_add(struct event_ring *ring, const void *line, size_t len);

/* Whether this very line is in the ring already; one without a seq is not. */
bool event_ring_has(const struct event_ring *ring, const void *line, size_t len);

/* The seq of a record as event_ring_add() takes it; false: it has none. */
bool event_line_seq(const char *line, size_t len, uint64_t *ret);

/* How many records it tells as lost, the first of them with its own seq; 0: it is no such gap. */
uint64_t event_line_lost(const char *line, size_t len);

/* The seq of the entry at an index; false: it has none. */
bool event_ring_seq(const struct event_ring *ring, uint64_t index, uint64_t *ret);

/* The line at an index from `first` to below `next`; its length is `ret_len`. */
const char *event_ring_at(const struct event_ring *ring, uint64_t index, size_t *ret_len);

enum event_format {
	EVENT_NDJSON,
	EVENT_SSE /* text/event-stream (WHATWG HTML, section 9.2) */
};

struct event_reader {
	enum event_format format;
	uint64_t index; /* of the entry to read next */
	struct buf line; /* being sent */
	size_t sent; /* bytes of it */
};

/* Begins with the last `backlog` entries, or as many as there are. */
void event_reader_init(struct event_reader *reader, const struct event_ring *ring,
		       enum event_format format, uint64_t backlog);

/*
 * Begins after the record whose seq is `seq`, for a client that comes back (Last-Event-ID). A seq
 * above the newest in the ring is unknown: it is of an agent that ran before, whose records were
 * numbered from 0 too. Then the reader begins with the oldest entry, as it does when `seq` is below
 * the oldest: better twice than never. A former agent's seq that is in the ring by chance cannot be
 * told from a present one here. While the ring is `filling`, a seq that it does not know yet is one
 * to come: then the reader begins with what is added from now on.
 */
void event_reader_resume(struct event_reader *reader, const struct event_ring *ring, uint64_t seq,
			 bool filling);
void event_reader_done(struct event_reader *reader);

/*
 * Puts up to `max` bytes of what the reader has not seen into `out`. Returns how many; 0 when it
 * has seen all; -ENOMEM. `now_ns` (CLOCK_REALTIME) stamps a gap line.
 *
 * An SSE event's id is the record's seq, taken from `"tapwarden":{..."seq":N` near its beginning; a
 * record without one gives an event without an id.
 */
ssize_t event_reader_read(struct event_reader *reader, struct event_ring *ring, uint64_t now_ns,
			  char *out, size_t max);

/* Sends a comment line, if nothing is being sent: proxies cut connections that are silent. */
void event_reader_comment(struct event_reader *reader, const struct event_ring *ring);

#endif
