#include "web/http_conn.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "web/problem.h"

#define REFUSAL_MAX 1024 /* bytes of its body */

/*
 * The path and query of an absolute-form target, which every server takes (RFC 9112 section 3.2.2);
 * "" when it has none. Other targets are as they are.
 */
static const char *origin_form(const char *uri)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);

		if (strncasecmp(uri, schemes[i], len) == 0)
			return uri + len + strcspn(uri + len, "/?");
	}
	return uri;
}

/* The only place where the query is to be had as it was sent; the head is not parsed yet. */
void *http_on_target(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct conn *conn = http_conn_of_mhd(mhd);
	const char *target = origin_form(uri);
	size_t root = target != uri && *target != '/', len;

	(void)cls;
	if (!conn)
		return NULL;
	len = strnlen(target, HTTP_TARGET_MAX + 1 - root);
	conn->target_cut = root + len > HTTP_TARGET_MAX;
	len -= conn->target_cut;
	conn->target[0] = '/';
	memcpy(conn->target + root, target, len);
	conn->target[root + len] = '\0';
	return NULL;
}

/* Paths are compared as they were sent: nothing is decoded. */
size_t http_on_unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls;
	(void)mhd;
	return strlen(text);
}

static enum MHD_Result queue_response(struct conn *conn)
{
	struct MHD_Response *response = conn->response;
	enum MHD_Result result;

	conn->response = NULL;
	if (conn->server->draining)
		mhd_lib.add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	result = mhd_lib.queue_response(conn->mhd, conn->status, response);
	mhd_lib.destroy_response(response);
	return result;
}

static const char *head_value(const struct conn *conn, const char *name)
{
	return mhd_lib.lookup_connection_value(conn->mhd, MHD_HEADER_KIND, name);
}

/* A body that is announced, and is longer than the server takes, is refused before it is read. */
static bool body_is_refused(const struct conn *conn)
{
	const char *length = head_value(conn, "Content-Length");

	if (head_value(conn, "Transfer-Encoding"))
		return conn->server->limits.body == 0;
	return length && strtoull(length, NULL, 10) > conn->server->limits.body;
}

static const struct problem target_refused = {
	.status = MHD_HTTP_URI_TOO_LONG,
	.code = "path.too-long",
	.detail = "the request target is too long",
};

/*
 * What is not read must not be taken for the next request: the connection ends with the answer.
 */
static enum MHD_Result refuse(struct conn *conn, const struct problem *problem)
{
	struct http_answer refusal = { .status = problem->status, .type = PROBLEM_TYPE };
	struct buf body;

	buf_init(&body, REFUSAL_MAX);
	problem_write(&body, problem);
	if (!body.failed) {
		refusal.body = body.data;
		refusal.length = body.len;
	}
	http_reply(&conn->request, &refusal);
	buf_done(&body);
	if (!conn->response)
		return MHD_NO;
	mhd_lib.add_response_header(conn->response, MHD_HTTP_HEADER_CONNECTION, "close");
	return queue_response(conn);
}

static enum MHD_Result refuse_content(struct conn *conn)
{
	const size_t most = conn->server->limits.body;
	char detail[80] = "a request here has no content";
	const struct problem problem = {
		.status = MHD_HTTP_CONTENT_TOO_LARGE,
		.code = "body.refused",
		.detail = detail,
	};

	if (most)
		snprintf(detail, sizeof(detail), "a request has at most %zu bytes of content here",
			 most);
	return refuse(conn, &problem);
}

static enum MHD_Result request_begin(struct conn *conn, const char *method, const char *version)
{
	const struct problem *fault = http_head_fault(conn, version);
	struct http_server *server = conn->server;

	server->counters.requests++;
	conn->asked = true;
	conn->deadline = http_deadline_in(server, server->limits.reply_ms);
	conn->state = CONN_HANDLER;
	conn->request = (struct http_request){ .method = method, .target = conn->target };
	conn->body_cut = false;
	buf_reset(&conn->body);
	if (fault)
		return refuse(conn, fault);
	if (conn->target_cut)
		return refuse(conn, &target_refused);
	if (body_is_refused(conn))
		return refuse_content(conn);
	return MHD_YES;
}

/* What comes in chunks tells its length only at its end; the rest is dropped until then. */
static void take_body(struct conn *conn, const char *bytes, size_t len)
{
	if (len > conn->server->limits.body - conn->body.len)
		conn->body_cut = true;
	if (!conn->body_cut)
		buf_add(&conn->body, bytes, len);
	conn->body_cut |= conn->body.failed;
}

static enum MHD_Result call_handler(struct conn *conn, const char *method)
{
	struct http_server *server = conn->server;

	if (conn->body_cut)
		return refuse_content(conn);
	conn->request.method = method;
	conn->request.body = conn->body.data ? conn->body.data : "";
	conn->request.body_length = conn->body.len;
	server->handler(&conn->request, server->data);
	if (conn->state == CONN_HANDLER) {
		conn->state = CONN_WAITING;
		mhd_lib.suspend_connection(conn->mhd);
		return MHD_YES;
	}
	return conn->response ? queue_response(conn) : conn->ended ? MHD_NO : MHD_YES;
}

/*
 * libmicrohttpd calls this when the head is read, for each part of the content, once more when all
 * of it is read, and again whenever a suspended request goes on.
 */
enum MHD_Result http_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_length, void **context)
{
	struct conn *conn = http_conn_of_mhd(mhd);

	(void)cls;
	(void)url;
	/* A request may have come just before its connection was shut down, or behind another. */
	if (!conn || conn->cut || (conn->server->files_only && !*context))
		return MHD_NO;
	if (!*context) {
		*context = conn;
		return request_begin(conn, method, version);
	}
	if (*upload_length) {
		take_body(conn, upload, *upload_length);
		*upload_length = 0;
		return MHD_YES;
	}
	if (conn->state == CONN_HANDLER)
		return call_handler(conn, method);
	if (conn->response)
		return queue_response(conn);
	return conn->ended ? MHD_NO : MHD_YES;
}

void http_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
		       enum MHD_RequestTerminationCode code)
{
	struct http_server *server = cls;
	struct conn *conn = http_conn_of_mhd(mhd);

	(void)context;
	(void)code;
	if (!conn)
		return;
	if (conn->response)
		mhd_lib.destroy_response(conn->response);
	conn->response = NULL;
	/* It may hold a password. */
	if (conn->body.data)
		explicit_bzero(conn->body.data, conn->body.len);
	buf_done(&conn->body);
	buf_init(&conn->body, server->limits.body);
	/* Here and not when the response is freed: the connection's memory may be gone by then. */
	if (conn->state == CONN_STREAM)
		conn->ops->closed(conn->stream);
	conn->state = CONN_IDLE;
	conn->suspended = conn->file = false;
	conn->deadline = http_deadline_in(server, server->limits.request_ms);
	if (server->draining)
		shutdown(conn->fd, SHUT_RD);
}

bool http_is_head(const struct http_request *request)
{
	return strcmp(request->method, MHD_HTTP_METHOD_HEAD) == 0;
}

const char *http_header(const struct http_request *request, const char *name)
{
	return mhd_lib.lookup_connection_value(http_conn_of(request)->mhd, MHD_HEADER_KIND, name);
}

bool http_peer_uid(const struct http_request *request, uid_t *ret)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(http_conn_of(request)->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    len != sizeof(peer) || peer.pid == 0)
		return false;
	*ret = peer.uid;
	return true;
}

void http_peer_text(const struct http_request *request, char out[HTTP_PEER_MAX])
{
	const struct sockaddr_storage *peer = &http_conn_of(request)->peer;

	if (peer->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)peer)->sin_addr, out,
			  HTTP_PEER_MAX);
	else if (peer->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)peer)->sin6_addr, out,
			  HTTP_PEER_MAX);
	else
		memcpy(out, "local", sizeof("local"));
}

uint32_t http_peer_scope(const struct http_request *request)
{
	const struct sockaddr_storage *peer = &http_conn_of(request)->peer;

	return peer->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)peer)->sin6_scope_id : 0;
}

uint64_t *http_connection_tag(const struct http_request *request)
{
	return &http_conn_of(request)->tag;
}

/*
 * Without threads of its own libmicrohttpd goes on with a resumed connection when it is next run.
 */
static void conn_resume(struct conn *conn)
{
	mhd_lib.resume_connection(conn->mhd);
	http_server_soon(conn->server);
}

/* `response` is NULL when memory is short: then the connection ends without an answer. */
static void answer(struct conn *conn, struct MHD_Response *response, enum conn_state state)
{
	bool waited = conn->state == CONN_WAITING;

	conn->response = response;
	conn->state = state;
	conn->ended = !response;
	if (waited)
		conn_resume(conn);
}

void http_answer_by(struct conn *conn, struct MHD_Response *response)
{
	answer(conn, response, CONN_ANSWERED);
}

static void add_headers(struct MHD_Response *response, const struct http_answer *a)
{
	mhd_lib.add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
				    a->cache ? a->cache : "no-store");
	mhd_lib.add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (a->allow)
		mhd_lib.add_response_header(response, MHD_HTTP_HEADER_ALLOW, a->allow);
	for (const struct http_field *f = a->fields; f && f->name; f++)
		mhd_lib.add_response_header(response, f->name, f->value);
}

void http_reply(struct http_request *request, const struct http_answer *a)
{
	struct conn *conn = http_conn_of(request);
	struct MHD_Response *response;

	response = mhd_lib.create_response_from_buffer(a->length, (void *)a->body,
						       MHD_RESPMEM_MUST_COPY);
	if (response) {
		mhd_lib.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
		add_headers(response, a);
	}
	conn->status = a->status;
	answer(conn, response, CONN_ANSWERED);
}

static ssize_t on_stream_read(void *cls, uint64_t at, char *out, size_t max)
{
	struct conn *conn = cls;
	ssize_t n;

	(void)at;
	if (conn->ended)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = conn->ops->read(conn->stream, out, max);
	if (n > 0)
		return n;
	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	conn->suspended = true;
	mhd_lib.suspend_connection(conn->mhd);
	return 0;
}

void http_stream(struct http_request *request, const char *type, const struct http_stream_ops *ops,
		 void *data)
{
	struct conn *conn = http_conn_of(request);
	struct MHD_Response *response;

	conn->ops = ops;
	conn->stream = data;
	conn->status = MHD_HTTP_OK;
	/* libmicrohttpd 0.9.75 ends a chunked answer to HEAD by a chunk, as if it had content. */
	if (http_is_head(request))
		response = mhd_lib.create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	else
		response = mhd_lib.create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
								 on_stream_read, conn, NULL);
	if (response) {
		mhd_lib.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
		mhd_lib.add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	}
	answer(conn, response, CONN_STREAM);
}

void http_stream_resume(struct conn *conn)
{
	if (!conn->suspended)
		return;
	conn->suspended = false;
	conn_resume(conn);
}

void http_stream_wake(struct http_request *request)
{
	http_stream_resume(http_conn_of(request));
}

/* libmicrohttpd must not be stopped while a connection is suspended. */
void http_resume_all(struct http_server *server)
{
	for (struct conn *c = server->conns; c; c = c->next) {
		if (c->state == CONN_WAITING) {
			if (c->request.gone)
				c->request.gone(&c->request);
			answer(c, NULL, CONN_ANSWERED);
		} else if (c->state == CONN_STREAM) {
			c->ended = true;
			http_stream_resume(c);
		}
	}
}
