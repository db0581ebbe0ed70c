/*
 * A configuration made ready to run: checked, secrets read, users looked up, sockets and log
 * directory open, and the copy of it that each worker gets. All of it or nothing: the agent starts
 * with a setup, and a reload swaps one for another. Edge.
 */
#ifndef TW_SETUP_H
#define TW_SETUP_H

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/opens.h"
#include "agent/worker.h"

struct setup {
	struct config *config;
	struct listeners listeners;
	int log_fd;
	bool log_made; /* for this configuration; it was not there */
	int tls_fd; /* -1: no TLS */
	struct worker_config workers[WORKER_ROLES];
	uint32_t ring_block_size, ring_blocks; /* of each watched link */
};

/* Checks `path`; every fault is logged, and the first is the text of `err`. */
int setup_config(const char *path, struct config **ret, struct err *err);

/*
 * Everything else; takes `config` over, also on failure. Listening sockets that `old` has (NULL at
 * the start) are shared with it. `generation` counts the configurations of this agent.
 */
int setup_open(struct config *config, uint32_t generation, const struct setup *old,
	       struct setup *ret, struct err *err);
void setup_done(struct setup *setup);

/* What worker `index` of a role is started with, for worker_start(); or a negative errno. */
int setup_worker(const struct setup *setup, enum worker_role role, unsigned int index,
		 struct worker_config *ret);

/*
 * The same of a configuration that was never served: the log directory goes if it was made for it.
 */
void setup_drop(struct setup *setup);

#endif
