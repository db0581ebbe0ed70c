/*
 * The filters of our links: looks what is there and makes what is wanted, many links to a message.
 * Edge: talks to the kernel over the channel.
 */
#ifndef TW_LINK_FILTERS_H
#define TW_LINK_FILTERS_H

#include "agent/base/err.h"
#include "netlink/link_spec.h"
#include "netlink/link_state.h"
#include "netlink/nl_channel.h"

/*
 * Fills `tc` of the links of our group in the table, but for the programs: one dump of all qdiscs,
 * which has the drops. `known` stays false. Returns 0 or a negative errno.
 */
int link_filters_look_at_qdiscs(struct nl_channel *channel, struct link_table *table,
				uint32_t group, struct err *err);

/* The same, then asks for each filter of ours. */
int link_filters_look(struct nl_channel *channel, struct link_table *table, uint32_t group,
		      struct err *err);

/* One link whose filters are to be as its spec says. */
struct link_filters_job {
	const struct link_spec *spec;
	const struct link_state *link; /* what was seen of it; NULL: it is new */
	uint32_t ifindex;
	struct nl_ack ack; /* filled in: the first refusal */
};

/*
 * Sets what differs, each program in one step, and takes away ours that are not wanted, with the
 * clsact qdisc if nobody else has a filter there. Returns 0, or a negative errno when the channel
 * failed.
 */
int link_filters_set(struct nl_channel *channel, struct link_filters_job *jobs, size_t n,
		     struct err *err);

#endif
