/*
 * An HTTP server on a listening socket that someone else opened. Edge: owns connections.
 *
 * The http_*.c files are the sole users of libmicrohttpd, whose epoll fd the loop polls. One server
 * per listening socket, with limits of its own, so that guests cannot starve operators.
 * libmicrohttpd's own timeout is of idle time, which a client that trickles a byte a second
 * outlives: here every request has an absolute deadline, at which its socket is shut down.
 *
 * A server that is full closes the connection that has been without a request for longest, and
 * serves the newcomer: to hold connections open shuts nobody out. Only when every connection has a
 * request in hand is the newcomer refused.
 */
#ifndef TW_HTTP_SERVER_H
#define TW_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "agent/base/err.h"

/* Longer request targets are answered 414; our longest path has 23 bytes. */
#define HTTP_TARGET_MAX 1024

struct http_limits {
	unsigned int connections;
	/* of one address: one more takes the place of an idle one; 0: no bound (unix sockets) */
	unsigned int per_peer;
	unsigned int
		request_ms; /* from the connection, or the end of the last reply, to a request */
	unsigned int reply_ms; /* from the request to the end of its reply; streams have none */
	size_t body; /* bytes of content that a request may have; 0: none is taken */
	size_t memory; /* bytes per connection for the head of the request and the reply's buffer */
};

struct http_counters {
	uint64_t connections; /* accepted */
	uint64_t requests;
	uint64_t refused_busy; /* connections above the limit while all others had a request */
	/* connections above the limit of one address, whose others all have requests */
	uint64_t refused_peer;
	uint64_t evicted; /* connections without a request, closed to make room for another */
	uint64_t cut; /* connections shut down at a deadline */
};

struct http_server;

/*
 * One request, from the handler's call until it was answered. The handler answers by http_reply()
 * or http_stream(), at once or later; the request stays valid until then. Who answers later sets
 * `gone`: it is called when the server closes before, and the request must then be forgotten.
 */
struct http_request {
	const char *method;
	const char *target; /* path and query as they were sent */
	const void *body; /* its content */
	size_t body_length;
	void *data; /* the handler's */
	void (*gone)(struct http_request *request);
};

typedef void (*http_handler)(struct http_request *request, void *data);

/* Whether nothing but the head is to be answered: then nothing is given, nor changed by it. */
bool http_is_head(const struct http_request *request);

/* The value of the first header with this name, or NULL. Valid as the request. */
const char *http_header(const struct http_request *request, const char *name);

/* Of a client on a unix socket, its user (SO_PEERCRED, unix(7)); false for others. */
bool http_peer_uid(const struct http_request *request, uid_t *ret);

/* The client's address, or "local" for one on a unix socket. */
#define HTTP_PEER_MAX 46
void http_peer_text(const struct http_request *request, char out[HTTP_PEER_MAX]);

/* Of a link-local IPv6 address, the ifindex of the device that it is of; 0 of any other. */
uint32_t http_peer_scope(const struct http_request *request);

/*
 * A number of the handler's that stays with the client's connection, 0 on a new one. Valid as the
 * request.
 */
uint64_t *http_connection_tag(const struct http_request *request);

/* A header field beside those that every answer has. */
struct http_field {
	const char *name, *value;
};

struct http_answer {
	unsigned int status;
	const char *type; /* Content-Type */
	const char *allow; /* header Allow; NULL: none */
	const char *cache; /* Cache-Control; NULL: no-store */
	const struct http_field *fields; /* the last has no name; NULL: none */
	const void *body; /* copied */
	size_t length;
};

/* Answers; the request is gone after. */
void http_reply(struct http_request *request, const struct http_answer *answer);

/*
 * Answers with a file of `length` bytes, whole or the one range that the request has (RFC 9110
 * section 14). `fd` is owned from here on.
 */
void http_reply_file(struct http_request *request, int fd, size_t length, const char *type);

struct http_stream_ops {
	/*
	 * Puts up to `max` bytes into `out` and returns how many; 0 for none now, and then waits
	 * for http_stream_wake(); -1 to end the stream.
	 */
	ssize_t (*read)(void *data, char *out, size_t max);
	void (*closed)(void *data); /* called exactly once; after it the request is gone */
};

/* Answers 200 with bytes that `ops` gives as they come. */
void http_stream(struct http_request *request, const char *type, const struct http_stream_ops *ops,
		 void *data);

/* There may be something to read. Harmless when there is not. */
void http_stream_wake(struct http_request *request);

/* PEM texts, which must stay until the server is closed. */
struct http_tls {
	const char *cert, *key;
};

/* Whether the texts are a certificate and its key. */
bool http_tls_works(const struct http_tls *tls);

/*
 * Serves `fd`, a listening socket, which the server owns from here on (also when this fails). It
 * may be shared with other processes and is never shut down. `handler` is called from the loop.
 * With `tls` (NULL: without) it speaks TLS 1.2 or 1.3 alone.
 */
int http_server_open(struct http_server **ret, uv_loop_t *loop, int fd,
		     const struct http_limits *limits, const struct http_tls *tls,
		     http_handler handler, void *data, struct err *err);

/* Accepts nothing more and closes each connection once its request is answered. */
void http_server_drain(struct http_server *server);

/* No connection is left. */
bool http_server_idle(const struct http_server *server);

/* Adds how many connections there are: that send a file, and others. */
struct http_left {
	unsigned int files, others;
};
void http_server_count(const struct http_server *server, struct http_left *left);

/* Of a server that drains: goes on with files alone, and takes no request of any connection. */
void http_server_keep_files(struct http_server *server);

const struct http_counters *http_server_counters(const struct http_server *server);

/*
 * Ends every connection and frees the server; `closed` (may be NULL) is called with `data` when it
 * is gone. Not from inside a handler or a stream's callback.
 */
void http_server_close(struct http_server *server, void (*closed)(void *data), void *data);

#endif
