#include "capture/emitter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/payload_log.h"

/* Waits in memory while the disk is full or another worker still writes; more is lost. */
#define PENDING_MAX (8u << 20)

/* One batch of frames can make far more than may wait: a file is flushed also within a batch. */
#define FLUSH_AT PCAPNG_WRITE_SIZE

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

static struct stats_entries *entries_of(const struct emitter *emitter, enum emitter_file file)
{
	struct stats_capture *stats = emitter->stats;

	return file == EMITTER_FRAMES ? &stats->frames : &stats->payloads;
}

static void flush_file(struct emitter *emitter, enum emitter_file file)
{
	struct sink_file *sink = emitter->files[file];
	uint64_t written;

	emitter->errors[file] = sink_file_flush(sink, (uint64_t)time(NULL), &written);
	emitter->tried[file] = sink->pending.len;
	if (!written)
		return;
	if (file != EMITTER_RECORDS) {
		stat_add(&entries_of(emitter, file)->written, written);
		return;
	}
	stat_add(&emitter->stats->records, written);
	if (!sink->n_pending)
		atomic_store_explicit(&emitter->stats->log_next, emitter->log_last + 1,
				      memory_order_relaxed);
}

/* What a flush has just left is not tried again until there is more, or the batch has ended. */
static bool flush_due(const struct emitter *emitter, enum emitter_file file, size_t len)
{
	const struct buf *pending = &emitter->files[file]->pending;

	if (len > pending->max - pending->len)
		return pending->len > emitter->tried[file];
	return pending->len - emitter->tried[file] >= FLUSH_AT;
}

static int put_file(struct emitter *emitter, enum emitter_file file, const struct buf *entry,
		    size_t more)
{
	const struct buf *pending = &emitter->files[file]->pending;

	if (flush_due(emitter, file, entry->len + more))
		flush_file(emitter, file);
	if (entry->len + more > pending->max - pending->len)
		return -ENOBUFS;
	return sink_file_put(emitter->files[file], entry->data, entry->len);
}

static int put_log(struct emitter *emitter, struct buf *line, size_t more)
{
	int err;

	buf_addc(line, '\n');
	err = line->failed ? -EMSGSIZE : put_file(emitter, EMITTER_RECORDS, line, more);
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

void emitter_file_name(char out[EMITTER_NAME_SIZE], enum emitter_file file, unsigned int index)
{
	static const char *const names[EMITTER_FILES] = {
		[EMITTER_RECORDS] = EMITTER_RECORDS_NAME,
		[EMITTER_PAYLOADS] = EMITTER_PAYLOADS_NAME,
		[EMITTER_FRAMES] = EMITTER_FRAMES_NAME,
	};
	const char *name = names[file], *ext = strchr(name, '.');

	if (index)
		snprintf(out, EMITTER_NAME_SIZE, "%.*s.%u%s", (int)(ext - name), name, index, ext);
	else
		snprintf(out, EMITTER_NAME_SIZE, "%s", name);
}

int emitter_init(struct emitter *emitter, unsigned int index, int dir_fd, const char *host,
		 const struct record_conf *conf, struct stats_capture *stats)
{
	struct sink_file_conf file = {
		.dir_fd = dir_fd,
		.rotate_bytes = conf->rotate_bytes,
		.rotate_seconds = conf->rotate_seconds,
		.quota_bytes = conf->quota_bytes,
		.keep = conf->keep,
		.pending_max = PENDING_MAX,
	};
	int err;

	*emitter = (struct emitter){
		.host = host,
		.index = index,
		.stats = stats,
		.files = {
			[EMITTER_RECORDS] = &emitter->records,
			[EMITTER_PAYLOADS] = &emitter->payloads,
			[EMITTER_FRAMES] = &emitter->frames.file,
		},
	};
	for (enum emitter_file i = 0; i < EMITTER_FILES; i++)
		emitter_file_name(emitter->names[i], i, index);
	file.name = emitter->names[EMITTER_RECORDS];
	file.whole = record_whole;
	file.entry_max = RECORD_MAX + 1;
	sink_file_init(&emitter->records, &file);
	file.name = emitter->names[EMITTER_PAYLOADS];
	file.whole = payload_log_whole;
	file.entry_max = PAYLOAD_LOG_ENTRY_MAX;
	sink_file_init(&emitter->payloads, &file);
	file.name = emitter->names[EMITTER_FRAMES];
	err = sink_pcapng_init(&emitter->frames, &file, host);
	sink_feed_init(&emitter->feed);
	buf_init(&emitter->line, RECORD_MAX);
	buf_init(&emitter->gap, RECORD_MAX);
	buf_init(&emitter->entry, PAYLOAD_LOG_ENTRY_MAX);
	return err ? err : go_on(emitter);
}

void emitter_done(struct emitter *emitter)
{
	sink_file_done(&emitter->records);
	sink_file_done(&emitter->payloads);
	sink_pcapng_done(&emitter->frames);
	sink_feed_done(&emitter->feed);
	buf_done(&emitter->line);
	buf_done(&emitter->gap);
	buf_done(&emitter->entry);
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

void emitter_payload(struct emitter *emitter, uint64_t time_ns, const char *link,
		     enum stats_direction direction, const struct frame *frame)
{
	struct stats_entries *entries = &emitter->stats->payloads;
	struct buf *entry = &emitter->entry;

	stat_count(&entries->taken, 1);
	if (payload_log_entry(entry, time_ns, link, direction, frame) ||
	    put_file(emitter, EMITTER_PAYLOADS, entry, 0))
		stat_add(&entries->lost, 1);
}

void emitter_link(struct emitter *emitter, uint32_t slot, const char *name)
{
	/* Without memory the link has no frames in the file, each of which is told as lost. */
	(void)sink_pcapng_link(&emitter->frames, slot, name);
}

void emitter_drops(struct emitter *emitter, uint32_t slot, uint64_t drops)
{
	sink_pcapng_drops(&emitter->frames, slot, drops);
}

void emitter_packet(struct emitter *emitter, uint32_t slot, const struct pcapng_packet *packet)
{
	struct stats_entries *entries = &emitter->stats->frames;

	if (flush_due(emitter, EMITTER_FRAMES, packet->len + PCAPNG_OVERHEAD_MAX))
		flush_file(emitter, EMITTER_FRAMES);
	stat_count(&entries->taken, 1);
	if (sink_pcapng_put(&emitter->frames, slot, packet))
		stat_add(&entries->lost, 1);
}

void emitter_flush(struct emitter *emitter)
{
	for (enum emitter_file file = 0; file < EMITTER_FILES; file++)
		flush_file(emitter, file);
}

static void tell_set_aside(struct emitter *emitter, enum emitter_file file, uint64_t now_ns)
{
	struct record_head head = { .time_ns = now_ns, .link = "", .set = "", .guest = "" };
	const struct sink_file *sink = emitter->files[file];
	char detail[128];

	if (emitter->told_aside[file] == sink->n_set_aside)
		return;
	emitter->told_aside[file] = sink->n_set_aside;
	snprintf(detail, sizeof(detail), "%s was damaged: kept as it was in %s.1", sink->conf.name,
		 sink->conf.name);
	emitter_event(emitter, head, IPC_EVENT_SERVICE, "log-damaged", detail);
}

static uint64_t untold(const struct emitter *emitter, enum emitter_file file)
{
	const struct stats_entries *entries = entries_of(emitter, file);

	return stat_get(&entries->lost) - stat_get(&entries->told);
}

static void tell_lost(struct emitter *emitter, enum emitter_file file, uint64_t now_ns,
		      const char *reason)
{
	static const enum record_unit units[EMITTER_FILES] = {
		[EMITTER_PAYLOADS] = RECORD_UNIT_PAYLOADS,
		[EMITTER_FRAMES] = RECORD_UNIT_PCAP_FRAMES,
	};
	struct record_head head = { .time_ns = now_ns, .link = "", .set = "", .guest = "" };
	struct record_gap gap = {
		.lost = untold(emitter, file),
		.unit = units[file],
		.reason = reason,
	};

	if (!gap.lost)
		return;
	stat_add(&entries_of(emitter, file)->told, gap.lost);
	emitter_gap(emitter, head, &gap);
}

static void count_gone(struct emitter *emitter, enum emitter_file file)
{
	struct stats_entries *entries = entries_of(emitter, file);

	stat_add(&entries->lost, stat_get(&entries->taken) - stat_get(&entries->written) -
					 stat_get(&entries->lost));
}

void emitter_begin(struct emitter *emitter, uint64_t now_ns)
{
	for (enum emitter_file file = EMITTER_RECORDS + 1; file < EMITTER_FILES; file++) {
		tell_lost(emitter, file, now_ns, "buffer-full");
		count_gone(emitter, file);
		tell_lost(emitter, file, now_ns, "worker-died");
	}
}

void emitter_abandon(struct emitter *emitter)
{
	for (enum emitter_file file = EMITTER_RECORDS + 1; file < EMITTER_FILES; file++)
		count_gone(emitter, file);
}

void emitter_tick(struct emitter *emitter, uint64_t now_ns)
{
	for (enum emitter_file file = 0; file < EMITTER_FILES; file++) {
		tell_set_aside(emitter, file, now_ns);
		if (file != EMITTER_RECORDS && !emitter->errors[file])
			tell_lost(emitter, file, now_ns, "buffer-full");
	}
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
	for (enum emitter_file file = EMITTER_RECORDS + 1; file < EMITTER_FILES; file++) {
		if (untold(emitter, file))
			return true;
	}
	return emitter->index && emitter->losses[EMITTER_FEED].n;
}
