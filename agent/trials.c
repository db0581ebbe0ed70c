#include "agent/trials.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/base/log.h"
#include "agent/side_job.h"

#define NO_FD (-1)

static int error_of(int64_t status)
{
	if (status == SIDE_JOB_FAULTS)
		return -EBADMSG;
	return status == SIDE_JOB_ANSWERED ? 0 : -EINVAL;
}

static const char *end_by(int signal)
{
	return signal == SIGSYS ? "the trial asked for what its sandbox refuses, and was ended"
				: "the trial took too long or too much memory, and was ended";
}

static void on_trial_done(struct side_job *job, struct ipc_channel *web, int64_t status, int signal)
{
	if (signal == SIGSYS)
		log_warning("%s: whoever asked is told", end_by(signal));
	if (!web)
		return;
	if (signal)
		side_job_reply_text(web, job->request.id, -EINVAL, end_by(signal));
	else
		side_job_reply(job, web, error_of(status));
}

static int start(struct agent *a, const struct ipc_try *message, int fd, int beside)
{
	static const char *const verbs[IPC_TRY_KINDS] = {
		[IPC_TRY_PATTERN] = "trial-worker",
		[IPC_TRY_PLAN] = "plan-worker",
	};
	const struct worker_config *user = &a->setup.workers[WORKER_CAPTURE];
	const struct side_job_conf conf = {
		.verb = verbs[message->kind],
		.uid = user->uid,
		.gid = user->gid,
		.in = fd,
		.beside = beside,
		.request = &(struct ipc_request){ .id = message->id },
		.limit_ms = TRIAL_MS,
		.count = &a->n_trials,
		.done = on_trial_done,
	};

	return side_job_start(a, &conf);
}

static void tell_not_started(struct ipc_channel *web, uint64_t id, int code)
{
	log_warning("cannot try what a user sent: %s: the web worker is told", strerror(-code));
	if (web)
		side_job_reply_text(web, id, -EBUSY, "no process can be started for it");
}

/* ---- a plan ---------------------------------------------------------------------------------- */

/* It is told who holds the links' taps, which a process without rights cannot find out. */
struct plan_trial {
	struct agent *agent;
	struct tap_look look;
	struct ipc_try message;
	pid_t asker;
	int fd; /* what was sent */
};

static int start_held(struct agent *a, const struct plan_trial *trial, const struct held_taps *held)
{
	int beside = ipc_memfd("tapwarden-holders", held->list, held->n * sizeof(*held->list));
	int code = beside < 0 ? beside : start(a, &trial->message, trial->fd, beside);

	if (beside >= 0)
		close(beside);
	return code;
}

static void on_found(struct tap_look *look, struct held_taps *held, int code)
{
	struct plan_trial *trial = look->data;
	struct agent *a = trial->agent;
	struct ipc_channel *web = worker_channel_of(&a->web, trial->asker);

	a->n_trials--;
	if (code == 0 && web)
		code = start_held(a, trial, held);
	if (code)
		tell_not_started(web, trial->message.id, code);
	close(trial->fd);
	free(trial);
}

/* Looks in the thread pool, and counts as a process from now on. */
static int look_first(struct agent *a, const struct ipc_try *message, int fd)
{
	struct plan_trial *trial = calloc(1, sizeof(*trial));
	struct link_table taps = { 0 };
	int code = -ENOMEM;

	if (!trial)
		return code;
	trial->agent = a;
	trial->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	trial->message = *message;
	trial->asker = worker_pid(&a->web);
	trial->look.data = trial;
	code = trial->fd < 0 ? -errno : reconcile_taps(a->supervisor.reconcile, &taps);
	if (code == 0)
		code = tap_look_start(&trial->look, &a->loop, &taps, getpid(), on_found);
	if (code == 0) {
		a->n_trials++;
		return 0;
	}
	if (trial->fd >= 0)
		close(trial->fd);
	free(trial);
	return code;
}

void trials_ask(struct agent *a, struct ipc_channel *web, const struct ipc_try *message, int fd)
{
	int code = message->role < ROLE_OPERATOR ? -EPERM : 0;

	if (code)
		side_job_reply_text(web, message->id, code, "this user's role does not allow it");
	else if (a->n_trials == TRIALS_MAX)
		side_job_reply_text(web, message->id, -EBUSY,
				    "others try something just now: try again");
	else if (message->kind != IPC_TRY_PLAN)
		code = start(a, message, fd, NO_FD);
	else
		code = a->supervisor.reconcile ? look_first(a, message, fd) : -EBUSY;
	if (code && code != -EPERM)
		tell_not_started(web, message->id, code);
}
