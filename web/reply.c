#include "web/reply.h"

#include <stdlib.h>
#include <string.h>

#include "web/problem.h"
#include "web/routes.h"

/* The problem's object around a path of HTTP_TARGET_MAX bytes, and a list of faults or a plan. */
#define PROBLEM_MAX (16u << 20)

static const char *allow_of(const struct http_request *request, unsigned int status)
{
	return status == 405 ? route_allow(request->target) : NULL;
}

void reply_problem(struct http_request *request, unsigned int status, const char *code,
		   const char *detail, const char *hint)
{
	reply_problem_with(request, status, code, detail, hint, NULL);
}

void reply_problem_with(struct http_request *request, unsigned int status, const char *code,
			const char *detail, const char *hint, const struct http_field *fields)
{
	const struct problem problem = {
		.status = status,
		.code = code,
		.detail = detail,
		.instance = request->target,
		.hint = hint,
	};

	reply_problem_object(request, &problem, fields);
}

void reply_problem_object(struct http_request *request, const struct problem *problem,
			  const struct http_field *fields)
{
	struct http_answer answer = { .status = problem->status,
				      .type = PROBLEM_TYPE,
				      .fields = fields };
	struct buf body;

	answer.allow = allow_of(request, problem->status);
	buf_init(&body, PROBLEM_MAX);
	problem_write(&body, problem);
	if (!body.failed) {
		answer.body = body.data;
		answer.length = body.len;
	}
	http_reply(request, &answer);
	buf_done(&body);
}

void reply_object(struct http_request *request, json_t *value, const struct http_field *fields)
{
	char *dump = value ? json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	struct http_answer answer = { .status = 200, .type = "application/json", .fields = fields };

	json_decref(value);
	if (!dump) {
		reply_problem(request, 500, "memory.short", "the answer does not fit into memory",
			      NULL);
		return;
	}
	answer.body = dump;
	answer.length = strlen(dump);
	http_reply(request, &answer);
	explicit_bzero(dump, answer.length);
	free(dump);
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
		.allow = allow_of(request, status),
		.body = text,
		.length = strlen(text),
	};

	http_reply(request, &answer);
}
