/* Who the processes run as, and what the agent itself keeps. Edge. */
#ifndef TW_PRIVS_H
#define TW_PRIVS_H

#include <sys/types.h>

#include "agent/base/err.h"

/*
 * A user by name, or by number with the group of the same number (no entry in passwd(5) needed).
 * Root is refused: a worker must have nothing to give away.
 */
int privs_user(const char *user, uid_t *ret_uid, gid_t *ret_gid, struct err *err);

/*
 * Keeps of root's capabilities only what the agent uses; the list with the reasons is in privs.c.
 * Called once, before anything is opened. -EPERM when one of them is not there.
 */
int privs_reduce(struct err *err);

/*
 * Gives up what privs_reduce() keeps for links in other network namespaces. A configuration that
 * needs it later takes another start of the agent.
 */
int privs_stay_here(struct err *err);

#endif
