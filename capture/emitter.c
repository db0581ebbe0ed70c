#include "capture/emitter_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Of the feed to the web worker. The kernel cuts it to net.core.wmem_max: as much as may be had, so
 * that a burst of matches fits. It also bounds one record (unix(7)).
 */
#define FEED_MAX (8 << 20)

/* And how long one waits for room that is not the first, for each record. */
#define FEED_WAIT_MS 100

/* How long a worker that ends waits for room to tell what its feed lost. */
#define SETTLE_MS    1000
#define SETTLE_TRIES 50

/* Holds the last whole line of the log and what is torn behind it. */
#define TAIL_MAX (2 * (RECORD_MAX + 1))

/* Puts a line where `more` bytes have to fit behind it too; a feed has nowhere to keep them. */
typedef int (*outlet_put)(struct emitter *emitter, struct buf *line, size_t more);

static int put_log(struct emitter *emitter, struct buf *line, size_t more)
{
	int err;

	buf_addc(line, '\n');
	err = line->failed ? -EMSGSIZE : emitter_files_put(emitter, EMITTER_RECORDS, line, more);
	/* The other outlet wants the line without it. */
	if (!line->failed)
		line->data[--line->len] = '\0';
	return err;
}

/*
 * A worker that makes records faster than the first one writes them waits, so that frames stay in
 * the rings as they would if it wrote itself. Not where a guest waits for its frames; and after one
 * wait in vain only when there was room again, so that a first worker that is gone holds nobody up.
 */
static int put_feed(struct emitter *emitter, struct buf *line, size_t more)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int err = sink_feed_put(&emitter->feed, line->data, line->len);
	bool patient = emitter->index && !emitter->n_in_path && !emitter->gave_up;

	(void)more;
	for (int ms = 0; err == -EAGAIN && patient && ms < FEED_WAIT_MS; ms++) {
		nanosleep(&pause, NULL);
		err = sink_feed_put(&emitter->feed, line->data, line->len);
	}
	emitter->gave_up = err == -EAGAIN;
	return err;
}

static const outlet_put outlet_puts[EMITTER_OUTLETS] = {
	[EMITTER_LOG] = put_log,
	[EMITTER_FEED] = put_feed,
};

/* All that the feed of one without a log loses is lost to the log too. */
static void count_lost(struct emitter *emitter, enum emitter_outlet outlet, uint64_t n)
{
	if (outlet == EMITTER_LOG || emitter->index)
		stat_add(&emitter->stats->log_lost, n);
	if (outlet == EMITTER_FEED)
		stat_add(&emitter->stats->feed_lost, n);
}

static const char *loss_reason(int err)
{
	switch (err) {
	case -EAGAIN:
		return "reader-slow";
	case -ENOTCONN:
		return "no-reader";
	case -EMSGSIZE:
		return "too-long";
	default:
		return "buffer-full";
	}
}

static void lose(struct emitter *emitter, enum emitter_outlet outlet, uint64_t seq, uint64_t n,
		 const char *reason)
{
	struct emitter_loss *loss = &emitter->losses[outlet];

	if (!loss->n) {
		loss->first = seq;
		loss->reason = reason;
	}
	loss->n += n;
	count_lost(emitter, outlet, n);
}

/*
 * Tells the outlet what it lost. The gap waits until the record behind it fits too, or a full
 * buffer would be given a gap for every record.
 */
static int tell_loss(struct emitter *emitter, enum emitter_outlet outlet, uint64_t time_ns)
{
	struct emitter_loss *loss = &emitter->losses[outlet];
	struct record_head head = {
		.time_ns = time_ns,
		.seq = loss->first,
		.host = emitter->host,
		.link = "",
		.set = "",
		.guest = "",
	};
	struct record_gap gap = {
		.lost = loss->n,
		.unit = RECORD_UNIT_RECORDS,
		.reason = loss->reason,
	};
	int err;

	if (!loss->n)
		return 0;
	err = record_gap(&emitter->gap, &head, &gap);
	if (!err)
		err = outlet_puts[outlet](emitter, &emitter->gap, emitter->line.len + 1);
	if (err)
		return err;
	if (outlet == EMITTER_LOG)
		emitter->log_last = loss->first + loss->n - 1;
	loss->n = 0;
	return 0;
}

/* What a worker before this one numbered but did not write is missing in the log. */
static void begin_log(struct emitter *emitter, uint64_t seq)
{
	uint64_t next = stat_get(&emitter->stats->log_next);

	if (emitter->log_begun || emitter->index)
		return;
	emitter->log_begun = true;
	if (seq > next)
		lose(emitter, EMITTER_LOG, next, seq - next, "worker-died");
}

/*
 * Hands emitter->line, which stands for `n` numbers, to its outlets; `err` is why there is no line.
 */
static void distribute(struct emitter *emitter, const struct record_head *head, uint64_t n, int err)
{
	begin_log(emitter, head->seq);
	for (enum emitter_outlet outlet = emitter->index ? EMITTER_FEED : EMITTER_LOG;
	     outlet < EMITTER_OUTLETS; outlet++) {
		int why = err ? -EMSGSIZE : tell_loss(emitter, outlet, head->time_ns);

		if (!why)
			why = outlet_puts[outlet](emitter, &emitter->line, 0);
		if (why)
			lose(emitter, outlet, head->seq, n, loss_reason(why));
		else if (outlet == EMITTER_LOG)
			emitter->log_last = head->seq + n - 1;
	}
}

static void number(struct emitter *emitter, struct record_head *head, uint64_t n)
{
	head->seq = atomic_fetch_add_explicit(&emitter->stats->seq_next, n, memory_order_relaxed);
	head->host = emitter->host;
}

/* A reload right after the start has two workers here at once: one of them sets it. */
static void begin_at(stat_counter *counter, uint64_t n)
{
	uint64_t none = 0;

	atomic_compare_exchange_strong(counter, &none, n);
}

/*
 * Where the log of an agent before this one ends, counters that are new go on. That its worker
 * still writes is an error: numbers would be given twice.
 */
static int go_on(struct emitter *emitter)
{
	struct stats_capture *stats = emitter->stats;
	char *tail = malloc(TAIL_MAX), *newline;
	size_t whole = 0, begin;
	struct record_numbers last;
	ssize_t len = tail ? 0 : -ENOMEM;

	if (!tail || emitter->index || stat_get(&stats->seq_next))
		goto out;
	/* One that was killed may just have begun a file. */
	for (uint32_t i = 0; !whole && i < 2 && len != -EWOULDBLOCK; i++) {
		len = sink_file_tail(emitter->files[EMITTER_RECORDS], i, tail, TAIL_MAX);
		whole = len > 0 ? record_whole(tail, (size_t)len, NULL) : 0;
	}
	if (!whole)
		goto out;
	newline = memrchr(tail, '\n', whole - 1);
	begin = newline ? (size_t)(newline - tail) + 1 : 0;
	if (record_numbers_read(tail + begin, whole - 1 - begin, &last) == 0) {
		begin_at(&stats->log_next, last.next);
		begin_at(&stats->seq_next, last.next);
	}
out:
	free(tail);
	/* The other of the two may write by now. */
	if (len == -EWOULDBLOCK && stat_get(&stats->seq_next))
		return 0;
	return len == -EWOULDBLOCK || len == -ENOMEM ? (int)len : 0;
}

int emitter_init(struct emitter *emitter, unsigned int index, int dir_fd, const char *host,
		 const struct record_conf *conf, struct stats_capture *stats)
{
	int err;

	*emitter = (struct emitter){ .host = host, .index = index, .stats = stats };
	err = emitter_files_init(emitter, dir_fd, conf);
	sink_feed_init(&emitter->feed);
	buf_init(&emitter->line, RECORD_MAX);
	buf_init(&emitter->gap, RECORD_MAX);
	return err ? err : go_on(emitter);
}

void emitter_done(struct emitter *emitter)
{
	emitter_files_done(emitter);
	sink_feed_done(&emitter->feed);
	buf_done(&emitter->line);
	buf_done(&emitter->gap);
}

void emitter_set_feed(struct emitter *emitter, int fd)
{
	/* The agent has set that of another worker's, which leads to the first. */
	sink_feed_set(&emitter->feed, fd, emitter->index ? 0 : FEED_MAX);
}

uint64_t emitter_alert(struct emitter *emitter, struct record_head head,
		       const struct record_alert *alert)
{
	number(emitter, &head, 1);
	distribute(emitter, &head, 1, record_alert(&emitter->line, &head, alert));
	return head.seq;
}

void emitter_event(struct emitter *emitter, struct record_head head, enum ipc_event_kind kind,
		   const char *action, const char *detail)
{
	number(emitter, &head, 1);
	distribute(emitter, &head, 1, record_event(&emitter->line, &head, kind, action, detail));
}

void emitter_gap(struct emitter *emitter, struct record_head head, const struct record_gap *gap)
{
	number(emitter, &head, 1);
	distribute(emitter, &head, 1, record_gap(&emitter->line, &head, gap));
}

uint64_t emitter_forward(struct emitter *emitter, uint64_t time_ns, const char *line, size_t len,
			 const struct record_numbers *numbers, const uint64_t *payload_seq)
{
	const uint64_t n = numbers->next - numbers->seq;
	struct record_head head = { .time_ns = time_ns };

	number(emitter, &head, n);
	record_numbers_write(&emitter->line, line, len, numbers, head.seq, payload_seq);
	distribute(emitter, &head, n, emitter->line.failed ? -EMSGSIZE : 0);
	return head.seq;
}

uint64_t emitter_missing(struct emitter *emitter, uint64_t time_ns, uint64_t n, const char *reason)
{
	struct record_head head = { .time_ns = time_ns, .link = "", .set = "", .guest = "" };
	const struct record_gap gap = { .lost = n, .unit = RECORD_UNIT_RECORDS, .reason = reason };

	number(emitter, &head, n);
	stat_add(&emitter->stats->log_lost, n);
	stat_add(&emitter->stats->feed_lost, n);
	distribute(emitter, &head, n, record_gap(&emitter->line, &head, &gap));
	return head.seq;
}

void emitter_tick(struct emitter *emitter, uint64_t now_ns)
{
	emitter_files_tell(emitter, now_ns);
	/*
	 * Not with the next record, as otherwise: that one may never come, and another worker
	 * writes it.
	 */
	if (emitter->index)
		(void)tell_loss(emitter, EMITTER_FEED, now_ns);
}

void emitter_settle(struct emitter *emitter, uint64_t now_ns)
{
	const struct timespec pause = { .tv_nsec = SETTLE_MS * 1000000L / SETTLE_TRIES };

	for (int i = 0; i < SETTLE_TRIES && emitter->index; i++) {
		if (tell_loss(emitter, EMITTER_FEED, now_ns) != -EAGAIN)
			return;
		nanosleep(&pause, NULL);
	}
}

bool emitter_is_waiting(const struct emitter *emitter)
{
	return emitter_files_untold(emitter) || (emitter->index && emitter->losses[EMITTER_FEED].n);
}
