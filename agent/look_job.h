/*
 * The plan of the configuration's file, and who can talk to whom, for the API: each made by a
 * process of its own, since reading a file, compiling its patterns and looking at a thousand links
 * and the processes that hold them take longer than links may wait for the loop. Edge.
 */
#ifndef TW_LOOK_JOB_H
#define TW_LOOK_JOB_H

#include "agent/base/err.h"
#include "agent/side_job.h"

/* At once; one more is refused. */
#define LOOKS_MAX 8

/*
 * Starts it for an IPC_OP_PLAN, IPC_OP_APPLY or IPC_OP_REACH, whose answer comes by `done`. 0 or a
 * negative errno.
 */
int look_job_start(struct agent *agent, const struct ipc_request *request,
		   void (*done)(struct side_job *job, struct ipc_channel *web, int64_t status,
				int signal),
		   struct err *err);

/* The process: `verb` is "plan-look", its input the path, or "reach-look" and a configuration. */
int look_job_main(const char *verb);

#endif
