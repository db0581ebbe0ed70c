#include "web/reply.h"

#include <string.h>

#include "web/problem.h"
#include "web/routes.h"

/* The problem's object around a path of HTTP_TARGET_MAX bytes, each as \uNNNN. */
#define PROBLEM_MAX (8 * HTTP_TARGET_MAX + 4096)

static const char *allow_of(unsigned int status)
{
	return status == 405 ? ROUTE_ALLOW : NULL;
}

void reply_problem(struct http_request *request, unsigned int status, const char *code,
		   const char *detail, const char *hint)
{
	struct problem problem = {
		.status = status,
		.code = code,
		.detail = detail,
		.instance = request->target,
		.hint = hint,
	};
	struct http_answer answer = { .status = status, .type = PROBLEM_TYPE };
	struct buf body;

	answer.allow = allow_of(status);
	buf_init(&body, PROBLEM_MAX);
	problem_write(&body, &problem);
	if (!body.failed) {
		answer.body = body.data;
		answer.length = body.len;
	}
	http_reply(request, &answer);
	buf_done(&body);
}

void reply_json(struct http_request *request, struct buf *body)
{
	struct http_answer answer = { .status = 200, .type = "application/json" };

	if (body->failed) {
		reply_problem(request, 500, "memory.short", "the answer does not fit into memory",
			      NULL);
	} else {
		answer.body = body->data;
		answer.length = body->len;
		http_reply(request, &answer);
	}
	buf_done(body);
}

void reply_text(struct http_request *request, unsigned int status, const char *text)
{
	const struct http_answer answer = {
		.status = status,
		.type = "text/plain",
		.allow = allow_of(status),
		.body = text,
		.length = strlen(text),
	};

	http_reply(request, &answer);
}
