/* One process of a worker: from its start to the last of its handles. */
#include "agent/worker_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/spawn_self.h"

#define START_LIMIT_MS 30000 /* compiling many rules on a busy host is slow, not hung */
#define DRAIN_LIMIT_MS 5000
#define PING_MS	       6000 /* and for one interval it may stay without an answer */

struct role_info {
	const char *verb;
	enum ipc_end end;
};

static const struct role_info roles[WORKER_ROLES] = {
	[WORKER_CAPTURE] = { "capture-worker", IPC_CAPTURE },
	[WORKER_WEB] = { "web-worker", IPC_WEB },
};

static void on_limit(uv_timer_t *timer);

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

void worker_process_kill(struct worker_process *p, const char *why)
{
	if (!p->why[0])
		snprintf(p->why, sizeof(p->why), "%s", why);
	p->state = PROCESS_ENDING;
	uv_timer_stop(&p->timer);
	if (uv_process_get_pid(&p->process) > 0)
		uv_process_kill(&p->process, SIGKILL);
}

void worker_process_cut(struct worker_process *p)
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
		worker_process_kill(p, "it was not ready in time");
		break;
	case PROCESS_READY:
		if (p->asked) {
			worker_process_kill(p, "it does not answer");
			break;
		}
		p->asked = true;
		ipc_send(&p->channel, IPC_PING, NULL, -1);
		break;
	case PROCESS_DRAINING:
		worker_process_kill(p, "it did not drain in time");
		break;
	case PROCESS_RELIEVED:
		worker_process_cut(p);
		break;
	case PROCESS_ENDING:
		worker_process_kill(p, "it did not end");
		break;
	}
}

void worker_process_drain(struct worker_process *p)
{
	const struct ipc_drain drain = { .last = p->worker->stopping };

	if (p->state == PROCESS_DRAINING || p->state == PROCESS_ENDING)
		return;
	p->state = PROCESS_DRAINING;
	ipc_send(&p->channel, IPC_DRAIN, &drain, -1);
	uv_timer_start(&p->timer, on_limit, DRAIN_LIMIT_MS, 0);
}

static void become_ready(struct worker_process *p, const struct ipc_ready *ready)
{
	struct worker *w = p->worker;

	if (p->state != PROCESS_STARTING)
		return;
	p->state = PROCESS_READY;
	p->ready = *ready;
	/* At the same moments for all processes: one wake-up of the agent asks them all. */
	uv_timer_start(&p->timer, on_limit, PING_MS - uv_now(w->loop) % PING_MS, PING_MS);
	worker_on_ready(p);
}

/* It has drained but for files. */
static void become_relieved(struct worker_process *p)
{
	struct worker *w = p->worker;

	if (p != w->active || p->state != PROCESS_DRAINING) {
		worker_process_kill(p, "it left unasked");
		return;
	}
	p->state = PROCESS_RELIEVED;
	p->relieved = true;
	uv_timer_start(&p->timer, on_limit, WORKER_RELIEVED_MS, 0);
	worker_on_relieved(p);
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
			worker_process_kill(p, uv_strerror(reason));
		p->state = PROCESS_ENDING;
		return;
	}
	if (message->type == IPC_READY) {
		become_ready(p, message->payload);
	} else if (message->type == IPC_PONG) {
		p->asked = false;
	} else if (message->type == IPC_RELIEVED) {
		become_relieved(p);
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
	worker_on_exit(p, p->why[0] ? p->why : why, !signal && !status);
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

struct worker_process *worker_process_start(struct worker *w, const struct worker_config *config,
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
	message.without_rules = w->role == WORKER_CAPTURE && w->unready >= WORKER_UNREADY_MAX;
	ipc_send(&p->channel, IPC_CONFIG, &message, config->fd);
	w->ops->setup(w, &p->channel, config == &w->next_config);
	return p;
}
