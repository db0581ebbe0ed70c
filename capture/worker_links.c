#include "capture/worker_parts.h"

#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"

/* Links are searched for so long when the worker ends: the agent waits 5 seconds for that. */
#define DRAIN_NS NS_PER_S

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

int worker_on_link_add(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_link *link = message->payload;
	struct watch_conf conf = {
		.inspector = &w->inspector,
		.keys = wished_keys(w, link->name),
		.no_rules = w->rules_error,
		.batch_end = worker_flush,
		.peer_lost = on_peer_lost,
		.data = w,
	};
	int fd = message->fd;

	worker_start_records(w);
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

int worker_on_link_fd(struct worker *w, struct ipc_message *message, struct err *err)
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

int worker_on_link_del(struct worker *w, struct ipc_message *message, struct err *err)
{
	const struct ipc_link_del *del = message->payload;

	(void)err;
	forget_link(w, del->slot);
	return 0;
}

void worker_close_links(struct worker *w, bool drain)
{
	const uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + DRAIN_NS;

	for (size_t slot = 0; slot < STATS_LINKS_MAX; slot++) {
		struct watch *watch = w->watches[slot];

		if (!watch)
			continue;
		if (drain) {
			watch_drain(watch, until_ns, clock_ns(CLOCK_REALTIME));
			save_link(w, watch);
		}
		watch_close(watch);
		w->watches[slot] = NULL;
	}
}
