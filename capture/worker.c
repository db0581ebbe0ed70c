#include "capture/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/sandbox.h"
#include "capture/worker_parts.h"

struct handler {
	enum worker_stage stage; /* in which the message is allowed */
	int (*run)(struct worker *w, struct ipc_message *message, struct err *err);
};

/* ---- messages ------------------------------------------------------------------------------- */

static int on_ping(struct worker *w, struct ipc_message *message, struct err *err)
{
	(void)message;
	(void)err;
	return ipc_send(&w->channel, IPC_PONG, NULL, -1);
}

static void worker_stop(struct worker *w, enum worker_end end);

static int on_drain(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_drain *drain = message->payload;

	(void)err;
	worker_stop(w, drain->last ? WORKER_END_LAST : WORKER_END_RELIEVED);
	return 0;
}

static const struct handler handlers[IPC_TYPE_END] = {
	[IPC_CONFIG] = { STAGE_CONFIG, worker_on_config },
	[IPC_STATS] = { STAGE_STATS, worker_on_stats },
	[IPC_LOG_DIR] = { STAGE_LOG_DIR, worker_on_log_dir },
	[IPC_FEED] = { STAGE_READY, worker_on_feed },
	[IPC_RECORDS_OUT] = { STAGE_READY, worker_on_records_out },
	[IPC_RECORDS_IN] = { STAGE_READY, worker_on_records_in },
	[IPC_LINK_ADD] = { STAGE_READY, worker_on_link_add },
	[IPC_LINK_FD] = { STAGE_READY, worker_on_link_fd },
	[IPC_LINK_DEL] = { STAGE_READY, worker_on_link_del },
	[IPC_EVENT] = { STAGE_READY, worker_on_event },
	[IPC_LOG] = { STAGE_READY, worker_on_log },
	[IPC_PING] = { STAGE_READY, on_ping },
	[IPC_DRAIN] = { STAGE_READY, on_drain },
};

/* ---- life ----------------------------------------------------------------------------------- */

/* Ends everything; the loop then runs out of handles. A second call changes nothing. */
static void worker_stop(struct worker *w, enum worker_end end)
{
	if (w->stopping)
		return;
	w->stopping = true;
	w->exit_code = end == WORKER_END_FAULT;
	worker_close_links(w, end);
	if (w->stage == STAGE_READY) {
		if (end != WORKER_END_FAULT)
			record_feeds_drain(&w->feeds);
		worker_flush(w);
		worker_commit_logs(w);
		worker_tell_dropped(w);
		emitter_abandon(&w->emitter);
		if (end != WORKER_END_FAULT)
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
	worker_stop(w, WORKER_END_FAULT);
}

static void on_message(struct ipc_channel *channel, struct ipc_message *message, int reason)
{
	struct worker *w = channel->data;
	const struct handler *handler;
	struct err err = { "" };

	if (!message) {
		log_err("the channel to the agent broke: %s: the worker ends",
			reason ? strerror(-reason) : "the agent closed it");
		worker_stop(w, WORKER_END_FAULT);
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
		worker_flush(w);
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
	/* To free code that is sealed, also of logs, would end the process, see code_pages.h. */
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
	worker_start_ticks(w);
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
