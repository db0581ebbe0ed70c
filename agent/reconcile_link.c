#include "agent/reconcile_link.h"

#include <linux/if.h>

const char *const reconcile_state_names[RECONCILE_STATES] = {
	[RECONCILE_UP] = "up",
	[RECONCILE_DOWN] = "down",
	[RECONCILE_LOWER_DOWN] = "lower-down",
	[RECONCILE_MISSING] = "missing",
	[RECONCILE_WAITING] = "waiting",
	[RECONCILE_BLOCKED] = "blocked",
	[RECONCILE_FAILED] = "failed",
};

static enum reconcile_state state_of(const struct reconcile_link *link)
{
	static const enum reconcile_state absent[LINK_BLOCKS] = {
		[LINK_BLOCK_NONE] = RECONCILE_MISSING,	  [LINK_BLOCK_LOWER] = RECONCILE_WAITING,
		[LINK_BLOCK_FOREIGN] = RECONCILE_BLOCKED, [LINK_BLOCK_HELD] = RECONCILE_BLOCKED,
		[LINK_BLOCK_NODE] = RECONCILE_MISSING,	  [LINK_BLOCK_WIRELESS] = RECONCILE_BLOCKED,
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

static void find_tap(struct reconcile_link *link, const struct link_state *now)
{
	if (now->kind != LINK_KIND_MACVTAP) {
		link->tap_dev = 0;
	} else if (!link->tap_dev || link->link.ifindex != now->ifindex) {
		link->tap_dev = 0;
		tap_node_dev(now->name, now->ifindex, &link->tap_dev, NULL);
	}
	link->node = (struct tap_node){ .state = TAP_NODE_ABSENT };
	if (link->tap_dev)
		tap_node_look(now->ifindex, link->tap_dev, &link->node);
}

void reconcile_link_refresh(struct reconcile_link *link, const struct link_state *now)
{
	link->present = now;
	if (now) {
		find_tap(link, now);
		link->link = *now;
	} else {
		link->tap_dev = 0;
		link->node = (struct tap_node){ .state = TAP_NODE_ABSENT };
		link->link = (struct link_state){ 0 };
	}
	link->holder = (struct tap_holder){ .dev = link->tap_dev };
	reconcile_link_judge(link);
}
