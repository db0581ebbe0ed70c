#include "agent/sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/packet_socket.h"

void sources_init(struct sources *s, const struct stats_page *stats)
{
	*s = (struct sources){ .stats = stats };
}

static void source_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		source_close(&s->list[i]);
	free(s->list);
	*s = (struct sources){ 0 };
}

const struct source *sources_find(const struct sources *s, const char *link)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].known && strcmp(s->list[i].message.name, link) == 0)
			return &s->list[i];
	}
	return NULL;
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
		*source = (struct source){ .fd = -1, .message.slot = (uint32_t)s->n };
		s->n++;
	}
	for (size_t i = 0; !source && i < s->n; i++) {
		if (s->list[i].fd < 0 && !s->list[i].wanted)
			source = &s->list[i];
	}
	if (!source)
		return NULL;
	slot = source->message.slot;
	*source = (struct source){ .fd = -1, .known = true, .message.slot = slot };
	snprintf(source->message.name, sizeof(source->message.name), "%s", name);
	page_counters(s, source, &source->before);
	return source;
}

static void source_open(struct sources *s, struct source *source)
{
	struct ipc_link *m = &source->message;
	struct err err;

	source_close(source);
	m->ring_block_size = s->block_size;
	m->ring_blocks = s->blocks;
	source->error[0] = '\0';
	if (packet_socket_open(m->ifindex, m->ring_block_size, m->ring_blocks, &source->fd, &err)) {
		source->fd = -1;
		snprintf(source->error, sizeof(source->error), "%.255s", err.text);
	}
}

/* Opens a ring for another interface; tells the worker of anything that is not as it was. */
static void source_set(struct sources *s, struct source *source, const struct source_wish *wish,
		       struct ipc_channel *channel)
{
	struct ipc_link *m = &source->message;
	bool other = source->fd < 0 || m->ifindex != wish->ifindex;

	if (!other && strcmp(m->set, wish->set) == 0 && strcmp(m->guest, wish->guest) == 0 &&
	    memcmp(m->mac, wish->mac, MAC_LEN) == 0)
		return;
	m->ifindex = wish->ifindex;
	memcpy(m->mac, wish->mac, MAC_LEN);
	snprintf(m->set, sizeof(m->set), "%s", wish->set);
	snprintf(m->guest, sizeof(m->guest), "%s", wish->guest);
	if (other)
		source_open(s, source);
	if (source->fd >= 0 && channel)
		ipc_send(channel, IPC_LINK_ADD, m, source->fd);
}

static void source_drop(struct source *source, struct ipc_channel *channel)
{
	struct ipc_link_del del = { .slot = source->message.slot };

	if (source->fd < 0)
		return;
	source_close(source);
	if (channel)
		ipc_send(channel, IPC_LINK_DEL, &del, -1);
}

void sources_update(struct sources *s, const struct source_wish *wishes, size_t n,
		    struct ipc_channel *channel)
{
	for (size_t i = 0; i < s->n; i++)
		s->list[i].wanted = false;
	for (size_t i = 0; i < n; i++) {
		struct source *source = (struct source *)sources_find(s, wishes[i].name);

		if (source)
			source->wanted = true;
	}
	/* Before new ones are opened: they may need the memory and the places. */
	for (size_t i = 0; i < s->n; i++) {
		if (!s->list[i].wanted)
			source_drop(&s->list[i], channel);
	}
	for (size_t i = 0; i < n; i++) {
		struct source *source = (struct source *)sources_find(s, wishes[i].name);

		if (!source)
			source = source_place(s, wishes[i].name);
		if (!source)
			continue; /* more links than places: CONFIG_LINKS_MAX refuses that before */
		source->wanted = true;
		source_set(s, source, &wishes[i], channel);
	}
}

void sources_hand_over(const struct sources *s, struct ipc_channel *channel)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].fd >= 0)
			ipc_send(channel, IPC_LINK_ADD, &s->list[i].message, s->list[i].fd);
	}
}
