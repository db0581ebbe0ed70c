/*
 * The loop that keeps the kernel as the configuration says: notifications mark the state dirty, a
 * short timer gathers them, one pass of reconcile.h looks at everything and acts. Edge.
 */
#ifndef TW_SUPERVISOR_H
#define TW_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/reconcile.h"

struct supervisor;

struct supervisor_ops {
	/* A step was tried, or is blocked anew. */
	void (*step)(struct supervisor *supervisor, const struct link_result *result);
	/* A link that was there is not. */
	void (*lost)(struct supervisor *supervisor, const struct reconcile_link *link);
	/* Its MAC is not as wanted any more; `who` holds its tap, "" when nobody does. */
	void (*mac_changed)(struct supervisor *supervisor, const struct reconcile_link *link,
			    const char *who);
	/* As `step`, of a bridge port. */
	void (*port)(struct supervisor *supervisor, const struct port_result *result);
	/* Links were made, and are set up after the call. */
	void (*rising)(struct supervisor *supervisor, const struct link_rising *links, size_t n);
	/* A pass is over: reconcile_links() tells what is there now. */
	void (*passed)(struct supervisor *supervisor);
};

struct supervisor {
	void *data; /* the owner's */
	struct reconcile *reconcile;

	/* private */
	const struct supervisor_ops *ops;
	uv_poll_t poll;
	uv_timer_t timer;
	uint64_t last_pass_ms;
	bool passed_once;
	bool acted; /* the pass changed something */
	bool looking; /* the next pass only looks at what this one made */
	unsigned int open;
	void (*closed)(struct supervisor *supervisor);
};

/* Opens netlink and makes the first pass at once. 0 or a negative errno. */
int supervisor_start(struct supervisor *supervisor, uv_loop_t *loop, const struct config *config,
		     const struct supervisor_ops *ops, struct err *err);

/* A pass as soon as the loop turns: after a reload, or when a tap may have been let go. */
void supervisor_kick(struct supervisor *supervisor);

/* A pass in a second at the latest: something could not be had. */
void supervisor_retry(struct supervisor *supervisor);

/* `closed` is called when no handle is left; also for one that was never started. */
void supervisor_close(struct supervisor *supervisor, void (*closed)(struct supervisor *supervisor));

#endif
