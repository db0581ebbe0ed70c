/* One wanted link, and what became of it. Edge: looks for the tap's node. */
#ifndef TW_RECONCILE_LINK_H
#define TW_RECONCILE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/link_track.h"
#include "agent/tap_holder.h"
#include "netlink/link_steps.h"
#include "netlink/link_spec.h"
#include "netlink/link_state.h"
#include "netlink/tap_node.h"

/* What a wanted link is, in one word of `status`. */
enum reconcile_state {
	RECONCILE_UP,
	RECONCILE_DOWN, /* there, not up: as wanted, or not yet done */
	RECONCILE_LOWER_DOWN, /* up, but its lower device is down or has no carrier */
	RECONCILE_MISSING, /* to be made */
	RECONCILE_WAITING, /* the lower device is missing */
	RECONCILE_BLOCKED, /* see the error */
	RECONCILE_FAILED, /* lost too often; only a reload tries again */
	RECONCILE_STATES,
};

extern const char *const reconcile_state_names[RECONCILE_STATES];

/*
 * What the kernel's drop counter of the link's clsact is of. There is one for both hooks: it is of
 * one direction as long as one of them alone has had a program.
 */
struct reconcile_drops {
	uint32_t ifindex; /* of the link; 0: it has no clsact */
	uint32_t frames; /* since that was made; others' filters at it count too */
	uint32_t hooks; /* mask of 1 << enum link_hook: those seen with a program of ours since */
};

/* One wanted link as the last pass or look saw it. */
struct reconcile_link {
	const struct link_spec *spec; /* the context's */
	enum reconcile_state state;
	bool present; /* there and ours: `link` is meaningful */
	bool pending; /* the last pass left something to do */
	enum link_block block; /* what is in the way of that */
	struct link_state link; /* without its lists */
	bool node_known; /* `node` was looked at, since it is not simply as the kernel makes it */
	struct tap_node node; /* what /dev has for it */
	struct tap_holder
		holder; /* by reconcile_link_look(); `dev` 0: no tap (macvlan), or not known */
	struct link_addr_list
		*addrs; /* of a host link that is there; else NULL, or of no meaning */
	struct reconcile_drops drops;
	char *error; /* why it is not as wanted; NULL when it is, see reconcile_say() */
	struct link_track track;
	uint32_t done; /* attributes that were set since the last plan */
	char *unsettled; /* what it was set to, and is not; NULL as a rule */
	bool mac_was_right; /* of this ifindex, when last looked at */
	uint32_t lower; /* ifindex of its lower when last present: tells a loss from a lost lower */
};

/*
 * Another text in place of `*text`, which it frees; NULL for "" and, since few are said, for no
 * memory.
 */
void reconcile_say(char **text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Takes over what a dump has: `now` is the link if it is there and ours, else NULL. */
void reconcile_link_refresh(struct reconcile_link *link, const struct link_state *now);

/* Whether the device number of its tap is known, in `link.tap`, after another look if need be. */
bool reconcile_link_find_tap(struct reconcile_link *link);

/* What `status` tells besides: whose the tap is, and what is at its node's place. */
void reconcile_link_look(struct reconcile_link *link, const struct tap_holder *holder);

/* Sets the state anew, after the track or the block changed. */
void reconcile_link_judge(struct reconcile_link *link);

#endif
