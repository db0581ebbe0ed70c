/* What is to be done to links, step by step, each with its reason. Pure. */
#ifndef TW_LINK_STEPS_H
#define TW_LINK_STEPS_H

#include <stddef.h>
#include <stdint.h>

#include "netlink/link_addr.h"
#include "netlink/link_spec.h"
#include "netlink/link_state.h"

enum link_op {
	LINK_OP_CREATE,
	LINK_OP_CHANGE, /* live: ifindex and open taps stay */
	LINK_OP_REPLACE, /* delete and create */
	LINK_OP_DELETE,
	LINK_OP_BLOCKED, /* something has to be done, and cannot be */
	LINK_OPS,
};

extern const char *const link_op_names[LINK_OPS];

/* What a change sets, in the order in which it is set. */
enum link_attr {
	LINK_ATTR_NETNS, /* back to where it belongs; what else differs is seen there */
	LINK_ATTR_NAME, /* first: what follows may go by name */
	LINK_ATTR_GROUP,
	LINK_ATTR_ALIAS,
	LINK_ATTR_ALTNAMES, /* those that are missing; the kernel takes none in a create */
	LINK_ATTR_MODE,
	LINK_ATTR_FLAGS,
	LINK_ATTR_SOURCES, /* in mode source */
	LINK_ATTR_MAC,
	LINK_ATTR_MTU,
	LINK_ATTR_TXQUEUELEN,
	LINK_ATTR_BCQUEUELEN,
	LINK_ATTR_BCCUTOFF,
	LINK_ATTR_ARP, /* these two off, where the host is to be quiet, before it goes up */
	LINK_ATTR_IPV6,
	LINK_ATTR_FILTERS, /* before a guest can send */
	LINK_ATTR_UP,
	LINK_ATTR_MASTER,
	LINK_ATTR_ADDRESSES, /* of a host link; IPv6's go when it goes down */
	LINK_ATTR_OWNER, /* these two of the tap's node in /dev */
	LINK_ATTR_PERMS,
	LINK_ATTRS,
};

extern const char *const link_attr_names[LINK_ATTRS];

/* Why a step is blocked: what must happen before it can be done. */
enum link_block {
	LINK_BLOCK_NONE,
	LINK_BLOCK_LOWER, /* the lower device is not there */
	LINK_BLOCK_FOREIGN, /* another owner's link has the name */
	LINK_BLOCK_HELD, /* a program holds the tap that would go */
	LINK_BLOCK_NODE, /* /dev has no node of the tap, or another link's in its place */
	LINK_BLOCK_WIRELESS, /* the lower device is wireless */
	LINK_BLOCK_UNFIT, /* the lower device cannot carry such links */
	LINK_BLOCK_NETNS, /* its network namespace is not there, or cannot be entered */
	LINK_BLOCK_MASTER, /* its bridge is not there */
	LINK_BLOCKS,
};

#define LINK_REASON_MAX 256

struct link_step {
	enum link_op op;
	enum link_block block; /* only with LINK_OP_BLOCKED */
	const struct link_spec *spec; /* NULL for a delete */
	const struct link_state *link; /* what is there now; NULL for a create */
	uint32_t lower; /* ifindex, for create and replace */
	uint32_t attrs; /* mask of 1 << enum link_attr, for a change */
	const struct link_addr_list *addrs; /* that the link has; NULL: not looked at */
	uint32_t master; /* ifindex of the bridge; 0: none, or not there */
	unsigned int place; /* whose plan it was: the caller's number */
	uint32_t mtu; /* to be set: the spec's, or else the lower's; 0: not known */
	char reason[LINK_REASON_MAX]; /* "mtu 1500 -> 9000", "mode bridge -> passthru" ... */
};

/* The steps point into the specs and the table they were made from. Freed by link_plan_done(). */
struct link_plan {
	const struct link_table *lowers; /* where the lower devices are */
	int32_t lower_nsid; /* the id of that namespace where the links are; -1: it is the same */
	struct link_step *steps; /* deletes, then one or none per spec in the order of the specs */
	size_t n;
	size_t count[LINK_OPS];
	size_t kept; /* wanted links that are as they should be */
};

/* Appends to the reason of `step`; what has no room is cut off. */
void link_because(struct link_step *step, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void link_block(struct link_step *step, enum link_block block);

/*
 * Puts the steps of `more`, of another namespace, behind those of `plan`, as those of `place`;
 * `more` is empty after it. A spec whose link is to be moved here has no other step. 0 or -ENOMEM.
 */
int link_plan_append(struct link_plan *plan, struct link_plan *more, unsigned int place);
void link_plan_done(struct link_plan *plan);

#endif
