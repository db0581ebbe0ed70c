/* Executes the steps of a plan over the channel, and tells what became of each. Edge. */
#ifndef TW_LINK_APPLY_H
#define TW_LINK_APPLY_H

#include "agent/base/err.h"
#include "netlink/link_steps.h"
#include "netlink/nl_channel.h"

/*
 * Called once per step, also for blocked ones. `error` is 0 or a negative errno, with the cause in
 * words in `text` ("" on success). `ifindex` is the link's after a create or replace, else 0.
 */
struct link_result {
	const struct link_step *step;
	int error;
	uint32_t ifindex;
	const char *text;
};

typedef void (*link_result_cb)(const struct link_result *result, void *data);

/* A link that was made, and is to be set up now. */
struct link_rising {
	const struct link_spec *spec;
	uint32_t ifindex;
};

/* Called with those of a batch, while all are down: who is to see their first frames comes now. */
struct link_rising_watch {
	void (*cb)(const struct link_rising *links, size_t n, void *data); /* may be NULL */
	void *data;
};

/*
 * Deletes first, so that names, MACs and passthru lowers are free, then changes, then creates. A
 * step that fails does not keep the others from being tried; where it was a replace the link that
 * is gone is made again, which the text then tells. `table` is what the plan was made from, `home`
 * the open namespace where links belong that were moved to the channel's, -1 at home. Returns the
 * number of steps that are not done (blocked ones too), or a negative errno when the channel
 * failed.
 */
int link_apply(struct nl_channel *channel, const struct link_plan *plan,
	       const struct link_table *table, uint32_t group, int home,
	       const struct link_rising_watch *rising, link_result_cb cb, void *data,
	       struct err *err);

#endif
