#include "web/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <microhttpd.h>

/* What a stream gives at once at most; also the size of a chunk. */
#define STREAM_BLOCK 16384

/*
 * Connections that were shut down and that libmicrohttpd has not freed yet; more than it accepts
 * before it frees.
 */
#define CUT_SLACK 64

/* How often deadlines are looked at; a request may outlive its own by so much. */
#define SWEEP_MS_MAX 1000
#define SWEEP_MS_MIN 10

enum conn_state {
	CONN_IDLE, /* no request, or one that has not arrived whole */
	CONN_HANDLER, /* inside the handler's call */
	CONN_WAITING, /* suspended: the handler will answer later */
	CONN_ANSWERED,
	CONN_STREAM,
};

struct conn {
	struct conn *next, **link;
	struct http_server *server;
	struct MHD_Connection *mhd;
	int fd;
	struct sockaddr_storage peer;
	uint64_t deadline; /* of the loop's clock, in ms */
	enum conn_state state;
	struct http_request request;
	char target[HTTP_TARGET_MAX + 1];
	bool target_cut;
	bool cut; /* shut down: libmicrohttpd frees it when it is next run */
	struct MHD_Response *response; /* to be queued; NULL in CONN_HANDLER: not answered yet */
	unsigned int status;
	const struct http_stream_ops *ops;
	void *stream;
	bool suspended; /* a stream that has nothing to say */
	bool ended; /* a stream whose other end is gone, or whose server closes */
};

struct http_server {
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer; /* libmicrohttpd's own */
	uv_timer_t sweep;
	struct http_limits limits;
	struct http_counters counters;
	http_handler handler;
	void *data;
	struct conn *conns;
	unsigned int n_conns;
	unsigned int n_cut; /* of them */
	bool draining;
	bool closing;
	unsigned int handles; /* that have to be closed before the server is freed */
	void (*closed)(void *data);
	void *closed_data;
};

static void on_timer(uv_timer_t *timer);

static struct conn *conn_of(struct http_request *request)
{
	return (struct conn *)((char *)request - offsetof(struct conn, request));
}

static struct conn *conn_of_mhd(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static uint64_t deadline_in(const struct http_server *server, unsigned int ms)
{
	return uv_now(server->poll.loop) + ms;
}

/* Same address, whatever the port; unix sockets have none to compare. */
static bool same_peer(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	if (a->sa_family == AF_INET6)
		return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
			      &((const struct sockaddr_in6 *)b)->sin6_addr,
			      sizeof(struct in6_addr)) == 0;
	return false;
}

static bool peer_is_full(const struct http_server *server, const struct sockaddr *addr)
{
	unsigned int same = 0;

	if (server->limits.per_peer == 0)
		return false;
	for (const struct conn *c = server->conns; c; c = c->next)
		same += !c->cut && same_peer((const struct sockaddr *)&c->peer, addr);
	return same >= server->limits.per_peer;
}

static void conn_cut(struct conn *conn)
{
	conn->cut = true;
	conn->server->n_cut++;
	shutdown(conn->fd, SHUT_RDWR);
}

/* Whose deadline is next has waited longest; of equals, the last of the list is the oldest. */
static bool evict_one(struct http_server *server)
{
	struct conn *oldest = NULL;

	for (struct conn *c = server->conns; c; c = c->next) {
		if (c->state == CONN_IDLE && !c->cut &&
		    (!oldest || c->deadline <= oldest->deadline))
			oldest = c;
	}
	if (!oldest)
		return false;
	server->counters.evicted++;
	conn_cut(oldest);
	return true;
}

/* The address is looked at first: nobody is evicted for one that is refused all the same. */
static enum MHD_Result on_accept(void *cls, const struct sockaddr *addr, socklen_t len)
{
	struct http_server *server = cls;

	(void)len;
	if (peer_is_full(server, addr)) {
		server->counters.refused_peer++;
		return MHD_NO;
	}
	if (server->n_conns - server->n_cut >= server->limits.connections && !evict_one(server)) {
		server->counters.refused_busy++;
		return MHD_NO;
	}
	return MHD_YES;
}

static void conn_free(struct conn *conn)
{
	*conn->link = conn->next;
	if (conn->next)
		conn->next->link = conn->link;
	conn->server->n_conns--;
	conn->server->n_cut -= conn->cut;
	free(conn);
}

static void on_sweep(uv_timer_t *timer);

static void conn_new(struct http_server *server, struct MHD_Connection *mhd, void **ret)
{
	const union MHD_ConnectionInfo *info;
	struct conn *conn = calloc(1, sizeof(*conn));
	uint64_t every = server->limits.request_ms / 4;

	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!conn) {
		shutdown(info->connect_fd, SHUT_RDWR);
		return;
	}
	conn->server = server;
	conn->mhd = mhd;
	conn->fd = info->connect_fd;
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (info && info->client_addr->sa_family == AF_INET)
		memcpy(&conn->peer, info->client_addr, sizeof(struct sockaddr_in));
	else if (info && info->client_addr->sa_family == AF_INET6)
		memcpy(&conn->peer, info->client_addr, sizeof(struct sockaddr_in6));
	conn->deadline = deadline_in(server, server->limits.request_ms);
	conn->next = server->conns;
	conn->link = &server->conns;
	if (conn->next)
		conn->next->link = &conn->next;
	server->conns = conn;
	server->n_conns++;
	server->counters.connections++;
	*ret = conn;
	if (uv_is_active((uv_handle_t *)&server->sweep) || server->closing)
		return;
	every = every > SWEEP_MS_MAX ? SWEEP_MS_MAX : every < SWEEP_MS_MIN ? SWEEP_MS_MIN : every;
	uv_timer_start(&server->sweep, on_sweep, every, every);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		conn_new(cls, mhd, context);
	else if (*context)
		conn_free(*context);
}

/* The only place where the query is to be had as it was sent; the head is not parsed yet. */
static void *on_target(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct conn *conn = conn_of_mhd(mhd);
	size_t len = strnlen(uri, HTTP_TARGET_MAX + 1);

	(void)cls;
	if (!conn)
		return NULL;
	conn->target_cut = len > HTTP_TARGET_MAX;
	len = conn->target_cut ? HTTP_TARGET_MAX : len;
	memcpy(conn->target, uri, len);
	conn->target[len] = '\0';
	return NULL;
}

/* Paths are compared as they were sent: nothing is decoded. */
static size_t on_unescape(void *cls, struct MHD_Connection *mhd, char *text)
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
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	result = MHD_queue_response(conn->mhd, conn->status, response);
	MHD_destroy_response(response);
	return result;
}

static bool has_body(struct MHD_Connection *mhd)
{
	const char *length = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Content-Length");

	return (length && strcmp(length, "0") != 0) ||
	       MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Transfer-Encoding");
}

static const char content_refused[] = "a request here has no content\n";
static const char target_refused[] = "the request target is too long\n";

/*
 * Nothing here takes content. It is not read, so it must not be taken for the next request: the
 * connection ends with the answer.
 */
static enum MHD_Result refuse(struct conn *conn, unsigned int status, const char *text)
{
	const struct http_answer refusal = {
		.status = status, .type = "text/plain", .body = text, .length = strlen(text)
	};

	http_reply(&conn->request, &refusal);
	if (!conn->response)
		return MHD_NO;
	MHD_add_response_header(conn->response, MHD_HTTP_HEADER_CONNECTION, "close");
	return queue_response(conn);
}

static enum MHD_Result request_begin(struct conn *conn, const char *method)
{
	struct http_server *server = conn->server;

	server->counters.requests++;
	conn->deadline = deadline_in(server, server->limits.reply_ms);
	conn->state = CONN_HANDLER;
	conn->request = (struct http_request){ .method = method, .target = conn->target };
	if (conn->target_cut)
		return refuse(conn, MHD_HTTP_URI_TOO_LONG, target_refused);
	if (has_body(conn->mhd))
		return refuse(conn, MHD_HTTP_CONTENT_TOO_LARGE, content_refused);
	return MHD_YES;
}

/*
 * libmicrohttpd calls this when the head is read, once more when the (empty) content is, and again
 * whenever a suspended request goes on.
 */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_length, void **context)
{
	struct http_server *server = cls;
	struct conn *conn = conn_of_mhd(mhd);

	(void)url;
	(void)version;
	(void)upload;
	/* A request may have come just before its connection was shut down. */
	if (!conn || conn->cut)
		return MHD_NO;
	if (!*context) {
		*context = conn;
		return request_begin(conn, method);
	}
	*upload_length = 0;
	if (conn->state == CONN_HANDLER) {
		conn->request.method = method;
		server->handler(&conn->request, server->data);
		if (conn->state == CONN_HANDLER) {
			conn->state = CONN_WAITING;
			MHD_suspend_connection(mhd);
			return MHD_YES;
		}
	}
	if (conn->response)
		return queue_response(conn);
	return conn->ended ? MHD_NO : MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct http_server *server = cls;
	struct conn *conn = conn_of_mhd(mhd);

	(void)context;
	(void)code;
	if (!conn)
		return;
	if (conn->response)
		MHD_destroy_response(conn->response);
	conn->response = NULL;
	/* Here and not when the response is freed: the connection's memory may be gone by then. */
	if (conn->state == CONN_STREAM)
		conn->ops->closed(conn->stream);
	conn->state = CONN_IDLE;
	conn->suspended = false;
	conn->deadline = deadline_in(server, server->limits.request_ms);
	if (server->draining)
		shutdown(conn->fd, SHUT_RD);
}

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(conn_of((struct http_request *)request)->mhd,
					   MHD_HEADER_KIND, name);
}

/* Without threads of its own libmicrohttpd goes on with a resumed connection when it is next run. */
static void conn_resume(struct conn *conn)
{
	MHD_resume_connection(conn->mhd);
	uv_timer_start(&conn->server->timer, on_timer, 0, 0);
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

void http_reply(struct http_request *request, const struct http_answer *a)
{
	struct conn *conn = conn_of(request);
	struct MHD_Response *response;

	response =
		MHD_create_response_from_buffer(a->length, (void *)a->body, MHD_RESPMEM_MUST_COPY);
	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
		MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
		if (a->allow)
			MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, a->allow);
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
	MHD_suspend_connection(conn->mhd);
	return 0;
}

void http_stream(struct http_request *request, const char *type, const struct http_stream_ops *ops,
		 void *data)
{
	struct conn *conn = conn_of(request);
	struct MHD_Response *response;

	conn->ops = ops;
	conn->stream = data;
	conn->status = MHD_HTTP_OK;
	/* libmicrohttpd 0.9.75 ends a chunked answer to HEAD by a chunk, as if it had content. */
	if (strcmp(request->method, MHD_HTTP_METHOD_HEAD) == 0)
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	else
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
							     on_stream_read, conn, NULL);
	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	}
	answer(conn, response, CONN_STREAM);
}

static void stream_resume(struct conn *conn)
{
	if (!conn->suspended)
		return;
	conn->suspended = false;
	conn_resume(conn);
}

void http_stream_wake(struct http_request *request)
{
	stream_resume(conn_of(request));
}

static bool peer_is_gone(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static void conn_sweep(struct conn *conn, uint64_t now)
{
	struct http_server *server = conn->server;

	switch (conn->state) {
	case CONN_STREAM:
		/* libmicrohttpd does not watch a suspended connection, so its end shows here alone. */
		if (conn->suspended && peer_is_gone(conn->fd)) {
			conn->ended = true;
			stream_resume(conn);
		}
		return;
	case CONN_WAITING:
		return; /* whoever answers later has a deadline of its own */
	case CONN_HANDLER:
	case CONN_ANSWERED:
	case CONN_IDLE:
		break;
	}
	if (conn->cut)
		return;
	if (now >= conn->deadline) {
		server->counters.cut++;
		conn_cut(conn);
	} else if (server->draining && conn->state == CONN_IDLE) {
		shutdown(conn->fd, SHUT_RD);
	}
}

static void on_sweep(uv_timer_t *timer)
{
	struct http_server *server = timer->data;
	uint64_t now = uv_now(timer->loop);

	for (struct conn *c = server->conns; c; c = c->next)
		conn_sweep(c, now);
	if (!server->conns)
		uv_timer_stop(timer);
}

/* One round of libmicrohttpd, then its wish for the next. */
static void server_run(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
		uv_timer_start(&server->timer, on_timer, ms, 0);
	else
		uv_timer_stop(&server->timer);
}

static void on_timer(uv_timer_t *timer)
{
	server_run(timer->data);
}

static void on_epoll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	server_run(poll->data);
}

static struct MHD_Daemon *daemon_start(struct http_server *server, int fd)
{
	/*
	 * libmicrohttpd's own limit lies above ours: at it, it stops accepting and clients hang.
	 * Nothing is decoded, and nothing is printed by the library.
	 */
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, on_accept, server,
				on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_CONNECTION_LIMIT, server->limits.connections + CUT_SLACK,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, server->limits.memory,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
				MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
				MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, server,
				MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

int http_server_open(struct http_server **ret, uv_loop_t *loop, int fd,
		     const struct http_limits *limits, http_handler handler, void *data,
		     struct err *err)
{
	struct http_server *server = calloc(1, sizeof(*server));
	const union MHD_DaemonInfo *info;
	int flags = fcntl(fd, F_GETFL);
	int code = -ENOMEM;

	if (!server) {
		err_errno(err, code, "cannot serve HTTP");
		goto out;
	}
	server->limits = *limits;
	server->handler = handler;
	server->data = data;
	/* Two processes may wait for the same connection: the one that comes late must not block. */
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		code = err_errno(err, -errno, "cannot serve HTTP");
		goto out;
	}
	server->daemon = daemon_start(server, fd);
	if (!server->daemon) {
		code = err_set(err, -EINVAL, "cannot serve HTTP: libmicrohttpd does not start");
		goto out;
	}
	fd = -1;
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	code = uv_poll_init(loop, &server->poll, info->epoll_fd);
	if (code) {
		MHD_stop_daemon(server->daemon);
		err_errno(err, code, "cannot serve HTTP");
		goto out;
	}
	uv_timer_init(loop, &server->timer);
	uv_timer_init(loop, &server->sweep);
	server->poll.data = server->timer.data = server->sweep.data = server;
	server->handles = 3;
	uv_poll_start(&server->poll, UV_READABLE, on_epoll);
	*ret = server;
	return 0;
out:
	if (fd >= 0)
		close(fd);
	free(server);
	return code;
}

void http_server_drain(struct http_server *server)
{
	int fd;

	if (server->draining)
		return;
	server->draining = true;
	fd = MHD_quiesce_daemon(server->daemon);
	if (fd >= 0)
		close(fd);
	on_sweep(&server->sweep);
	server_run(server);
}

bool http_server_idle(const struct http_server *server)
{
	return server->conns == NULL;
}

const struct http_counters *http_server_counters(const struct http_server *server)
{
	return &server->counters;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct http_server *server = handle->data;

	if (--server->handles > 0)
		return;
	if (server->closed)
		server->closed(server->closed_data);
	free(server);
}

/* libmicrohttpd must not be stopped while a connection is suspended. */
static void resume_all(struct http_server *server)
{
	for (struct conn *c = server->conns; c; c = c->next) {
		if (c->state == CONN_WAITING) {
			if (c->request.gone)
				c->request.gone(&c->request);
			answer(c, NULL, CONN_ANSWERED);
		} else if (c->state == CONN_STREAM) {
			c->ended = true;
			stream_resume(c);
		}
	}
}

void http_server_close(struct http_server *server, void (*closed)(void *data), void *data)
{
	server->closing = true;
	server->closed = closed;
	server->closed_data = data;
	http_server_drain(server);
	resume_all(server);
	MHD_run(server->daemon);
	uv_poll_stop(&server->poll);
	MHD_stop_daemon(server->daemon);
	uv_close((uv_handle_t *)&server->poll, on_handle_closed);
	uv_close((uv_handle_t *)&server->timer, on_handle_closed);
	uv_close((uv_handle_t *)&server->sweep, on_handle_closed);
}
