/* The few shapes that answers have: a problem, JSON, plain text. Edge: through http_server. */
#ifndef TW_REPLY_H
#define TW_REPLY_H

#include <jansson.h>

#include "agent/base/buf.h"
#include "web/http_server.h"
#include "web/problem.h"

/* A body that one answer has at most; the status of 4096 links is about 2 MiB. */
#define REPLY_MAX (64u << 20)

/* application/problem+json (RFC 9457). `hint` may be NULL. */
void reply_problem(struct http_request *request, unsigned int status, const char *code,
		   const char *detail, const char *hint);

/* The same with header fields beside. */
void reply_problem_with(struct http_request *request, unsigned int status, const char *code,
			const char *detail, const char *hint, const struct http_field *fields);

void reply_problem_object(struct http_request *request, const struct problem *problem,
			  const struct http_field *fields);

/* 200 and a JSON value, which is taken over; NULL when memory was short. `fields` may be NULL. */
void reply_object(struct http_request *request, json_t *value, const struct http_field *fields);

/* `body` is sent as 200, or 500 when it failed for want of memory; its content is freed. */
void reply_json(struct http_request *request, struct buf *body);

void reply_text(struct http_request *request, unsigned int status, const char *text);

#endif
