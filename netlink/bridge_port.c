#include "netlink/bridge_port.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const port_op_names[PORT_OPS] = {
	[PORT_OP_SET] = "set",
	[PORT_OP_RESTORE] = "restore",
	[PORT_OP_BLOCKED] = "blocked",
};

static const char *const words[] = { "off", "on" };

/* Altnames are one space for a namespace, so the index makes it one of this port alone. */
#define MARK_PREFIX "tapwarden-%u-hairpin-was-%s-"

void port_mark(char ret[ALTNAME_SIZE], uint32_t group, const struct link_state *port, bool was)
{
	snprintf(ret, ALTNAME_SIZE, MARK_PREFIX "%u", group, words[was], port->ifindex);
}

/*
 * By its beginning alone: a port that was moved here from another namespace has another index now.
 */
static bool read_mark(const char *altname, uint32_t group, bool *ret_was)
{
	for (int was = 0; was < 2; was++) {
		char prefix[ALTNAME_SIZE];
		int len = snprintf(prefix, sizeof(prefix), MARK_PREFIX, group, words[was]);

		if (strncmp(altname, prefix, (size_t)len) != 0)
			continue;
		*ret_was = was;
		return true;
	}
	return false;
}

bool port_is_mark(const char *altname, uint32_t group)
{
	bool was;

	return read_mark(altname, group, &was);
}

static bool find_mark(const struct link_state *port, uint32_t group, bool *ret_was)
{
	for (const char *at = link_state_lists(port)->altnames; *at; at += strlen(at) + 1) {
		if (read_mark(at, group, ret_was))
			return true;
	}
	return false;
}

const struct link_state *bridge_port_of(const struct link_table *table,
					const struct link_state *lower, const char *named)
{
	const struct link_state *port = NULL;

	if (*named)
		port = link_table_find_name(table, named);
	else if (lower && strcmp(lower->kind_text, "veth") == 0 && !lower->lower_elsewhere)
		port = link_table_find(table, lower->lower);
	return port && port->is_bridge_port ? port : NULL;
}

static void because(struct port_step *step, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void because(struct port_step *step, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(step->reason, sizeof(step->reason), fmt, ap);
	va_end(ap);
}

static bool has_step(const struct port_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n; i++) {
		if (strcmp(plan->steps[i].name, name) == 0)
			return true;
	}
	return false;
}

static void add_step(struct port_plan *plan, const struct port_step *step)
{
	plan->steps[plan->n++] = *step;
	plan->count[step->op]++;
}

static void plan_blocked(struct port_plan *plan, const struct link_spec *spec,
			 const struct link_table *table)
{
	const char *named = spec->hairpin_port;
	struct port_step step = { .op = PORT_OP_BLOCKED, .set = spec->set };

	snprintf(step.name, sizeof(step.name), "%s", *named ? named : spec->lower);
	if (has_step(plan, step.name))
		return;
	if (*named && !link_table_find_name(table, named))
		because(&step, "hairpin cannot be set: there is no %s: waiting for it", named);
	else if (*named)
		because(&step, "hairpin cannot be set: %s is no port of a bridge", named);
	else
		because(&step,
			"hairpin cannot be set: the bridge port that %s is plugged into is not to be "
			"seen from here: hairpin-port would name it",
			spec->lower);
	add_step(plan, &step);
}

/* A port with so many altnames that not all are known may have been marked: it is left alone. */
static bool is_unclear(struct port_plan *plan, struct port_step *step)
{
	if (!link_state_lists(step->port)->altnames_more)
		return false;
	step->op = PORT_OP_BLOCKED;
	because(step, "hairpin cannot be set: it has too many altnames to be marked");
	add_step(plan, step);
	return true;
}

static void plan_wish(struct port_plan *plan, const struct link_spec *spec,
		      const struct link_state *port, uint32_t group)
{
	const bool wanted = spec->hairpin == LINK_HAIRPIN_ON;
	struct port_step step = { .set = spec->set, .port = port, .hairpin = wanted };

	snprintf(step.name, sizeof(step.name), "%s", port->name);
	if (has_step(plan, step.name))
		return;
	step.marked = find_mark(port, group, &step.was);
	if (!step.marked)
		step.was = port->hairpin;
	if (port->hairpin == wanted && !(step.marked && step.was == wanted))
		return;
	if (is_unclear(plan, &step))
		return;
	step.op = step.marked && step.was == wanted ? PORT_OP_RESTORE : PORT_OP_SET;
	because(&step, "hairpin %s -> %s, for set %s", words[port->hairpin], words[wanted],
		spec->set);
	add_step(plan, &step);
}

static void plan_unwanted(struct port_plan *plan, const struct link_state *port, uint32_t group)
{
	struct port_step step = { .op = PORT_OP_RESTORE, .port = port, .marked = true };

	if (!find_mark(port, group, &step.was))
		return;
	snprintf(step.name, sizeof(step.name), "%s", port->name);
	step.hairpin = step.was;
	if (!port->is_bridge_port)
		because(&step, "no bridge port any more: the mark of ours goes");
	else if (port->hairpin == step.was)
		because(&step, "hairpin is %s as before: the mark of ours goes", words[step.was]);
	else
		because(&step, "hairpin %s -> %s, as before", words[port->hairpin],
			words[step.was]);
	add_step(plan, &step);
}

/* Whether some spec wants something of this port. */
static bool is_wanted(const struct link_spec *specs, size_t n_specs, const struct link_table *table,
		      const struct link_state *port)
{
	for (size_t i = 0; i < n_specs; i++) {
		const struct link_spec *spec = &specs[i];

		if (spec->hairpin != LINK_HAIRPIN_KEEP &&
		    bridge_port_of(table, link_table_find_lower(table, spec->lower),
				   spec->hairpin_port) == port)
			return true;
	}
	return false;
}

int port_plan_make(const struct link_spec *specs, size_t n_specs, const struct link_table *table,
		   uint32_t group, bool remove, struct port_plan *ret)
{
	struct port_plan plan = { .steps = calloc(n_specs + table->n + 1, sizeof(*plan.steps)) };
	const size_t n = remove ? 0 : n_specs;

	if (!plan.steps)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct link_spec *spec = &specs[i];
		const struct link_state *port;

		if (spec->hairpin == LINK_HAIRPIN_KEEP)
			continue;
		port = bridge_port_of(table, link_table_find_lower(table, spec->lower),
				      spec->hairpin_port);
		if (port)
			plan_wish(&plan, spec, port, group);
		else
			plan_blocked(&plan, spec, table);
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct link_state *port = &table->links[i];

		if (port->lists && !is_wanted(specs, n, table, port))
			plan_unwanted(&plan, port, group);
	}
	*ret = plan;
	return 0;
}

void port_plan_done(struct port_plan *plan)
{
	free(plan->steps);
	*plan = (struct port_plan){ 0 };
}

/* br_setlink(): PF_BRIDGE, and the attributes of the port in IFLA_PROTINFO. */
int link_msg_set_hairpin(struct link_msg *msg, uint32_t ifindex, bool hairpin)
{
	struct ifinfomsg *info;
	struct nlattr *port;

	memset(msg, 0, sizeof(*msg));
	mnl_nlmsg_put_header(msg);
	msg->header.nlmsg_type = RTM_SETLINK;
	msg->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	info = mnl_nlmsg_put_extra_header(&msg->header, sizeof(*info));
	info->ifi_family = PF_BRIDGE;
	info->ifi_index = (int)ifindex;
	port = mnl_attr_nest_start(&msg->header, IFLA_PROTINFO);
	mnl_attr_put_u8(&msg->header, IFLA_BRPORT_MODE, hairpin);
	mnl_attr_nest_end(&msg->header, port);
	return 0;
}
