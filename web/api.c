#include "web/api.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>

#include "agent/base/buf.h"
#include "agent/base/fd_io.h"
#include "web/problem.h"
#include "web/reply.h"

struct api_pending {
	struct api_pending *next;
	struct api *api;
	struct http_request *request; /* NULL: the client's connection was closed */
	uint64_t id;
	uint64_t deadline;
	api_view view;
	api_answer answer; /* NULL: JSON and problems */
	void *data;
};

static void on_deadline(uv_timer_t *timer);

void api_init(struct api *api, uv_loop_t *loop, struct ipc_channel *channel,
	      unsigned int deadline_ms)
{
	*api = (struct api){ .channel = channel, .deadline_ms = deadline_ms };
	api->end = &api->first;
	uv_timer_init(loop, &api->timer);
	api->timer.data = api;
}

static void arm(struct api *api)
{
	uint64_t now = uv_now(api->timer.loop);

	if (api->first)
		uv_timer_start(&api->timer, on_deadline,
			       api->first->deadline > now ? api->first->deadline - now : 0, 0);
	else
		uv_timer_stop(&api->timer);
}

/* Takes one out of the list; the caller answers and frees it. */
static struct api_pending *take(struct api *api, struct api_pending **at)
{
	struct api_pending *pending = *at;

	*at = pending->next;
	if (!pending->next)
		api->end = at;
	api->n_pending--;
	return pending;
}

static void fail(struct api_pending *pending, unsigned int status, const char *code,
		 const char *detail, const char *hint)
{
	if (pending->answer)
		pending->answer(pending->data, pending->request,
				status == 504 ? -ETIMEDOUT : -EBUSY, -1, 0);
	else if (pending->request)
		reply_problem(pending->request, status, code, detail, hint);
	free(pending);
}

static void on_deadline(uv_timer_t *timer)
{
	struct api *api = timer->data;
	uint64_t now = uv_now(timer->loop);

	while (api->first && api->first->deadline <= now) {
		api->expired++;
		fail(take(api, &api->first), 504, "agent.slow", "the agent did not answer in time",
		     "look at the agent's log");
	}
	arm(api);
}

static void on_gone(struct http_request *request)
{
	struct api_pending *pending = request->data;

	pending->request = NULL;
}

/* `fd` is -1 for a request, or what is to be tried as `kind`. */
struct api_question {
	struct ipc_request request;
	int fd;
	enum ipc_try_kind kind;
};

static int send_question(struct api *api, const struct api_question *question, uint64_t id)
{
	struct ipc_request request = question->request;
	const struct ipc_try trial = { .id = id, .role = request.role, .kind = question->kind };

	request.id = id;
	if (question->fd >= 0)
		return ipc_send(api->channel, IPC_TRY, &trial, question->fd);
	return ipc_send(api->channel, IPC_REQUEST, &request, -1);
}

/* Keeps the request until the answer comes. 0, or -EBUSY with nothing kept. */
static int wait_for(struct api *api, struct http_request *request,
		    const struct api_question *question, const struct api_pending *how)
{
	struct api_pending *pending = NULL;

	if (api->n_pending < API_PENDING_MAX)
		pending = malloc(sizeof(*pending));
	if (!pending) {
		api->refused++;
		return -EBUSY;
	}
	*pending = *how;
	pending->id = ++api->last_id;
	if (send_question(api, question, pending->id) != 0) {
		free(pending);
		api->refused++;
		return -EBUSY;
	}
	api->asked++;
	pending->api = api;
	pending->request = request;
	pending->deadline = uv_now(api->timer.loop) + api->deadline_ms;
	request->data = pending;
	request->gone = on_gone;
	*api->end = pending;
	api->end = &pending->next;
	api->n_pending++;
	arm(api);
	return 0;
}

static void refuse_busy(struct http_request *request)
{
	reply_problem(request, 503, "agent.busy",
		      "too many requests wait for the agent, or it is gone", "try again");
}

void api_ask(struct api *api, struct http_request *request, const struct ipc_request *ask,
	     api_view view, void *data)
{
	const struct api_pending how = { .view = view, .data = data };
	const struct api_question question = { .request = *ask, .fd = -1 };

	if (wait_for(api, request, &question, &how))
		refuse_busy(request);
}

void api_try(struct api *api, struct http_request *request, enum ipc_try_kind kind, uint32_t role)
{
	const struct api_pending how = { 0 };
	struct api_question question = { .request.role = role, .kind = kind };

	question.fd = ipc_memfd("try", request->body, request->body_length);
	if (question.fd < 0 || wait_for(api, request, &question, &how))
		refuse_busy(request);
	if (question.fd >= 0)
		close(question.fd);
}

void api_ask_for(struct api *api, struct http_request *request, const struct ipc_request *ask,
		 api_answer answer, void *data)
{
	const struct api_pending how = { .answer = answer, .data = data };
	const struct api_question question = { .request = *ask, .fd = -1 };

	if (wait_for(api, request, &question, &how))
		answer(data, request, -EBUSY, -1, 0);
}

/* The agent is trusted, yet a memfd of another size is not read past its end. */
static int read_body(int fd, size_t length, struct buf *out)
{
	struct stat st;
	char *room;
	int code;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (size_t)st.st_size != length)
		return -EBADMSG;
	room = buf_reserve(out, length);
	if (!room)
		return -ENOMEM;
	code = fd_read_all_at(fd, room, length, 0);
	if (code)
		return code;
	room[length] = '\0';
	out->len += length;
	return 0;
}

static const struct {
	int error;
	unsigned int status;
	const char *code;
} problems[] = {
	{ -ENOENT, 404, "agent.not-found" }, { -EINVAL, 400, "agent.invalid" },
	{ -EBUSY, 503, "agent.busy" },	     { -EPERM, 403, "role.insufficient" },
	{ -ESTALE, 409, "plan.stale" },	     { -EBADMSG, 422, "config.invalid" },
};

/* The text is a detail, or a JSON object of one and other members. */
static void pass_problem(struct http_request *request, int error, const char *text)
{
	json_t *members = text[0] == '{' ? json_loads(text, 0, NULL) : NULL;
	const char *detail = json_string_value(json_object_get(members, "detail"));
	struct problem problem = {
		.status = 500,
		.code = "agent.failed",
		.detail = detail ? detail : text,
		.instance = request->target,
		.members = members,
	};

	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
		if (problems[i].error == error) {
			problem.status = problems[i].status;
			problem.code = problems[i].code;
		}
	}
	reply_problem_object(request, &problem, NULL);
	json_decref(members);
}

static void pass_on(const struct api_pending *pending, const struct ipc_reply *reply, int fd)
{
	struct http_request *request = pending->request;
	struct buf body;

	buf_init(&body, REPLY_MAX);
	if (read_body(fd, reply->length, &body) != 0)
		reply_problem(request, 500, "agent.failed", "the agent's answer cannot be read",
			      NULL);
	else if (reply->error)
		pass_problem(request, reply->error, body.data);
	else if (pending->view)
		pending->view(pending->data, request, &body);
	else
		reply_json(request, &body);
	buf_done(&body);
}

void api_replied(struct api *api, const struct ipc_reply *reply, int fd)
{
	struct api_pending **at = &api->first, *pending;

	while (*at && (*at)->id != reply->id)
		at = &(*at)->next;
	if (!*at) {
		api->strays++;
		return;
	}
	pending = take(api, at);
	if (pending->answer)
		pending->answer(pending->data, pending->request, reply->error, fd, reply->length);
	else if (pending->request)
		pass_on(pending, reply, fd);
	free(pending);
	arm(api);
}

void api_give_up(struct api *api)
{
	while (api->first)
		fail(take(api, &api->first), 503, "agent.gone",
		     "the agent or this server ends before the answer came", "ask again");
	arm(api);
}

void api_close(struct api *api)
{
	api_give_up(api);
	uv_close((uv_handle_t *)&api->timer, NULL);
}
