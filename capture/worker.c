#include "capture/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/clock.h"
#include "agent/base/config.h"
#include "agent/base/ipc.h"
#include "agent/base/log.h"
#include "agent/base/sandbox.h"
#include "agent/base/stats.h"
#include "capture/emitter.h"
#include "capture/inspect.h"
#include "capture/log_watch.h"
#include "capture/record_feed.h"
#include "capture/ruleset.h"
#include "capture/search_time.h"
#include "capture/watch.h"

/* Drops are asked for, quiet links looked at and full disks tried again so often. */
#define TICK_MS 1000

/* And logs whether they have grown: a quarter of a second is soon enough for who reads a log. */
#define LOG_TICK_MS 250

/* What its links hold is searched for so long when it ends: the agent waits 5 seconds for that. */
#define DRAIN_NS (2 * NS_PER_S)

/* The messages that make a worker, in their order; every other one comes after. */
enum stage {
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
	enum stage stage;
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
	uint64_t told_aside[EMITTER_FILES];
	struct inspector inspector;
	struct watch *watches[STATS_LINKS_MAX];
};

struct handler {
	enum stage stage; /* in which the message is allowed */
	int (*run)(struct worker *w, struct ipc_message *message, struct err *err);
};

static void on_tick(uv_timer_t *timer);

/* ---- log files ------------------------------------------------------------------------------ */

static void tell_file(struct worker *w, enum emitter_file file)
{
	const struct sink_file *sink = w->emitter.files[file];
	int error = w->emitter.errors[file], before = w->told_errors[file];

	if (w->told_aside[file] != sink->n_set_aside)
		log_err("%s was damaged: it is kept as it was in %s.1: a new one was begun",
			sink->conf.name, sink->conf.name);
	w->told_aside[file] = sink->n_set_aside;
	if (error == before)
		return;
	w->told_errors[file] = error;
	if (!error && before != -EWOULDBLOCK)
		log_info("%s is written again", sink->conf.name);
	else if (!error || error == -EWOULDBLOCK)
		log_debug("%s: the worker before this one %s", sink->conf.name,
			  error ? "still writes it: waiting" : "has let go of it");
	else
		log_err("cannot write %s: %s: entries wait in memory up to %zu bytes, then are "
			"lost and counted",
			sink->conf.name, strerror(-error), sink->conf.pending_max);
}

static void write_out(struct worker *w)
{
	int error = 0;

	emitter_flush(&w->emitter);
	for (enum emitter_file file = 0; file < EMITTER_FILES; file++) {
		tell_file(w, file);
		/* The file of a worker that is just ending is waited for: nothing is wrong. */
		if (w->emitter.errors[file] && w->emitter.errors[file] != -EWOULDBLOCK)
			error = -w->emitter.errors[file];
	}
	atomic_store_explicit(&w->emitter.stats->log_error, (uint64_t)error, memory_order_relaxed);
}

/* After frames and messages: something may have been lost, and is asked for by the next tick. */
static void flush(void *data)
{
	struct worker *w = data;

	w->busy = true;
	if (!w->stopping && !uv_is_active((uv_handle_t *)&w->timer))
		uv_timer_start(&w->timer, on_tick, TICK_MS, TICK_MS);
	write_out(w);
}

/* The first record of a worker, once it has taken over: see the lead comment of worker.h. */
static void start_records(struct worker *w)
{
	struct record_head head = {
		.time_ns = clock_ns(CLOCK_REALTIME), .link = "", .set = "", .guest = ""
	};
	char detail[128];

	if (w->started)
		return;
	w->started = true;
	snprintf(detail, sizeof(detail), "%s worker: generation %u, %zu patterns, %zu compiled",
		 w->name, w->conf.generation, w->rules.n, w->rules.n_jit);
	emitter_event(&w->emitter, head, IPC_EVENT_SERVICE, "worker-started", detail);
	if (w->rules_error)
		emitter_event(&w->emitter, head, IPC_EVENT_SERVICE, "patterns-left-out",
			      "no capture worker came to be ready with them");
}

/* ---- watched links -------------------------------------------------------------------------- */

/* NULL for a link that the configuration does not know (any more): it has no rules. */
static const struct link_keys *wished_keys(const struct worker *w, const char *link)
{
	for (size_t i = 0; i < w->n_wishes; i++) {
		if (strcmp(w->wishes[i].name, link) == 0)
			return w->wishes[i].keys;
	}
	return NULL;
}

/* The next worker goes on with tap and guest where this one stops. */
static void save_link(struct worker *w, struct watch *watch)
{
	struct ipc_rest rest;

	if (watch_save(watch, &rest))
		ipc_send(&w->channel, IPC_REST, &rest, -1);
}

static void on_peer_lost(void *data, uint32_t slot, int reason)
{
	struct worker *w = data;
	const struct ipc_peer_lost lost = { .slot = slot, .reason = reason };

	ipc_send(&w->channel, IPC_PEER_LOST, &lost, -1);
}

static void forget_link(struct worker *w, uint32_t slot)
{
	if (!w->watches[slot])
		return;
	watch_drain(w->watches[slot], clock_ns(CLOCK_MONOTONIC) + DRAIN_NS,
		    clock_ns(CLOCK_REALTIME));
	watch_close(w->watches[slot]);
	w->watches[slot] = NULL;
}

static void tell_of_link(struct worker *w, const struct ipc_link *link, const char *action,
			 const struct err *err)
{
	struct record_head head = {
		.time_ns = clock_ns(CLOCK_REALTIME),
		.link = link->name,
		.set = link->set,
		.guest = link->guest,
	};

	emitter_event(&w->emitter, head, IPC_EVENT_LINK, action, err->text);
}

/* One link that cannot be watched is no reason to let the others down. */
static void tell_unwatched(struct worker *w, const struct ipc_link *link, const struct err *err)
{
	log_err("cannot watch %s: %s: it stays unwatched until its ring is made anew", link->name,
		err->text);
	tell_of_link(w, link, "watch-failed", err);
}

static int on_link_add(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_link *link = message->payload;
	struct watch_conf conf = {
		.inspector = &w->inspector,
		.keys = wished_keys(w, link->name),
		.no_rules = w->rules_error,
		.batch_end = flush,
		.peer_lost = on_peer_lost,
		.data = w,
	};
	int fd = message->fd;

	start_records(w);
	if (w->watches[link->slot] && watch_renew(w->watches[link->slot], link))
		return 0;
	if (conf.keys)
		ruleset_select(&w->rules, &conf.keys->patterns, &conf.mask);
	/* First the one before: it may have the same ring, which has one reader at a time. */
	forget_link(w, link->slot);
	message->fd = -1;
	if (watch_open(&w->loop, link, fd, &conf, &w->watches[link->slot], err))
		tell_unwatched(w, link, err);
	else
		watch_tick(w->watches[link->slot], clock_ns(CLOCK_REALTIME));
	return 0;
}

static int on_link_fd(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_link_fd *what = message->payload;
	struct watch *watch = w->watches[what->slot];
	int fd = message->fd;

	/* One that cannot be watched needs it not. */
	if (!watch)
		return 0;
	message->fd = -1;
	if (watch_take_fd(watch, what, fd, err)) {
		log_err("%s: %s: the link goes on without", watch->link.name, err->text);
		tell_of_link(w, &watch->link, "hand-over-failed", err);
	}
	watch_tick(watch, clock_ns(CLOCK_REALTIME));
	return 0;
}

static int on_link_del(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_link_del *del = message->payload;

	(void)err;
	forget_link(w, del->slot);
	return 0;
}

/* ---- the rest of the messages --------------------------------------------------------------- */

/*
 * Patterns that cannot be loaded, for want of memory or because a library dies of them, must not
 * keep links from being relayed that are to fail open.
 */
static int load_rules(struct worker *w, struct err *err)
{
	size_t n = w->config->n_patterns;
	int code;

	if (!w->conf.without_rules)
		return ruleset_init(&w->rules, w->config, err);
	log_err("patterns are left out, since no worker came to be ready with them: frames of inline "
		"links pass or do not as `fail` says, until a reload");
	w->rules_error = true;
	w->config->n_patterns = 0;
	code = ruleset_init(&w->rules, w->config, err);
	w->config->n_patterns = n;
	return code;
}

static int on_config(struct worker *w, struct ipc_message *message, struct err *err)
{
	struct faults faults = { 0 };
	struct buf text;
	int code;

	memcpy(&w->conf, message->payload, sizeof(w->conf));
	snprintf(w->name, sizeof(w->name), w->conf.index ? "capture %u" : "capture", w->conf.index);
	log_init(w->name, w->conf.log_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	code = config_load_fd(message->fd, &w->config, &faults);
	if (code) {
		buf_init(&text, sizeof(err->text));
		if (faults.n)
			fault_format(&faults.list[0], &text);
		err_set(err, code, "the configuration is faulty: %s",
			text.data ? text.data : strerror(-code));
		buf_done(&text);
		faults_done(&faults);
		return code;
	}
	faults_done(&faults);
	code = load_rules(w, err);
	return code ? code : config_links(w->config, &w->wishes, &w->n_wishes, err);
}

static int on_stats(struct worker *w, struct ipc_message *message, struct err *err)
{
	int code = stats_map(message->fd, &w->stats);

	return code ? err_errno(err, code, "cannot map the counters") : 0;
}

static void tell_rules(const struct worker *w)
{
	for (size_t i = 0; i < w->rules.n; i++) {
		const struct rule *rule = &w->rules.rules[i];
		const char *name = rule->conf->head.name, *reason;

		if (pattern_note(rule->pattern))
			log_info("pattern %s: %s", name, pattern_note(rule->pattern));
		if (!regex_jit(pattern_regex(rule->pattern), &reason))
			log_warning("pattern %s is not compiled to machine code: %s: it is "
				    "interpreted, several times slower",
				    name, reason);
	}
}

static void on_lease(void *data, const struct ipc_lease *lease)
{
	struct worker *w = data;

	ipc_send(&w->channel, IPC_LEASE, lease, -1);
}

/* The last of the first three: everything is there that the worker is made of. */
static int on_log_dir(struct worker *w, struct ipc_message *message, struct err *err)
{
	struct ipc_ready ready = {
		.generation = w->conf.generation,
		.patterns = (uint32_t)w->rules.n,
		.jit = (uint32_t)w->rules.n_jit,
	};
	uint64_t seed;
	int code;

	w->log_dir = message->fd;
	message->fd = -1;
	code = emitter_init(&w->emitter, w->conf.index, w->log_dir, w->conf.host,
			    &w->config->record, &w->stats->capture[w->conf.index]);
	if (code)
		return err_errno(err, code, "cannot keep records");
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return err_errno(err, -errno, "cannot have random numbers");
	code = inspector_init(&w->inspector, &w->rules, w->config, w->stats, &w->emitter,
			      w->conf.workers, seed);
	if (code)
		return err_errno(err, code, "cannot follow streams");
	w->inspector.guests.lease = on_lease;
	w->inspector.guests.data = w;
	code = log_watches_init(&w->logs, w->config, &w->rules, w->stats, &w->emitter, err);
	if (code)
		return code;
	code = record_feeds_init(&w->feeds, &w->emitter, w->stats, flush, w);
	if (code)
		return err_errno(err, code, "cannot read the records of others");
	/* Where nothing is searched there is no need for its signals. */
	code = w->rules.n ? search_time_start() : 0;
	if (code)
		return err_errno(err, code, "cannot bound the time of searches");
	regex_scratch_guard(w->rules.scratch, &search_time_guard);
	tell_rules(w);
	w->sealed = true;
	code = sandbox_seal(SANDBOX_CAPTURE, w->log_dir, w->channel.fd, &ready.sandbox, err);
	return code ? code : ipc_send(&w->channel, IPC_READY, &ready, -1);
}

/* ---- logs ------------------------------------------------------------------------------------ */

/* A place is not passed on before the records of what is before it are in the log of records. */
static void commit_logs(struct worker *w)
{
	if (!w->emitter.errors[EMITTER_RECORDS])
		log_watches_commit(&w->logs);
}

static void on_log_tick(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	bool more = log_watches_poll(&w->logs, uv_hrtime(), clock_ns(CLOCK_REALTIME));

	write_out(w);
	commit_logs(w);
	uv_timer_start(timer, on_log_tick, more ? 0 : LOG_TICK_MS, 0);
}

static int on_log(struct worker *w, struct ipc_message *message, struct err *err)
{
	(void)err;
	start_records(w);
	log_watches_add(&w->logs, message->payload, message->fd, uv_hrtime());
	message->fd = -1;
	if (!uv_is_active((uv_handle_t *)&w->log_timer))
		uv_timer_start(&w->log_timer, on_log_tick, 0, 0);
	return 0;
}

static int on_feed(struct worker *w, struct ipc_message *message, struct err *err)
{
	(void)err;
	emitter_set_feed(&w->emitter, message->fd);
	message->fd = -1;
	start_records(w);
	return 0;
}

/* From here on the worker's records are counted by another, see record_feed.h. */
static int on_records_out(struct worker *w, struct ipc_message *message, struct err *err)
{
	if (!w->conf.index)
		return err_set(err, -EBADMSG, "the first worker has no other to write for it");
	return on_feed(w, message, err);
}

static int on_records_in(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_records_in *in = message->payload;
	int fd = message->fd;

	if (w->conf.index)
		return err_set(err, -EBADMSG, "only the first worker writes for others");
	start_records(w);
	message->fd = -1;
	return record_feeds_add(&w->feeds, &w->loop, in->index, fd, err);
}

static int on_event(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_event *event = message->payload;
	struct record_head head = {
		.time_ns = event->time_ns,
		.link = event->link,
		.set = event->set,
		.guest = "",
	};

	(void)err;
	start_records(w);
	emitter_event(&w->emitter, head, event->kind, event->action, event->detail);
	return 0;
}

static int on_ping(struct worker *w, struct ipc_message *message, struct err *err)
{
	(void)message;
	(void)err;
	return ipc_send(&w->channel, IPC_PONG, NULL, -1);
}

static void worker_stop(struct worker *w, int exit_code);

static int on_drain(struct worker *w, struct ipc_message *message, struct err *err)
{
	(void)message;
	(void)err;
	worker_stop(w, 0);
	return 0;
}

static const struct handler handlers[IPC_TYPE_END] = {
	[IPC_CONFIG] = { STAGE_CONFIG, on_config },
	[IPC_STATS] = { STAGE_STATS, on_stats },
	[IPC_LOG_DIR] = { STAGE_LOG_DIR, on_log_dir },
	[IPC_FEED] = { STAGE_READY, on_feed },
	[IPC_RECORDS_OUT] = { STAGE_READY, on_records_out },
	[IPC_RECORDS_IN] = { STAGE_READY, on_records_in },
	[IPC_LINK_ADD] = { STAGE_READY, on_link_add },
	[IPC_LINK_FD] = { STAGE_READY, on_link_fd },
	[IPC_LINK_DEL] = { STAGE_READY, on_link_del },
	[IPC_EVENT] = { STAGE_READY, on_event },
	[IPC_LOG] = { STAGE_READY, on_log },
	[IPC_PING] = { STAGE_READY, on_ping },
	[IPC_DRAIN] = { STAGE_READY, on_drain },
};

/* ---- life ----------------------------------------------------------------------------------- */

static void tell_dropped(const struct worker *w)
{
	for (enum emitter_file file = 0; file < EMITTER_FILES; file++) {
		const struct sink_file *sink = w->emitter.files[file];

		if (sink->n_pending)
			log_err("%llu entries could not be written to %s: they are lost",
				(unsigned long long)sink->n_pending, sink->conf.name);
	}
}

/* Ends everything; the loop then runs out of handles. A second call changes nothing. */
static void worker_stop(struct worker *w, int exit_code)
{
	const uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + DRAIN_NS;

	if (w->stopping)
		return;
	w->stopping = true;
	w->exit_code = exit_code;
	for (size_t slot = 0; slot < STATS_LINKS_MAX; slot++) {
		struct watch *watch = w->watches[slot];

		if (!watch)
			continue;
		if (exit_code == 0) {
			watch_drain(watch, until_ns, clock_ns(CLOCK_REALTIME));
			save_link(w, watch);
		}
		watch_close(watch);
		w->watches[slot] = NULL;
	}
	if (w->stage == STAGE_READY) {
		if (exit_code == 0)
			record_feeds_drain(&w->feeds);
		flush(w);
		commit_logs(w);
		tell_dropped(w);
		if (exit_code == 0)
			emitter_settle(&w->emitter, clock_ns(CLOCK_REALTIME));
		record_feeds_close(&w->feeds);
	}
	uv_close((uv_handle_t *)&w->timer, NULL);
	uv_close((uv_handle_t *)&w->log_timer, NULL);
	ipc_close(&w->channel, NULL);
}

static void worker_fault(struct worker *w, const char *text)
{
	struct ipc_fault fault = { 0 };

	log_err("%s: the worker ends", text);
	snprintf(fault.text, sizeof(fault.text), "%s", text);
	ipc_send(&w->channel, IPC_FAULT, &fault, -1);
	worker_stop(w, 1);
}

static void on_message(struct ipc_channel *channel, struct ipc_message *message, int reason)
{
	struct worker *w = channel->data;
	const struct handler *handler;
	struct err err = { "" };

	if (!message) {
		log_err("the channel to the agent broke: %s: the worker ends",
			reason ? strerror(-reason) : "the agent closed it");
		worker_stop(w, 1);
		return;
	}
	handler = &handlers[message->type];
	if (!handler->run || handler->stage != w->stage) {
		worker_fault(w, "a message of the agent came out of turn");
		return;
	}
	if (handler->run(w, message, &err)) {
		worker_fault(w, err.text);
		return;
	}
	if (w->stage != STAGE_READY)
		w->stage++;
	else if (!w->stopping && message->type != IPC_PING)
		flush(w);
}

static bool has_file_errors(const struct worker *w)
{
	for (enum emitter_file file = 0; file < EMITTER_FILES; file++) {
		if (w->emitter.errors[file])
			return true;
	}
	return false;
}

/*
 * Ticks end when nothing came since the last one and nothing is waited for: a worker with nothing
 * to do sleeps.
 */
static void on_tick(uv_timer_t *timer)
{
	struct worker *w = timer->data;

	if (w->stage != STAGE_READY)
		return;
	w->busy = false;
	for (size_t slot = 0; slot < STATS_LINKS_MAX; slot++) {
		if (w->watches[slot])
			watch_tick(w->watches[slot], clock_ns(CLOCK_REALTIME));
	}
	inspect_tick(&w->inspector, clock_ns(CLOCK_REALTIME));
	emitter_tick(&w->emitter, clock_ns(CLOCK_REALTIME));
	write_out(w);
	if (!w->busy && !has_file_errors(w) && !inspect_is_waiting(&w->inspector) &&
	    !emitter_is_waiting(&w->emitter))
		uv_timer_stop(timer);
}

static void worker_done(struct worker *w)
{
	if (w->stage == STAGE_READY) {
		inspector_done(&w->inspector);
		record_feeds_done(&w->feeds);
		emitter_done(&w->emitter);
	}
	if (w->log_dir >= 0)
		close(w->log_dir);
	if (w->stats)
		munmap(w->stats, sizeof(*w->stats));
	/*
	 * To free code that is sealed, also that of logs, would end the process, see code_pages.h.
	 */
	if (!w->sealed)
		ruleset_done(&w->rules);
	free(w->wishes);
	config_free(w->config);
}

static int worker_run(struct worker *w, int ipc_fd)
{
	int code = uv_loop_init(&w->loop);

	if (!code)
		code = uv_timer_init(&w->loop, &w->timer);
	if (!code)
		code = uv_timer_init(&w->loop, &w->log_timer);
	if (!code)
		code = ipc_open(&w->channel, &w->loop, ipc_fd, IPC_CAPTURE, IPC_AGENT, on_message);
	if (code) {
		log_err("cannot talk to the agent: %s: the worker ends", uv_strerror(code));
		return 1;
	}
	uv_timer_start(&w->timer, on_tick, TICK_MS, TICK_MS);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	code = uv_loop_close(&w->loop);
	if (code)
		log_err("handles were left open: %s", uv_strerror(code));
	return w->exit_code;
}

int capture_worker_main(int ipc_fd)
{
	static struct worker worker;
	struct worker *w = &worker;
	struct err err;
	int exit_code = 1;

	log_init("capture", LOG_LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	/* A full quota of RLIMIT_FSIZE is told by write(2), as a full disk is. */
	signal(SIGXFSZ, SIG_IGN);
	if (sandbox_enter(&err)) {
		log_err("%s: the worker ends", err.text);
	} else {
		w->log_dir = -1;
		w->channel.data = w;
		w->timer.data = w->log_timer.data = w;
		exit_code = worker_run(w, ipc_fd);
		worker_done(w);
	}
	return exit_code;
}
