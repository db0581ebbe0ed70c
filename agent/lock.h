/* One owner per run-dir: the lock that keeps `run`, `apply` and `down` apart. Edge. */
#ifndef TW_LOCK_H
#define TW_LOCK_H

#include "agent/base/err.h"

/*
 * Makes `run_dir` (0755) when it is missing, and locks agent.lock in it until the returned fd is
 * closed (flock(2); close-on-exec). -EWOULDBLOCK when another process has it, whose pid is in the
 * text; else another negative errno.
 */
int agent_lock(const char *run_dir, struct err *err);

#endif
