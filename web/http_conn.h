/*
 * What the http_*.c files share: a server, its connections, and the request that each has. Edge;
 * private to them, by way of mhd_lib.h the sole users of libmicrohttpd.
 */
#ifndef TW_HTTP_CONN_H
#define TW_HTTP_CONN_H

#include "agent/base/buf.h"
#include "web/http_server.h"
#include "web/mhd_lib.h"

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
	bool asked; /* a request came: what follows on it is another */
	struct http_request request;
	uint64_t tag; /* the handler's */
	char target[HTTP_TARGET_MAX + 1];
	bool target_cut;
	struct buf body; /* of the request, as much as has come */
	bool body_cut; /* there was more than the server takes */
	bool file; /* its answer is one */
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
	uint64_t drain_until; /* a connection that was just made may ask once; as deadline */
	bool files_only; /* that are sent already */
	bool closing;
	unsigned int handles; /* that have to be closed before the server is freed */
	void (*closed)(void *data);
	void *closed_data;
};

/*
 * The connection that a request, or a handle of libmicrohttpd, belongs to; NULL while it is made.
 */
struct conn *http_conn_of(const struct http_request *request);
struct conn *http_conn_of_mhd(struct MHD_Connection *mhd);

/* http_conn.c: callbacks of libmicrohttpd and of the timer that looks at deadlines. */
enum MHD_Result http_on_accept(void *cls, const struct sockaddr *addr, socklen_t len);
void http_on_connection(void *cls, struct MHD_Connection *mhd, void **context,
			enum MHD_ConnectionNotificationCode code);
void http_on_sweep(uv_timer_t *timer);

/* Shuts it down: libmicrohttpd frees it when it is next run. */
void http_conn_cut(struct conn *conn);

/* The loop's clock, `ms` from now. */
uint64_t http_deadline_in(const struct http_server *server, unsigned int ms);

/*
 * http_head.c: why a request of `version` with this head is refused before its content is looked
 * at; NULL: it is not.
 */
struct problem;
const struct problem *http_head_fault(struct conn *conn, const char *version);

/* http_request.c: callbacks of libmicrohttpd. */
void *http_on_target(void *cls, const char *uri, struct MHD_Connection *mhd);
size_t http_on_unescape(void *cls, struct MHD_Connection *mhd, char *text);
enum MHD_Result http_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_length, void **context);
void http_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
		       enum MHD_RequestTerminationCode code);

/*
 * The request is answered by `response`, which the connection owns from here on; see conn->status.
 */
void http_answer_by(struct conn *conn, struct MHD_Response *response);

/* Every request that waits ends: libmicrohttpd must not be stopped while one is suspended. */
void http_resume_all(struct http_server *server);

/* A stream that waits for something to say goes on. */
void http_stream_resume(struct conn *conn);

/* http_server.c: the loop runs libmicrohttpd at its next turn. */
void http_server_soon(struct http_server *server);

#endif
