/*
 * The running agent: its state, and the functions that its parts call of each other.
 *
 *   daemon.c   start and end
 *   wiring.c   what links and workers tell each other through the agent
 *   reload.c   one configuration for another, all or nothing
 *   api_ops.c  what the web worker may ask
 *   api_files.c  the files that it may pass on
 *   records_pipe.c  the way of records from one capture worker to another
 *   learn.c    leases, on their way to filters
 *   series_track.c  the rates of the last hour
 *   boot_track.c  what guests boot, and how far they came
 */
#ifndef TW_AGENT_H
#define TW_AGENT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <jansson.h>
#include <uv.h>

#include "agent/base/buf.h"
#include "agent/base/stats.h"
#include "agent/boot_track.h"
#include "agent/events.h"
#include "agent/learn.h"
#include "agent/lock.h"
#include "agent/log_files.h"
#include "agent/series_track.h"
#include "agent/setup.h"
#include "agent/sources.h"
#include "agent/status_text.h"
#include "agent/supervisor.h"
#include "agent/tap_look.h"
#include "agent/worker.h"

#define AGENT_SIGNALS 3

/* Of both roles, whether they serve or not. */
#define AGENT_WORKERS (STATS_CAPTURES_MAX + 1)

/* A reload on its way: all workers' successors must be ready before anything changes. */
struct reload {
	bool active;
	bool again; /* asked for once more meanwhile */
	struct setup setup;
	unsigned int pending; /* workers that have not answered: first ready, then switched */
	char why[512];
};

/* Of the requests of one web worker; more at once are refused. */
#define WAITING_MAX 64

/* A request that is answered when it is known who holds the taps. */
struct waiting {
	struct ipc_request request;
	pid_t asker; /* a web worker; gone meanwhile, it gets no answer */
};

/* Kept by the agent, which reads nothing of it: what waits in it outlives both workers. */
struct records_pipe {
	bool open;
	int in, out;
};

struct agent {
	uv_loop_t loop;
	const char *path; /* of the configuration */
	struct setup setup;
	struct reload reload;
	char reload_error[512]; /* "" when the last reload was taken */
	uint32_t generation;
	time_t started;
	struct agent_lock lock;
	int stats_fd;
	int auth_fd; /* sessions and failed logins, which the agent does not read; -1: none */
	int feed_fd; /* the records' reading end, while no web worker is there to take it */
	struct records_pipe records[STATS_CAPTURES_MAX]; /* from each capture worker to the first */
	const struct stats_page *stats;
	struct sources sources;
	struct log_files logs;
	struct supervisor supervisor;
	struct worker captures[STATS_CAPTURES_MAX];
	unsigned int n_captures; /* of those, the first so many serve, or are started again */
	/* capture workers that a reload relieves: none gets links before all ended */
	unsigned int draining;
	unsigned int
		n_sharing; /* capture workers that share the links now: until then those before */
	struct worker web;
	struct events events;
	struct learn learn;
	struct boot_states boot;
	int boot_lock; /* of state-dir; -1: it is run-dir, or boot_owned is false */
	bool boot_owned; /* no other agent keeps states of guests there */
	struct series_track series;
	uv_signal_t signals[AGENT_SIGNALS];
	struct status_text status; /* the latest; means something while a look is answered, */
	bool status_fresh; /* or while nothing that it tells has changed and it is not old */
	uint64_t status_ms;
	uint64_t boot_refused_ms; /* when an event last told of it */
	uint64_t n_boot_refused; /* requests for what another guest boots from */
	struct tap_look look; /* for the next one, */
	struct waiting waiting[WAITING_MAX]; /* which these wait for */
	size_t n_waiting;
	unsigned int n_trials, n_looks; /* processes */
	json_t *planned; /* while an IPC_OP_APPLY is answered: the plan of the file; else NULL */
	bool reload_asked; /* by the request that is being answered */
	unsigned int open; /* workers and supervisor that have not ended */
};

/* All of them, by a number below AGENT_WORKERS. */
static inline struct worker *agent_worker(struct agent *agent, unsigned int i)
{
	return i < STATS_CAPTURES_MAX ? &agent->captures[i] : &agent->web;
}

/*
 * watched.c: links as a pass left them; before that, those that it is about to set up; and, before
 * workers of a new configuration take them over, those that it does not have watched any more.
 */
void agent_watch_links(struct supervisor *supervisor);
void agent_watch_rising(struct supervisor *supervisor, const struct link_rising *links, size_t n);
void agent_let_links_go(struct agent *agent);

/* wiring.c */
extern const struct supervisor_ops agent_supervisor_ops;
extern const struct sources_ops agent_sources_ops;
extern const struct log_files_ops agent_log_ops;
void agent_setup_worker(struct worker *worker, struct ipc_channel *channel, bool successor);
void agent_serve_worker(struct worker *worker, struct ipc_channel *channel);
void agent_hand_over_links(struct agent *agent);
void agent_worker_lost(struct worker *worker, const char *why, uint64_t delay_ms);

/* An event of the agent itself, logged and on its way to the records. */
void agent_emit(struct agent *agent, enum log_level level, const char *action, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * records_pipe.c: a capture worker serves from now on: where its records go, or all others' come
 * from.
 */
void agent_connect_records(struct agent *agent, const struct worker *worker,
			   struct ipc_channel *channel);
void agent_close_records(struct agent *agent);

/*
 * reload.c: starts a reload; the answer is an event. Asked for during a reload: one more follows.
 */
void agent_reload(struct agent *agent);
void agent_worker_replaced(struct worker *worker, int result, const char *why);
void agent_worker_switched(struct worker *worker);

/* api_ops.c */
void agent_request(struct agent *agent, struct ipc_channel *web, const struct ipc_request *request);

/* The answer to the request `id`: JSON text of `len` bytes, or with an error a problem's detail. */
void agent_reply(struct ipc_channel *web, uint64_t id, int error, const char *text, size_t len);

/* api_files.c: an IPC_OP_BOOT_FILE or IPC_OP_PCAP, which the opened file answers. */
void agent_send_file(struct agent *agent, struct ipc_channel *web,
		     const struct ipc_request *request);

/* The ends of the record log, for a web worker that begins. */
void agent_send_history(const struct agent *agent, struct ipc_channel *web);

/*
 * Before the web worker serves no more: what waits is answered now, by a look from within the loop.
 */
void agent_answer_waiting(struct agent *agent);

/* Something that the status tells has changed: the next request gets a new one. */
void agent_forget_status(struct agent *agent);

#endif
