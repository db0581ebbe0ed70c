/*
 * The feed: records to the web worker, one datagram each, never waiting for it. Edge.
 *
 * What it cannot take is refused at once; the caller counts it and tells the gap.
 */
#ifndef TW_SINK_FEED_H
#define TW_SINK_FEED_H

#include <stddef.h>

struct sink_feed {
	int fd; /* -1: nobody listens */
};

void sink_feed_init(struct sink_feed *feed);

/*
 * Takes `fd`, a connected SOCK_SEQPACKET socket, in place of the one before. What waits in it may
 * have `bound` bytes, of which the kernel allows as many as it likes; 0: as many as it is set to.
 */
void sink_feed_set(struct sink_feed *feed, int fd, int bound);
void sink_feed_done(struct sink_feed *feed);

/*
 * Sends one record. -EAGAIN: the reader is slow; -EMSGSIZE: longer than the socket carries;
 * -ENOTCONN: there is no reader, or it has gone.
 */
int sink_feed_put(struct sink_feed *feed, const void *record, size_t len);

#endif
