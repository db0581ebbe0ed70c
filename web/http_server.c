#include "web/http_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Who has connected sends what it asks for, and cannot know that this server ends. */
#define FIRST_REQUEST_MS 100

static void on_timer(uv_timer_t *timer);

/* One round of libmicrohttpd, then its wish for the next. */
static void server_run(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	mhd_lib.run(server->daemon);
	if (mhd_lib.get_timeout(server->daemon, &ms) == MHD_YES)
		uv_timer_start(&server->timer, on_timer, ms, 0);
	else
		uv_timer_stop(&server->timer);
}

static void on_timer(uv_timer_t *timer)
{
	server_run(timer->data);
}

void http_server_soon(struct http_server *server)
{
	uv_timer_start(&server->timer, on_timer, 0, 0);
}

static void on_epoll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	server_run(poll->data);
}

static void stay_silent(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)fmt;
	(void)ap;
}

/*
 * SECURE192 would shut out who has a certificate of P-256. What has no forward secrecy, or a MAC of
 * SHA-1, is for clients of TLS 1.1.
 */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3:-RSA:-SHA1"

/*
 * libmicrohttpd's own limit lies above ours: at it, it stops accepting and clients hang. Nothing is
 * decoded, and nothing is printed by the library.
 */
static struct MHD_Daemon *daemon_start(struct http_server *server, int fd,
				       const struct http_tls *tls)
{
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, tls ? (void *)tls->cert : NULL },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, tls ? (void *)tls->key : NULL },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;

	if (tls)
		flags |= MHD_USE_TLS;
	else
		options[0].option = MHD_OPTION_END;
	return mhd_lib.start_daemon(
		flags, 0, http_on_accept, server, http_on_request, server,
		MHD_OPTION_EXTERNAL_LOGGER, stay_silent, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, server->limits.connections + CUT_SLACK,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, server->limits.memory,
		MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, server,
		MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, server, MHD_OPTION_URI_LOG_CALLBACK,
		http_on_target, server, MHD_OPTION_UNESCAPE_CALLBACK, http_on_unescape, server,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

bool http_tls_works(const struct http_tls *tls)
{
	struct MHD_Daemon *daemon =
		mhd_lib.start_daemon(MHD_USE_TLS | MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0,
				     NULL, NULL, http_on_request, NULL, MHD_OPTION_EXTERNAL_LOGGER,
				     stay_silent, NULL, MHD_OPTION_HTTPS_MEM_CERT, tls->cert,
				     MHD_OPTION_HTTPS_MEM_KEY, tls->key, MHD_OPTION_END);

	if (daemon)
		mhd_lib.stop_daemon(daemon);
	return daemon != NULL;
}

int http_server_open(struct http_server **ret, uv_loop_t *loop, int fd,
		     const struct http_limits *limits, const struct http_tls *tls,
		     http_handler handler, void *data, struct err *err)
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
	/*
	 * Two processes may wait for the same connection: the one that comes late must not block.
	 */
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		code = err_errno(err, -errno, "cannot serve HTTP");
		goto out;
	}
	server->daemon = daemon_start(server, fd, tls);
	if (!server->daemon) {
		code = err_set(err, -EINVAL, "cannot serve HTTP: libmicrohttpd does not start%s",
			       tls ? ": certificate and key may not fit" : "");
		goto out;
	}
	fd = -1;
	info = mhd_lib.get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	code = uv_poll_init(loop, &server->poll, info->epoll_fd);
	if (code) {
		mhd_lib.stop_daemon(server->daemon);
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
	server->drain_until = http_deadline_in(server, server->closing ? 0 : FIRST_REQUEST_MS);
	fd = mhd_lib.quiesce_daemon(server->daemon);
	if (fd >= 0)
		close(fd);
	http_on_sweep(&server->sweep);
	if (server->conns)
		uv_timer_start(&server->sweep, http_on_sweep, FIRST_REQUEST_MS, FIRST_REQUEST_MS);
	server_run(server);
}

bool http_server_idle(const struct http_server *server)
{
	return server->conns == NULL;
}

void http_server_count(const struct http_server *server, struct http_left *left)
{
	for (const struct conn *c = server->conns; c; c = c->next) {
		if (c->file)
			left->files++;
		else
			left->others++;
	}
}

void http_server_keep_files(struct http_server *server)
{
	server->files_only = true;
	for (struct conn *c = server->conns; c; c = c->next) {
		if (c->file || c->cut)
			continue;
		http_conn_cut(c);
		/* libmicrohttpd does not watch a suspended connection. */
		if (c->state == CONN_STREAM) {
			c->ended = true;
			http_stream_resume(c);
		}
	}
	http_server_soon(server);
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

void http_server_close(struct http_server *server, void (*closed)(void *data), void *data)
{
	server->closing = true;
	server->closed = closed;
	server->closed_data = data;
	http_server_drain(server);
	http_resume_all(server);
	mhd_lib.run(server->daemon);
	uv_poll_stop(&server->poll);
	mhd_lib.stop_daemon(server->daemon);
	uv_close((uv_handle_t *)&server->poll, on_handle_closed);
	uv_close((uv_handle_t *)&server->timer, on_handle_closed);
	uv_close((uv_handle_t *)&server->sweep, on_handle_closed);
}
