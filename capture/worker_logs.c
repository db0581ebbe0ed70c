#include "capture/worker_parts.h"

#include "agent/base/clock.h"

/* Logs are asked whether they have grown: soon enough for who reads a log. */
#define LOG_TICK_MS 250

void worker_commit_logs(struct worker *w)
{
	if (!w->emitter.errors[EMITTER_RECORDS])
		log_watches_commit(&w->logs);
}

static void on_log_tick(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	bool more = log_watches_poll(&w->logs, uv_hrtime(), clock_ns(CLOCK_REALTIME));

	worker_write_out(w);
	worker_commit_logs(w);
	uv_timer_start(timer, on_log_tick, more ? 0 : LOG_TICK_MS, 0);
}

int worker_on_log(struct worker *w, struct ipc_message *message, struct err *err)
{
	(void)err;
	worker_start_records(w);
	log_watches_add(&w->logs, message->payload, message->fd, uv_hrtime());
	message->fd = -1;
	if (!uv_is_active((uv_handle_t *)&w->log_timer))
		uv_timer_start(&w->log_timer, on_log_tick, 0, 0);
	return 0;
}
