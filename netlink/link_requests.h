/*
 * The requests of one batch: for which step of a plan each is, and those that set one attribute of
 * a link. Edge only by the struct nl_request that it fills; it asks the kernel nothing.
 */
#ifndef TW_LINK_REQUESTS_H
#define TW_LINK_REQUESTS_H

#include <stddef.h>
#include <stdint.h>

#include "netlink/explain.h"
#include "netlink/link_steps.h"
#include "netlink/nl_channel.h"

/* Why a request is sent. */
struct link_origin {
	size_t step;
	enum link_action action;
};

/* Room for all requests that one batch of the plan can have. Zero-initialise. */
struct link_requests {
	const struct link_plan *plan;
	struct nl_request *list;
	struct link_origin *origins; /* one per request */
	size_t n;
	int home; /* the namespace where links belong that were moved to this one */
};

/* Empties the batch; the first call makes the room. 0 or -ENOMEM. */
int link_requests_begin(struct link_requests *requests, const struct link_plan *plan);
void link_requests_done(struct link_requests *requests);

/*
 * Whether the link, when it goes down or away, leaves its lower device allmulti for ever:
 * macvlan_stop() takes back the promiscuity alone of a passthru link.
 */
bool link_leaks_allmulti(const struct link_state *link);

/* The next request's message, to be filled by link_msg_*(). */
struct link_msg *link_requests_add(struct link_requests *requests, size_t step,
				   enum link_action action);

/*
 * Adds what sets `attr`, as the step's spec has it, on the link `ifindex`: one request, or one for
 * each name or MAC. For attributes that are set by requests: not IPv6, owner and permissions.
 * Returns 0 or what link_msg_*() returns.
 */
int link_requests_add_attr(struct link_requests *requests, size_t step, enum link_attr attr,
			   uint32_t ifindex);

#endif
