/* The record stream: from the capture worker's feed into a ring, from there to clients. Edge. */
#ifndef TW_EVENTS_H
#define TW_EVENTS_H

#include <stdint.h>
#include <uv.h>

#include "web/event_ring.h"
#include "web/history.h"
#include "web/http_server.h"

/* Each costs a connection and at most one line of memory. */
#define EVENT_STREAMS_MAX 112

/* The WHATWG's advice for servers behind proxies that drop silent connections. */
#define EVENT_COMMENT_MS 15000

struct event_stream;
struct event_feed;

struct events {
	struct event_ring ring;
	uint64_t records; /* taken into the ring */
	uint64_t refused; /* streams above EVENT_STREAMS_MAX */
	uint64_t feeds; /* feeds taken over, counting the present one */
	uint64_t missed; /* numbers that no record came with, nor a gap */

	/* private */
	uv_loop_t *loop;
	uv_timer_t comments;
	uv_timer_t joining;
	uint64_t joining_until; /* the loop's clock, in ms; 0: the feed is read as it comes */
	struct event_feed *feed;
	struct event_stream *streams;
	unsigned int n_streams;
	char *datagram; /* EVENT_LINE_MAX + 1 bytes */
	struct history history;
};

/* 0 or a negative errno; on success events_close() must follow before the loop ends. */
int events_init(struct events *events, uv_loop_t *loop);

/*
 * What was recorded before: a file of the log, the older before the newer, all before the first
 * feed. The fd is owned from here on. 0 or a negative errno: then what was before is missing.
 */
int events_history(struct events *events, int fd);

/*
 * Reads records from `fd` (SOCK_SEQPACKET, one record a datagram) in place of the feed before,
 * whose rest is read first. The fd is owned from here on, also when this fails.
 *
 * The first feed waits until the history has all that was before it: what a worker wrote to the
 * feed of the one before this is in the log by then. What is in both is told once. Of any feed,
 * what is missing between two records is told by a gap.
 */
int events_feed(struct events *events, int fd);
bool events_has_feed(const struct events *events);

/* Answers a request with a stream, or 503 when there are too many. */
void events_serve(struct events *events, struct http_request *request, uint64_t backlog);

/* Ends every stream once it was given what it has not read yet. */
void events_end_streams(struct events *events);

/* After every stream is closed. The memory must stay until the loop has run. */
void events_close(struct events *events);

#endif
