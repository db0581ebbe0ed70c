/* The taps that the agent reads, or that a relay stands before: taken, refused and let go. */
#include "agent/sources_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tap_dropped.h"
#include "agent/tap_take.h"

static void on_holder_ended(void *data)
{
	struct sources *s = data;

	s->ops->retry(s->data);
}

static void await_holder(struct sources *s, struct source *source, pid_t pid)
{
	if (source->holder && source->holder_pid == pid)
		return;
	source_forget_holder(source);
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
	source_fault(source, SOURCE_PART_ITSELF, why);
	s->ops->watch(s->data, source, source->error);
}

static void take_tap(struct sources *s, struct source *source, const struct tap_take *take)
{
	bool is_new = source->fd < 0;

	source->fd = take->fd;
	if (!is_new)
		return;
	source_fault(source, SOURCE_PART_ITSELF, "");
	source_forget_holder(source);
	source->dropped_fd = tap_dropped_open(source->message.name, &source->dropped);
	s->ops->watch(s->data, source, "");
}

static void lose_tap(struct sources *s, struct source *source, const struct tap_take *take)
{
	if (source->fd >= 0)
		sources_tell_deleted(s, source);
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

void sources_take_taps(struct sources *s)
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
