/* What has to be done to the links, and how it is done. */
#include "agent/reconcile_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netlink/wireless.h"

static const struct tap_node *node_of(const struct link_spec *spec, const struct link_state *link,
				      void *data)
{
	const struct reconcile *reconcile = data;
	const struct reconcile_link *wanted = &reconcile->links[spec - reconcile->specs];

	(void)link;
	return wanted->node_known ? &wanted->node : NULL;
}

static const struct link_addr_list *addrs_of(const struct link_spec *spec,
					     const struct link_state *link, void *data)
{
	const struct reconcile *reconcile = data;
	const struct reconcile_link *wanted = &reconcile->links[spec - reconcile->specs];

	(void)link;
	return wanted->present ? wanted->addrs : NULL;
}

static bool is_on_the_air(const struct link_state *lower, void *data)
{
	struct reconcile *reconcile = data;

	/* A thousand links ask about one lower device. */
	if (reconcile->air_asked != lower->ifindex)
		reconcile->on_the_air = is_wireless(WIRELESS_SYSFS, lower->name, lower->ifindex);
	reconcile->air_asked = lower->ifindex;
	return reconcile->on_the_air;
}

static int plan_place(struct reconcile *reconcile, size_t i, struct link_plan_input input)
{
	const struct reconcile_place *place = &reconcile->places[i];
	struct link_plan plan;
	int code;

	input.netns = place->netns;
	input.absent = *place->absent ? place->absent : NULL;
	input.table = &place->table;
	input.lowers = &reconcile->table;
	input.lower_nsid = place->home_nsid;
	input.node = NULL;
	input.addrs = NULL;
	code = link_plan_make(&input, &plan);
	if (code == 0)
		code = link_plan_append(&reconcile->plan, &plan, (unsigned int)i + 1);
	return code;
}

int reconcile_make_plan(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
			struct err *err)
{
	const struct link_plan_input input = {
		.specs = reconcile->specs,
		.n_specs = reconcile->n,
		.table = &reconcile->table,
		.group = reconcile->group,
		.remove = goal == RECONCILE_GOAL_NOTHING,
		.held = force ? NULL : reconcile_is_held,
		.node = node_of,
		.wireless = is_on_the_air,
		.addrs = addrs_of,
		.data = reconcile,
	};
	int code = link_plan_make(&input, &reconcile->plan);

	for (size_t i = 0; code == 0 && i < reconcile->n_places; i++)
		code = plan_place(reconcile, i, input);
	return code < 0 ? err_errno(err, code, "could not plan") : 0;
}

static int plan_looked(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
		       const struct link_plan **ret, struct err *err)
{
	int code = reconcile_make_plan(reconcile, goal, force, err);

	if (code == 0)
		code = reconcile_plan_ports(reconcile, goal, err);
	if (code == 0)
		*ret = &reconcile->plan;
	return code;
}

int reconcile_plan(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
		   const struct link_plan **ret, struct err *err)
{
	int code = reconcile_refresh(reconcile, err);

	return code ? code : plan_looked(reconcile, goal, force, ret, err);
}

int reconcile_plan_held(struct reconcile *reconcile, struct held_taps *held,
			const struct link_plan **ret, struct err *err)
{
	int code = reconcile_refresh(reconcile, err);

	if (code) {
		held_taps_done(held);
		return code;
	}
	held_taps_done(&reconcile->held);
	reconcile->held = *held;
	*held = (struct held_taps){ 0 };
	return plan_looked(reconcile, RECONCILE_GOAL_CONFIG, false, ret, err);
}

struct reconcile_link *reconcile_link_of(struct reconcile *reconcile, const struct link_step *step)
{
	return step->spec ? &reconcile->links[step->spec - reconcile->specs] : NULL;
}

struct apply_watch {
	struct reconcile *reconcile;
	link_result_cb cb;
	void *data;
};

static void on_applied(const struct link_result *result, void *data)
{
	const struct apply_watch *watch = data;
	const struct link_step *step = result->step;
	struct reconcile_link *link = reconcile_link_of(watch->reconcile, step);

	if (link)
		link->done = result->error ? 0 : step->op == LINK_OP_CHANGE ? step->attrs : ~0u;
	watch->cb(result, watch->data);
}

int reconcile_apply(struct reconcile *reconcile, link_result_cb cb, void *data, struct err *err)
{
	struct apply_watch watch = { .reconcile = reconcile, .cb = cb, .data = data };

	if (reconcile->plan.n)
		reconcile_doubt(reconcile, NL_NEWS_CHANGED | NL_NEWS_FILTERS);
	return reconcile_apply_places(reconcile, on_applied, &watch, err);
}

/* A step that is to be done again although it was done just now. */
static bool does_not_show(struct reconcile *reconcile, const struct link_step *step)
{
	const struct reconcile_link *link = reconcile_link_of(reconcile, step);

	return link && step->op == LINK_OP_CHANGE && link->done & step->attrs;
}

int reconcile_read_back(struct reconcile *reconcile, link_result_cb cb, void *data, struct err *err)
{
	int code = reconcile_refresh(reconcile, err), n = 0;
	struct err text;

	if (code == 0)
		code = reconcile_make_plan(reconcile, RECONCILE_GOAL_CONFIG, false, err);
	for (size_t i = 0; code == 0 && i < reconcile->plan.n; i++) {
		const struct link_step *step = &reconcile->plan.steps[i];
		const struct link_result result = { .step = step,
						    .error = -EPROTO,
						    .text = text.text };

		if (!does_not_show(reconcile, step))
			continue;
		err_set(&text, 0,
			"could not change %s for good: it was set, and shows otherwise: %s",
			step->spec->name, step->reason);
		cb(&result, data);
		n++;
	}
	for (size_t i = 0; i < reconcile->n; i++)
		reconcile->links[i].done = 0;
	return code < 0 ? code : n;
}
