/* The bridge ports that the lower devices are plugged into: their hairpin, as links are kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/reconcile_parts.h"

int reconcile_plan_ports(struct reconcile *reconcile, enum reconcile_goal goal, struct err *err)
{
	int code;

	port_plan_done(&reconcile->port_plan);
	code = port_plan_make(reconcile->specs, reconcile->n, &reconcile->table, reconcile->group,
			      goal == RECONCILE_GOAL_NOTHING, &reconcile->port_plan);
	return code < 0 ? err_errno(err, code, "could not plan the bridge ports") : 0;
}

const struct port_plan *reconcile_port_plan(const struct reconcile *reconcile)
{
	return &reconcile->port_plan;
}

int reconcile_apply_ports(struct reconcile *reconcile, port_result_cb cb, void *data)
{
	return port_apply(reconcile->channel, &reconcile->port_plan, reconcile->group, cb, data);
}

/* What is remembered of the port called `name`; NULL when there is no memory for it. */
static struct reconcile_port *port_called(struct reconcile *reconcile, const char *name)
{
	struct reconcile_port *ports;

	for (size_t i = 0; i < reconcile->n_ports; i++) {
		if (strcmp(reconcile->ports[i].name, name) == 0)
			return &reconcile->ports[i];
	}
	ports = reallocarray(reconcile->ports, reconcile->n_ports + 1, sizeof(*ports));
	if (!ports)
		return NULL;
	reconcile->ports = ports;
	ports += reconcile->n_ports++;
	*ports = (struct reconcile_port){ .pending = false };
	snprintf(ports->name, sizeof(ports->name), "%s", name);
	return ports;
}

struct port_pass {
	struct reconcile *reconcile;
	uint64_t now_ms;
	const struct reconcile_watch *watch;
};

static void on_port(const struct port_result *result, void *data)
{
	struct port_pass *pass = data;
	struct reconcile_port *port = port_called(pass->reconcile, result->step->name);
	bool blocked = result->step->op == PORT_OP_BLOCKED, news;

	if (!port)
		return;
	news = !blocked || strcmp(port->error, result->text) != 0;
	snprintf(port->error, sizeof(port->error), "%s", result->text);
	port->pending = result->error < 0;
	if (result->error == 0) {
		link_track_done(&port->track);
		link_track_changed(&port->track, pass->now_ms);
	} else if (!blocked) {
		link_track_refused(&port->track, pass->now_ms);
	}
	if (news && pass->watch->port)
		pass->watch->port(result, pass->watch->data);
}

/* Blocked steps stay, to be told; of the others those whose time has come. */
static void keep_due_steps(struct reconcile *reconcile, uint64_t now_ms)
{
	struct port_plan *plan = &reconcile->port_plan;
	size_t n = 0;

	for (size_t i = 0; i < reconcile->n_ports; i++)
		reconcile->ports[i].pending = false;
	for (size_t i = 0; i < plan->n; i++) {
		struct reconcile_port *port = port_called(reconcile, plan->steps[i].name);

		if (port)
			port->pending = true;
		if (plan->steps[i].op == PORT_OP_BLOCKED || !port ||
		    link_track_ready(&port->track, now_ms))
			plan->steps[n++] = plan->steps[i];
	}
	plan->n = n;
	for (size_t i = 0; i < reconcile->n_ports; i++) {
		if (!reconcile->ports[i].pending)
			reconcile->ports[i].error[0] = '\0';
	}
}

/* The links of a set whose port is not as wanted say so. */
static void tell_links(struct reconcile *reconcile)
{
	const struct port_plan *plan = &reconcile->port_plan;

	for (size_t i = 0; i < plan->n; i++) {
		const struct reconcile_port *port = port_called(reconcile, plan->steps[i].name);

		for (size_t k = 0; port && *port->error && k < reconcile->n; k++) {
			struct reconcile_link *link = &reconcile->links[k];

			if (plan->steps[i].set && !link->error &&
			    strcmp(link->spec->set, plan->steps[i].set) == 0)
				reconcile_say(&link->error, "%s", port->error);
		}
	}
}

int reconcile_pass_ports(struct reconcile *reconcile, uint64_t now_ms,
			 const struct reconcile_watch *watch, struct err *err)
{
	struct port_pass pass = { .reconcile = reconcile, .now_ms = now_ms, .watch = watch };
	int code = reconcile_plan_ports(reconcile, RECONCILE_GOAL_CONFIG, err);

	if (code < 0)
		return code;
	keep_due_steps(reconcile, now_ms);
	reconcile_apply_ports(reconcile, on_port, &pass);
	tell_links(reconcile);
	return 0;
}

uint64_t reconcile_ports_due(const struct reconcile *reconcile, uint64_t now_ms)
{
	uint64_t due = 0;

	for (size_t i = 0; i < reconcile->n_ports; i++) {
		const struct reconcile_port *port = &reconcile->ports[i];
		uint64_t its = link_track_due(&port->track, now_ms);

		if (port->pending && its && (!due || its < due))
			due = its;
	}
	return due;
}
