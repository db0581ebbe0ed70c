#include "agent/reconcile_link.h"

#include <linux/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const reconcile_state_names[RECONCILE_STATES] = {
	[RECONCILE_UP] = "up",
	[RECONCILE_DOWN] = "down",
	[RECONCILE_LOWER_DOWN] = "lower-down",
	[RECONCILE_MISSING] = "missing",
	[RECONCILE_WAITING] = "waiting",
	[RECONCILE_BLOCKED] = "blocked",
	[RECONCILE_FAILED] = "failed",
};

void reconcile_say(char **text, const char *fmt, ...)
{
	char *said;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&said, fmt, ap) < 0)
		said = NULL;
	va_end(ap);
	free(*text);
	*text = said && *said ? said : NULL;
	if (!*text)
		free(said);
}

static enum reconcile_state state_of(const struct reconcile_link *link)
{
	static const enum reconcile_state absent[LINK_BLOCKS] = {
		[LINK_BLOCK_NONE] = RECONCILE_MISSING,	  [LINK_BLOCK_LOWER] = RECONCILE_WAITING,
		[LINK_BLOCK_FOREIGN] = RECONCILE_BLOCKED, [LINK_BLOCK_HELD] = RECONCILE_BLOCKED,
		[LINK_BLOCK_NODE] = RECONCILE_MISSING,	  [LINK_BLOCK_WIRELESS] = RECONCILE_BLOCKED,
		[LINK_BLOCK_UNFIT] = RECONCILE_BLOCKED,	  [LINK_BLOCK_NETNS] = RECONCILE_WAITING,
		[LINK_BLOCK_MASTER] = RECONCILE_WAITING,
	};

	if (!link->present)
		return link_track_failed(&link->track) ? RECONCILE_FAILED : absent[link->block];
	if (!(link->link.flags & IFF_UP))
		return RECONCILE_DOWN;
	/* The carrier is the lower's, and changes with it; operstate follows later (linkwatch). */
	return (link->link.flags & IFF_LOWER_UP) ? RECONCILE_UP : RECONCILE_LOWER_DOWN;
}

void reconcile_link_judge(struct reconcile_link *link)
{
	link->state = state_of(link);
}

/*
 * The number costs a file of sysfs, and a thousand of them are dear: it stays as long as the link.
 */
bool reconcile_link_find_tap(struct reconcile_link *link)
{
	struct link_state *now = &link->link;

	return link->present && now->kind == LINK_KIND_MACVTAP &&
	       (now->tap || tap_node_dev(now->name, now->ifindex, &now->tap, NULL) == 0);
}

/*
 * The tap's number is not needed for a node that is to be as the kernel makes it, and is: whosever
 * it is, nothing is to be done.
 */
static void find_node(struct reconcile_link *link)
{
	link->node = (struct tap_node){ .state = TAP_NODE_ABSENT };
	link->node_known = false;
	if (!link->present || link->link.kind != LINK_KIND_MACVTAP)
		return;
	if (!link->link.tap && tap_rights_are_kernels(&link->spec->tap) &&
	    tap_node_is_kernels(link->link.ifindex))
		return;
	if (!reconcile_link_find_tap(link))
		return;
	tap_node_look(link->link.ifindex, link->link.tap, &link->node);
	link->node_known = true;
}

/* Programs come and go and the counter goes on; one that fell is another qdisc's. */
static void refresh_drops(struct reconcile_drops *drops, const struct link_state *now)
{
	if (!now || !now->tc.has_clsact) {
		*drops = (struct reconcile_drops){ 0 };
		return;
	}
	if (drops->ifindex != now->ifindex || now->tc.drops < drops->frames)
		*drops = (struct reconcile_drops){ .ifindex = now->ifindex };
	drops->frames = now->tc.drops;
	for (int hook = 0; hook < LINK_HOOKS; hook++) {
		if (now->tc.programs[hook])
			drops->hooks |= 1u << hook;
	}
}

void reconcile_link_refresh(struct reconcile_link *link, const struct link_state *now)
{
	const dev_t tap = now && now->ifindex == link->link.ifindex ? link->link.tap : 0;

	link->present = now;
	if (now)
		link->link = *now;
	else
		link->link = (struct link_state){ 0 };
	link->link.tap = tap;
	link->link.lists = NULL; /* the table's */
	refresh_drops(&link->drops, now);
	find_node(link);
	link->holder = (struct tap_holder){ .dev = 0 };
	reconcile_link_judge(link);
}

void reconcile_link_look(struct reconcile_link *link, const struct tap_holder *holder)
{
	link->holder = *holder;
	if (!link->node_known || holder->dev != link->link.tap)
		tap_node_look(link->link.ifindex, holder->dev, &link->node);
}
