/*
 * Leases on their way from the capture worker to the filters of links with `learn = dhcp`.
 *
 * Edge: keeps the file of leases.h and a timer for the end of the next one. What counts is a
 * server's answer that the worker says a guest got; the agent judges who the server is. An answer
 * that came from a link of ours is a guest's, and one guest could give another what it likes.
 */
#ifndef TW_LEARN_H
#define TW_LEARN_H

#include <stdbool.h>
#include <uv.h>

#include "agent/base/ipc_msg.h"
#include "agent/leases.h"

struct agent;

struct learn {
	struct leases leases;
	uv_timer_t timer; /* the end of the next lease, or what changed is to be kept and given */
	bool changed; /* the file is behind */
	bool moved; /* and the filters are */
};

/* What an agent before this one left, once its run-dir is locked; a damaged file is begun anew. */
void learn_load(struct agent *agent, const char *run_dir);

void learn_start(struct agent *agent);

/* A message of the capture worker. */
void learn_lease(struct agent *agent, const struct ipc_lease *message);

/* After another configuration was taken. */
void learn_reload(struct agent *agent);

void learn_stop(struct agent *agent);
void learn_done(struct agent *agent);

#endif
