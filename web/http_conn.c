#include "web/http_conn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct conn *http_conn_of(const struct http_request *request)
{
	return (struct conn *)((char *)request - offsetof(struct conn, request));
}

struct conn *http_conn_of_mhd(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		mhd_lib.get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

uint64_t http_deadline_in(const struct http_server *server, unsigned int ms)
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

void http_conn_cut(struct conn *conn)
{
	conn->cut = true;
	conn->server->n_cut++;
	shutdown(conn->fd, SHUT_RDWR);
}

/*
 * Of those from `addr`, NULL: of all. Whose deadline is next has waited longest; of equals, the
 * last of the list is the oldest.
 */
static bool evict_one(struct http_server *server, const struct sockaddr *addr)
{
	struct conn *oldest = NULL;

	for (struct conn *c = server->conns; c; c = c->next) {
		if (c->state == CONN_IDLE && !c->cut &&
		    (!addr || same_peer((const struct sockaddr *)&c->peer, addr)) &&
		    (!oldest || c->deadline <= oldest->deadline))
			oldest = c;
	}
	if (!oldest)
		return false;
	server->counters.evicted++;
	http_conn_cut(oldest);
	return true;
}

/*
 * The address is looked at first: nobody else is evicted for one that has all its places. It gives
 * one of its own that is idle, so that many behind one address are not shut out by what one of them
 * left open.
 */
enum MHD_Result http_on_accept(void *cls, const struct sockaddr *addr, socklen_t len)
{
	struct http_server *server = cls;

	(void)len;
	if (peer_is_full(server, addr)) {
		if (evict_one(server, addr))
			return MHD_YES;
		server->counters.refused_peer++;
		return MHD_NO;
	}
	if (server->n_conns - server->n_cut >= server->limits.connections &&
	    !evict_one(server, NULL)) {
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
	buf_done(&conn->body);
	free(conn);
}

static void conn_new(struct http_server *server, struct MHD_Connection *mhd, void **ret)
{
	const union MHD_ConnectionInfo *info;
	struct conn *conn = calloc(1, sizeof(*conn));
	uint64_t every = server->limits.request_ms / 4;

	info = mhd_lib.get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!conn) {
		shutdown(info->connect_fd, SHUT_RDWR);
		return;
	}
	conn->server = server;
	conn->mhd = mhd;
	conn->fd = info->connect_fd;
	info = mhd_lib.get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (info && info->client_addr->sa_family == AF_INET)
		memcpy(&conn->peer, info->client_addr, sizeof(struct sockaddr_in));
	else if (info && info->client_addr->sa_family == AF_INET6)
		memcpy(&conn->peer, info->client_addr, sizeof(struct sockaddr_in6));
	conn->deadline = http_deadline_in(server, server->limits.request_ms);
	conn->next = server->conns;
	conn->link = &server->conns;
	if (conn->next)
		conn->next->link = &conn->next;
	server->conns = conn;
	server->n_conns++;
	server->counters.connections++;
	*ret = conn;
	buf_init(&conn->body, server->limits.body);
	if (uv_is_active((uv_handle_t *)&server->sweep) || server->closing)
		return;
	every = every > SWEEP_MS_MAX ? SWEEP_MS_MAX : every < SWEEP_MS_MIN ? SWEEP_MS_MIN : every;
	uv_timer_start(&server->sweep, http_on_sweep, every, every);
}

void http_on_connection(void *cls, struct MHD_Connection *mhd, void **context,
			enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		conn_new(cls, mhd, context);
	else if (*context)
		conn_free(*context);
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
		/*
		 * libmicrohttpd does not watch a suspended connection, so its end shows here alone.
		 */
		if (conn->suspended && peer_is_gone(conn->fd)) {
			conn->ended = true;
			http_stream_resume(conn);
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
		http_conn_cut(conn);
	} else if (server->draining && conn->state == CONN_IDLE &&
		   (conn->asked || now >= server->drain_until)) {
		shutdown(conn->fd, SHUT_RD);
	}
}

void http_on_sweep(uv_timer_t *timer)
{
	struct http_server *server = timer->data;
	uint64_t now = uv_now(timer->loop);

	for (struct conn *c = server->conns; c; c = c->next)
		conn_sweep(c, now);
	if (!server->conns)
		uv_timer_stop(timer);
}
