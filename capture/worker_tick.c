#include "capture/worker_parts.h"

#include "agent/base/clock.h"

/* Drops are asked for, quiet links looked at and full disks tried again so often. */
#define TICK_MS 1000

/* Or had: that it is over may not be told yet. */
static bool has_file_errors(const struct worker *w)
{
	for (enum emitter_file file = 0; file < EMITTER_FILES; file++) {
		if (w->emitter.errors[file] || w->told_errors[file])
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
	worker_write_out(w);
	if (!w->busy && !has_file_errors(w) && !inspect_is_waiting(&w->inspector) &&
	    !emitter_is_waiting(&w->emitter))
		uv_timer_stop(timer);
}

void worker_start_ticks(struct worker *w)
{
	uv_timer_start(&w->timer, on_tick, TICK_MS, TICK_MS);
}

void worker_flush(void *data)
{
	struct worker *w = data;

	w->busy = true;
	if (!w->stopping && !uv_is_active((uv_handle_t *)&w->timer))
		worker_start_ticks(w);
	worker_write_out(w);
}
