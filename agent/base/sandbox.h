/* What a worker gives up before it reads the first byte from outside. Edge: changes the process. */
#ifndef TW_SANDBOX_H
#define TW_SANDBOX_H

#include "agent/base/err.h"

/*
 * First thing in a worker, before its configuration: it dies with the agent, leaves no core, has no
 * capability in any set, cannot gain one (PR_SET_NO_NEW_PRIVS), and is not root. A measure that
 * fails is a reason not to start: -EPERM or another negative errno.
 */
int sandbox_enter(struct err *err);

/*
 * Last thing before IPC_READY, once code is compiled and files are open: what only holds
 * from here on. Today it takes /proc/self from others; Landlock and seccomp belong here too.
 */
int sandbox_seal(struct err *err);

#endif
