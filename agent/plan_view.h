/* A plan as people and programs read it. Pure. */
#ifndef TW_PLAN_VIEW_H
#define TW_PLAN_VIEW_H

#include <jansson.h>

#include "agent/base/buf.h"
#include "netlink/bridge_port.h"
#include "netlink/link_steps.h"

/* A line per step, as "  + link web09  macvtap bridge on eno1". */
void plan_view_steps(const struct link_plan *plan, struct buf *out);

/* As plan_view_steps(), of bridge ports. */
void plan_view_ports(const struct port_plan *ports, struct buf *out);

/* The last line: "Plan: 1 to add, 1 blocked. Run: tapwarden apply -c FILE". */
void plan_view_tally(const struct link_plan *plan, const struct port_plan *ports,
		     const char *config, struct buf *out);

/*
 * {"op", "link", "set", "kind", "mode", "lower", "mac", "mtu", "attributes", "reason",
 * "blocked_by"}; what does not apply is null. NULL when there is no memory.
 */
json_t *plan_view_step_json(const struct link_step *step);

/* {"op", "port", "set", "hairpin", "reason"} */
json_t *plan_view_port_json(const struct port_step *step);

/*
 * {"steps": [...], "summary": {"create": N, ..., "kept": N}}; `plan` adds "ports": [...] and
 * "notes": [text].
 */
json_t *plan_view_json(const struct link_plan *plan);

#endif
