#include "agent/plan_view.h"

#include <string.h>

#include "agent/base/plural.h"
#include "netlink/link_kind.h"

static const char *const symbols[LINK_OPS] = {
	[LINK_OP_CREATE] = "+", [LINK_OP_CHANGE] = "~",	 [LINK_OP_REPLACE] = "-/+",
	[LINK_OP_DELETE] = "-", [LINK_OP_BLOCKED] = "!",
};

static const char *const tally_words[LINK_OPS] = {
	[LINK_OP_CREATE] = "to add",	  [LINK_OP_CHANGE] = "to change",
	[LINK_OP_REPLACE] = "to replace", [LINK_OP_DELETE] = "to delete",
	[LINK_OP_BLOCKED] = "blocked",
};

static const char *const block_names[LINK_BLOCKS] = {
	[LINK_BLOCK_NONE] = NULL,	  [LINK_BLOCK_LOWER] = "lower",
	[LINK_BLOCK_FOREIGN] = "foreign", [LINK_BLOCK_HELD] = "held",
	[LINK_BLOCK_NODE] = "node",	  [LINK_BLOCK_WIRELESS] = "wireless",
	[LINK_BLOCK_UNFIT] = "unfit",	  [LINK_BLOCK_NETNS] = "netns",
	[LINK_BLOCK_MASTER] = "master",
};

static const char *name_of(const struct link_step *step)
{
	return step->spec ? step->spec->name : step->link->name;
}

void plan_view_steps(const struct link_plan *plan, struct buf *out)
{
	int width = 0;

	for (size_t i = 0; i < plan->n; i++) {
		int len = (int)strlen(name_of(&plan->steps[i]));

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < plan->n; i++) {
		const struct link_step *step = &plan->steps[i];

		if (*step->reason)
			buf_addf(out, "%4s link %-*s  %s\n", symbols[step->op], width,
				 name_of(step), step->reason);
		else
			buf_addf(out, "%4s link %s\n", symbols[step->op], name_of(step));
	}
}

void plan_view_ports(const struct port_plan *ports, struct buf *out)
{
	static const char *const marks[PORT_OPS] = {
		[PORT_OP_SET] = "~",
		[PORT_OP_RESTORE] = "~",
		[PORT_OP_BLOCKED] = "!",
	};

	for (size_t i = 0; i < ports->n; i++)
		buf_addf(out, "%4s port %s  %s\n", marks[ports->steps[i].op], ports->steps[i].name,
			 ports->steps[i].reason);
}

static void add_port_tally(const struct port_plan *ports, const char *separator, struct buf *out)
{
	size_t due = ports->count[PORT_OP_SET] + ports->count[PORT_OP_RESTORE];

	if (due) {
		buf_addf(out, "%s%zu of bridge ports", separator, due);
		separator = ", ";
	}
	if (ports->count[PORT_OP_BLOCKED])
		buf_addf(out, "%s%zu of bridge ports blocked", separator,
			 ports->count[PORT_OP_BLOCKED]);
}

void plan_view_tally(const struct link_plan *plan, const struct port_plan *ports,
		     const char *config, struct buf *out)
{
	const char *separator = "Plan: ";

	if (plan->n == 0 && ports->n == 0) {
		buf_addf(out, "Plan: nothing to do, %zu %s should be.\n", plan->kept,
			 plural(plan->kept, "link is as it", "links are as they"));
		return;
	}
	for (size_t op = 0; op < LINK_OPS; op++) {
		if (plan->count[op] == 0)
			continue;
		buf_addf(out, "%s%zu %s", separator, plan->count[op], tally_words[op]);
		separator = ", ";
	}
	add_port_tally(ports, separator, out);
	buf_adds(out, ".");
	if (plan->n > plan->count[LINK_OP_BLOCKED] || ports->n > ports->count[PORT_OP_BLOCKED])
		buf_addf(out, " Run: tapwarden apply -c %s", config);
	buf_adds(out, "\n");
}

static json_t *attributes_json(const struct link_step *step)
{
	json_t *list = json_array();

	for (size_t attr = 0; attr < LINK_ATTRS; attr++) {
		if (step->attrs & (1u << attr))
			json_array_append_new(list, json_string(link_attr_names[attr]));
	}
	return list;
}

/* The values that are to be; those that are, when the link is to go. */
static json_t *spec_json(const struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *link = step->link;
	char mac[MAC_TEXT_MAX];

	if (spec) {
		format_mac(mac, spec->mac);
		return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "link", spec->name, "set",
				 spec->set, "kind", link_kind_names[spec->kind], "mode",
				 link_mode_names[spec->mode], "lower", spec->lower, "mac", mac,
				 "mtu", spec->mtu ? json_integer(spec->mtu) : json_null());
	}
	format_mac(mac, link->mac);
	return json_pack("{s:s, s:n, s:s, s:s, s:n, s:s, s:i}", "link", link->name, "set", "kind",
			 link->kind_text, "mode", link_mode_kernel_name(link->macvlan_mode),
			 "lower", "mac", mac, "mtu", (int)link->mtu);
}

json_t *plan_view_step_json(const struct link_step *step)
{
	json_t *object = spec_json(step);
	const char *block = block_names[step->block];

	if (!object)
		return NULL;
	json_object_set_new(object, "op", json_string(link_op_names[step->op]));
	json_object_set_new(object, "attributes", attributes_json(step));
	json_object_set_new(object, "reason",
			    *step->reason ? json_string(step->reason) : json_null());
	json_object_set_new(object, "blocked_by", block ? json_string(block) : json_null());
	return object;
}

json_t *plan_view_port_json(const struct port_step *step)
{
	bool blocked = step->op == PORT_OP_BLOCKED;

	return json_pack("{s:s, s:s, s:s?, s:o, s:s}", "op", port_op_names[step->op], "port",
			 step->name, "set", step->set, "hairpin",
			 blocked ? json_null() : json_boolean(step->hairpin), "reason",
			 step->reason);
}

json_t *plan_view_json(const struct link_plan *plan)
{
	json_t *steps = json_array(), *summary = json_object();

	for (size_t i = 0; i < plan->n; i++)
		json_array_append_new(steps, plan_view_step_json(&plan->steps[i]));
	for (size_t op = 0; op < LINK_OPS; op++)
		json_object_set_new(summary, link_op_names[op],
				    json_integer((json_int_t)plan->count[op]));
	json_object_set_new(summary, "kept", json_integer((json_int_t)plan->kept));
	return json_pack("{s:o, s:o}", "steps", steps, "summary", summary);
}
