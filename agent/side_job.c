#include "agent/side_job.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/spawn_self.h"

#define ANSWER_MAX (16u << 20)

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

void side_job_reply(const struct side_job *job, struct ipc_channel *web, int error)
{
	reply(web, job->request.id, error, job->out);
}

void side_job_reply_text(struct ipc_channel *web, uint64_t id, int error, const char *text)
{
	int fd = ipc_memfd("tapwarden-answer", text, strlen(text));

	if (fd < 0)
		return; /* it will give up waiting */
	reply(web, id, error, fd);
	close(fd);
}

json_t *side_job_json(const struct side_job *job)
{
	return lseek(job->out, 0, SEEK_SET) == 0 ? json_loadfd(job->out, 0, NULL) : NULL;
}

bool side_job_text(const struct side_job *job, char *ret, size_t size)
{
	const ssize_t n = pread(job->out, ret, size - 1, 0);

	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct side_job *job = handle->data;

	if (--job->handles > 0)
		return;
	--*job->count;
	close(job->out);
	free(job);
}

static void close_handles(struct side_job *job)
{
	job->handles = 2;
	uv_close((uv_handle_t *)&job->timer, on_closed);
	uv_close((uv_handle_t *)&job->process, on_closed);
}

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
	struct side_job *job = process->data;

	job->done(job, worker_channel_of(&job->agent->web, job->asker), status, signal);
	close_handles(job);
}

static void on_timer(uv_timer_t *timer)
{
	struct side_job *job = timer->data;

	uv_process_kill(&job->process, SIGKILL);
}

int side_job_start(struct agent *a, const struct side_job_conf *conf)
{
	struct side_job *job = calloc(1, sizeof(*job));
	int out = job ? memfd_create("tapwarden-answer", MFD_CLOEXEC) : -1;
	const struct spawn_self self = {
		.verb = conf->verb,
		.uid = conf->uid,
		.gid = conf->gid,
		.fds = { conf->in, out, STDERR_FILENO, conf->beside },
		.exited = on_ended,
	};
	int code;

	if (out < 0) {
		code = job ? -errno : -ENOMEM;
		free(job);
		return code;
	}
	job->agent = a;
	job->request = *conf->request;
	job->count = conf->count;
	job->asker = worker_pid(&a->web);
	job->out = out;
	job->done = conf->done;
	job->process.data = job->timer.data = job;
	++*job->count;
	uv_timer_init(&a->loop, &job->timer);
	code = spawn_self(&a->loop, &job->process, &self);
	/* spawn_self() has put the handle into the loop even when it failed. */
	if (code)
		close_handles(job);
	else
		uv_timer_start(&job->timer, on_timer, conf->limit_ms, 0);
	return code;
}
