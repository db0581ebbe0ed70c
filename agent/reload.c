/* One configuration for another: all of it, or nothing and the reason. */
#include "agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/service.h"

static void reload_refused(struct agent *a, const char *why)
{
	snprintf(a->reload_error, sizeof(a->reload_error), "%.511s", why);
	agent_emit(a, LOG_LEVEL_ERR, "reload-refused", "%s: nothing was changed", a->reload_error);
}

static void reload_end(struct agent *a)
{
	a->reload.active = false;
	service_notify("READY=1");
	if (a->reload.again)
		agent_reload(a);
}

static void reload_abort(struct agent *a, const char *why)
{
	for (unsigned int i = 0; i < AGENT_WORKERS; i++)
		worker_abort(agent_worker(a, i));
	setup_drop(&a->reload.setup);
	reload_refused(a, why);
	reload_end(a);
}

/* The workers of one configuration for those of another, of which there may be more or fewer. */
static void commit_workers(struct agent *a)
{
	const unsigned int before = a->n_captures,
			   now = a->setup.workers[WORKER_CAPTURE].message.workers;
	const unsigned int n = before > now ? before : now;

	a->n_captures = now;
	a->draining = n;
	a->reload.pending = n + 1;
	for (unsigned int i = 0; i < n; i++) {
		if (i < now)
			worker_commit(&a->captures[i]);
		else
			worker_retire(&a->captures[i]);
	}
	worker_commit(&a->web);
}

static void reload_commit(struct agent *a)
{
	struct setup old = a->setup;
	struct err err;
	int code = reconcile_reload(a->supervisor.reconcile, a->reload.setup.config, &err);

	if (code) {
		reload_abort(a, err.text);
		return;
	}
	a->setup = a->reload.setup;
	a->reload.setup = (struct setup){ .log_fd = -1, .tls_fd = -1 };
	a->generation++;
	a->reload_error[0] = '\0';
	learn_reload(a);
	log_files_set(&a->logs, a->setup.config);
	boot_track_reload(a, old.config);
	setup_done(&old);
	agent_emit(a, LOG_LEVEL_INFO, "reloaded", "%s, generation %u", a->path, a->generation);
	supervisor_kick(&a->supervisor);
	agent_answer_waiting(a);
	agent_let_links_go(a);
	/* Last: a worker that serves no more may answer from within the call. */
	commit_workers(a);
}

void agent_worker_replaced(struct worker *worker, int result, const char *why)
{
	struct agent *a = worker->data;

	if (!a->reload.active)
		return;
	if (result)
		snprintf(a->reload.why, sizeof(a->reload.why), "%s worker: %s", worker->name, why);
	if (--a->reload.pending > 0)
		return;
	if (a->reload.why[0])
		reload_abort(a, a->reload.why);
	else
		reload_commit(a);
}

void agent_worker_switched(struct worker *worker)
{
	struct agent *a = worker->data;

	if (worker->role == WORKER_CAPTURE && --a->draining == 0) {
		a->n_sharing = a->n_captures;
		agent_hand_over_links(a);
	}
	if (--a->reload.pending == 0)
		reload_end(a);
}

/* What a running agent cannot change under its links and its callers. */
static int reload_possible(const struct config *old, const struct config *new, struct err *err)
{
	if (strcmp(old->agent.run_dir, new->agent.run_dir) != 0)
		return err_set(err, -EBUSY, "run-dir cannot change while the agent runs");
	if (old->agent.link_group != new->agent.link_group)
		return err_set(err, -EBUSY, "link-group cannot change while the agent runs");
	return 0;
}

static void replace_worker(struct agent *a, struct worker *worker)
{
	struct worker_config next;
	int code = setup_worker(&a->reload.setup, worker->role, worker->index, &next);

	if (code)
		agent_worker_replaced(worker, code, strerror(-code));
	else
		worker_replace(worker, &next);
}

void agent_reload(struct agent *a)
{
	struct reload *r = &a->reload;
	struct config *config;
	unsigned int n;
	struct err err;
	int code;

	if (r->active) {
		r->again = true;
		return;
	}
	*r = (struct reload){ .setup.log_fd = -1, .setup.tls_fd = -1 };
	service_reloading();
	code = setup_config(a->path, &config, &err);
	if (code == 0 && agent_lock_is_lost(&a->lock, a->setup.config->agent.run_dir)) {
		/*
		 * Somebody removed run-dir: it is made again, with the lock and the socket in it.
		 */
		code = agent_lock_again(&a->lock, a->setup.config->agent.run_dir, &err);
		listeners_forget_api(&a->setup.listeners);
		if (code)
			config_free(config);
	}
	if (code == 0) {
		code = reload_possible(a->setup.config, config, &err);
		if (code)
			config_free(config);
		else
			code = setup_open(config, a->generation + 1, &a->setup, &r->setup, &err);
	}
	if (code) {
		reload_refused(a, err.text);
		reload_end(a);
		return;
	}
	r->active = true;
	n = r->setup.workers[WORKER_CAPTURE].message.workers;
	r->pending = n + 1;
	for (unsigned int i = 0; i < n; i++)
		replace_worker(a, &a->captures[i]);
	replace_worker(a, &a->web);
}
