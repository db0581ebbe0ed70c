/* What links and workers tell each other through the agent. */
#include "agent/agent.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/landlock.h"
#include "agent/base/log.h"

/* Of the worker that has the log. */
static struct ipc_channel *capture_channel(struct agent *a)
{
	return worker_channel(&a->captures[0]);
}

void agent_emit(struct agent *agent, enum log_level level, const char *action, const char *fmt, ...)
{
	const struct event_about about = { .kind = IPC_EVENT_SERVICE, .action = action };
	char text[sizeof(((struct ipc_event *)0)->detail)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	agent_forget_status(agent);
	events_emit(&agent->events, capture_channel(agent), level, &about, "%s", text);
}

static void on_step(struct supervisor *supervisor, const struct link_result *result)
{
	static const char *const done[LINK_OPS] = {
		[LINK_OP_CREATE] = "created",	[LINK_OP_CHANGE] = "changed",
		[LINK_OP_REPLACE] = "replaced", [LINK_OP_DELETE] = "deleted",
		[LINK_OP_BLOCKED] = "blocked",
	};
	static const char *const failed[LINK_OPS] = {
		[LINK_OP_CREATE] = "create-failed",   [LINK_OP_CHANGE] = "change-failed",
		[LINK_OP_REPLACE] = "replace-failed", [LINK_OP_DELETE] = "delete-failed",
		[LINK_OP_BLOCKED] = "blocked",
	};
	struct agent *a = supervisor->data;
	const struct link_step *step = result->step;
	const char *text = result->error && result->text[0] ? result->text : step->reason;
	const struct event_about about = {
		.kind = IPC_EVENT_LINK,
		.link = step->spec ? step->spec->name : step->link->name,
		.set = step->spec ? step->spec->set : NULL,
		.action = result->error ? failed[step->op] : done[step->op],
	};

	events_emit(&a->events, capture_channel(a),
		    result->error ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, &about, "%s", text);
}

static void on_lost(struct supervisor *supervisor, const struct reconcile_link *link)
{
	struct agent *a = supervisor->data;
	const struct event_about about = {
		.kind = IPC_EVENT_LINK,
		.link = link->spec->name,
		.set = link->spec->set,
		.action = "lost",
	};

	static const char why[] = "somebody else deleted it, or its lower device went";

	if (link_track_failed(&link->track))
		events_emit(&a->events, capture_channel(a), LOG_LEVEL_ERR, &about,
			    "%s: %u times in a row: given up until a reload", why,
			    link->track.losses);
	else if (link->track.losses > 1)
		events_emit(&a->events, capture_channel(a), LOG_LEVEL_WARNING, &about,
			    "%s: %u times in a row: made again later", why, link->track.losses);
	else
		events_emit(&a->events, capture_channel(a), LOG_LEVEL_WARNING, &about, "%s", why);
}

static void on_mac_changed(struct supervisor *supervisor, const struct reconcile_link *link,
			   const char *who)
{
	struct agent *a = supervisor->data;
	const struct event_about about = {
		.kind = IPC_EVENT_LINK,
		.link = link->spec->name,
		.set = link->spec->set,
		.action = "mac-changed",
	};
	char mac[MAC_TEXT_MAX];

	format_mac(mac, link->link.mac);
	if (*who)
		events_emit(&a->events, capture_channel(a), LOG_LEVEL_WARNING, &about,
			    "it became %s: its guest (%s) or somebody else set it", mac, who);
	else
		events_emit(&a->events, capture_channel(a), LOG_LEVEL_WARNING, &about,
			    "it became %s: somebody set it", mac);
}

static void on_port(struct supervisor *supervisor, const struct port_result *result)
{
	static const char *const actions[PORT_OPS] = {
		[PORT_OP_SET] = "hairpin-set",
		[PORT_OP_RESTORE] = "hairpin-restored",
		[PORT_OP_BLOCKED] = "hairpin-blocked",
	};
	struct agent *a = supervisor->data;
	const struct event_about about = {
		.kind = IPC_EVENT_LINK,
		.link = result->step->name,
		.set = result->step->set,
		.action = result->error && result->step->op != PORT_OP_BLOCKED
				  ? "hairpin-failed"
				  : actions[result->step->op],
	};

	events_emit(&a->events, capture_channel(a),
		    result->error ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, &about, "%s",
		    result->error ? result->text : result->step->reason);
}

static void on_watch(void *data, const struct source *source, const char *why)
{
	const bool packets = source->message.source == IPC_SOURCE_PACKET;
	const char *const failed = packets ? "watch-failed" : "tap-refused";
	const char *const done = packets ? "watched" : "tap-taken";
	struct agent *a = data;
	const struct event_about about = {
		.kind = IPC_EVENT_LINK,
		.link = source->message.name,
		.set = source->message.set,
		.action = *why ? failed : done,
	};

	agent_forget_status(a);
	events_emit(&a->events, capture_channel(a), *why ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		    &about, "%s%s", *why ? why : "its frames are read",
		    *why || packets ? "" : ", as nobody else holds it");
}

static void on_shared(void *data, const struct source *source, const char *what)
{
	struct agent *a = data;
	const struct event_about about = {
		.kind = IPC_EVENT_LINK,
		.link = source->message.name,
		.set = source->message.set,
		.action = *what ? "tap-shared" : "tap-alone",
	};

	agent_forget_status(a);
	events_emit(&a->events, capture_channel(a), *what ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		    &about, "%s", *what ? what : "nobody else has its tap open any more");
}

static void on_tap_free(void *data)
{
	struct agent *a = data;

	supervisor_kick(&a->supervisor);
}

static void on_unread(void *data, const struct source *source)
{
	struct agent *a = data;
	const struct event_about about = {
		.kind = IPC_EVENT_LINK,
		.link = source->message.name,
		.set = source->message.set,
		.action = "ring-closed",
	};

	events_emit(&a->events, capture_channel(a), LOG_LEVEL_WARNING, &about,
		    "no capture worker was there to read it: its last frames may be lost");
}

static void on_peer(void *data, const struct source *source, const char *what)
{
	struct agent *a = data;
	const struct event_about about = {
		.kind = IPC_EVENT_LINK,
		.link = source->message.name,
		.set = source->message.set,
		.action = what ? "guest-detached" : "guest-attached",
	};

	agent_forget_status(a);
	events_emit(&a->events, capture_channel(a), what ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		    &about, "%s", what ? what : "its frames go through the capture worker");
}

/* A ring has one reader at a time: until all that are relieved have ended, nobody has a link. */
static struct ipc_channel *channel_of(void *data, uint32_t slot)
{
	struct agent *a = data;

	return a->draining ? NULL : worker_channel(&a->captures[slot % a->n_captures]);
}

void agent_hand_over_links(struct agent *a)
{
	for (unsigned int i = 0; i < a->n_captures; i++) {
		struct ipc_channel *channel = worker_channel(&a->captures[i]);

		if (channel)
			sources_hand_over(&a->sources, channel);
	}
}

const struct sources_ops agent_sources_ops = { .watch = on_watch,
					       .shared = on_shared,
					       .retry = on_tap_free,
					       .unread = on_unread,
					       .peer = on_peer,
					       .channel = channel_of };

const struct supervisor_ops agent_supervisor_ops = { .step = on_step,
						     .lost = on_lost,
						     .mac_changed = on_mac_changed,
						     .port = on_port,
						     .rising = agent_watch_rising,
						     .passed = agent_watch_links };

static struct ipc_channel *log_channel(void *data)
{
	return capture_channel(data);
}

static void on_log_event(void *data, const struct log_file *file, const char *action,
			 const char *detail)
{
	agent_emit(data, file->error[0] ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, action, "%s", detail);
}

const struct log_files_ops agent_log_ops = { .channel = log_channel, .event = on_log_event };

/* The reading end that waits for a web worker is of no use any more. */
static void feed_forget(struct agent *a)
{
	if (a->feed_fd >= 0)
		close(a->feed_fd);
	a->feed_fd = -1;
}

/*
 * Records go from one worker to the other, past the agent, which must not read what guests sent.
 * The capture worker gets its end first; what it writes waits in the socket until the web worker
 * reads.
 */
static void feed_connect(struct agent *a)
{
	struct ipc_channel *capture = capture_channel(a);
	struct ipc_channel *web = worker_channel(&a->web);
	int fds[2], code;

	if (!capture)
		return;
	if (a->feed_fd < 0) {
		code = ipc_pair(fds);
		if (code) {
			log_err("cannot connect the workers: %s: records reach the log only",
				strerror(-code));
			return;
		}
		ipc_send(capture, IPC_FEED, NULL, fds[0]);
		close(fds[0]);
		a->feed_fd = fds[1];
	}
	if (web) {
		ipc_send(web, IPC_FEED, NULL, a->feed_fd);
		feed_forget(a);
	}
}

void agent_setup_worker(struct worker *worker, struct ipc_channel *channel, bool successor)
{
	struct agent *a = worker->data;

	const struct setup *setup = successor ? &a->reload.setup : &a->setup;

	if (worker->role == WORKER_WEB && a->auth_fd >= 0)
		ipc_send(channel, IPC_AUTH, NULL, a->auth_fd);
	if (worker->role == WORKER_WEB && setup->tls_fd >= 0)
		ipc_send(channel, IPC_TLS, NULL, setup->tls_fd);
	if (worker->role != WORKER_CAPTURE)
		return;
	ipc_send(channel, IPC_STATS, NULL, a->stats_fd);
	ipc_send(channel, IPC_LOG_DIR, NULL, setup->log_fd);
}

/* It goes on with less where the kernel has less: whoever runs it should know. */
static void tell_sandbox(const struct worker *worker)
{
	struct ipc_ready ready = { 0 };

	(void)worker_state(worker, &ready);
	if (ready.sandbox.landlock < LANDLOCK_ABI_WHOLE)
		log_warning(
			"%s worker: Landlock of this kernel is version %u, %u would keep it from "
			"files, TCP, signals and abstract sockets: it goes on with less",
			worker->name, ready.sandbox.landlock, LANDLOCK_ABI_WHOLE);
	if (!ready.sandbox.mseal || !ready.sandbox.mdwe)
		log_warning("%s worker: this kernel has no%s%s: its machine code is read-only, and "
			    "kept so by the filter of its system calls alone",
			    worker->name, ready.sandbox.mseal ? "" : " mseal(2)",
			    ready.sandbox.mdwe ? "" : " PR_SET_MDWE");
}

void agent_serve_worker(struct worker *worker, struct ipc_channel *channel)
{
	struct agent *a = worker->data;
	const struct listeners *listeners = &a->setup.listeners;

	agent_forget_status(a);
	log_info("%s worker %d serves", worker->name, (int)worker_pid(worker));
	tell_sandbox(worker);
	if (worker->role == WORKER_WEB)
		agent_send_history(a, channel);
	else if (worker->index == 0)
		feed_forget(a);
	if (worker->index == 0)
		feed_connect(a);
	if (worker->role == WORKER_CAPTURE) {
		agent_connect_records(a, worker, channel);
		sources_hand_over(&a->sources, channel);
		if (worker->index)
			return;
		log_files_hand_over(&a->logs, channel);
		events_flush(&a->events, channel);
		return;
	}
	boot_track_hand_over(a, channel);
	for (size_t i = 0; i < listeners->n; i++) {
		const struct listener *l = &listeners->list[i];

		if (listen(l->fd, LISTEN_BACKLOG) < 0)
			log_err("cannot listen on %s: %s: nobody is served there",
				l->message.address, strerror(errno));
		ipc_send(channel, IPC_LISTEN, &l->message, l->fd);
	}
}

void agent_worker_lost(struct worker *worker, const char *why, uint64_t delay_ms)
{
	struct agent *a = worker->data;

	agent_emit(a, LOG_LEVEL_WARNING, "worker-died", "%s worker: %s: started again in %llu ms",
		   worker->name, why, (unsigned long long)delay_ms);
}
