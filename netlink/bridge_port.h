/*
 * Hairpin on the bridge port that a lower device is plugged into: whether the bridge sends frames
 * back where they came from (bridge(8)), as VEPA needs. Pure.
 *
 * The port is somebody else's, so what it was before is remembered and given back. The memory is a
 * mark in the kernel object, an altname of the port (ip-link(8)): it lives exactly as long as what
 * it tells of, survives the agent and shows in `ip link`, where a file could outlive the port and
 * be believed of another one of its name. It is there if and only if we have changed the port: set
 * before the change, taken away after the change back, so that a crash in between loses nothing.
 */
#ifndef TW_BRIDGE_PORT_H
#define TW_BRIDGE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink/link_msg.h"
#include "netlink/link_spec.h"
#include "netlink/link_state.h"

enum port_op {
	PORT_OP_SET,
	PORT_OP_RESTORE, /* as it was, and the mark away */
	PORT_OP_BLOCKED,
	PORT_OPS,
};

extern const char *const port_op_names[PORT_OPS];

#define PORT_REASON_MAX 256

struct port_step {
	enum port_op op;
	char name[IFNAME_SIZE]; /* of the port; of the lower device where no port is known */
	const char *set; /* one that wants it; NULL for what none wants any more */
	const struct link_state *port; /* NULL when blocked */
	bool hairpin; /* to be set to */
	bool was; /* what the mark says, or is to say */
	bool marked;
	char reason[PORT_REASON_MAX];
};

/* The steps point into the specs and the table. Freed by port_plan_done(). */
struct port_plan {
	struct port_step *steps; /* no port has two */
	size_t n;
	size_t count[PORT_OPS];
};

/*
 * What `specs` want of the ports that their lower devices are plugged into; with `remove` nothing.
 * `group` tells our marks from those of another configuration. Returns 0 or -ENOMEM.
 */
int port_plan_make(const struct link_spec *specs, size_t n_specs, const struct link_table *table,
		   uint32_t group, bool remove, struct port_plan *ret);
void port_plan_done(struct port_plan *plan);

/*
 * The bridge port that `lower` is plugged into: the one called `named`, if that is not empty, else
 * the other end of a veth. NULL when there is none to be seen.
 */
const struct link_state *bridge_port_of(const struct link_table *table,
					const struct link_state *lower, const char *named);

/* The mark as an altname. */
void port_mark(char ret[ALTNAME_SIZE], uint32_t group, const struct link_state *port, bool was);

/* Whether an altname is a mark of ours. */
bool port_is_mark(const char *altname, uint32_t group);

int link_msg_set_hairpin(struct link_msg *msg, uint32_t ifindex, bool hairpin);

#endif
