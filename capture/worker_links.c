#include "capture/worker_parts.h"

#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"

/* Links are searched for so long when the worker ends: the agent waits 5 seconds for that. */
#define DRAIN_NS NS_PER_S

/*
 * So long, once for all links that go together, for what a ring has not handed over yet. The kernel
 * does that in a soft interrupt, which a busy machine may put off.
 */
#define SETTLE_NS (15 * SOURCE_PACKET_RETIRE_MS * NS_PER_MS)

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

/* While the first is waited for, the kernel hands over what the others have. */
static uint64_t settle_until(struct worker *w)
{
	const uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (now_ns > w->settle_ns)
		w->settle_ns = now_ns + SETTLE_NS;
	return w->settle_ns;
}

static void drain_link(struct watch *watch, uint64_t until_ns)
{
	watch_drain(watch, until_ns, clock_ns(CLOCK_REALTIME));
}

/* `last`: nobody goes on with its ring. */
static void forget_link(struct worker *w, uint32_t slot, bool last)
{
	const uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + DRAIN_NS;
	struct watch *watch = w->watches[slot];

	if (!watch)
		return;
	drain_link(watch, until_ns);
	if (last) {
		watch_settle(watch, settle_until(w), clock_ns(CLOCK_REALTIME));
		drain_link(watch, until_ns);
	}
	watch_close(watch);
	w->watches[slot] = NULL;
}

static bool is_same_source(const struct watch *watch, const struct ipc_link *link)
{
	return watch && watch->link.source == link->source && watch->link.ifindex == link->ifindex;
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
	forget_link(w, link->slot, !is_same_source(w->watches[link->slot], link));
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
	forget_link(w, del->slot, true);
	return 0;
}

/* All before any is closed, which takes its time: what comes meanwhile is not waited for. */
static void settle_links(const struct worker *w, uint64_t until_ns)
{
	const uint64_t settle_ns = clock_ns(CLOCK_MONOTONIC) + SETTLE_NS;

	for (size_t slot = 0; slot < STATS_LINKS_MAX; slot++) {
		if (w->watches[slot])
			drain_link(w->watches[slot], until_ns);
	}
	for (size_t slot = 0; slot < STATS_LINKS_MAX; slot++) {
		if (w->watches[slot])
			watch_settle(w->watches[slot], settle_ns, clock_ns(CLOCK_REALTIME));
	}
}

void worker_close_links(struct worker *w, enum worker_end end)
{
	const uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + DRAIN_NS;

	if (end == WORKER_END_LAST)
		settle_links(w, until_ns);
	for (size_t slot = 0; slot < STATS_LINKS_MAX; slot++) {
		struct watch *watch = w->watches[slot];

		if (!watch)
			continue;
		if (end != WORKER_END_FAULT) {
			drain_link(watch, until_ns);
			save_link(w, watch);
		}
		watch_close(watch);
		w->watches[slot] = NULL;
	}
}
