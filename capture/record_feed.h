/*
 * What the first capture worker reads of the others: their records, to be numbered and written
 * here.
 *
 * Edge. One process numbers, so that `seq` has no hole, and one writes the log. Another worker
 * counts its records for itself, in stats_capture.seq_next of its own, and sends each as a datagram
 * (sink_feed.h); its log_next is the number behind the last that was taken here. A number that is
 * left out is a record that died with one of the two, and is told as a gap. The agent keeps both
 * ends of the socket: what waits in it outlives either process, and one that is relieved.
 *
 * The socket is the bound: what it does not take is lost to both log and web worker, counted by who
 * made it, and told by a gap record that goes the same way once there is room.
 */
#ifndef TW_RECORD_FEED_H
#define TW_RECORD_FEED_H

#include <stdint.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/base/stats.h"
#include "capture/emitter.h"

/* The numbers of another worker's records, in those that were given for them here. */
struct record_run {
	uint64_t first; /* its */
	uint64_t n;
	uint64_t seq; /* ours, of the first */
};

struct record_feed;

struct record_feeds {
	struct emitter *emitter;
	struct stats_page *stats;
	void (*batch_end)(void *data); /* after some were taken: flush */
	void *data;
	char *line; /* RECORD_MAX bytes */
	struct record_feed *list[STATS_CAPTURES_MAX]; /* by worker */
};

/* All are the caller's and outlive the feeds. 0 or -ENOMEM. */
int record_feeds_init(struct record_feeds *feeds, struct emitter *emitter, struct stats_page *stats,
		      void (*batch_end)(void *data), void *data);

/*
 * Takes `fd`, also when this fails, from which the records of `worker` are read. 0 or a negative
 * errno.
 */
int record_feeds_add(struct record_feeds *feeds, uv_loop_t *loop, unsigned int worker, int fd,
		     struct err *err);

/* Reads what is there, bounded. */
void record_feeds_drain(struct record_feeds *feeds);

/*
 * No callback after this. What is not read stays for the next reader; record_feeds_done() when no
 * handle is left.
 */
void record_feeds_close(struct record_feeds *feeds);
void record_feeds_done(struct record_feeds *feeds);

#endif
