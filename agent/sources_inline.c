/* The inline links among the sources: their guests, filters and who else has their taps open. */
#include "agent/sources_parts.h"

#include <stdio.h>

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

void sources_await_guest(struct sources *s, struct source *source, const struct source_wish *wish)
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
	if (source_peer_open(s->loop, &conf, &source->peer, &err))
		source_fault(source, SOURCE_PART_PEER, err.text);
	else
		source_fault(source, SOURCE_PART_PEER, "");
}

void sources_set_filter(struct sources *s, struct source *source, const struct source_wish *wish)
{
	struct ipc_channel *channel;
	struct err err;
	int code;

	if (!source || source->message.source != IPC_SOURCE_INLINE || source->fd < 0)
		return;
	channel = sources_channel(s, source);
	code = source_filter_set(&source->filter, wish->spec, &err);
	source_fault(source, SOURCE_PART_FILTER, code < 0 ? err.text : "");
	if (code > 0 && channel && !(source->news && source->fresh))
		source_filter_tell(&source->filter, source->message.slot, channel);
}

bool source_stays_inline(const struct source *source, const struct source_wish *wish)
{
	return source->message.source == IPC_SOURCE_INLINE && wish->source != IPC_SOURCE_INLINE &&
	       source->message.ifindex == wish->ifindex && source->peer &&
	       source_peer_attached(source->peer);
}

void source_stay_inline(struct source *source)
{
	source->leaving = true;
	source_fault(source, SOURCE_PART_LEAVING,
		     "it stays inline until its guest is attached anew");
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
	struct source *source = sources_find_from(s, near, link);
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
