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

/* Another network namespace, as the last look found it. */
struct reconcile_place {
	char netns[NETNS_NAME_SIZE]; /* of parse_netns() */
	bool wanted; /* by a spec; else only something of ours is left there */
	char absent[256]; /* why it cannot be looked into; "": it can */
	struct nl_channel *channel; /* from a look to the end of the pass: it keeps it alive */
	struct link_table table;
	int32_t nsid; /* its id at home */
	int32_t home_nsid; /* that of home in it */
};

struct reconcile {
	struct nl_channel *channel;
	uint32_t group;
	pid_t agent; /* the one that runs, or this process */
	struct link_rising_watch rising;
	struct link_spec *specs;
	struct reconcile_link *links; /* one per spec */
	size_t n;

	struct link_table table;
	struct link_plan plan; /* points into table and specs */
	struct held_taps held;
	/* the lower device last asked about, by ifindex; 0: none since the dump */
	uint32_t air_asked;
	bool on_the_air; /* the answer */

	bool stats; /* the next look is for counters, too */

	/*
	 * What is known of links here, and of their filters, holds until notifications say
	 * otherwise.
	 */
	bool links_known;
	bool filters_known;

	struct port_plan port_plan; /* points into table and specs */
	struct reconcile_port *ports; /* that something was wanted of */
	size_t n_ports;

	int home; /* the open namespace of the agent */
	struct reconcile_place *places;
	size_t n_places;
	bool scan; /* the next look is for links of ours where none is wanted, too */
	bool listens_all;

	struct link_track strays; /* links to be deleted have no place of their own */
};

/* Gives back what a dump needed: a thousand links are megabytes, and between passes of no use. */
void reconcile_forget(struct reconcile *reconcile);

/* What is known holds no longer, as far as `news` (nl_channel_drain()) has it. */
void reconcile_doubt(struct reconcile *reconcile, int news);

/* Takes over what the kernel has; the plan is empty after it. */
int reconcile_refresh(struct reconcile *reconcile, struct err *err);
int reconcile_make_plan(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
			struct err *err);

/* The wanted link that the step is about; NULL for one that is to go. */
struct reconcile_link *reconcile_link_of(struct reconcile *reconcile, const struct link_step *step);

/* A link_held_cb; `data` is the context. */
bool reconcile_is_held(const struct link_state *link, char *who, size_t size, void *data);

/* Looks into the namespaces that matter; those that are not there say so. */
int reconcile_refresh_places(struct reconcile *reconcile, struct err *err);
void reconcile_leave_places(struct reconcile *reconcile);
void reconcile_free_places(struct reconcile *reconcile);

/* NULL for a spec of the agent's own namespace. */
const struct reconcile_place *reconcile_place_of(const struct reconcile *reconcile,
						 const struct link_spec *spec);
const struct link_table *reconcile_table_of(const struct reconcile *reconcile,
					    const struct link_spec *spec);

/* As link_apply(), of the whole plan. */
int reconcile_apply_places(struct reconcile *reconcile, link_result_cb cb, void *data,
			   struct err *err);

int reconcile_plan_ports(struct reconcile *reconcile, enum reconcile_goal goal, struct err *err);

/* As reconcile_pass(), of the ports alone and on the table that is there. */
int reconcile_pass_ports(struct reconcile *reconcile, uint64_t now_ms,
			 const struct reconcile_watch *watch, struct err *err);

/* When a port is due by itself; 0: not. */
uint64_t reconcile_ports_due(const struct reconcile *reconcile, uint64_t now_ms);

#endif
