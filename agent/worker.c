#include "agent/worker_parts.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/base/log.h"

#define WORKER_LIFE_MS 10000 /* a process that lived so long starts the back-off anew */
#define BACKOFF_MAX_MS 60000

static const char *const role_names[WORKER_ROLES] = {
	[WORKER_CAPTURE] = "capture",
	[WORKER_WEB] = "web",
};

static void on_restart(uv_timer_t *timer);

void worker_unref(struct worker *w)
{
	if (--w->open == 0 && w->stopping)
		w->ops->stopped(w);
}

void worker_on_ready(struct worker_process *p)
{
	struct worker *w = p->worker;

	/* What it is ready without stays left out until another configuration comes. */
	if (w->unready < WORKER_UNREADY_MAX)
		w->unready = 0;
	if (p == w->active)
		w->ops->serve(w, &p->channel);
	else if (!w->committed)
		w->ops->replaced(w, 0, NULL);
}

static void relieved_forget(struct worker *w, const struct worker_process *p)
{
	size_t i = 0;

	while (i < WORKER_RELIEVED_MAX && w->relieved[i] != p)
		i++;
	for (; i < WORKER_RELIEVED_MAX; i++)
		w->relieved[i] = i + 1 < WORKER_RELIEVED_MAX ? w->relieved[i + 1] : NULL;
}

static uint64_t backoff_ms(unsigned int in_a_row, uint64_t lived_ms)
{
	unsigned int shift = in_a_row > 7 ? 6 : in_a_row - 1;

	/*
	 * The first death of a process that has lived costs no wait; two starts are a second apart.
	 */
	if (in_a_row == 1)
		return lived_ms >= 1000 ? 0 : 1000 - lived_ms;
	return 1000u << shift > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : 1000u << shift;
}

static void worker_died(struct worker *w, const char *why, uint64_t lived_ms)
{
	uint64_t delay;

	w->restarts++;
	w->in_a_row = lived_ms >= WORKER_LIFE_MS ? 1 : w->in_a_row + 1;
	snprintf(w->last_death, sizeof(w->last_death), "%s", why);
	delay = backoff_ms(w->in_a_row, lived_ms);
	uv_timer_start(&w->restart, on_restart, delay, 0);
	w->ops->lost(w, w->last_death, delay);
}

static void on_restart(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	char why[256];

	if (w->active || w->stopping)
		return;
	w->active = worker_process_start(w, &w->config, why, sizeof(why));
	if (!w->active)
		worker_died(w, why, 0);
}

/* The successor, if it still lives, takes the place of the process that is gone. */
static void promote(struct worker *w)
{
	w->active = w->next;
	w->unready = 0;
	w->next = NULL;
	w->committed = false;
	w->in_a_row = 0;
	if (w->active) {
		uv_timer_stop(&w->restart);
		w->ops->serve(w, &w->active->channel);
	} else if (w->config.fd >= 0) {
		uv_timer_start(&w->restart, on_restart, 0, 0);
	}
	w->ops->switched(w);
}

/* It has drained but for files: the successor need not wait for those. */
void worker_on_relieved(struct worker_process *p)
{
	struct worker *w = p->worker;
	size_t n = 0;

	if (w->stopping) {
		worker_process_cut(p);
		return;
	}
	while (n < WORKER_RELIEVED_MAX && w->relieved[n])
		n++;
	if (n == WORKER_RELIEVED_MAX) {
		worker_process_cut(w->relieved[0]);
		relieved_forget(w, w->relieved[0]);
		n--;
	}
	w->relieved[n] = p;
	log_info("%s worker %d sends on what is fetched of it", w->name, (int)worker_pid(w));
	w->active = NULL;
	promote(w);
}

void worker_on_exit(struct worker_process *p, const char *why, bool clean)
{
	struct worker *w = p->worker;
	uint64_t lived = uv_now(w->loop) - p->started_ms;

	if (p == w->next) {
		w->next = NULL;
		if (!w->committed && !w->stopping)
			w->ops->replaced(w, -ECHILD, why);
		return;
	}
	relieved_forget(w, p);
	if (p->relieved && !clean)
		log_err("%s worker: %s after it was relieved: the files that it sent on are cut",
			w->name, why);
	if (p != w->active)
		return; /* a successor that was called off, or one that was relieved */
	w->active = NULL;
	/*
	 * Nobody asks how a process ends that was relieved, and it may not have written all it had.
	 */
	if (!clean && (w->committed || w->stopping))
		log_err("%s worker: %s while it drained: what it had in hand may be lost", w->name,
			why);
	if (w->stopping)
		return;
	w->unready += !p->ready.generation;
	if (w->committed)
		promote(w);
	else
		worker_died(w, why, lived);
}

void worker_init(struct worker *w, uv_loop_t *loop, enum worker_role role, unsigned int index,
		 const struct worker_ops *ops)
{
	*w = (struct worker){
		.data = w->data, .role = role, .index = index, .loop = loop, .ops = ops
	};
	snprintf(w->name, sizeof(w->name), index ? "%s %u" : "%s", role_names[role], index);
	w->config.fd = w->next_config.fd = -1;
	uv_timer_init(loop, &w->restart);
	w->restart.data = w;
	w->open = 1;
}

static void config_set(struct worker_config *config, const struct worker_config *from)
{
	if (config->fd >= 0)
		close(config->fd);
	if (from)
		*config = *from;
	else
		config->fd = -1;
}

void worker_start(struct worker *w, const struct worker_config *config)
{
	config_set(&w->config, config);
	on_restart(&w->restart);
}

void worker_replace(struct worker *w, const struct worker_config *config)
{
	char why[256];

	config_set(&w->next_config, config);
	w->next = worker_process_start(w, &w->next_config, why, sizeof(why));
	if (!w->next)
		w->ops->replaced(w, -ECHILD, why);
}

static void relieve(struct worker *w)
{
	w->committed = true;
	if (w->active)
		worker_process_drain(w->active);
	else
		promote(w);
}

void worker_commit(struct worker *w)
{
	config_set(&w->config, &w->next_config);
	w->next_config.fd = -1;
	relieve(w);
}

void worker_retire(struct worker *w)
{
	config_set(&w->config, NULL);
	uv_timer_stop(&w->restart);
	relieve(w);
}

void worker_abort(struct worker *w)
{
	struct worker_process *p = w->next;

	w->next = NULL;
	config_set(&w->next_config, NULL);
	if (p)
		worker_process_kill(p, "called off");
}

static void on_restart_closed(uv_handle_t *handle)
{
	worker_unref(handle->data);
}

void worker_stop(struct worker *w)
{
	if (w->stopping)
		return;
	w->stopping = true;
	config_set(&w->config, NULL);
	config_set(&w->next_config, NULL);
	if (w->next)
		worker_process_kill(w->next, "called off");
	for (size_t i = 0; i < WORKER_RELIEVED_MAX && w->relieved[i]; i++)
		worker_process_cut(w->relieved[i]);
	if (w->active)
		worker_process_drain(w->active);
	uv_close((uv_handle_t *)&w->restart, on_restart_closed);
}

struct ipc_channel *worker_channel(struct worker *w)
{
	return w->active && w->active->state == PROCESS_READY ? &w->active->channel : NULL;
}

struct ipc_channel *worker_channel_of(struct worker *w, pid_t pid)
{
	const bool there = w->active && w->active->state != PROCESS_ENDING && worker_pid(w) == pid;

	return there ? &w->active->channel : NULL;
}

pid_t worker_pid(const struct worker *w)
{
	return w->active ? uv_process_get_pid(&w->active->process) : 0;
}

const char *worker_state(const struct worker *w, struct ipc_ready *ret_ready)
{
	if (!w->active)
		return w->stopping ? "stopped" : "waiting";
	if (w->active->state == PROCESS_STARTING)
		return "starting";
	*ret_ready = w->active->ready;
	return w->active->state == PROCESS_READY ? "ready" : "ending";
}
