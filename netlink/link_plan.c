#include "netlink/link_plan.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/link_kind.h"

const char *const link_op_names[LINK_OPS] = {
	[LINK_OP_CREATE] = "create", [LINK_OP_CHANGE] = "change",   [LINK_OP_REPLACE] = "replace",
	[LINK_OP_DELETE] = "delete", [LINK_OP_BLOCKED] = "blocked",
};

const char *const link_attr_names[LINK_ATTRS] = {
	[LINK_ATTR_SOURCES] = "source MACs",
	[LINK_ATTR_FLAGS] = "flags",
	[LINK_ATTR_TXQUEUELEN] = "txqueuelen",
	[LINK_ATTR_BCQUEUELEN] = "bcqueuelen",
	[LINK_ATTR_BCCUTOFF] = "bccutoff",
	[LINK_ATTR_GROUP] = "group",
	[LINK_ATTR_ALIAS] = "alias",
	[LINK_ATTR_ALTNAMES] = "altnames",
	[LINK_ATTR_MODE] = "mode",
	[LINK_ATTR_MAC] = "mac",
	[LINK_ATTR_MTU] = "mtu",
	[LINK_ATTR_ARP] = "host ARP",
	[LINK_ATTR_IPV6] = "host IPv6",
	[LINK_ATTR_UP] = "up",
	[LINK_ATTR_OWNER] = "owner",
	[LINK_ATTR_PERMS] = "perms",
};

struct planner {
	const struct link_plan_input *in;
	const struct link_spec **by_name;
	struct link_plan plan;
};

uint32_t link_scratch_group(uint32_t group)
{
	return group ^ 0x80000000u;
}

static bool in_our_group(const struct link_state *link, uint32_t group)
{
	return link->is_macvlan &&
	       (link->group == group || link->group == link_scratch_group(group));
}

bool link_is_ours(const struct link_state *link, uint32_t group)
{
	return in_our_group(link, group) &&
	       strncmp(link->alias, LINK_ALIAS_PREFIX, strlen(LINK_ALIAS_PREFIX)) == 0;
}

static __attribute__((format(printf, 2, 3))) void because(struct link_step *step, const char *fmt,
							  ...)
{
	size_t len = strlen(step->reason);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(step->reason + len, sizeof(step->reason) - len, fmt, ap);
	va_end(ap);
}

static void because_of_attr(struct link_step *step, enum link_attr attr, const char *from,
			    const char *to)
{
	step->attrs |= 1u << attr;
	because(step, "%s%s %s -> %s", *step->reason ? ", " : "", link_attr_names[attr], from, to);
}

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
	const struct link_table *table = planner->in->table;

	return link_table_real_lower(table, link_table_find_name(table, spec->lower));
}

/* Made by us for this spec, but its maker died before the alias was set. */
static bool is_adoptable(const struct planner *planner, const struct link_spec *spec,
			 const struct link_state *link)
{
	const struct link_state *lower = find_lower(planner, spec);

	return in_our_group(link, planner->in->group) && !*link->alias &&
	       link->kind == spec->kind && !link->lower_elsewhere && lower &&
	       lower->ifindex == link->lower;
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

static void block(struct link_step *step, enum link_block block)
{
	step->op = LINK_OP_BLOCKED;
	step->block = block;
}

static void plan_delete(struct planner *planner, const struct link_state *link)
{
	struct link_step step = { .op = LINK_OP_DELETE, .link = link };
	char who[64];

	if (is_held(planner, link, who, sizeof(who))) {
		block(&step, LINK_BLOCK_HELD);
		because(&step, "held by %s: not wanted any more, but left alone", who);
	} else if (!planner->in->remove) {
		because(&step, "not wanted any more");
	}
	add_step(planner, &step);
}

static void plan_foreign(struct planner *planner, struct link_step *step)
{
	const struct link_state *link = step->link;

	block(step, LINK_BLOCK_FOREIGN);
	if (link->is_macvlan && *link->alias)
		because(step, "the name is taken by a link in group %u with the alias \"%.64s\": ",
			link->group, link->alias);
	else if (*link->kind_text)
		because(step, "the name is taken by a %s that is not ours: ", link->kind_text);
	else
		because(step, "the name is taken by a device that is not ours: ");
	because(step, "left alone");
	add_step(planner, step);
}

/* What no live change can do, as text in the reason; false when nothing is in the way. */
static bool must_replace(struct link_step *step, const struct link_state *lower,
			 const struct link_table *table)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *link = step->link, *old;
	uint32_t passthru = link_mode_to_kernel(LINK_MODE_PASSTHRU);
	uint32_t mode = link_mode_to_kernel(spec->mode);

	if (link->kind != spec->kind) {
		because(step, "kind %s -> %s", link->kind_text, link_kind_names[spec->kind]);
		return true;
	}
	if (link->lower_elsewhere || link->lower != lower->ifindex) {
		old = link->lower_elsewhere ? NULL : link_table_find(table, link->lower);
		because(step, "lower %s -> %s", old ? old->name : "in another network namespace",
			lower->name);
		return true;
	}
	/* macvlan_changelink() refuses it: passthru is alone on its lower device. */
	if (link->macvlan_mode != mode && (link->macvlan_mode == passthru || mode == passthru)) {
		because(step, "mode %s -> %s", link_mode_kernel_name(link->macvlan_mode),
			link_mode_names[spec->mode]);
		return true;
	}
	return false;
}

static void plan_replace(struct planner *planner, struct link_step *step)
{
	char who[64];

	if (is_held(planner, step->link, who, sizeof(who))) {
		block(step, LINK_BLOCK_HELD);
		because(step, " needs another link, but this one is held by %s: left alone", who);
	} else {
		step->op = LINK_OP_REPLACE;
	}
	add_step(planner, step);
}

static void compare_numbers(struct link_step *step, enum link_attr attr, uint32_t from, uint32_t to)
{
	char old[16], new[16];

	if (from == to)
		return;
	snprintf(old, sizeof(old), "%u", from);
	snprintf(new, sizeof(new), "%u", to);
	because_of_attr(step, attr, old, new);
}

static void compare_texts(struct link_step *step, enum link_attr attr, const char *from,
			  const char *to)
{
	char quoted[80];

	if (strcmp(from, to) == 0)
		return;
	snprintf(quoted, sizeof(quoted), "\"%.64s\"", from);
	because_of_attr(step, attr, quoted, to);
}

/* Names that are not ours stay; so many that not all are known leave ours in doubt, and alone. */
static void compare_altnames(struct link_step *step)
{
	const struct link_spec *spec = step->spec;

	for (size_t i = 0; i < LINK_ALTNAMES_MAX && !step->link->altnames_more; i++) {
		const char *name = spec->altnames[i];

		if (!*name || link_state_has_altname(step->link, name))
			continue;
		step->attrs |= 1u << LINK_ATTR_ALTNAMES;
		because(step, "%saltname +%s", *step->reason ? ", " : "", name);
	}
}

static void format_flags(char *ret, size_t size, uint32_t flags)
{
	size_t len = 0;

	snprintf(ret, size, "none");
	for (size_t i = 0; i < LINK_FLAGS && len < size; i++) {
		if (flags & (1u << i))
			len += (size_t)snprintf(ret + len, size - len, "%s%s", len ? " " : "",
						link_flag_names[i]);
	}
}

/*
 * nopromisc of a passthru link that is down is left for the moment when it comes up: a change of it
 * takes back a promiscuity of the lower device that only a link that is up has given
 * (macvlan_changelink(), macvlan_open()), and the count runs below zero.
 */
static void compare_flags(struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *link = step->link;
	char old[32], new[32];

	if (link->macvlan_flags == spec->flags ||
	    (spec->mode == LINK_MODE_PASSTHRU && !(link->flags & IFF_UP) && !spec->up))
		return;
	format_flags(old, sizeof(old), link->macvlan_flags);
	format_flags(new, sizeof(new), spec->flags);
	because_of_attr(step, LINK_ATTR_FLAGS, old, new);
}

static uint32_t count_missing(const struct link_sources *wanted, const struct link_sources *there)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < wanted->n; i++)
		n += !link_sources_have(there, wanted->macs[i]);
	return n;
}

/* A change from or to another mode empties the list (macvlan_changelink()). */
static void compare_sources(struct link_step *step)
{
	const struct link_sources *wanted = &step->spec->sources, *there = &step->link->sources;
	const char *comma = *step->reason ? ", " : "";
	uint32_t added, deleted;

	if (step->spec->mode != LINK_MODE_SOURCE)
		return;
	added = count_missing(wanted, there);
	deleted = count_missing(there, wanted);
	if (!added && !deleted && !there->more)
		return;
	step->attrs |= 1u << LINK_ATTR_SOURCES;
	if (there->more)
		because(step, "%ssource MACs more than %u -> %u", comma, there->n, wanted->n);
	else
		because(step, "%ssource MACs +%u -%u", comma, added, deleted);
}

static void format_cutoff(char *ret, size_t size, int32_t cutoff)
{
	if (cutoff < 0)
		snprintf(ret, size, "off");
	else
		snprintf(ret, size, "%d", cutoff);
}

static void compare_queues(struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *link = step->link;
	char old[16], new[16];

	if (spec->txqueuelen)
		compare_numbers(step, LINK_ATTR_TXQUEUELEN, link->txqueuelen, spec->txqueuelen);
	if (spec->bcqueuelen)
		compare_numbers(step, LINK_ATTR_BCQUEUELEN, link->bcqueuelen, spec->bcqueuelen);
	if (spec->bccutoff.set && spec->bccutoff.value != link->bccutoff) {
		format_cutoff(old, sizeof(old), link->bccutoff);
		format_cutoff(new, sizeof(new), spec->bccutoff.value);
		because_of_attr(step, LINK_ATTR_BCCUTOFF, old, new);
	}
}

static void compare_host(struct link_step *step)
{
	if (!link_kind_ops[step->spec->kind]->host_is_quiet)
		return;
	if (!(step->link->flags & IFF_NOARP))
		because_of_attr(step, LINK_ATTR_ARP, "on", "off");
	if (step->link->host_ipv6)
		because_of_attr(step, LINK_ATTR_IPV6, "on", "off");
}

static void compare_rights(struct link_step *step, const struct tap_rights *now)
{
	const struct tap_rights *wanted = &step->spec->tap;
	char old[32], new[32];

	if (now->uid != wanted->uid || now->gid != wanted->gid) {
		snprintf(old, sizeof(old), "%u:%u", now->uid, now->gid);
		snprintf(new, sizeof(new), "%u:%u", wanted->uid, wanted->gid);
		because_of_attr(step, LINK_ATTR_OWNER, old, new);
	}
	if (now->perms != wanted->perms) {
		snprintf(old, sizeof(old), "%04o", now->perms);
		snprintf(new, sizeof(new), "%04o", wanted->perms);
		because_of_attr(step, LINK_ATTR_PERMS, old, new);
	}
}

/* A node that cannot be had is told only where it should have been another than the kernel makes. */
static void compare_node(const struct planner *planner, struct link_step *step)
{
	const struct link_plan_input *in = planner->in;
	const struct tap_node *node = in->node ? in->node(step->spec, step->link, in->data) : NULL;

	if (!node)
		return;
	if (node->state == TAP_NODE_OURS) {
		compare_rights(step, &node->rights);
	} else if (!tap_rights_are_kernels(&step->spec->tap)) {
		step->block = LINK_BLOCK_NODE;
		because(step, "%sowner and perms cannot be set: /dev/tap%u is %s",
			*step->reason ? ", " : "", step->link->ifindex,
			node->state == TAP_NODE_ABSENT ? "not there"
						       : "another link's tap: left alone");
	}
}

static void plan_change(struct planner *planner, struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *link = step->link;
	char alias[LINK_ALIAS_MAX], old[MAC_TEXT_MAX], new[MAC_TEXT_MAX];
	bool up = link->flags & IFF_UP;

	link_spec_alias(spec, alias);
	compare_numbers(step, LINK_ATTR_GROUP, link->group, spec->group);
	compare_texts(step, LINK_ATTR_ALIAS, link->alias, alias);
	compare_altnames(step);
	if (link->macvlan_mode != link_mode_to_kernel(spec->mode))
		because_of_attr(step, LINK_ATTR_MODE, link_mode_kernel_name(link->macvlan_mode),
				link_mode_names[spec->mode]);
	compare_flags(step);
	compare_sources(step);
	format_mac(old, link->mac);
	format_mac(new, spec->mac);
	if (strcmp(old, new) != 0)
		because_of_attr(step, LINK_ATTR_MAC, old, new);
	if (spec->mtu)
		compare_numbers(step, LINK_ATTR_MTU, link->mtu, spec->mtu);
	compare_queues(step);
	compare_host(step);
	if (up != spec->up)
		because_of_attr(step, LINK_ATTR_UP, up ? "yes" : "no", spec->up ? "yes" : "no");
	compare_node(planner, step);

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
	step->op = LINK_OP_CREATE;
	because(step, "%s %s on %s", link_kind_names[step->spec->kind],
		link_mode_names[step->spec->mode], step->spec->lower);
	add_step(planner, step);
}

static void plan_spec(struct planner *planner, const struct link_spec *spec)
{
	const struct link_table *table = planner->in->table;
	const struct link_state *lower = find_lower(planner, spec);
	struct link_step step = {
		.spec = spec,
		.link = link_table_find_name(table, spec->name),
		.lower = lower ? lower->ifindex : 0,
	};

	if (step.link && !owns(planner, spec, step.link)) {
		plan_foreign(planner, &step);
	} else if (!lower) {
		block(&step, LINK_BLOCK_LOWER);
		because(&step, "the lower device %s does not exist: %s", spec->lower,
			step.link ? "left alone" : "waiting for it");
		add_step(planner, &step);
	} else if (!step.link) {
		plan_create(planner, &step);
	} else if (must_replace(&step, lower, table)) {
		plan_replace(planner, &step);
	} else {
		plan_change(planner, &step);
	}
}

static void plan_all(struct planner *planner)
{
	const struct link_plan_input *in = planner->in;

	for (size_t i = 0; i < in->table->n; i++) {
		const struct link_state *link = &in->table->links[i];
		const struct link_spec *spec = find_spec(planner, link->name);

		if ((in->remove || !spec) && owns(planner, spec, link))
			plan_delete(planner, link);
	}
	for (size_t i = 0; !in->remove && i < in->n_specs; i++)
		plan_spec(planner, &in->specs[i]);
}

int link_plan_make(const struct link_plan_input *input, struct link_plan *ret)
{
	size_t n_specs = input->n_specs;
	struct planner planner = { .in = input };
	int code = -ENOMEM;

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

void link_plan_done(struct link_plan *plan)
{
	free(plan->steps);
	*plan = (struct link_plan){ 0 };
}
