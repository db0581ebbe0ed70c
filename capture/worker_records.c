#include "capture/worker_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/plural.h"

/* Between what the log is told of one file; ticks tell what is true then. */
#define TELL_MIN_MS 1000

static void tell_file(struct worker *w, enum emitter_file file)
{
	const struct sink_file *sink = w->emitter.files[file];
	int error = w->emitter.errors[file], before = w->told_errors[file];

	if (w->told_aside[file] != sink->n_set_aside)
		log_err("%s was damaged: it is kept as it was in %s.1: a new one was begun",
			sink->conf.name, sink->conf.name);
	w->told_aside[file] = sink->n_set_aside;
	if (w->told_changed[file] != sink->n_changed)
		log_err("%s was cut or written to by another program: what that took is lost: it "
			"is gone on with behind its whole entries",
			sink->conf.name);
	w->told_changed[file] = sink->n_changed;
	/* A disk that is full one moment and not the next fills no log. */
	if (error == before || uv_now(&w->loop) - w->told_ms[file] < TELL_MIN_MS)
		return;
	w->told_errors[file] = error;
	w->told_ms[file] = uv_now(&w->loop);
	if (!error && before != -EWOULDBLOCK)
		log_info("%s is written again", sink->conf.name);
	else if (!error || error == -EWOULDBLOCK)
		log_debug("%s: the worker before this one %s", sink->conf.name,
			  error ? "still writes it: waiting" : "has let go of it");
	else
		log_err("cannot write %s: %s: entries wait in memory up to %zu bytes, then are "
			"lost and counted%s",
			sink->conf.name, strerror(-error), sink->conf.pending_max,
			error == -ENOENT ? ": log-dir was removed: a reload makes it again" : "");
}

void worker_write_out(struct worker *w)
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

void worker_start_records(struct worker *w)
{
	struct record_head head = {
		.time_ns = clock_ns(CLOCK_REALTIME), .link = "", .set = "", .guest = ""
	};
	char detail[128];

	if (w->started)
		return;
	w->started = true;
	snprintf(detail, sizeof(detail), "%s worker: generation %u, %zu %s, %zu compiled", w->name,
		 w->conf.generation, w->rules.n, plural(w->rules.n, "pattern", "patterns"),
		 w->rules.n_jit);
	emitter_event(&w->emitter, head, IPC_EVENT_SERVICE, "worker-started", detail);
	if (w->rules_error)
		emitter_event(&w->emitter, head, IPC_EVENT_SERVICE, "patterns-left-out",
			      "no capture worker came to be ready with them");
	emitter_begin(&w->emitter, head.time_ns);
}

void worker_tell_dropped(const struct worker *w)
{
	for (enum emitter_file file = 0; file < EMITTER_FILES; file++) {
		const struct sink_file *sink = w->emitter.files[file];

		if (sink->n_pending)
			log_err("%llu %s not be written to %s: lost",
				(unsigned long long)sink->n_pending,
				plural(sink->n_pending, "entry could", "entries could"),
				sink->conf.name);
	}
}

int worker_on_feed(struct worker *w, struct ipc_message *message, struct err *err)
{
	(void)err;
	emitter_set_feed(&w->emitter, message->fd);
	message->fd = -1;
	worker_start_records(w);
	return 0;
}

/* From here on the worker's records are counted by another, see record_feed.h. */
int worker_on_records_out(struct worker *w, struct ipc_message *message, struct err *err)
{
	if (!w->conf.index)
		return err_set(err, -EBADMSG, "the first worker has no other to write for it");
	return worker_on_feed(w, message, err);
}

int worker_on_records_in(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_records_in *in = message->payload;
	int fd = message->fd;

	if (w->conf.index)
		return err_set(err, -EBADMSG, "only the first worker writes for others");
	worker_start_records(w);
	message->fd = -1;
	return record_feeds_add(&w->feeds, &w->loop, in->index, fd, err);
}

int worker_on_event(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_event *event = message->payload;
	struct record_head head = {
		.time_ns = event->time_ns,
		.link = event->link,
		.set = event->set,
		.guest = "",
	};

	(void)err;
	worker_start_records(w);
	emitter_event(&w->emitter, head, event->kind, event->action, event->detail);
	return 0;
}
