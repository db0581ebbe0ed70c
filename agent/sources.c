#include "agent/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/packet_socket.h"
#include "agent/sources_parts.h"

void sources_init(struct sources *s, const struct stats_page *stats, uv_loop_t *loop,
		  const struct sources_ops *ops, void *data)
{
	*s = (struct sources){ .stats = stats, .loop = loop, .ops = ops, .data = data };
}

void source_fault(struct source *source, enum source_part part, const char *why)
{
	if (!*why && source->faulty != part)
		return;
	source->faulty = part;
	snprintf(source->error, sizeof(source->error), "%.255s", why);
}

void source_forget_holder(struct source *source)
{
	pid_watch_stop(source->holder);
	source->holder = NULL;
	source->holder_pid = 0;
}

static void source_close(struct sources *s, struct source *source)
{
	if (source->fd >= 0 && source->message.source == IPC_SOURCE_PACKET)
		sources_close_ring(s, source->fd);
	else if (source->fd >= 0)
		close(source->fd);
	if (source->dropped_fd >= 0)
		close(source->dropped_fd);
	source->fd = source->dropped_fd = -1;
	source_filter_done(&source->filter);
	source_forget_holder(source);
	source_peer_close(source->peer);
	source->peer = NULL;
	source->leaving = false;
	source->error[0] = '\0';
}

/* What nobody is there to read is kept for whoever comes. */
static void source_leave(struct sources *s, struct source *source)
{
	source_keep_unread(s, source);
	source_close(s, source);
}

void sources_stop(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		source_forget_holder(&s->list[i]);
		source_peer_close(s->list[i].peer);
		s->list[i].peer = NULL;
	}
}

void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		source_close(s, &s->list[i]);
	sources_forget_unread(s);
	sources_forget_early(s);
	free(s->list);
	*s = (struct sources){ 0 };
}

struct source *sources_find_from(const struct sources *s, size_t from, const char *link)
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
	return sources_find_from(s, near, link);
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

static void source_opened(struct sources *s, struct source *source, int fd, const char *why)
{
	const bool faulty = source->error[0];
	char text[sizeof(source->error)] = "";

	source->message.ring_block_size = s->block_size;
	source->message.ring_blocks = s->blocks;
	source->fd = fd;
	if (fd < 0)
		snprintf(text, sizeof(text), "%.190s: its frames are not seen: trying again", why);
	if (strcmp(text, source->error) == 0)
		return;
	source_fault(source, SOURCE_PART_ITSELF, text);
	if (fd < 0 || faulty)
		s->ops->watch(s->data, source, source->error);
}

static void take_early(struct sources *s)
{
	size_t at = 0;

	for (size_t k = 0; k < s->n; k++) {
		struct source *source = &s->list[k];
		int fd = lacks_packet(source) ? sources_take_early(s, source->message.ifindex, &at)
					      : -1;

		if (fd >= 0)
			source_opened(s, source, fd, "");
	}
	sources_forget_early(s);
}

static void open_packets(struct sources *s)
{
	struct packet_open *list;
	size_t n = 0, i = 0;

	take_early(s);
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
		if (!lacks_packet(&s->list[k]))
			continue;
		source_opened(s, &s->list[k], list[i].fd, list[i].err.text);
		i++;
	}
	free(list);
}

struct ipc_channel *sources_channel(const struct sources *s, const struct source *source)
{
	return s->ops->channel(s->data, source->message.slot);
}

void sources_tell_deleted(const struct sources *s, const struct source *source)
{
	const struct ipc_link_del del = { .slot = source->message.slot };
	struct ipc_channel *channel = sources_channel(s, source);

	if (channel)
		ipc_send(channel, IPC_LINK_DEL, &del, -1);
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
	if (moved)
		source_leave(s, source);
	source->fresh = other;
	if (source->leaving)
		source_fault(source, SOURCE_PART_LEAVING, "");
	source->leaving = false;
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

	source_leave(s, source);
	if (open)
		sources_tell_deleted(s, source);
}

void sources_let_go(struct sources *s, const struct source_wish *wishes, size_t n)
{
	for (size_t i = 0; i < s->n; i++)
		s->list[i].wanted = s->list[i].message.source != IPC_SOURCE_PACKET;
	for (size_t i = 0; i < n; i++) {
		struct source *source = sources_find_from(s, i, wishes[i].name);

		if (source && wishes[i].source == IPC_SOURCE_PACKET)
			source->wanted = true;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (!s->list[i].wanted)
			source_drop(s, &s->list[i]);
	}
	sources_close_rings(s);
}

bool sources_lack(const struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (lacks_packet(&s->list[i]))
			return true;
	}
	return false;
}

void sources_update(struct sources *s, const struct source_wish *wishes, size_t n)
{
	for (size_t i = 0; i < s->n; i++)
		s->list[i].wanted = s->list[i].news = false;
	for (size_t i = 0; i < n; i++) {
		struct source *source = sources_find_from(s, i, wishes[i].name);

		if (!source)
			continue;
		source->wanted = wishes[i].source != IPC_SOURCES;
		if (!source_stays_inline(source, &wishes[i]))
			continue;
		source->wanted = true;
		source_stay_inline(source);
	}
	/* Before new ones are opened: they may need the places. */
	for (size_t i = 0; i < s->n; i++) {
		if (!s->list[i].wanted)
			source_drop(s, &s->list[i]);
	}
	for (size_t i = 0; i < n; i++) {
		struct source *source = sources_find_from(s, i, wishes[i].name);

		if (wishes[i].source == IPC_SOURCES ||
		    (source && source_stays_inline(source, &wishes[i])))
			continue;
		if (!source)
			source = source_place(s, wishes[i].name);
		if (!source)
			continue; /* more links than places: CONFIG_LINKS_MAX refuses that before */
		source->wanted = true;
		source_set(s, source, &wishes[i]);
	}
	sources_close_rings(s);
	open_packets(s);
	sources_take_taps(s);
	for (size_t i = 0; i < n; i++) {
		struct source *source = sources_find_from(s, i, wishes[i].name);

		sources_await_guest(s, source, &wishes[i]);
		sources_set_filter(s, source, &wishes[i]);
	}
	for (size_t i = 0; i < s->n; i++) {
		struct ipc_channel *channel = sources_channel(s, &s->list[i]);

		if (channel && s->list[i].news)
			source_tell(&s->list[i], channel, s->list[i].fresh);
	}
}

void sources_hand_over(struct sources *s, struct ipc_channel *channel)
{
	sources_hand_over_unread(s, channel);
	for (size_t i = 0; i < s->n; i++) {
		if (sources_channel(s, &s->list[i]) == channel)
			source_tell(&s->list[i], channel, true);
	}
}
