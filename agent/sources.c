#include "agent/sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/packet_socket.h"
#include "agent/tap_dropped.h"
#include "agent/tap_take.h"

void sources_init(struct sources *s, const struct stats_page *stats, uv_loop_t *loop,
		  const struct sources_ops *ops, void *data)
{
	*s = (struct sources){ .stats = stats, .loop = loop, .ops = ops, .data = data };
}

static void forget_holder(struct source *source)
{
	pid_watch_stop(source->holder);
	source->holder = NULL;
	source->holder_pid = 0;
}

/* Of its own it takes the kernel as long as of many: packet_sockets_close(). */
static void close_later(struct sources *s, int fd)
{
	if (s->n_closing == s->cap_closing) {
		size_t cap = s->cap_closing ? 2 * s->cap_closing : 64;
		int *closing = reallocarray(s->closing, cap, sizeof(*closing));

		if (!closing) {
			close(fd);
			return;
		}
		s->closing = closing;
		s->cap_closing = cap;
	}
	s->closing[s->n_closing++] = fd;
}

static void close_now(struct sources *s)
{
	packet_sockets_close(s->closing, s->n_closing);
	free(s->closing);
	s->closing = NULL;
	s->n_closing = s->cap_closing = 0;
}

static void source_close(struct sources *s, struct source *source)
{
	if (source->fd >= 0 && source->message.source == IPC_SOURCE_PACKET)
		close_later(s, source->fd);
	else if (source->fd >= 0)
		close(source->fd);
	if (source->dropped_fd >= 0)
		close(source->dropped_fd);
	source->fd = source->dropped_fd = -1;
	source_filter_done(&source->filter);
	forget_holder(source);
	source_peer_close(source->peer);
	source->peer = NULL;
	source->leaving = false;
}

void sources_stop(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		forget_holder(&s->list[i]);
		source_peer_close(s->list[i].peer);
		s->list[i].peer = NULL;
	}
}

void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		source_close(s, &s->list[i]);
	close_now(s);
	free(s->list);
	*s = (struct sources){ 0 };
}

/* Looks at the place `from` first: a thousand links come in the order of their places as a rule. */
static struct source *find_from(const struct sources *s, size_t from, const char *link)
{
	for (size_t i = 0; i < s->n; i++) {
		struct source *source = &s->list[(from + i) % s->n];

		if (source->known && strcmp(source->message.name, link) == 0)
			return source;
	}
	return NULL;
}

const struct source *sources_find(const struct sources *s, size_t near, const char *link)
{
	return find_from(s, near, link);
}

static void page_counters(const struct sources *s, const struct source *source,
			  struct source_counters *ret)
{
	const struct stats_link *c = &s->stats->links[source->message.slot];

	for (int d = 0; d < STATS_DIRECTIONS; d++) {
		ret->frames[d] = stat_get(&c->frames[d]);
		ret->bytes[d] = stat_get(&c->bytes[d]);
	}
	ret->payloads = stat_get(&c->payloads);
	ret->matches = stat_get(&c->matches);
	ret->drops = stat_get(&c->drops);
	ret->truncated = stat_get(&c->truncated);
	ret->malformed = stat_get(&c->malformed);
}

void sources_counters(const struct sources *s, const struct source *source,
		      struct source_counters *ret)
{
	const struct source_counters *before = &source->before;

	page_counters(s, source, ret);
	for (int d = 0; d < STATS_DIRECTIONS; d++) {
		ret->frames[d] -= before->frames[d];
		ret->bytes[d] -= before->bytes[d];
	}
	ret->payloads -= before->payloads;
	ret->matches -= before->matches;
	ret->drops -= before->drops;
	ret->truncated -= before->truncated;
	ret->malformed -= before->malformed;
}

/* A place for a link that has none: a new one, else one that is not in use any more. */
static struct source *source_place(struct sources *s, const char *name)
{
	struct source *source = NULL;
	uint32_t slot;

	if (s->n < STATS_LINKS_MAX) {
		struct source *list = realloc(s->list, (s->n + 1) * sizeof(*list));

		if (!list)
			return NULL;
		s->list = list;
		source = &list[s->n];
		*source = (struct source){
			.fd = -1, .dropped_fd = -1, .filter.fd = -1, .message.slot = (uint32_t)s->n
		};
		s->n++;
	}
	for (size_t i = 0; !source && i < s->n; i++) {
		if (s->list[i].fd < 0 && !s->list[i].wanted)
			source = &s->list[i];
	}
	if (!source)
		return NULL;
	slot = source->message.slot;
	*source = (struct source){
		.fd = -1, .dropped_fd = -1, .filter.fd = -1, .known = true, .message.slot = slot
	};
	snprintf(source->message.name, sizeof(source->message.name), "%s", name);
	page_counters(s, source, &source->before);
	return source;
}

static bool lacks_packet(const struct source *source)
{
	return source->wanted && source->fd < 0 && source->message.source == IPC_SOURCE_PACKET;
}

static void open_packets(struct sources *s)
{
	struct packet_open *list;
	size_t n = 0, i = 0;

	for (size_t k = 0; k < s->n; k++)
		n += lacks_packet(&s->list[k]);
	list = n ? calloc(n, sizeof(*list)) : NULL;
	if (!list)
		return;
	for (size_t k = 0; k < s->n; k++) {
		if (lacks_packet(&s->list[k]))
			list[i++].ifindex = s->list[k].message.ifindex;
	}
	packet_sockets_open(list, n, s->block_size, s->blocks);
	i = 0;
	for (size_t k = 0; k < s->n; k++) {
		struct source *source = &s->list[k];

		if (!lacks_packet(source))
			continue;
		source->message.ring_block_size = s->block_size;
		source->message.ring_blocks = s->blocks;
		source->fd = list[i].fd;
		snprintf(source->error, sizeof(source->error), "%.255s",
			 source->fd < 0 ? list[i].err.text : "");
		i++;
	}
	free(list);
}

/* ---- taps ----------------------------------------------------------------------------------- */

static void on_holder_ended(void *data)
{
	struct sources *s = data;

	s->ops->retry(s->data);
}

static void await_holder(struct sources *s, struct source *source, pid_t pid)
{
	if (source->holder && source->holder_pid == pid)
		return;
	forget_holder(source);
	/* Without memory for it, or when it ended just now, the next pass looks again. */
	if (pid_watch_start(s->loop, pid, on_holder_ended, s, &source->holder))
		source->holder = NULL;
	else
		source->holder_pid = pid;
}

static void refuse_tap(struct sources *s, struct source *source, const struct tap_take *take)
{
	char why[sizeof(source->error)];

	if (take->holder.pid)
		snprintf(why, sizeof(why), "%.180s: it is read as soon as that process has ended",
			 take->err.text);
	else
		snprintf(why, sizeof(why), "%.255s", take->err.text);
	if (take->holder.pid)
		await_holder(s, source, take->holder.pid);
	if (strcmp(why, source->error) == 0)
		return;
	memcpy(source->error, why, sizeof(source->error));
	s->ops->tap(s->data, source, source->error);
}

static void take_tap(struct sources *s, struct source *source, const struct tap_take *take)
{
	bool is_new = source->fd < 0;

	source->fd = take->fd;
	if (!is_new)
		return;
	source->error[0] = '\0';
	forget_holder(source);
	source->dropped_fd = tap_dropped_open(source->message.name, &source->dropped);
	s->ops->tap(s->data, source, "");
}

static struct ipc_channel *channel_of(const struct sources *s, const struct source *source)
{
	return s->ops->channel(s->data, source->message.slot);
}

static void tell_deleted(const struct sources *s, const struct source *source)
{
	const struct ipc_link_del del = { .slot = source->message.slot };
	struct ipc_channel *channel = channel_of(s, source);

	if (channel)
		ipc_send(channel, IPC_LINK_DEL, &del, -1);
}

static void lose_tap(struct sources *s, struct source *source, const struct tap_take *take)
{
	if (source->fd >= 0)
		tell_deleted(s, source);
	/* tap_take_all() has closed it. */
	source->fd = -1;
	refuse_tap(s, source, take);
}

static bool is_taps(const struct source *source)
{
	const enum ipc_source kind = source->message.source;

	/*
	 * What is opened beside an inline link takes its frames, but letting it go would end its
	 * guest.
	 */
	return source->wanted &&
	       (kind == IPC_SOURCE_TAP || (kind == IPC_SOURCE_INLINE && source->fd < 0));
}

static void take_taps(struct sources *s)
{
	struct tap_take *list;
	size_t n = 0, i = 0;

	for (size_t k = 0; k < s->n; k++)
		n += is_taps(&s->list[k]);
	list = n ? calloc(n, sizeof(*list)) : NULL;
	if (!list)
		return;
	for (size_t k = 0; k < s->n; k++) {
		const struct source *source = &s->list[k];

		if (is_taps(source))
			list[i++] = (struct tap_take){ .link = source->message.name,
						       .ifindex = source->message.ifindex,
						       .fd = source->fd };
	}
	tap_take_all(list, n);
	i = 0;
	for (size_t k = 0; k < s->n; k++) {
		struct source *source = &s->list[k];

		if (!is_taps(source))
			continue;
		if (list[i].fd >= 0)
			take_tap(s, source, &list[i]);
		else
			lose_tap(s, source, &list[i]);
		i++;
	}
	free(list);
}

/* ---- guests of inline links ------------------------------------------------------------------ */

static struct ipc_channel *peer_channel(void *data, uint32_t slot)
{
	const struct sources *s = data;

	return s->ops->channel(s->data, slot);
}

static void on_peer(void *data, uint32_t slot, const char *what)
{
	struct sources *s = data;

	s->ops->peer(s->data, &s->list[slot], what);
	if (what && s->list[slot].leaving)
		s->ops->retry(s->data);
}

static const struct source_peer_ops peer_ops = { .channel = peer_channel, .told = on_peer };

/* Where the tap of an inline link is ours, its guest may come. */
static void await_guest(struct sources *s, struct source *source, const struct source_wish *wish)
{
	const struct source_peer_conf conf = {
		.dir = { .run_dir = s->run_dir,
			 .link = wish->name,
			 .uid = wish->uid,
			 .gid = wish->gid },
		.kind = wish->peer,
		.slot = source ? source->message.slot : 0,
		.ops = &peer_ops,
		.data = s,
	};
	struct err err;

	if (!source || wish->source != IPC_SOURCE_INLINE || source->fd < 0)
		return;
	if (source->peer && source_peer_is(source->peer, &conf))
		return;
	/* Another kind of peer: the guest is attached anew, and the worker told of all. */
	source->fresh = source->news = true;
	source_peer_close(source->peer);
	source->peer = NULL;
	source->error[0] = '\0';
	if (source_peer_open(s->loop, &conf, &source->peer, &err))
		snprintf(source->error, sizeof(source->error), "%.255s", err.text);
}

/* What the kernel would drop behind the tap is dropped before patterns look at it. */
static void set_filter(struct sources *s, struct source *source, const struct source_wish *wish)
{
	struct ipc_channel *channel;
	struct err err;
	int code;

	if (!source || source->message.source != IPC_SOURCE_INLINE || source->fd < 0)
		return;
	channel = channel_of(s, source);
	code = source_filter_set(&source->filter, wish->spec, &err);
	if (code < 0)
		snprintf(source->error, sizeof(source->error), "%.255s", err.text);
	else if (code && channel && !(source->news && source->fresh))
		source_filter_tell(&source->filter, source->message.slot, channel);
}

/* ---- all together ---------------------------------------------------------------------------- */

/* A guest at the other end of a relay has no other way: it keeps that one until it comes anew. */
static bool stays_inline(const struct source *source, const struct source_wish *wish)
{
	return source->message.source == IPC_SOURCE_INLINE && wish->source != IPC_SOURCE_INLINE &&
	       source->message.ifindex == wish->ifindex && source->peer &&
	       source_peer_attached(source->peer);
}

static void stay_inline(struct source *source)
{
	source->leaving = true;
	snprintf(source->error, sizeof(source->error),
		 "it stays inline until its guest is attached anew");
}

/* Takes over what the link is now; what belongs to another interface or kind is closed. */
static void source_set(struct sources *s, struct source *source, const struct source_wish *wish)
{
	struct ipc_link *m = &source->message;
	bool moved = m->ifindex != wish->ifindex || m->source != wish->source;
	bool other = moved || source->fd < 0;

	source->news = other || strcmp(m->set, wish->set) != 0 ||
		       strcmp(m->guest, wish->guest) != 0 ||
		       memcmp(m->mac, wish->mac, MAC_LEN) != 0;
	if (moved) {
		source_close(s, source);
		source->error[0] = '\0';
	}
	source->fresh = other;
	if (source->leaving) {
		source->leaving = false;
		source->error[0] = '\0';
	}
	m->ifindex = wish->ifindex;
	m->source = wish->source;
	memcpy(m->mac, wish->mac, MAC_LEN);
	snprintf(m->set, sizeof(m->set), "%s", wish->set);
	snprintf(m->guest, sizeof(m->guest), "%s", wish->guest);
}

static void source_tell(struct source *source, struct ipc_channel *channel, bool all)
{
	const struct ipc_link_fd dropped = {
		.slot = source->message.slot,
		.kind = IPC_LINK_FD_DROPPED,
		.dropped = source->dropped,
	};

	if (source->fd < 0)
		return;
	if (all)
		source->message.has_peer = source->peer && source_peer_ready(source->peer);
	ipc_send(channel, IPC_LINK_ADD, &source->message, source->fd);
	if (all)
		source_filter_tell(&source->filter, source->message.slot, channel);
	if (all && source->dropped_fd >= 0)
		ipc_send(channel, IPC_LINK_FD, &dropped, source->dropped_fd);
	if (all && source->peer)
		source_peer_tell(source->peer, channel);
}

static void source_drop(struct sources *s, struct source *source)
{
	bool open = source->fd >= 0;

	source_close(s, source);
	source->error[0] = '\0';
	if (open)
		tell_deleted(s, source);
}

void sources_update(struct sources *s, const struct source_wish *wishes, size_t n)
{
	for (size_t i = 0; i < s->n; i++)
		s->list[i].wanted = s->list[i].news = false;
	for (size_t i = 0; i < n; i++) {
		struct source *source = find_from(s, i, wishes[i].name);

		if (!source)
			continue;
		source->wanted = wishes[i].source != IPC_SOURCES;
		if (!stays_inline(source, &wishes[i]))
			continue;
		source->wanted = true;
		stay_inline(source);
	}
	/* Before new ones are opened: they may need the places. */
	for (size_t i = 0; i < s->n; i++) {
		if (!s->list[i].wanted)
			source_drop(s, &s->list[i]);
	}
	for (size_t i = 0; i < n; i++) {
		struct source *source = find_from(s, i, wishes[i].name);

		if (wishes[i].source == IPC_SOURCES || (source && stays_inline(source, &wishes[i])))
			continue;
		if (!source)
			source = source_place(s, wishes[i].name);
		if (!source)
			continue; /* more links than places: CONFIG_LINKS_MAX refuses that before */
		source->wanted = true;
		source_set(s, source, &wishes[i]);
	}
	close_now(s);
	open_packets(s);
	take_taps(s);
	for (size_t i = 0; i < n; i++) {
		struct source *source = find_from(s, i, wishes[i].name);

		await_guest(s, source, &wishes[i]);
		set_filter(s, source, &wishes[i]);
	}
	for (size_t i = 0; i < s->n; i++) {
		struct ipc_channel *channel = channel_of(s, &s->list[i]);

		if (channel && s->list[i].news)
			source_tell(&s->list[i], channel, s->list[i].fresh);
	}
}

void sources_hand_over(struct sources *s, struct ipc_channel *channel)
{
	for (size_t i = 0; i < s->n; i++) {
		if (channel_of(s, &s->list[i]) == channel)
			source_tell(&s->list[i], channel, true);
	}
}

void sources_peer_lost(struct sources *s, const struct ipc_peer_lost *lost)
{
	if (lost->slot < s->n && s->list[lost->slot].peer)
		source_peer_lost(s->list[lost->slot].peer, lost->reason);
}

void sources_rest(struct sources *s, const struct ipc_rest *rest)
{
	if (rest->slot < s->n && s->list[rest->slot].peer)
		source_peer_rest(s->list[rest->slot].peer, rest);
}

void sources_holder(struct sources *s, size_t near, const char *link,
		    const struct tap_holder *holder)
{
	struct source *source = find_from(s, near, link);
	pid_t pid;

	if (!source)
		return;
	pid = source->fd >= 0 && source->message.source == IPC_SOURCE_INLINE ? holder->pid : 0;
	if (pid == source->shared_pid)
		return;
	source->shared_pid = pid;
	source->shared[0] = '\0';
	if (pid)
		snprintf(
			source->shared, sizeof(source->shared),
			"%s (pid %d) has its tap open, too: it takes frames from the guest, and sends "
			"past the patterns",
			holder->comm, (int)pid);
	s->ops->shared(s->data, source, source->shared);
}
