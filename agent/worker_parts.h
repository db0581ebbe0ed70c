/* Between worker.c, which says what process serves, and worker_process.c, which has one of them. */
#ifndef TW_WORKER_PARTS_H
#define TW_WORKER_PARTS_H

#include "agent/worker.h"

/* So many processes that were never ready, and the next one goes without what may be to blame. */
#define WORKER_UNREADY_MAX 3

enum process_state {
	PROCESS_STARTING,
	PROCESS_READY,
	PROCESS_DRAINING,
	PROCESS_RELIEVED,
	PROCESS_ENDING
};

struct worker_process {
	struct worker *worker;
	uv_process_t process;
	uv_timer_t timer; /* of the state: start and drain limits, pings */
	struct ipc_channel channel;
	enum process_state state;
	struct ipc_ready ready;
	unsigned int handles; /* still open; the last one frees the struct */
	bool asked; /* a ping is not answered yet */
	bool relieved;
	uint64_t started_ms;
	char why[sizeof(((struct ipc_fault *)0)->text)]; /* told by the process or found by us */
};

/* ---- worker_process.c ---- */

/* A new process on its way, or NULL with `why`; then nothing is left behind. */
struct worker_process *worker_process_start(struct worker *w, const struct worker_config *config,
					    char *why, size_t why_size);
void worker_process_drain(struct worker_process *p);
/* One that was relieved: what it sends on is cut. */
void worker_process_cut(struct worker_process *p);
void worker_process_kill(struct worker_process *p, const char *why);

/* ---- worker.c: what a process has come to ---- */

void worker_on_ready(struct worker_process *p);
void worker_on_relieved(struct worker_process *p);
void worker_on_exit(struct worker_process *p, const char *why, bool clean);
/* One thing less that is open, be it a process or the worker's own timer. */
void worker_unref(struct worker *w);

#endif
