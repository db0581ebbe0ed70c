#include "netlink/lower_judge.h"

#include "netlink/link_kind.h"
#include "netlink/link_marks.h"
#include "netlink/lower_fit.h"

/*
 * A station's access point takes frames from the one MAC that has joined it alone (IEEE Std
 * 802.11), so guests with MACs of their own would be cut off: the kernel does not say so.
 */
static bool is_on_the_air(const struct lower_judge *judge, const struct link_state *lower,
			  struct link_step *step)
{
	if (!judge->in->wireless || !judge->in->wireless(lower, judge->in->data))
		return false;
	link_block(step, LINK_BLOCK_WIRELESS);
	link_because(step,
		     "%sthe lower device %s is wireless, and an access point takes frames of its "
		     "own MAC alone: a wired one is needed",
		     *step->reason ? ": " : "", lower->name);
	return true;
}

static bool is_unfit(struct lower_judge *judge, const struct link_state *lower,
		     struct link_step *step)
{
	const enum link_kind kind = step->spec->kind;

	if (judge->judged != lower || judge->judged_kind != kind) {
		judge->judged = lower;
		judge->judged_kind = kind;
		judge->unfit[0] = '\0';
		lower_is_unfit(judge->lowers, lower, kind, judge->unfit, sizeof(judge->unfit));
	}
	if (!*judge->unfit)
		return false;
	link_block(step, LINK_BLOCK_UNFIT);
	link_because(step, "%s%s", *step->reason ? ": " : "", judge->unfit);
	return true;
}

bool lower_refuses_kind(struct lower_judge *judge, const struct link_state *lower,
			struct link_step *step)
{
	return is_unfit(judge, lower, step) || is_on_the_air(judge, lower, step);
}

/*
 * Whether links of others are where passthru does not go with any (macvlan_common_newlink()). Those
 * of ours may be about to go, too.
 */
bool lower_refuses_mode(const struct lower_judge *judge, const struct link_state *lower,
			struct link_step *step)
{
	const uint32_t passthru = link_mode_to_kernel(LINK_MODE_PASSTHRU);
	const struct link_table *lowers = judge->lowers;

	for (size_t i = 0; i < lowers->n; i++) {
		const struct link_state *link = &lowers->links[i];

		if (!link->is_macvlan || link->lower_elsewhere || link->lower != lower->ifindex ||
		    link_is_in_group(link, judge->in->group) ||
		    (link->macvlan_mode != passthru && step->spec->mode != LINK_MODE_PASSTHRU))
			continue;
		link_block(step, LINK_BLOCK_UNFIT);
		link_because(step,
			     ": a passthru link must be alone on %s, and %s is there: "
			     "another lower device is needed",
			     lower->name, link->name);
		return true;
	}
	return false;
}
