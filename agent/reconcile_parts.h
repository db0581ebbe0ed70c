/* What the files of reconcile.h share: the context, and the steps of a pass. Edge. */
#ifndef TW_RECONCILE_PARTS_H
#define TW_RECONCILE_PARTS_H

#include "agent/held_taps.h"
#include "agent/reconcile.h"
#include "netlink/nl_channel.h"

/* What is remembered of a bridge port from pass to pass. */
struct reconcile_port {
	char name[IFNAME_SIZE];
	bool pending;
	char error[512]; /* why it is not as wanted; "" when it is */
	struct link_track track;
};

struct reconcile {
	struct nl_channel *channel;
	uint32_t group;
	struct link_spec *specs;
	struct reconcile_link *links; /* one per spec */
	size_t n;

	struct link_table table;
	struct link_plan plan; /* points into table and specs */
	struct held_taps held;

	/* What is known of filters holds until notifications say otherwise. */
	bool filters_known;

	struct port_plan port_plan; /* points into table and specs */
	struct reconcile_port *ports; /* that something was wanted of */
	size_t n_ports;

	struct link_track strays; /* links to be deleted have no place of their own */
};

/* Gives back what a dump needed: a thousand links are megabytes, and between passes of no use. */
void reconcile_forget(struct reconcile *reconcile);

/* Takes over what the kernel has; the plan is empty after it. */
int reconcile_refresh(struct reconcile *reconcile, struct err *err);
int reconcile_make_plan(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
			struct err *err);

/* The wanted link that the step is about; NULL for one that is to go. */
struct reconcile_link *reconcile_link_of(struct reconcile *reconcile, const struct link_step *step);

/* A link_held_cb; `data` is the context. */
bool reconcile_is_held(const struct link_state *link, char *who, size_t size, void *data);

int reconcile_plan_ports(struct reconcile *reconcile, enum reconcile_goal goal, struct err *err);

/* As reconcile_pass(), of the ports alone and on the table that is there. */
int reconcile_pass_ports(struct reconcile *reconcile, uint64_t now_ms,
			 const struct reconcile_watch *watch, struct err *err);

/* When a port is due by itself; 0: not. */
uint64_t reconcile_ports_due(const struct reconcile *reconcile, uint64_t now_ms);

#endif
