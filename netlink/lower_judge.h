/*
 * Whether a planned link can stand on its lower device, by what was observed of the device, of what
 * is on it already, and by what the planner is told. Pure.
 */
#ifndef TW_LOWER_JUDGE_H
#define TW_LOWER_JUDGE_H

#include <stdbool.h>

#include "netlink/link_plan.h"

struct lower_judge {
	const struct link_plan_input *in;
	const struct link_table *lowers;
	/* The lower device that was judged last: a thousand links stand on one. */
	const struct link_state *judged;
	enum link_kind judged_kind;
	char unfit[LINK_REASON_MAX]; /* "": it can carry links of that kind */
};

/* Whether no link of the kind of the step's spec can stand there; the step is then blocked so. */
bool lower_refuses_kind(struct lower_judge *judge, const struct link_state *lower,
			struct link_step *step);

/* Whether links of others keep one of its mode from standing there; the step is then blocked so. */
bool lower_refuses_mode(const struct lower_judge *judge, const struct link_state *lower,
			struct link_step *step);

#endif
