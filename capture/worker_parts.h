/*
 * What a capture worker is made of, for the files that are it: life and messages in worker.c, and
 * beside it what it does until it is ready (worker_setup.c), the links that it watches
 * (worker_links.c), the files and feeds of its records (worker_records.c), the logs that it follows
 * (worker_logs.c) and what is done each second (worker_tick.c). Edge.
 */
#ifndef TW_CAPTURE_WORKER_PARTS_H
#define TW_CAPTURE_WORKER_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/base/ipc.h"
#include "agent/base/stats.h"
#include "capture/emitter.h"
#include "capture/inspect.h"
#include "capture/log_watch.h"
#include "capture/record_feed.h"
#include "capture/ruleset.h"
#include "capture/watch.h"

/* The messages that make a worker, in their order; every other one comes after. */
enum worker_stage {
	STAGE_CONFIG,
	STAGE_STATS,
	STAGE_LOG_DIR,
	STAGE_READY,
};

struct worker {
	uv_loop_t loop;
	struct ipc_channel channel;
	uv_timer_t timer;
	uv_timer_t log_timer;
	enum worker_stage stage;
	bool started; /* the first record was written */
	bool stopping;
	bool busy; /* frames or messages came since the last tick */
	int exit_code;
	struct ipc_config conf;
	struct config *config;
	struct link_wish *wishes;
	size_t n_wishes;
	struct ruleset rules;
	struct log_watches logs;
	bool rules_error; /* they could not be loaded */
	bool sealed; /* their code cannot be freed any more */
	struct stats_page *stats;
	int log_dir;
	struct emitter emitter;
	struct record_feeds feeds; /* of the other workers; the first one's alone */
	char name[16]; /* "capture", "capture 1" */
	int told_errors[EMITTER_FILES]; /* of the log files, as last logged */
	uint64_t told_ms[EMITTER_FILES]; /* and when, by the loop's clock */
	uint64_t told_aside[EMITTER_FILES];
	uint64_t told_changed[EMITTER_FILES];
	struct inspector inspector;
	struct watch *watches[STATS_LINKS_MAX];
	uint64_t settle_ns; /* what those that go have not handed over is waited for until then */
};

/*
 * Handlers of messages (worker.c has the table). 0 or a negative errno, of which the worker ends. A
 * descriptor that is kept is taken out of the message.
 */
int worker_on_config(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_stats(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_log_dir(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_link_add(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_link_fd(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_link_del(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_feed(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_records_out(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_records_in(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_event(struct worker *w, struct ipc_message *message, struct err *err);
int worker_on_log(struct worker *w, struct ipc_message *message, struct err *err);

enum worker_end {
	WORKER_END_FAULT,
	WORKER_END_RELIEVED, /* what its links hold is read, and what is in hand handed over */
	WORKER_END_LAST, /* and what is not there to be read yet is waited for */
};

/* No link is watched any more. */
void worker_close_links(struct worker *w, enum worker_end end);

/* The first record of a worker, once it has taken over: see the lead comment of worker.h. */
void worker_start_records(struct worker *w);

/* Writes what waits for log files, and tells what became of them. */
void worker_write_out(struct worker *w);

/* Tells what worker_write_out() could not write, at the end. */
void worker_tell_dropped(const struct worker *w);

/* A place is not passed on before the records of what is before it are in the log of records. */
void worker_commit_logs(struct worker *w);

/* Each second from here on, until there is nothing to do. */
void worker_start_ticks(struct worker *w);

/*
 * After frames and messages; `data` is the worker. Something may have been lost, and is asked for
 * by the next tick.
 */
void worker_flush(void *data);

#endif
