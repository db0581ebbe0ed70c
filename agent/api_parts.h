/* What the files that answer the web worker share. */
#ifndef TW_API_PARTS_H
#define TW_API_PARTS_H

#include "agent/agent.h"

/*
 * Answers the request now. `looked` is 0, or why what the answer comes out of is missing, with the
 * reason in `why`.
 */
void api_reply_to(struct agent *agent, struct ipc_channel *web, const struct ipc_request *request,
		  int looked, const struct err *why);

/* Whether the status that is there may be told. */
bool api_status_is_fresh(const struct agent *agent);

/* Answers the request once there is a new status, which others may wait for, too. */
void api_wait_for_status(struct agent *agent, struct ipc_channel *web,
			 const struct ipc_request *request);

#endif
