/* The few shapes that answers have: a problem, JSON, plain text. Edge: through http_server. */
#ifndef TW_REPLY_H
#define TW_REPLY_H

#include "agent/base/buf.h"
#include "web/http_server.h"

/* A body that one answer has at most; the status of 4096 links is about 2 MiB. */
#define REPLY_MAX (64u << 20)

/* application/problem+json (RFC 9457). `hint` may be NULL. */
void reply_problem(struct http_request *request, unsigned int status, const char *code,
		   const char *detail, const char *hint);

/* `body` is sent as 200, or 500 when it failed for want of memory; its content is freed. */
void reply_json(struct http_request *request, struct buf *body);

void reply_text(struct http_request *request, unsigned int status, const char *text);

#endif
