/*
 * One owner at a time: the locks that keep `run`, `apply` and `down` apart. Edge.
 *
 * Two things must not be shared: run-dir with its socket, and the links of one link-group in one
 * network namespace, where two configurations would delete each other's. A file is locked for the
 * first; the second is a name in the abstract namespace of unix(7), which is the network
 * namespace's own and goes with the process.
 */
#ifndef TW_LOCK_H
#define TW_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/err.h"

struct agent_lock {
	int file; /* agent.lock in run-dir, flock(2) */
	int group; /* listens on the abstract name */
};

/* Holds nothing yet; agent_unlock() may be called. */
#define AGENT_LOCK_NONE ((struct agent_lock){ -1, -1 })

/*
 * Takes both, making `run_dir` (0755) when it is missing. -EWOULDBLOCK when another process has one
 * of them, whose pid is in the text; else another negative errno. Both fds are close-on-exec.
 */
int agent_lock(const char *run_dir, uint32_t link_group, struct agent_lock *ret, struct err *err);
void agent_unlock(struct agent_lock *lock);

/* The file of another folder alone: an fd that close(2) unlocks, or as agent_lock(). */
int agent_lock_dir(const char *dir, struct err *err);

/* The agent that has `run_dir`; 0 when none runs. */
pid_t agent_lock_pid(const char *run_dir);

/* Whether somebody removed the locked file: run-dir is then as good as another folder. */
bool agent_lock_is_lost(const struct agent_lock *lock, const char *run_dir);

/* Locks the file in a run-dir that was made again. 0, or as agent_lock(): then nothing changed. */
int agent_lock_again(struct agent_lock *lock, const char *run_dir, struct err *err);

#endif
