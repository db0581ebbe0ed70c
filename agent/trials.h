/*
 * Patterns and configurations that users try: each in a process of its own, which reads what they
 * sent so that the agent does not, and the answer goes to the web worker as it comes. Edge.
 */
#ifndef TW_TRIALS_H
#define TW_TRIALS_H

#include "agent/base/ipc.h"

struct agent;

/* At once; one more is refused. */
#define TRIALS_MAX 2

/* After so long its process is killed. */
#define TRIAL_MS 4000

/* IPC_TRY came from the web worker on `web`; `fd` stays the caller's. */
void trials_ask(struct agent *agent, struct ipc_channel *web, const struct ipc_try *message,
		int fd);

#endif
