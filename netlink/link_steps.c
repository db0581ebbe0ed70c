#include "netlink/link_steps.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const link_op_names[LINK_OPS] = {
	[LINK_OP_CREATE] = "create", [LINK_OP_CHANGE] = "change",   [LINK_OP_REPLACE] = "replace",
	[LINK_OP_DELETE] = "delete", [LINK_OP_BLOCKED] = "blocked",
};

const char *const link_attr_names[LINK_ATTRS] = {
	[LINK_ATTR_NETNS] = "netns",
	[LINK_ATTR_MASTER] = "master",
	[LINK_ATTR_NAME] = "name",
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
	[LINK_ATTR_FILTERS] = "filters",
	[LINK_ATTR_UP] = "up",
	[LINK_ATTR_ADDRESSES] = "addresses",
	[LINK_ATTR_OWNER] = "owner",
	[LINK_ATTR_PERMS] = "perms",
};

void link_because(struct link_step *step, const char *fmt, ...)
{
	size_t len = strlen(step->reason);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(step->reason + len, sizeof(step->reason) - len, fmt, ap);
	va_end(ap);
}

void link_block(struct link_step *step, enum link_block block)
{
	step->op = LINK_OP_BLOCKED;
	step->block = block;
}

static bool moves(const struct link_plan *plan, const struct link_spec *spec)
{
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->steps[i].spec == spec && plan->steps[i].attrs & 1u << LINK_ATTR_NETNS)
			return true;
	}
	return false;
}

int link_plan_append(struct link_plan *plan, struct link_plan *more, unsigned int place)
{
	struct link_step *steps = calloc(plan->n + more->n + 1, sizeof(*steps));
	size_t n = 0;

	if (!steps)
		return -ENOMEM;
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->steps[i].spec && moves(more, plan->steps[i].spec))
			plan->count[plan->steps[i].op]--;
		else
			steps[n++] = plan->steps[i];
	}
	for (size_t i = 0; i < more->n; i++) {
		steps[n] = more->steps[i];
		steps[n++].place = place;
	}
	for (size_t op = 0; op < LINK_OPS; op++)
		plan->count[op] += more->count[op];
	plan->kept += more->kept;
	free(plan->steps);
	plan->steps = steps;
	plan->n = n;
	link_plan_done(more);
	return 0;
}

void link_plan_done(struct link_plan *plan)
{
	free(plan->steps);
	*plan = (struct link_plan){ 0 };
}
