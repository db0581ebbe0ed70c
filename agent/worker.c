#include "agent/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/spawn_self.h"

#define START_LIMIT_MS 30000 /* compiling many rules on a busy host is slow, not hung */
#define DRAIN_LIMIT_MS 5000
#define PING_MS	       6000 /* and for one interval it may stay without an answer */
#define WORKER_LIFE_MS 10000 /* a process that lived so long starts the back-off anew */
/* So many processes that were never ready, and the next one goes without what may be to blame. */
#define UNREADY_MAX 3

#define BACKOFF_MAX_MS 60000

enum process_state {
	PROCESS_STARTING,
	PROCESS_READY,
	PROCESS_DRAINING,
	PROCESS_RELIEVED,
	PROCESS_ENDING
};

struct worker_process {
	struct worker *worker;
	uv_process_t process;
	uv_timer_t timer; /* of the state: start and drain limits, pings */
	struct ipc_channel channel;
	enum process_state state;
	struct ipc_ready ready;
	unsigned int handles; /* still open; the last one frees the struct */
	bool asked; /* a ping is not answered yet */
	bool relieved;
	uint64_t started_ms;
	char why[sizeof(((struct ipc_fault *)0)->text)]; /* told by the process or found by us */
};

struct role_info {
	const char *name;
	const char *verb;
	enum ipc_end end;
};

static const struct role_info roles[WORKER_ROLES] = {
	[WORKER_CAPTURE] = { "capture", "capture-worker", IPC_CAPTURE },
	[WORKER_WEB] = { "web", "web-worker", IPC_WEB },
};

static void process_exited(struct worker_process *p, const char *why, bool clean);
static void on_restart(uv_timer_t *timer);
static void on_limit(uv_timer_t *timer);
static void promote(struct worker *w);

static void worker_unref(struct worker *w)
{
	if (--w->open == 0 && w->stopping)
		w->ops->stopped(w);
}

static void process_unref(struct worker_process *p)
{
	struct worker *w = p->worker;

	if (--p->handles > 0)
		return;
	free(p);
	worker_unref(w);
}

static void on_process_closed(uv_handle_t *handle)
{
	process_unref(handle->data);
}

static void on_channel_closed(struct ipc_channel *channel)
{
	process_unref(channel->data);
}

static void process_kill(struct worker_process *p, const char *why)
{
	if (!p->why[0])
		snprintf(p->why, sizeof(p->why), "%s", why);
	p->state = PROCESS_ENDING;
	uv_timer_stop(&p->timer);
	if (uv_process_get_pid(&p->process) > 0)
		uv_process_kill(&p->process, SIGKILL);
}

/* What it sends on is cut. */
static void relieved_end(struct worker_process *p)
{
	const struct ipc_drain drain = { .last = true };

	if (p->state != PROCESS_RELIEVED)
		return;
	p->state = PROCESS_DRAINING;
	ipc_send(&p->channel, IPC_DRAIN, &drain, -1);
	uv_timer_start(&p->timer, on_limit, DRAIN_LIMIT_MS, 0);
}

static void on_limit(uv_timer_t *timer)
{
	struct worker_process *p = timer->data;

	switch (p->state) {
	case PROCESS_STARTING:
		process_kill(p, "it was not ready in time");
		break;
	case PROCESS_READY:
		if (p->asked) {
			process_kill(p, "it does not answer");
			break;
		}
		p->asked = true;
		ipc_send(&p->channel, IPC_PING, NULL, -1);
		break;
	case PROCESS_DRAINING:
		process_kill(p, "it did not drain in time");
		break;
	case PROCESS_RELIEVED:
		relieved_end(p);
		break;
	case PROCESS_ENDING:
		process_kill(p, "it did not end");
		break;
	}
}

static void process_drain(struct worker_process *p)
{
	const struct ipc_drain drain = { .last = p->worker->stopping };

	if (p->state == PROCESS_DRAINING || p->state == PROCESS_ENDING)
		return;
	p->state = PROCESS_DRAINING;
	ipc_send(&p->channel, IPC_DRAIN, &drain, -1);
	uv_timer_start(&p->timer, on_limit, DRAIN_LIMIT_MS, 0);
}

static void process_ready(struct worker_process *p, const struct ipc_ready *ready)
{
	struct worker *w = p->worker;

	if (p->state != PROCESS_STARTING)
		return;
	p->state = PROCESS_READY;
	p->ready = *ready;
	/* What it is ready without stays left out until another configuration comes. */
	if (w->unready < UNREADY_MAX)
		w->unready = 0;
	/* At the same moments for all processes: one wake-up of the agent asks them all. */
	uv_timer_start(&p->timer, on_limit, PING_MS - uv_now(w->loop) % PING_MS, PING_MS);
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

/* It has drained but for files: the successor need not wait for those. */
static void process_relieved(struct worker_process *p)
{
	struct worker *w = p->worker;
	size_t n = 0;

	if (p != w->active || p->state != PROCESS_DRAINING) {
		process_kill(p, "it left unasked");
		return;
	}
	p->state = PROCESS_RELIEVED;
	p->relieved = true;
	if (w->stopping) {
		relieved_end(p);
		return;
	}
	uv_timer_start(&p->timer, on_limit, WORKER_RELIEVED_MS, 0);
	while (n < WORKER_RELIEVED_MAX && w->relieved[n])
		n++;
	if (n == WORKER_RELIEVED_MAX) {
		relieved_end(w->relieved[0]);
		relieved_forget(w, w->relieved[0]);
		n--;
	}
	w->relieved[n] = p;
	log_info("%s worker %d sends on what is fetched of it", w->name, (int)worker_pid(w));
	w->active = NULL;
	promote(w);
}

/* The end, and what a send or receive says when the other side went with messages unread. */
static bool is_closed(int reason)
{
	return reason == 0 || reason == -EPIPE || reason == -ECONNRESET;
}

static void on_message(struct ipc_channel *channel, struct ipc_message *message, int reason)
{
	struct worker_process *p = channel->data;
	struct worker *w = p->worker;

	if (!message) {
		/*
		 * At its end a process closes first and exits then: only a protocol fault kills at
		 * once.
		 */
		if (is_closed(reason))
			uv_timer_start(&p->timer, on_limit, DRAIN_LIMIT_MS, 0);
		else
			process_kill(p, uv_strerror(reason));
		p->state = PROCESS_ENDING;
		return;
	}
	if (message->type == IPC_READY) {
		process_ready(p, message->payload);
	} else if (message->type == IPC_PONG) {
		p->asked = false;
	} else if (message->type == IPC_RELIEVED) {
		process_relieved(p);
	} else if (message->type == IPC_FAULT) {
		const struct ipc_fault *fault = message->payload;

		snprintf(p->why, sizeof(p->why), "%s", fault->text);
	} else if (p == w->active && !w->stopping) {
		/* Also while it drains: it answers the requests that it has in hand. */
		w->ops->message(w, channel, message);
	}
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
	struct worker_process *p = process->data;
	char why[64];

	if (signal)
		snprintf(why, sizeof(why), "killed by signal %d (%s)", signal, strsignal(signal));
	else
		snprintf(why, sizeof(why), "exited with status %d", (int)status);
	uv_close((uv_handle_t *)&p->timer, on_process_closed);
	uv_close((uv_handle_t *)&p->process, on_process_closed);
	ipc_close(&p->channel, on_channel_closed);
	process_exited(p, p->why[0] ? p->why : why, !signal && !status);
}

/* The channel is its fd 3. */
static int process_spawn(struct worker_process *p, const struct worker_config *config, int peer)
{
	const struct spawn_self self = {
		.verb = roles[p->worker->role].verb,
		.uid = config->uid,
		.gid = config->gid,
		.fds = { -1, STDERR_FILENO, STDERR_FILENO, peer },
		.exited = on_process_exit,
	};

	return spawn_self(p->worker->loop, &p->process, &self);
}

/* A new process on its way, or NULL with `why`; then nothing is left behind. */
static struct worker_process *process_start(struct worker *w, const struct worker_config *config,
					    char *why, size_t why_size)
{
	struct ipc_config message = config->message;
	struct worker_process *p = calloc(1, sizeof(*p));
	int fds[2], err;
	bool opened;

	if (!p || ipc_pair(fds) < 0) {
		snprintf(why, why_size, "cannot make a channel: %s", strerror(errno));
		free(p);
		return NULL;
	}
	p->worker = w;
	p->handles = 3;
	w->open++;
	p->started_ms = uv_now(w->loop);
	p->process.data = p->timer.data = p->channel.data = p;
	uv_timer_init(w->loop, &p->timer);
	err = ipc_open(&p->channel, w->loop, fds[0], IPC_AGENT, roles[w->role].end, on_message);
	opened = err == 0;
	if (opened)
		err = process_spawn(p, config, fds[1]);
	close(fds[1]);
	if (err) {
		snprintf(why, why_size, "cannot start the process: %s", uv_strerror(err));
		uv_close((uv_handle_t *)&p->timer, on_process_closed);
		if (opened) {
			ipc_close(&p->channel, on_channel_closed);
			/* spawn_self() has put the handle into the loop even when it failed. */
			uv_close((uv_handle_t *)&p->process, on_process_closed);
		} else {
			p->handles = 1;
		}
		return NULL;
	}
	uv_timer_start(&p->timer, on_limit, START_LIMIT_MS, 0);
	message.without_rules = w->role == WORKER_CAPTURE && w->unready >= UNREADY_MAX;
	ipc_send(&p->channel, IPC_CONFIG, &message, config->fd);
	w->ops->setup(w, &p->channel, config == &w->next_config);
	return p;
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
	w->active = process_start(w, &w->config, why, sizeof(why));
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

static void process_exited(struct worker_process *p, const char *why, bool clean)
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
	snprintf(w->name, sizeof(w->name), index ? "%s %u" : "%s", roles[role].name, index);
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
	w->next = process_start(w, &w->next_config, why, sizeof(why));
	if (!w->next)
		w->ops->replaced(w, -ECHILD, why);
}

static void relieve(struct worker *w)
{
	w->committed = true;
	if (w->active)
		process_drain(w->active);
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
		process_kill(p, "called off");
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
		process_kill(w->next, "called off");
	for (size_t i = 0; i < WORKER_RELIEVED_MAX && w->relieved[i]; i++)
		relieved_end(w->relieved[i]);
	if (w->active)
		process_drain(w->active);
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
