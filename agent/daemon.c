#include "agent/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/base/log.h"
#include "agent/base/plural.h"
#include "agent/cli.h"
#include "agent/privs.h"
#include "agent/service.h"
#include "agent/trials.h"
#include "netlink/tap_node.h"
#include "web/auth_memory.h"

#define MMAP_THRESHOLD (64 << 10)

static const int signals[AGENT_SIGNALS] = { SIGTERM, SIGINT, SIGHUP };

static void part_ended(struct agent *a)
{
	if (--a->open > 0)
		return;
	for (size_t i = 0; i < AGENT_SIGNALS; i++)
		uv_close((uv_handle_t *)&a->signals[i], NULL);
}

static void on_supervisor_closed(struct supervisor *supervisor)
{
	part_ended(supervisor->data);
}

static void on_worker_stopped(struct worker *worker)
{
	part_ended(worker->data);
}

/* When workers relieve each other, the one before still reads them. */
static void tell_unread(const struct agent *a)
{
	const size_t n = a->draining ? 0 : sources_unread(&a->sources);

	if (n)
		log_warning("no capture worker is there to read the packet %s of %zu %s: what came "
			    "last may be lost",
			    plural(n, "ring", "rings"), n, plural(n, "link", "links"));
}

static void daemon_stop(struct agent *a)
{
	service_notify("STOPPING=1");
	tell_unread(a);
	for (unsigned int i = 0; i < AGENT_WORKERS; i++)
		worker_stop(agent_worker(a, i));
	sources_stop(&a->sources);
	learn_stop(a);
	series_track_stop(a);
	log_files_stop(&a->logs);
	supervisor_close(&a->supervisor, on_supervisor_closed);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct agent *a = handle->data;

	if (signum == SIGHUP) {
		agent_reload(a);
		return;
	}
	for (size_t i = 0; i < AGENT_SIGNALS; i++)
		uv_signal_stop(&a->signals[i]);
	log_info("%s: the agent ends and leaves the links as they are", strsignal(signum));
	daemon_stop(a);
}

/* A worker that somebody took over has no word on what the links of the others do. */
static bool has_link(const struct agent *a, const struct worker *worker, uint32_t slot)
{
	if (slot % a->n_sharing == worker->index)
		return true;
	log_warning("%s worker: it tells of a link that is another worker's: not believed",
		    worker->name);
	return false;
}

static void on_worker_message(struct worker *worker, struct ipc_channel *channel,
			      struct ipc_message *message)
{
	struct agent *a = worker->data;
	const struct ipc_peer_lost *lost = message->payload;
	const struct ipc_rest *rest = message->payload;
	const struct ipc_lease *lease = message->payload;

	if (message->type == IPC_REQUEST)
		agent_request(a, channel, message->payload);
	else if (message->type == IPC_PEER_LOST && has_link(a, worker, lost->slot))
		sources_peer_lost(&a->sources, lost);
	else if (message->type == IPC_REST && has_link(a, worker, rest->slot))
		sources_rest(&a->sources, rest);
	else if (message->type == IPC_BOOT_STEP)
		boot_track_step(a, message->payload);
	else if (message->type == IPC_LEASE && has_link(a, worker, lease->slot))
		learn_lease(a, lease);
	else if (message->type == IPC_TRY)
		trials_ask(a, channel, message->payload, message->fd);
}

static const struct worker_ops worker_ops = {
	.setup = agent_setup_worker,
	.serve = agent_serve_worker,
	.message = on_worker_message,
	.lost = agent_worker_lost,
	.replaced = agent_worker_replaced,
	.switched = agent_worker_switched,
	.stopped = on_worker_stopped,
};

/* A ring for each link, and its message on the way to a worker that starts: two for each link. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning(
			"cannot raise the limit of open files: %s: many links may not be watched",
			strerror(errno));
}

static bool names_netns(const struct config *config)
{
	for (size_t i = 0; i < config->n_links; i++) {
		if (config->links[i].netns)
			return true;
	}
	return false;
}

/* Everything that can be refused, before the first process is started. */
static int daemon_open(struct agent *a, struct err *err)
{
	struct config *config;
	int code;

	code = privs_reduce(err);
	if (code)
		return err_prefix(err, code, "the agent must be started as root");
	raise_file_limit();
	code = setup_config(a->path, &config, err);
	if (code)
		return code;
	if (!names_netns(config))
		code = privs_stay_here(err);
	if (code) {
		config_free(config);
		return code;
	}
	code = agent_lock(config->agent.run_dir, config->agent.link_group, &a->lock, err);
	if (code) {
		config_free(config);
		return code;
	}
	learn_load(a, config->agent.run_dir);
	a->generation = 1;
	code = setup_open(config, a->generation, NULL, &a->setup, err);
	if (code)
		return code;
	a->stats_fd = stats_create();
	if (a->stats_fd < 0)
		return err_errno(err, a->stats_fd, "cannot make the counters");
	code = stats_map_readonly(a->stats_fd, &a->stats);
	if (code)
		return err_errno(err, code, "cannot map the counters");
	a->auth_fd = auth_memory_create();
	if (a->auth_fd < 0)
		log_warning(
			"cannot make memory for sessions that web workers share: %s: they end at "
			"a reload",
			strerror(-a->auth_fd));
	sources_init(&a->sources, a->stats, &a->loop, &agent_sources_ops, a);
	return 0;
}

static void init_workers(struct agent *a)
{
	for (unsigned int i = 0; i < AGENT_WORKERS; i++)
		agent_worker(a, i)->data = a;
	for (unsigned int i = 0; i < STATS_CAPTURES_MAX; i++)
		worker_init(&a->captures[i], &a->loop, WORKER_CAPTURE, i, &worker_ops);
	worker_init(&a->web, &a->loop, WORKER_WEB, 0, &worker_ops);
	a->n_captures = a->n_sharing = a->setup.config->agent.capture_workers;
}

static int start_worker(struct agent *a, struct worker *worker, struct err *err)
{
	struct worker_config config;
	int code = setup_worker(&a->setup, worker->role, worker->index, &config);

	if (code)
		return err_errno(err, code, "cannot start the %s worker", worker->name);
	worker_start(worker, &config);
	return 0;
}

static int daemon_start(struct agent *a, struct err *err)
{
	int code;

	a->supervisor.data = a->look.data = a;
	log_files_init(&a->logs, &a->loop, a->stats, &agent_log_ops, a);
	log_files_set(&a->logs, a->setup.config);
	init_workers(a);
	for (size_t i = 0; i < AGENT_SIGNALS; i++) {
		uv_signal_init(&a->loop, &a->signals[i]);
		a->signals[i].data = a;
		uv_signal_start(&a->signals[i], on_signal, signals[i]);
	}
	a->open = AGENT_WORKERS + 1;
	learn_start(a);
	series_track_start(a);
	boot_track_start(a);
	tap_node_sweep();
	code = supervisor_start(&a->supervisor, &a->loop, a->setup.config, &agent_supervisor_ops,
				err);
	for (unsigned int i = 0; code == 0 && i < a->n_captures; i++)
		code = start_worker(a, &a->captures[i], err);
	if (code == 0)
		code = start_worker(a, &a->web, err);
	if (code)
		return code;
	service_notify("READY=1");
	return 0;
}

static void daemon_done(struct agent *a)
{
	sources_done(&a->sources);
	learn_done(a);
	log_files_done(&a->logs);
	boot_track_done(a);
	series_track_done(a);
	if (a->reload.active)
		setup_drop(&a->reload.setup);
	setup_done(&a->setup);
	status_text_done(&a->status);
	if (a->stats)
		munmap((void *)a->stats, sizeof(*a->stats));
	if (a->feed_fd >= 0)
		close(a->feed_fd);
	agent_close_records(a);
	if (a->stats_fd >= 0)
		close(a->stats_fd);
	if (a->auth_fd >= 0)
		close(a->auth_fd);
	agent_unlock(&a->lock);
}

int daemon_run(const char *path)
{
	struct agent *a = calloc(1, sizeof(*a));
	struct err err;
	int code;

	/*
	 * What a pass and an answer need for a while is given back to the system, whatever was
	 * freed before: by default malloc(3) raises this threshold as it goes.
	 */
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	/* The pool has four threads, which are idle most of the time. */
	mallopt(M_ARENA_MAX, 1);
	if (!a) {
		log_err("out of memory: the agent does not start");
		return CLI_BAD;
	}
	a->path = path;
	a->started = time(NULL);
	a->lock = AGENT_LOCK_NONE;
	a->boot_lock = -1;
	a->stats_fd = a->auth_fd = a->feed_fd = a->setup.log_fd = a->reload.setup.log_fd = -1;
	a->setup.tls_fd = a->reload.setup.tls_fd = -1;
	signal(SIGPIPE, SIG_IGN);
	code = daemon_open(a, &err);
	if (code == 0) {
		uv_loop_init(&a->loop);
		code = daemon_start(a, &err);
		if (code)
			daemon_stop(a);
		uv_run(&a->loop, UV_RUN_DEFAULT);
		if (uv_loop_close(&a->loop) != 0)
			log_warning("the agent ends with handles open");
	}
	if (code)
		log_err("%s: the agent does not start", err.text);
	daemon_done(a);
	free(a);
	return code ? CLI_BAD : CLI_DONE;
}
