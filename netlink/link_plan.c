#include "netlink/link_plan.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/link_compare.h"
#include "netlink/link_kind.h"
#include "netlink/link_marks.h"
#include "netlink/lower_judge.h"

struct planner {
	const struct link_plan_input *in;
	const struct link_spec **by_name;
	struct link_plan plan;
	struct lower_judge judge;
};

static void add_step(struct planner *planner, const struct link_step *step)
{
	planner->plan.steps[planner->plan.n++] = *step;
	planner->plan.count[step->op]++;
}

static int order_specs(const void *a, const void *b)
{
	const struct link_spec *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static const struct link_spec *find_spec(const struct planner *planner, const char *name)
{
	struct link_spec key;
	const struct link_spec *wanted = &key, **found;

	if (planner->in->n_specs == 0)
		return NULL;
	snprintf(key.name, sizeof(key.name), "%s", name);
	found = bsearch(&wanted, planner->by_name, planner->in->n_specs, sizeof(*found),
			order_specs);
	return found ? *found : NULL;
}

static const struct link_state *find_lower(const struct planner *planner,
					   const struct link_spec *spec)
{
	return link_table_real_lower(planner->plan.lowers,
				     link_table_find_lower(planner->plan.lowers, spec->lower));
}

/* Whether the link stands on `lower`, wherever that is. */
static bool is_on(const struct planner *planner, const struct link_state *link,
		  const struct link_state *lower)
{
	const int32_t nsid = planner->plan.lower_nsid;

	if (nsid < 0 ? link->lower_elsewhere : !link->lower_elsewhere || link->lower_nsid != nsid)
		return false;
	return link->lower == lower->ifindex;
}

static bool is_here(const struct planner *planner, const struct link_spec *spec)
{
	return strcmp(spec->netns, planner->in->netns ? planner->in->netns : "") == 0;
}

/* Made by us for this spec, but its maker died before the alias was set. */
static bool is_adoptable(const struct planner *planner, const struct link_spec *spec,
			 const struct link_state *link)
{
	const struct link_state *lower = find_lower(planner, spec);

	return link_is_in_group(link, planner->in->group) && !*link->alias &&
	       link->kind == spec->kind && lower && is_on(planner, link, lower);
}

static bool owns(const struct planner *planner, const struct link_spec *spec,
		 const struct link_state *link)
{
	return link_is_ours(link, planner->in->group) ||
	       (spec && is_adoptable(planner, spec, link));
}

static bool is_held(const struct planner *planner, const struct link_state *link, char *who,
		    size_t size)
{
	return planner->in->held && link_kind_ops[link->kind]->has_tap &&
	       planner->in->held(link, who, size, planner->in->data);
}

static void plan_delete(struct planner *planner, const struct link_state *link, const char *why)
{
	struct link_step step = { .op = LINK_OP_DELETE, .link = link };
	char who[64];

	if (is_held(planner, link, who, sizeof(who))) {
		link_block(&step, LINK_BLOCK_HELD);
		link_because(&step, "held by %s: %s, but left alone", who, why);
	} else if (!planner->in->remove) {
		link_because(&step, "%s", why);
	}
	add_step(planner, &step);
}

static void plan_foreign(struct planner *planner, struct link_step *step)
{
	const struct link_state *link = step->link;

	link_block(step, LINK_BLOCK_FOREIGN);
	if (link->is_macvlan && *link->alias)
		link_because(step,
			     "the name is taken by a link in group %u with the alias \"%.64s\": ",
			     link->group, link->alias);
	else if (*link->kind_text)
		link_because(step, "the name is taken by a %s that is not ours: ", link->kind_text);
	else
		link_because(step, "the name is taken by a device that is not ours: ");
	link_because(step, "left alone");
	add_step(planner, step);
}

static const char *lower_name(const struct planner *planner, const struct link_state *link)
{
	const struct link_state *lower = link_table_find(planner->plan.lowers, link->lower);

	if (lower && !is_on(planner, link, lower))
		lower = NULL;

	return lower ? lower->name : "one in another network namespace";
}

/* The wanted link that `link` is, by what its alias says; or NULL. */
static const struct link_spec *find_by_alias(const struct planner *planner,
					     const struct link_state *link)
{
	const char *name = strrchr(link->alias, '/');
	const struct link_spec *spec = name ? find_spec(planner, name + 1) : NULL;
	char alias[LINK_ALIAS_MAX];

	if (!spec)
		return NULL;
	link_spec_alias(spec, alias);
	return strcmp(alias, link->alias) == 0 ? spec : NULL;
}

/* Whether somebody has renamed a link of this namespace, as what the plan finds for its spec. */
static bool is_renamed(const struct planner *planner, const struct link_spec *spec,
		       const struct link_state *link)
{
	return link_find_ours(planner->in->table, spec, planner->in->group) == link;
}

/*
 * Somebody has moved the link here. It takes its tap along, if it has one, under whoever holds
 * that.
 */
static void plan_move(struct planner *planner, const struct link_spec *spec,
		      const struct link_state *link)
{
	struct link_step step = {
		.op = LINK_OP_CHANGE,
		.spec = spec,
		.link = link,
		.attrs = 1u << LINK_ATTR_NETNS,
	};

	link_because(&step, "network namespace %s -> %s",
		     planner->in->netns ? planner->in->netns : "of the agent",
		     *spec->netns ? spec->netns : "of the agent");
	add_step(planner, &step);
}

/* What no live change can do, as text in the reason; false when nothing is in the way. */
static bool must_replace(const struct planner *planner, struct link_step *step,
			 const struct link_state *lower)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *link = step->link;
	uint32_t passthru = link_mode_to_kernel(LINK_MODE_PASSTHRU);
	uint32_t mode = link_mode_to_kernel(spec->mode);

	if (link->kind != spec->kind) {
		link_because(step, "kind %s -> %s", link->kind_text, link_kind_names[spec->kind]);
		return true;
	}
	if (!is_on(planner, link, lower)) {
		link_because(step, "lower %s -> %s", lower_name(planner, link), lower->name);
		return true;
	}
	/* macvlan_changelink() refuses it: passthru is alone on its lower device. */
	if (link->macvlan_mode != mode && (link->macvlan_mode == passthru || mode == passthru)) {
		link_because(step, "mode %s -> %s", link_mode_kernel_name(link->macvlan_mode),
			     link_mode_names[spec->mode]);
		return true;
	}
	return false;
}

/* The bridge that the link is to be in; 0: none, or it is not there. */
static uint32_t find_master(const struct planner *planner, const struct link_spec *spec)
{
	const struct link_state *master = link_table_find_name(planner->in->table, spec->master);

	return master ? master->ifindex : 0;
}

/* A link that somebody has renamed may not get its name back, and so would not be made again. */
static bool lacks_its_name(const struct planner *planner, struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *other =
		strcmp(step->link->name, spec->name) == 0
			? NULL
			: link_find_namesake(planner->in->table, spec->name, planner->in->group);

	if (!other)
		return false;
	link_block(step, LINK_BLOCK_FOREIGN);
	link_because(step, " needs another link, and %s has the name %s: left alone", other->name,
		     spec->name);
	return true;
}

static void plan_replace(struct planner *planner, struct link_step *step,
			 const struct link_state *lower)
{
	char who[64];

	if (is_held(planner, step->link, who, sizeof(who))) {
		link_block(step, LINK_BLOCK_HELD);
		link_because(step, " needs another link, but this one is held by %s: left alone",
			     who);
	} else if (!lacks_its_name(planner, step) &&
		   !lower_refuses_kind(&planner->judge, lower, step) &&
		   !lower_refuses_mode(&planner->judge, lower, step)) {
		step->op = LINK_OP_REPLACE;
		step->master = find_master(planner, step->spec);
	}
	add_step(planner, step);
}

static const char *master_name(const struct planner *planner, const struct link_state *link)
{
	const struct link_state *master = link_table_find(planner->in->table, link->master);

	return master ? master->name : "none";
}

static void compare_master(const struct planner *planner, struct link_step *step)
{
	const char *comma = *step->reason ? ", " : "";

	step->master = find_master(planner, step->spec);
	if (*step->spec->master && !step->master) {
		step->block = LINK_BLOCK_MASTER;
		link_because(step, "%sthe bridge %s does not exist: waiting for it", comma,
			     step->spec->master);
	} else if (step->master && step->master != step->link->master) {
		step->attrs |= 1u << LINK_ATTR_MASTER;
		link_because(step, "%smaster %s -> %s", comma, master_name(planner, step->link),
			     step->spec->master);
	}
}

static void plan_change(struct planner *planner, struct link_step *step)
{
	const struct link_plan_input *in = planner->in;

	if (in->addrs && step->spec->is_host_link)
		step->addrs = in->addrs(step->spec, step->link, in->data);
	link_compare(step, in->node ? in->node(step->spec, step->link, in->data) : NULL);
	compare_master(planner, step);
	if (step->attrs) {
		step->op = LINK_OP_CHANGE;
		step->block = LINK_BLOCK_NONE;
		add_step(planner, step);
	} else if (step->block) {
		step->op = LINK_OP_BLOCKED;
		add_step(planner, step);
	} else {
		planner->plan.kept++;
	}
}

static void plan_create(struct planner *planner, struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *lower = find_lower(planner, spec);

	step->op = LINK_OP_CREATE;
	step->master = find_master(planner, spec);
	link_because(step, "%s %s on %s", link_kind_names[spec->kind], link_mode_names[spec->mode],
		     lower->name);
	if (link_table_find_lower(planner->plan.lowers, spec->lower) != lower)
		link_because(step, ", as %s is", spec->lower);
	if (*spec->master && !step->master)
		link_because(step, ", in no bridge until there is %s", spec->master);
	add_step(planner, step);
}

/* A macvlan stands on a device that may be in another namespace. */
static void say_no_lower(const struct planner *planner, struct link_step *step)
{
	const char *name = step->spec->lower;

	if (link_table_find_lower(planner->plan.lowers, name))
		link_because(step,
			     "the device under %s is in another network namespace: waiting for it",
			     name);
	else
		link_because(step, "the lower device %s does not exist: waiting for it", name);
}

static void plan_spec(struct planner *planner, const struct link_spec *spec)
{
	const struct link_table *table = planner->in->table;
	const struct link_state *lower = find_lower(planner, spec);
	const struct link_state *ours = link_find_ours(table, spec, planner->in->group);
	struct link_step step = {
		.spec = spec,
		.link = ours ? ours : link_table_find_name(table, spec->name),
		.lower = lower ? lower->ifindex : 0,
		.mtu = spec->mtu ? spec->mtu
		       : lower	 ? lower->mtu
				 : 0,
	};

	if (planner->in->absent) {
		link_block(&step, LINK_BLOCK_NETNS);
		link_because(&step, "%s", planner->in->absent);
		add_step(planner, &step);
	} else if (step.link && !owns(planner, spec, step.link)) {
		plan_foreign(planner, &step);
	} else if (!lower && step.link) {
		link_block(&step, LINK_BLOCK_LOWER);
		link_because(&step, "the lower device %s does not exist: left on %s", spec->lower,
			     lower_name(planner, step.link));
		plan_change(planner, &step);
	} else if (!lower) {
		link_block(&step, LINK_BLOCK_LOWER);
		say_no_lower(planner, &step);
		add_step(planner, &step);
	} else if (!step.link && lower_refuses_kind(&planner->judge, lower, &step)) {
		add_step(planner, &step);
	} else if (!step.link) {
		plan_create(planner, &step);
	} else if (must_replace(planner, &step, lower)) {
		plan_replace(planner, &step, lower);
	} else {
		plan_change(planner, &step);
	}
}

/*
 * A link that is ours, or would be, and of no spec of this namespace by its name. An agent that may
 * not look into namespaces makes anew what somebody moved to one: when that is seen, its place is
 * taken.
 */
static void plan_stray(struct planner *planner, const struct link_state *link)
{
	const struct link_spec *spec = planner->in->remove ? NULL : find_by_alias(planner, link);
	bool here = spec && is_here(planner, spec);

	if (here && is_renamed(planner, spec, link))
		return;
	if (!spec || here || *spec->netns)
		plan_delete(planner, link, "not wanted any more");
	else if (link_find_ours(planner->plan.lowers, spec, planner->in->group))
		plan_delete(planner, link, "another is in its place");
	else
		plan_move(planner, spec, link);
}

static void plan_all(struct planner *planner)
{
	const struct link_plan_input *in = planner->in;

	for (size_t i = 0; i < in->table->n; i++) {
		const struct link_state *link = &in->table->links[i];
		const struct link_spec *spec = find_spec(planner, link->name);

		if (spec && !is_here(planner, spec))
			spec = NULL;
		if ((in->remove || !spec) && owns(planner, spec, link))
			plan_stray(planner, link);
	}
	for (size_t i = 0; !in->remove && i < in->n_specs; i++) {
		if (is_here(planner, &in->specs[i]))
			plan_spec(planner, &in->specs[i]);
	}
}

int link_plan_make(const struct link_plan_input *input, struct link_plan *ret)
{
	size_t n_specs = input->n_specs;
	struct planner planner = {
		.in = input,
		.plan = { .lowers = input->lowers ? input->lowers : input->table,
			  .lower_nsid = input->lowers ? input->lower_nsid : -1 },
	};
	int code = -ENOMEM;

	planner.judge = (struct lower_judge){ .in = input, .lowers = planner.plan.lowers };
	/* No link has two steps, and no spec. */
	planner.plan.steps = calloc(input->table->n + n_specs + 1, sizeof(*planner.plan.steps));
	planner.by_name = calloc(n_specs + 1, sizeof(struct link_spec *));
	if (!planner.plan.steps || !planner.by_name)
		goto out;
	for (size_t i = 0; i < n_specs; i++)
		planner.by_name[i] = &input->specs[i];
	qsort(planner.by_name, n_specs, sizeof(struct link_spec *), order_specs);
	plan_all(&planner);
	*ret = planner.plan;
	planner.plan.steps = NULL;
	code = 0;
out:
	free(planner.plan.steps);
	free((void *)planner.by_name);
	return code;
}
