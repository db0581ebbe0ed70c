#include "capture/emitter_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "capture/payload_log.h"

/* Waits in memory while the disk is full or another worker still writes; more is lost. */
#define PENDING_MAX (8u << 20)

/* One batch of frames can make far more than may wait: a file is flushed also within a batch. */
#define FLUSH_AT PCAPNG_WRITE_SIZE

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

int emitter_files_init(struct emitter *emitter, int dir_fd, const struct record_conf *conf)
{
	struct sink_file_conf file = {
		.dir_fd = dir_fd,
		.rotate_bytes = conf->rotate_bytes,
		.rotate_seconds = conf->rotate_seconds,
		.quota_bytes = conf->quota_bytes,
		.keep = conf->keep,
		.pending_max = PENDING_MAX,
	};

	emitter->files[EMITTER_RECORDS] = &emitter->records;
	emitter->files[EMITTER_PAYLOADS] = &emitter->payloads;
	emitter->files[EMITTER_FRAMES] = &emitter->frames.file;
	for (enum emitter_file i = 0; i < EMITTER_FILES; i++)
		emitter_file_name(emitter->names[i], i, emitter->index);
	file.name = emitter->names[EMITTER_RECORDS];
	file.whole = record_whole;
	file.entry_max = RECORD_MAX + 1;
	sink_file_init(&emitter->records, &file);
	file.name = emitter->names[EMITTER_PAYLOADS];
	file.whole = payload_log_whole;
	file.entry_max = PAYLOAD_LOG_ENTRY_MAX;
	sink_file_init(&emitter->payloads, &file);
	file.name = emitter->names[EMITTER_FRAMES];
	buf_init(&emitter->entry, PAYLOAD_LOG_ENTRY_MAX);
	return sink_pcapng_init(&emitter->frames, &file, emitter->host);
}

void emitter_files_done(struct emitter *emitter)
{
	sink_file_done(&emitter->records);
	sink_file_done(&emitter->payloads);
	sink_pcapng_done(&emitter->frames);
	buf_done(&emitter->entry);
}

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

int emitter_files_put(struct emitter *emitter, enum emitter_file file, const struct buf *entry,
		      size_t more)
{
	const struct buf *pending = &emitter->files[file]->pending;

	if (flush_due(emitter, file, entry->len + more))
		flush_file(emitter, file);
	if (entry->len + more > pending->max - pending->len)
		return -ENOBUFS;
	return sink_file_put(emitter->files[file], entry->data, entry->len);
}

void emitter_payload(struct emitter *emitter, uint64_t time_ns, const char *link,
		     enum stats_direction direction, const struct frame *frame)
{
	struct stats_entries *entries = &emitter->stats->payloads;
	struct buf *entry = &emitter->entry;

	stat_count(&entries->taken, 1);
	if (payload_log_entry(entry, time_ns, link, direction, frame) ||
	    emitter_files_put(emitter, EMITTER_PAYLOADS, entry, 0))
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

void emitter_files_tell(struct emitter *emitter, uint64_t now_ns)
{
	for (enum emitter_file file = 0; file < EMITTER_FILES; file++) {
		tell_set_aside(emitter, file, now_ns);
		if (file != EMITTER_RECORDS && !emitter->errors[file])
			tell_lost(emitter, file, now_ns, "buffer-full");
	}
}

bool emitter_files_untold(const struct emitter *emitter)
{
	for (enum emitter_file file = EMITTER_RECORDS + 1; file < EMITTER_FILES; file++) {
		if (untold(emitter, file))
			return true;
	}
	return false;
}
