/*
 * Packet rings of links that are not watched yet, opened before there is a frame, and of those that
 * are not watched any more: read to their end, then closed.
 */
#include "agent/sources_parts.h"

#include <stdlib.h>
#include <unistd.h>

#include "agent/packet_socket.h"

/* Of its own it takes the kernel as long as of many: packet_sockets_close(). */
void sources_close_ring(struct sources *s, int fd)
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

void sources_close_rings(struct sources *s)
{
	packet_sockets_close(s->closing, s->n_closing);
	free(s->closing);
	s->closing = NULL;
	s->n_closing = s->cap_closing = 0;
}

/* One of each place at most, so that they hold no more memory than all rings do. */
static bool has_unread(const struct sources *s, uint32_t slot)
{
	for (size_t i = 0; i < s->n_unread; i++) {
		if (s->unread[i].message.slot == slot)
			return true;
	}
	return false;
}

void source_keep_unread(struct sources *s, struct source *source)
{
	struct source_ring *more = NULL;

	if (source->fd < 0 || source->message.source != IPC_SOURCE_PACKET ||
	    sources_channel(s, source))
		return;
	if (!has_unread(s, source->message.slot))
		more = reallocarray(s->unread, s->n_unread + 1, sizeof(*more));
	if (!more) {
		s->ops->unread(s->data, source);
		return;
	}
	s->unread = more;
	s->unread[s->n_unread++] =
		(struct source_ring){ .message = source->message, .fd = source->fd };
	source->fd = -1;
}

void sources_hand_over_unread(struct sources *s, struct ipc_channel *channel)
{
	size_t left = 0;

	for (size_t i = 0; i < s->n_unread; i++) {
		const struct source_ring ring = s->unread[i];
		const struct ipc_link_del del = { .slot = ring.message.slot };

		if (s->ops->channel(s->data, del.slot) != channel) {
			s->unread[left++] = ring;
			continue;
		}
		ipc_send(channel, IPC_LINK_ADD, &ring.message, ring.fd);
		ipc_send(channel, IPC_LINK_DEL, &del, -1);
		sources_close_ring(s, ring.fd);
	}
	s->n_unread = left;
	sources_close_rings(s);
}

size_t sources_unread(const struct sources *s)
{
	size_t n = s->n_unread;

	for (size_t i = 0; i < s->n; i++) {
		const struct source *source = &s->list[i];

		n += source->fd >= 0 && source->message.source == IPC_SOURCE_PACKET &&
		     !sources_channel(s, source);
	}
	return n;
}

void sources_forget_unread(struct sources *s)
{
	for (size_t i = 0; i < s->n_unread; i++)
		sources_close_ring(s, s->unread[i].fd);
	free(s->unread);
	s->unread = NULL;
	s->n_unread = 0;
}

void sources_open_early(struct sources *s, const uint32_t *ifindexes, size_t n)
{
	struct packet_open *list = n ? reallocarray(s->early, s->n_early + n, sizeof(*list)) : NULL;

	if (!list)
		return;
	s->early = list;
	list += s->n_early;
	for (size_t i = 0; i < n; i++)
		list[i] = (struct packet_open){ .ifindex = ifindexes[i], .fd = -1 };
	packet_sockets_open(list, n, s->block_size, s->blocks);
	s->n_early += n;
}

int sources_take_early(struct sources *s, uint32_t ifindex, size_t *at)
{
	for (size_t i = 0; i < s->n_early; i++) {
		size_t place = (*at + i) % s->n_early;
		int fd = s->early[place].fd;

		if (s->early[place].ifindex != ifindex)
			continue;
		s->early[place].fd = -1;
		*at = place + 1;
		return fd;
	}
	return -1;
}

void sources_forget_early(struct sources *s)
{
	for (size_t i = 0; i < s->n_early; i++) {
		if (s->early[i].fd >= 0)
			sources_close_ring(s, s->early[i].fd);
	}
	free(s->early);
	s->early = NULL;
	s->n_early = 0;
	sources_close_rings(s);
}
