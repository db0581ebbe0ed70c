/*
 * What a worker may ask of the kernel, by seccomp(2): the only file that knows libseccomp. Edge:
 * restricts every thread of the process.
 *
 * A call of the role's list works. One that a worker never makes by mistake, as to run a program or
 * to make a page executable, ends it by SIGSYS, and the agent is told which it was. Any other one
 * is answered by ENOSYS: a newer libc that tries it first then does without (clone3, statx ...).
 */
#ifndef TW_SYSCALL_FILTER_H
#define TW_SYSCALL_FILTER_H

#include "agent/base/err.h"

enum sandbox_role {
	SANDBOX_CAPTURE,
	SANDBOX_WEB,
	SANDBOX_TRIAL, /* compiles a pattern that a client sent, and its machine code */
	SANDBOX_PLAN, /* plans a configuration that a client sent */
	SANDBOX_ROLES
};

/*
 * `channel_fd` is the one to the agent, for IPC_FAULT; -1: there is none, and it hears of SIGSYS
 * alone. PR_SET_NO_NEW_PRIVS must be set. Returns 0,
 * or a negative errno: -ENOSYS when the kernel has no seccomp(2).
 */
int syscall_filter_enter(enum sandbox_role role, int channel_fd, struct err *err);

#endif
