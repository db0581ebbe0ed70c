/* What a worker gives up before it reads the first byte from outside. Edge: changes the process. */
#ifndef TW_SANDBOX_H
#define TW_SANDBOX_H

#include "agent/base/err.h"
#include "agent/base/ipc_msg.h"
#include "agent/base/syscall_filter.h"

/*
 * First thing in a worker, before its configuration: it dies with the agent, leaves no core, has no
 * capability in any set, cannot gain one (PR_SET_NO_NEW_PRIVS), and is not root. A measure that
 * fails is a reason not to start: -EPERM or another negative errno.
 */
int sandbox_enter(struct err *err);

/*
 * For a process that lives for one question: so much CPU time, a GiB of memory, and no other
 * process.
 */
int sandbox_limit(unsigned int seconds, struct err *err);

/*
 * Its last thing before it reads what it is asked: files are those that are open and, to be read,
 * those below `read_dir` (-1: none), and few system calls are left. 0 or a negative errno.
 */
int sandbox_seal_trial(enum sandbox_role role, int read_dir, struct err *err);

/*
 * Last thing before IPC_READY, once patterns are compiled, libraries loaded and no thread started:
 * what is code stays as it is (code_pages.h), files are those below `log_dir` (-1: none) and those
 * that are open or come from the agent (landlock.h), and few system calls are left
 * (syscall_filter.h). `channel_fd` is the one to the agent. `ret` says what the kernel had of all
 * that: with less of Landlock, mseal(2) or PR_SET_MDWE a worker goes on and says so; what the
 * kernel has must work. Returns 0 or a negative errno.
 */
int sandbox_seal(enum sandbox_role role, int log_dir, int channel_fd, struct ipc_sandbox *ret,
		 struct err *err);

#endif
