/*
 * One worker role as a service: its process is started, watched, replaced for a new configuration,
 * and started again with back-off when it dies. Edge.
 *
 * A process moves STARTING → READY → DRAINING → gone. At most two exist: the one that serves and,
 * during a reload, its successor, which gets nothing to do until the first has drained. Besides
 * these, one that has drained but for files sends them on, RELIEVED, while its successor serves: at
 * most WORKER_RELIEVED_MAX of them, or the oldest ends, and each for WORKER_RELIEVED_MS.
 */
#ifndef TW_WORKER_H
#define TW_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/base/ipc.h"

/* A guest that is slow with a file must not keep processes for ever, nor many reloads make many. */
#define WORKER_RELIEVED_MAX 2
#define WORKER_RELIEVED_MS  300000

enum worker_role {
	WORKER_CAPTURE,
	WORKER_WEB,
	WORKER_ROLES
};

/* What a process of the role is started with. */
struct worker_config {
	int fd; /* sealed memfd of INI text; -1: none */
	struct ipc_config message;
	uid_t uid;
	gid_t gid;
};

struct worker;

struct worker_ops {
	/*
	 * After IPC_CONFIG: what the role needs besides before it can be ready. A successor is made
	 * for the configuration that worker_replace() was given.
	 */
	void (*setup)(struct worker *worker, struct ipc_channel *channel, bool successor);
	/* A process serves from now on: hand it all that it works with. */
	void (*serve)(struct worker *worker, struct ipc_channel *channel);
	/* A message that worker.c does not itself understand, from the process that serves. */
	void (*message)(struct worker *worker, struct ipc_channel *channel,
			struct ipc_message *message);
	/* The process that served is gone, unasked; another is started after `delay_ms`. */
	void (*lost)(struct worker *worker, const char *why, uint64_t delay_ms);
	/* The answer to worker_replace(): 0 when the successor is ready, else why not. */
	void (*replaced)(struct worker *worker, int result, const char *why);
	/* The answer to worker_commit(): the old process is gone, another may be asked for. */
	void (*switched)(struct worker *worker);
	/* The answer to worker_stop(): no process is left and every handle is closed. */
	void (*stopped)(struct worker *worker);
};

struct worker_process;

struct worker {
	void *data; /* the owner's */
	char name[16]; /* "capture", "capture 1" */
	enum worker_role role;
	unsigned int index; /* among those of its role */

	/* for status */
	uint64_t restarts; /* deaths of a serving or starting process */
	char last_death[256]; /* why the latest one died; "" when none did */
	unsigned int in_a_row; /* deaths without WORKER_LIFE_MS of life between */
	unsigned int unready; /* in a row: processes that died before they were ready */

	/* private */
	uv_loop_t *loop;
	const struct worker_ops *ops;
	struct worker_config config, next_config;
	struct worker_process *active, *next;
	struct worker_process *relieved[WORKER_RELIEVED_MAX]; /* the oldest first; NULL: none */
	uv_timer_t restart;
	bool committed, stopping;
	unsigned int open; /* handles and processes that must be gone before stopped() */
};

void worker_init(struct worker *worker, uv_loop_t *loop, enum worker_role role, unsigned int index,
		 const struct worker_ops *ops);

/* Takes config->fd over. A process that cannot be started is tried again with back-off. */
void worker_start(struct worker *worker, const struct worker_config *config);

/*
 * Starts a successor with another configuration (takes config->fd over). ops->replaced() answers.
 * Then worker_commit() drains the old process and lets the successor serve once that is gone, told
 * by ops->switched(); worker_abort() ends the successor and keeps everything as it was. Not called
 * again before one of the two is over.
 */
void worker_replace(struct worker *worker, const struct worker_config *config);
void worker_commit(struct worker *worker);
void worker_abort(struct worker *worker);

/*
 * As a commit to no successor: the process drains and ends, told by ops->switched(). Another may be
 * asked for after that by worker_replace(), as also of a worker that was never started.
 */
void worker_retire(struct worker *worker);

/* Drains and ends everything; ops->stopped() answers. */
void worker_stop(struct worker *worker);

/* The channel of the process that serves; NULL while there is none. */
struct ipc_channel *worker_channel(struct worker *worker);

/* That of the process `pid`, which asked: also while it drains. NULL when it is gone. */
struct ipc_channel *worker_channel_of(struct worker *worker, pid_t pid);

/* 0 when there is no process. */
pid_t worker_pid(const struct worker *worker);

/*
 * "ready", "starting", "waiting" (for the next try) or "stopped"; what the process said when ready.
 */
const char *worker_state(const struct worker *worker, struct ipc_ready *ret_ready);

#endif
