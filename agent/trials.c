#include "agent/trials.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/base/log.h"
#include "agent/spawn_self.h"

#define ANSWER_MAX (16u << 20)

#define NO_FD (-1)

struct trial_run {
	struct agent *agent;
	uv_process_t process;
	uv_timer_t timer;
	unsigned int handles;
	enum ipc_try_kind kind;
	uint64_t id; /* of the question */
	pid_t asker; /* the web worker; gone meanwhile, it gets no answer */
	int out; /* memfd that the process writes to */
};

static void close_some(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* 0 with the answer in `fd`, or why there is none. */
static void reply(struct ipc_channel *web, uint64_t id, int error, int fd)
{
	struct ipc_reply reply = { .id = id, .error = error };
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= ANSWER_MAX) {
		reply.length = (uint32_t)st.st_size;
		ipc_send(web, IPC_REPLY, &reply, fd);
	}
}

static void reply_text(struct ipc_channel *web, uint64_t id, int error, const char *text)
{
	int fd = ipc_memfd("tapwarden-trial", text, strlen(text));

	if (fd < 0)
		return; /* it will give up waiting */
	reply(web, id, error, fd);
	close(fd);
}

static void on_closed(uv_handle_t *handle)
{
	struct trial_run *run = handle->data;

	if (--run->handles > 0)
		return;
	run->agent->n_trials--;
	close(run->out);
	free(run);
}

static void run_close(struct trial_run *run)
{
	run->handles = 2;
	uv_close((uv_handle_t *)&run->timer, on_closed);
	uv_close((uv_handle_t *)&run->process, on_closed);
}

static int error_of(int64_t status)
{
	if (status == TRIAL_FAULTS)
		return -EBADMSG;
	return status == TRIAL_ANSWERED ? 0 : -EINVAL;
}

static const char *end_by(int signal)
{
	return signal == SIGSYS ? "the trial asked for what its sandbox refuses, and was ended"
				: "the trial took too long or too much memory, and was ended";
}

static void on_trial_exit(uv_process_t *process, int64_t status, int signal)
{
	struct trial_run *run = process->data;
	struct worker *web = &run->agent->web;
	struct ipc_channel *channel = worker_channel(web);

	if (signal == SIGSYS)
		log_warning("%s: whoever asked is told", end_by(signal));
	if (channel && worker_pid(web) == run->asker) {
		if (signal)
			reply_text(channel, run->id, -EINVAL, end_by(signal));
		else
			reply(channel, run->id, error_of(status), run->out);
	}
	run_close(run);
}

static void on_timer(uv_timer_t *timer)
{
	struct trial_run *run = timer->data;

	uv_process_kill(&run->process, SIGKILL);
}

/* Who holds the links' taps, which a process without rights cannot find out; -errno. */
static int holders_memfd(struct agent *a)
{
	struct link_table taps = { 0 };
	struct held_taps held = { 0 };
	int code;

	if (!a->supervisor.reconcile)
		return -EBUSY; /* the agent ends */
	code = reconcile_taps(a->supervisor.reconcile, &taps);
	if (code == 0)
		code = held_taps_find(&held, &taps, getpid());
	if (code == 0)
		code = ipc_memfd("tapwarden-holders", held.list, held.n * sizeof(*held.list));
	held_taps_done(&held);
	link_table_done(&taps);
	return code;
}

static int spawn(struct trial_run *run, int in, int beside)
{
	static const char *const verbs[IPC_TRY_KINDS] = {
		[IPC_TRY_PATTERN] = "trial-worker",
		[IPC_TRY_PLAN] = "plan-worker",
	};
	const struct worker_config *user = &run->agent->setup.workers[WORKER_CAPTURE];
	const struct spawn_self self = {
		.verb = verbs[run->kind],
		.uid = user->uid,
		.gid = user->gid,
		.fds = { in, run->out, STDERR_FILENO, beside },
		.exited = on_trial_exit,
	};

	return spawn_self(&run->agent->loop, &run->process, &self);
}

static int start(struct agent *a, const struct ipc_try *message, int fd)
{
	struct trial_run *run = calloc(1, sizeof(*run));
	int beside = NO_FD, code;

	if (!run)
		return -ENOMEM;
	if (message->kind == IPC_TRY_PLAN)
		beside = holders_memfd(a);
	run->out = memfd_create("tapwarden-trial", MFD_CLOEXEC);
	code = run->out < 0 ? -errno : 0;
	if (code == 0 && beside < NO_FD)
		code = beside;
	if (code) {
		close_some(run->out);
		close_some(beside);
		free(run);
		return code;
	}
	run->agent = a;
	run->kind = message->kind;
	run->id = message->id;
	run->asker = worker_pid(&a->web);
	run->process.data = run->timer.data = run;
	a->n_trials++;
	uv_timer_init(&a->loop, &run->timer);
	code = spawn(run, fd, beside);
	close_some(beside);
	/* spawn_self() has put the handle into the loop even when it failed. */
	if (code)
		run_close(run);
	else
		uv_timer_start(&run->timer, on_timer, TRIAL_MS, 0);
	return code;
}

void trials_ask(struct agent *a, struct ipc_channel *web, const struct ipc_try *message, int fd)
{
	int code = message->role < ROLE_OPERATOR ? -EPERM : 0;

	if (code)
		reply_text(web, message->id, code, "this user's role does not allow it");
	else if (a->n_trials == TRIALS_MAX)
		reply_text(web, message->id, -EBUSY, "others try something just now: try again");
	else
		code = start(a, message, fd);
	if (code && code != -EPERM) {
		log_warning("cannot try what a user sent: %s: the web worker is told",
			    strerror(-code));
		reply_text(web, message->id, -EBUSY, "no process can be started for it");
	}
}
