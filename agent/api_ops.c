/* What the web worker may ask of the agent. */
#include "agent/agent.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "agent/base/log.h"
#include "agent/status.h"

/* Requests for the status within this time get the same answer: a look at all of /proc is dear. */
#define STATUS_FRESH_MS 250

void agent_forget_status(struct agent *a)
{
	buf_reset(&a->status);
}

static int answer_status(struct agent *a, struct err *err)
{
	struct status_input in = {
		.config = a->setup.config,
		.config_path = a->path,
		.sources = &a->sources,
		.stats = a->stats,
		.workers = a->workers,
		.generation = a->generation,
		.started = a->started,
		.reload_error = a->reload_error,
		.pid = getpid(),
	};
	json_t *json;
	char *text;
	int code;

	if (a->status.len && uv_now(&a->loop) - a->status_ms < STATUS_FRESH_MS)
		return 0;
	code = reconcile_look(a->supervisor.reconcile, err);
	if (code)
		return code;
	in.links = reconcile_links(a->supervisor.reconcile, &in.n_links);
	json = status_json(&in);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	/* Some ten thousand small objects, under the text that stays. */
	malloc_trim(0);
	if (!text)
		return err_set(err, -ENOMEM, "no memory for the status");
	buf_reset(&a->status);
	buf_adds(&a->status, text);
	free(text);
	a->status_ms = uv_now(&a->loop);
	return a->status.failed ? err_set(err, -ENOBUFS, "the status is too large") : 0;
}

/* What the web worker may ask, by enum ipc_op; the answer is left in a->status. */
static int (*const ops[IPC_OPS])(struct agent *a, struct err *err) = {
	[IPC_OP_STATUS] = answer_status,
};

void agent_request(struct agent *a, struct ipc_channel *web, const struct ipc_request *request)
{
	struct ipc_reply reply = { .id = request->id };
	struct err err;
	int fd;

	reply.error = ops[request->op](a, &err);
	if (reply.error) {
		reply.length = (uint32_t)strlen(err.text);
		fd = ipc_memfd("tapwarden-reply", err.text, reply.length);
	} else {
		reply.length = (uint32_t)a->status.len;
		fd = ipc_memfd("tapwarden-reply", a->status.data, a->status.len);
	}
	if (fd < 0) {
		log_err("cannot answer the web worker: %s: it will give up waiting", strerror(-fd));
		return;
	}
	ipc_send(web, IPC_REPLY, &reply, fd);
	close(fd);
}
