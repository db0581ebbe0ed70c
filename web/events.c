#include "web/events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/parse.h"
#include "web/reply.h"

/* Records read at a wake-up, so that the feed cannot keep the loop to itself. */
#define FEED_BURST 256

/* So long the first feed waits for the log, and so often is looked. */
#define JOIN_MS	     2000
#define JOIN_TICK_MS 20

/* More than a socket's buffer holds: the rest of a feed that another takes over from. */
#define FEED_REST 16384

/* Closed by its own handle's callback: a new one may already have taken its place. */
struct event_feed {
	uv_poll_t poll;
	struct events *events;
	int fd;
};

struct event_stream {
	struct event_stream *next, **link;
	struct events *events;
	struct http_request *request;
	struct event_reader reader;
	bool ending;
};

static void on_comments(uv_timer_t *timer)
{
	struct events *events = timer->data;

	for (struct event_stream *s = events->streams; s; s = s->next) {
		event_reader_comment(&s->reader, &events->ring);
		http_stream_wake(s->request);
	}
}

int events_init(struct events *events, uv_loop_t *loop)
{
	int code;

	*events = (struct events){ .loop = loop };
	code = event_ring_init(&events->ring);
	if (code)
		return code;
	events->datagram = malloc(EVENT_LINE_MAX + 1);
	if (!events->datagram) {
		event_ring_done(&events->ring);
		return -ENOMEM;
	}
	uv_timer_init(loop, &events->comments);
	events->comments.data = events;
	uv_timer_start(&events->comments, on_comments, EVENT_COMMENT_MS, EVENT_COMMENT_MS);
	uv_timer_init(loop, &events->joining);
	events->joining.data = events;
	history_init(&events->history);
	return 0;
}

int events_history(struct events *events, int fd)
{
	return history_take(&events->history, &events->ring, fd);
}

static void on_feed_closed(uv_handle_t *handle)
{
	struct event_feed *feed = handle->data;

	close(feed->fd);
	free(feed);
}

static void feed_close(struct events *events)
{
	if (!events->feed)
		return;
	uv_close((uv_handle_t *)&events->feed->poll, on_feed_closed);
	events->feed = NULL;
}

static void wake_streams(struct events *events)
{
	for (struct event_stream *s = events->streams; s; s = s->next)
		http_stream_wake(s->request);
}

/* As the gap records of the stream, but without a seq: it is this worker's alone. */
static void tell_missed(struct events *events, uint64_t n)
{
	char line[160];
	int len;

	events->missed += n;
	len = snprintf(line, sizeof(line),
		       "{\"event_type\":\"gap\",\"gap\":{\"lost\":%" PRIu64
		       ",\"unit\":\"records\",\"reason\":\"worker-replaced\"},"
		       "\"tapwarden\":{\"v\":1}}",
		       n);
	event_ring_add(&events->ring, line, (size_t)len);
}

/*
 * A capture worker that died, or that another relieved, may have had numbers that came by no feed.
 */
static void add_record(struct events *events, const char *line, size_t len)
{
	const uint64_t expected = events->ring.expected;
	uint64_t seq;

	if (expected && event_line_seq(line, len, &seq) && seq > expected)
		tell_missed(events, seq - expected);
	if (event_ring_add(&events->ring, line, len) == 0)
		events->records++;
}

/* Reads up to `burst` records; false at the end of the feed. */
static bool feed_read(struct event_feed *feed, int burst)
{
	struct events *events = feed->events;
	bool more = true;

	while (burst-- > 0) {
		/* With MSG_TRUNC the true length comes back, so that a longer one is seen. */
		ssize_t n = recv(feed->fd, events->datagram, EVENT_LINE_MAX + 1,
				 MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			more = n < 0 && errno == EWOULDBLOCK;
			break;
		}
		if (n > EVENT_LINE_MAX)
			events->ring.rejected++;
		else
			add_record(events, events->datagram, (size_t)n);
	}
	wake_streams(events);
	return more;
}

static void on_feed(uv_poll_t *poll, int status, int events)
{
	struct event_feed *feed = poll->data;

	(void)events;
	if (!feed_read(feed, FEED_BURST) || status < 0)
		feed_close(feed->events);
}

/* ---- where the log ends and the feed begins -------------------------------------------------- */

enum joint {
	JOINT_KNOWN, /* the ring has it */
	JOINT_NEXT, /* it goes on where the ring ends */
	JOINT_LATER, /* there is something between, or was lost to this feed alone */
};

static enum joint joint_of(const struct event_ring *ring, const char *line, size_t len)
{
	const uint64_t lost = event_line_lost(line, len);
	uint64_t seq;

	if (!ring->expected || !event_line_seq(line, len, &seq))
		return JOINT_NEXT;
	/* While nobody read the feed: the log will have these. */
	if (lost)
		return seq + lost <= ring->expected ? JOINT_KNOWN : JOINT_LATER;
	if (event_ring_has(ring, line, len))
		return JOINT_KNOWN;
	return seq <= ring->expected ? JOINT_NEXT : JOINT_LATER;
}

/* Whether the feed goes on where the ring ends; what the ring has is taken off it. */
static bool is_joined(const struct events *events, int fd)
{
	for (;;) {
		ssize_t n = recv(fd, events->datagram, EVENT_LINE_MAX + 1,
				 MSG_DONTWAIT | MSG_TRUNC | MSG_PEEK);
		enum joint joint;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno != EWOULDBLOCK || !events->ring.expected;
		if (n == 0 || n > EVENT_LINE_MAX)
			return true;
		joint = joint_of(&events->ring, events->datagram, (size_t)n);
		if (joint != JOINT_KNOWN)
			return joint == JOINT_NEXT;
		recv(fd, events->datagram, 0, MSG_DONTWAIT | MSG_TRUNC);
	}
}

static void on_join_tick(uv_timer_t *timer)
{
	struct events *events = timer->data;
	struct event_feed *feed = events->feed;
	bool over = uv_now(timer->loop) >= events->joining_until;

	if (history_more(&events->history, &events->ring) != 0)
		over = true;
	wake_streams(events);
	if (feed && !is_joined(events, feed->fd) && !over)
		return;
	uv_timer_stop(timer);
	events->joining_until = 0;
	history_done(&events->history);
	if (feed)
		uv_poll_start(&feed->poll, UV_READABLE, on_feed);
}

/* 0 or a negative errno, with nothing started. */
static int feed_start(struct events *events, struct event_feed *feed)
{
	if (events->history.fd < 0)
		return uv_poll_start(&feed->poll, UV_READABLE, on_feed);
	if (!events->joining_until)
		events->joining_until = uv_now(events->loop) + JOIN_MS;
	return uv_timer_start(&events->joining, on_join_tick, 0, JOIN_TICK_MS);
}

int events_feed(struct events *events, int fd)
{
	struct event_feed *feed = calloc(1, sizeof(*feed));
	int code = -ENOMEM;

	if (!feed)
		goto fail;
	feed->events = events;
	feed->fd = fd;
	code = uv_poll_init(events->loop, &feed->poll, fd);
	if (code)
		goto fail;
	feed->poll.data = feed;
	if (events->feed)
		feed_read(events->feed, FEED_REST);
	feed_close(events);
	events->feed = feed;
	events->feeds++;
	return feed_start(events, feed);
fail:
	free(feed);
	close(fd);
	return code;
}

bool events_has_feed(const struct events *events)
{
	return events->feed != NULL;
}

static ssize_t on_stream_read(void *data, char *out, size_t max)
{
	struct event_stream *stream = data;
	ssize_t n;

	n = event_reader_read(&stream->reader, &stream->events->ring, clock_ns(CLOCK_REALTIME), out,
			      max);
	return n == 0 && stream->ending ? -1 : n;
}

static void on_stream_closed(void *data)
{
	struct event_stream *stream = data;

	*stream->link = stream->next;
	if (stream->next)
		stream->next->link = stream->link;
	stream->events->n_streams--;
	event_reader_done(&stream->reader);
	free(stream);
}

static const struct http_stream_ops stream_ops = {
	.read = on_stream_read,
	.closed = on_stream_closed,
};

static bool wants_sse(const struct http_request *request)
{
	const char *accept = http_header(request, "Accept");

	return accept && strcasestr(accept, "text/event-stream");
}

static struct event_stream *stream_new(struct events *events, struct http_request *request,
				       enum event_format format, uint64_t backlog)
{
	struct event_stream *stream = calloc(1, sizeof(*stream));
	const char *id = http_header(request, "Last-Event-ID");
	uint64_t seq;

	if (!stream)
		return NULL;
	stream->events = events;
	stream->request = request;
	event_reader_init(&stream->reader, &events->ring, format, backlog);
	if (id && parse_u64(id, 0, UINT64_MAX, &seq, NULL) == 0)
		event_reader_resume(&stream->reader, &events->ring, seq,
				    events->joining_until != 0);
	stream->next = events->streams;
	stream->link = &events->streams;
	if (stream->next)
		stream->next->link = &stream->next;
	events->streams = stream;
	events->n_streams++;
	return stream;
}

void events_serve(struct events *events, struct http_request *request, uint64_t backlog)
{
	enum event_format format = wants_sse(request) ? EVENT_SSE : EVENT_NDJSON;
	struct event_stream *stream = NULL;

	if (events->n_streams < EVENT_STREAMS_MAX)
		stream = stream_new(events, request, format, backlog);
	if (!stream) {
		events->refused++;
		reply_problem(request, 503, "events.busy", "too many event streams are open",
			      "close one that is not needed");
		return;
	}
	http_stream(request, format == EVENT_SSE ? "text/event-stream" : "application/x-ndjson",
		    &stream_ops, stream);
}

void events_end_streams(struct events *events)
{
	for (struct event_stream *s = events->streams; s; s = s->next) {
		s->ending = true;
		http_stream_wake(s->request);
	}
}

static void on_comments_closed(uv_handle_t *handle)
{
	struct events *events = handle->data;

	event_ring_done(&events->ring);
	free(events->datagram);
	events->datagram = NULL;
}

void events_close(struct events *events)
{
	feed_close(events);
	history_done(&events->history);
	uv_close((uv_handle_t *)&events->joining, NULL);
	uv_close((uv_handle_t *)&events->comments, on_comments_closed);
}
