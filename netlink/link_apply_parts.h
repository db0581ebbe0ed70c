/* What the files of link_apply.h share: how far the steps of a plan are. Edge. */
#ifndef TW_LINK_APPLY_PARTS_H
#define TW_LINK_APPLY_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "netlink/link_apply.h"
#include "netlink/link_requests.h"

/* How far a step is. */
struct progress {
	int error;
	uint32_t ifindex; /* of the link made or changed */
	uint32_t attrs; /* still to be set on it */
	uint32_t attrs_once_up; /* and these when it is up */
	bool failed;
	enum link_action action; /* what the kernel refused */
	char kernel_text[NL_ACK_TEXT_MAX];
	char *told; /* of a refused replace, once it is seen to: what to tell; or NULL */
};

struct apply {
	struct nl_channel *channel;
	const struct link_plan *plan;
	const struct link_table *table;
	uint32_t group;
	struct link_rising_watch rising;
	struct progress *progress; /* one per step */
	struct link_requests requests; /* the batch in the making */
	struct err *err;
};

/* Sends the batch, and notes what became of it. 0, or a negative errno when the channel failed. */
int apply_batch(struct apply *apply);

/*
 * Takes from links of ours what the kernel has once and another of ours is to get: MACs that links
 * of a lower device swap or hand on, and altnames. Before anything is changed or made.
 */
int apply_vacate(struct apply *apply);

/* Sets the attributes that the steps still have, each on its link, in an order that is safe. */
int apply_set_attrs(struct apply *apply);

#endif
