/*
 * This program once more, as a process that answers one question of the web worker: what it writes
 * to its standard output goes to the worker as it comes. Edge: forks.
 */
#ifndef TW_SIDE_JOB_H
#define TW_SIDE_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/ipc.h"

struct agent;

/* How such a process ends: with the answer, with a problem, with faults of the configuration. */
enum side_job_exit {
	SIDE_JOB_ANSWERED,
	SIDE_JOB_REFUSED,
	SIDE_JOB_FAULTS,
};

struct side_job {
	struct agent *agent;
	struct ipc_request request; /* what was asked */
	/* private */
	uv_process_t process;
	uv_timer_t timer;
	unsigned int handles;
	unsigned int *count;
	pid_t asker; /* the web worker; gone meanwhile, it gets no answer */
	int out; /* memfd that the process writes to */
	void (*done)(struct side_job *job, struct ipc_channel *web, int64_t status, int signal);
};

struct side_job_conf {
	const char *verb;
	uid_t uid;
	gid_t gid;
	int in, beside; /* its descriptors 0 and 3; -1: none. They stay the caller's */
	const struct ipc_request *request; /* the id at least */
	unsigned int limit_ms; /* then it is killed */
	unsigned int *count; /* one more while the job is there */
	/* Its end, by `status` or by `signal`; `web` is NULL when who asked is gone. */
	void (*done)(struct side_job *job, struct ipc_channel *web, int64_t status, int signal);
};

/* 0 or a negative errno. */
int side_job_start(struct agent *agent, const struct side_job_conf *conf);

/* To the worker, with `error` 0 or a negative errno: what the process wrote, or a text. */
void side_job_reply(const struct side_job *job, struct ipc_channel *web, int error);
void side_job_reply_text(struct ipc_channel *web, uint64_t id, int error, const char *text);

/* What it wrote, a new value; NULL when that is no JSON. */
json_t *side_job_json(const struct side_job *job);

/* Its beginning as text, at most `size` bytes with the NUL; false and "" when it wrote nothing. */
bool side_job_text(const struct side_job *job, char *ret, size_t size);

#endif
