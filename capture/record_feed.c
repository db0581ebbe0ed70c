#include "capture/record_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"

/* Of one worker before others, and the links of this one, get their turn. */
#define RECORDS_PER_TURN 256u

/* More than the socket holds: what a drain reads at most while its writer goes on. */
#define RECORDS_DRAINED 65536u

/*
 * More than a processor can make of records. A worker that somebody took over may claim to have
 * lost what it likes, but none has numbered more than that since the machine was started: in 60
 * years its claims do not use up the numbers that a JSON reader holds exactly (RECORD_SEQ_MAX).
 */
#define RECORDS_PER_S (UINT64_C(1) << 22)

struct record_feed {
	struct record_feeds *feeds;
	uv_poll_t poll;
	int fd;
	unsigned int worker;
	struct stats_capture *theirs;
	struct record_run payload; /* the last one whose payload others may name */
	struct record_run lost; /* the last ones that never came */
	bool told_odd;
};

static const uint64_t *look_up(const struct record_run *run, uint64_t number, uint64_t *ret)
{
	if (number - run->first >= run->n)
		return NULL;
	*ret = run->seq + (number - run->first);
	return ret;
}

/* Of what a worker before this one took, nothing is known here. */
static const uint64_t *payload_seq_of(const struct record_feed *feed,
				      const struct record_numbers *numbers, uint64_t *ret)
{
	const uint64_t *seq;

	if (!numbers->names_payload)
		return NULL;
	seq = look_up(&feed->payload, numbers->payload_seq, ret);
	return seq ? seq : look_up(&feed->lost, numbers->payload_seq, ret);
}

static void tell_odd(struct record_feed *feed)
{
	if (!feed->told_odd)
		log_err("capture worker %u sent what is no record, or out of turn: it is left out",
			feed->worker);
	feed->told_odd = true;
	emitter_missing(feed->feeds->emitter, clock_ns(CLOCK_REALTIME), 1, "corrupt");
}

static void take_lost(struct record_feed *feed, uint64_t first, uint64_t n)
{
	feed->lost = (struct record_run){ first, n, 0 };
	feed->lost.seq =
		emitter_missing(feed->feeds->emitter, clock_ns(CLOCK_REALTIME), n, "worker-died");
}

static bool is_possible(uint64_t next)
{
	return next / RECORDS_PER_S <= clock_ns(CLOCK_MONOTONIC) / NS_PER_S;
}

static void take(struct record_feed *feed, const char *line, size_t len)
{
	uint64_t expected = stat_get(&feed->theirs->log_next), seq, named;
	struct record_numbers numbers;
	struct record_run run;

	if (record_numbers_read(line, len, &numbers) || memchr(line, '\n', len) ||
	    numbers.seq < expected || !is_possible(numbers.next)) {
		tell_odd(feed);
		return;
	}
	if (numbers.seq > expected)
		take_lost(feed, expected, numbers.seq - expected);
	seq = emitter_forward(feed->feeds->emitter, clock_ns(CLOCK_REALTIME), line, len, &numbers,
			      payload_seq_of(feed, &numbers, &named));
	atomic_store_explicit(&feed->theirs->log_next, numbers.next, memory_order_relaxed);
	run = (struct record_run){ numbers.seq, numbers.next - numbers.seq, seq };
	if (numbers.has_payload)
		feed->payload = run;
	else if (numbers.lost)
		feed->lost = run;
}

/* How many there were. */
static size_t read_some(struct record_feed *feed, size_t max)
{
	size_t n = 0;

	while (n < max) {
		ssize_t len = recv(feed->fd, feed->feeds->line, RECORD_MAX, MSG_DONTWAIT);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			break;
		take(feed, feed->feeds->line, (size_t)len);
		n++;
	}
	return n;
}

static void on_records(uv_poll_t *poll, int status, int events)
{
	struct record_feed *feed = poll->data;

	(void)events;
	/* The agent has the other end too, and goes only with all of us. */
	if (status < 0)
		uv_poll_stop(poll);
	if (read_some(feed, RECORDS_PER_TURN))
		feed->feeds->batch_end(feed->feeds->data);
}

int record_feeds_init(struct record_feeds *feeds, struct emitter *emitter, struct stats_page *stats,
		      void (*batch_end)(void *data), void *data)
{
	*feeds = (struct record_feeds){
		.emitter = emitter,
		.stats = stats,
		.batch_end = batch_end,
		.data = data,
		.line = malloc(RECORD_MAX),
	};
	return feeds->line ? 0 : -ENOMEM;
}

static void on_closed(uv_handle_t *handle)
{
	struct record_feed *feed = handle->data;

	close(feed->fd);
	free(feed);
}

int record_feeds_add(struct record_feeds *feeds, uv_loop_t *loop, unsigned int worker, int fd,
		     struct err *err)
{
	struct record_feed *feed = feeds->list[worker] ? NULL : calloc(1, sizeof(*feed));
	int code = feed ? uv_poll_init(loop, &feed->poll, fd) : -ENOMEM;

	if (code) {
		close(fd);
		free(feed);
		return err_set(err, code, "cannot read the records of worker %u: %s", worker,
			       uv_strerror(code));
	}
	feed->feeds = feeds;
	feed->fd = fd;
	feed->worker = worker;
	feed->theirs = &feeds->stats->capture[worker];
	feed->poll.data = feed;
	feeds->list[worker] = feed;
	uv_poll_start(&feed->poll, UV_READABLE, on_records);
	return 0;
}

void record_feeds_drain(struct record_feeds *feeds)
{
	for (unsigned int i = 0; i < STATS_CAPTURES_MAX; i++) {
		size_t left = feeds->list[i] ? RECORDS_DRAINED : 0, n = left;

		while (left && n) {
			n = read_some(feeds->list[i], RECORDS_PER_TURN);
			left -= n < left ? n : left;
			feeds->batch_end(feeds->data);
		}
	}
}

void record_feeds_close(struct record_feeds *feeds)
{
	for (unsigned int i = 0; i < STATS_CAPTURES_MAX; i++) {
		if (feeds->list[i])
			uv_close((uv_handle_t *)&feeds->list[i]->poll, on_closed);
		feeds->list[i] = NULL;
	}
}

void record_feeds_done(struct record_feeds *feeds)
{
	free(feeds->line);
	feeds->line = NULL;
}
