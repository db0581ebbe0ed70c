/*
 * The one writer of the record stream: numbers records and gives each to the log and the feed.
 *
 * Edge. Either outlet may lose records while the other does not: then its next record is preceded
 * by a gap record, numbered as the first one lost, so that in each outlet every number is either a
 * record or told as lost. Beside them go the payload log and the frames.
 *
 * Of several capture workers, the first is that writer. Another one's emitter has no log: its feed
 * leads to the first, which gives its records the numbers that count (record_feed.h). Payloads and
 * frames stay with each worker, in files that have its number in their names: payloads.1.log.
 */
#ifndef TW_EMITTER_H
#define TW_EMITTER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/stats.h"
#include "capture/record.h"
#include "capture/record_number.h"
#include "capture/sink_feed.h"
#include "capture/sink_file.h"
#include "capture/sink_pcapng.h"

enum emitter_file {
	EMITTER_RECORDS,
	EMITTER_PAYLOADS,
	EMITTER_FRAMES,
	EMITTER_FILES
};

/* Of the first worker. */
#define EMITTER_RECORDS_NAME  "records.json"
#define EMITTER_PAYLOADS_NAME "payloads.log"
#define EMITTER_FRAMES_NAME   "frames.pcapng"

/* The name of a file of the worker `index`. */
#define EMITTER_NAME_SIZE 24
void emitter_file_name(char out[EMITTER_NAME_SIZE], enum emitter_file file, unsigned int index);

enum emitter_outlet {
	EMITTER_LOG,
	EMITTER_FEED,
	EMITTER_OUTLETS
};

/* A run of records that an outlet did not take and that no gap record told yet. */
struct emitter_loss {
	uint64_t first; /* seq */
	uint64_t n;
	const char *reason;
};

struct emitter {
	const char *host;
	unsigned int index; /* of the worker */
	struct stats_capture *stats;
	char names[EMITTER_FILES][EMITTER_NAME_SIZE];
	struct sink_file *files[EMITTER_FILES];
	struct sink_file records, payloads;
	struct sink_pcapng frames;
	int errors[EMITTER_FILES]; /* of the last flush: 0, or why not all could be written */
	size_t tried[EMITTER_FILES]; /* bytes that it left pending */
	struct sink_feed feed;
	size_t n_in_path; /* links whose guests wait for their frames; set by watch.h */
	bool gave_up; /* the feed had no room for the last record */
	struct emitter_loss losses[EMITTER_OUTLETS];
	uint64_t log_last; /* seq of the last record that the log took */
	bool log_begun;
	uint64_t told_aside[EMITTER_FILES]; /* damaged files that a record told */
	struct buf line, gap, entry;
};

/*
 * Of the worker `index`. `dir_fd`, `host` and `stats` (that worker's) stay the caller's and outlive
 * the emitter, which does not move. Counters that are new go on with the number behind the log's
 * last record, if there is one. 0, -ENOMEM, or -EWOULDBLOCK when another worker still writes that
 * log.
 */
int emitter_init(struct emitter *emitter, unsigned int index, int dir_fd, const char *host,
		 const struct record_conf *conf, struct stats_capture *stats);

/* What is still pending is dropped: flush before. */
void emitter_done(struct emitter *emitter);

/* Takes `fd` as the feed from here on. */
void emitter_set_feed(struct emitter *emitter, int fd);

/* The emitter fills in seq and host of `head`; of an alert, it returns seq. */
uint64_t emitter_alert(struct emitter *emitter, struct record_head head,
		       const struct record_alert *alert);
void emitter_event(struct emitter *emitter, struct record_head head, enum ipc_event_kind kind,
		   const char *action, const char *detail);
void emitter_gap(struct emitter *emitter, struct record_head head, const struct record_gap *gap);

/*
 * A record that another worker made, or its gap of records, in the place of whose numbers come
 * those of this one: returns the first. `numbers` is what was read of the line, `payload_seq` what
 * it names, in numbers of this one; NULL: unknown.
 */
uint64_t emitter_forward(struct emitter *emitter, uint64_t time_ns, const char *line, size_t len,
			 const struct record_numbers *numbers, const uint64_t *payload_seq);

/* So many records of another worker never came; returns the number of the first. */
uint64_t emitter_missing(struct emitter *emitter, uint64_t time_ns, uint64_t n, const char *reason);

void emitter_payload(struct emitter *emitter, uint64_t time_ns, const char *link,
		     enum stats_direction direction, const struct frame *frame);

/*
 * From here on, frames of `slot` are of the link `name`; emitter_drops() says how many of them the
 * kernel lost.
 */
void emitter_link(struct emitter *emitter, uint32_t slot, const char *name);
void emitter_drops(struct emitter *emitter, uint32_t slot, uint64_t drops);
void emitter_packet(struct emitter *emitter, uint32_t slot, const struct pcapng_packet *packet);

/* At the end of each batch of frames or messages. Sets `errors`. */
void emitter_flush(struct emitter *emitter);

/*
 * Once nobody else writes the files any more: tells what a worker before this one lost of the
 * others than records, also what one that was killed had in hand. And at the end, after the last
 * flush: what still waits is lost, for the next one to tell.
 */
void emitter_begin(struct emitter *emitter, uint64_t now_ns);
void emitter_abandon(struct emitter *emitter);

/*
 * Once in a while: tells what the other files lost, now that it can be told, and which files were
 * damaged.
 */
void emitter_tick(struct emitter *emitter, uint64_t now_ns);

/*
 * At the end of a worker that hands its records to the first: waits a little to tell what was lost.
 */
void emitter_settle(struct emitter *emitter, uint64_t now_ns);

/* Whether emitter_tick() still has something to tell of what was lost. */
bool emitter_is_waiting(const struct emitter *emitter);

#endif
