/* The commands' side of the HTTP API, over the unix socket of a running agent. */
#ifndef TW_API_CLIENT_H
#define TW_API_CLIENT_H

#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

/* A line of a stream that is longer ends the stream by -EMSGSIZE. */
#define API_LINE_MAX (1u << 20)

/*
 * Appends the body of GET `path` to `out`, whose max bounds it. Returns 0, or a negative errno:
 * -ENOENT or -ECONNREFUSED when no agent answers, -ETIMEDOUT, -EMSGSIZE, -EPROTO for an answer that
 * is not a success (the text is the problem's detail, RFC 9457).
 */
int api_get(const char *run_dir, const char *path, struct buf *out, struct err *err);

/* The same with POST and a JSON text as its content. */
int api_post(const char *run_dir, const char *path, const char *json, struct buf *out,
	     struct err *err);

/* One line without its newline, NUL-terminated. Returns 0 to go on, 1 to end, or -errno to fail. */
typedef int (*api_line_cb)(const char *line, size_t len, void *data);

/*
 * Gives every line of GET `path` to `cb` until the other end stops, `cb` ends it, or `stop_fd` (-1:
 * none) becomes readable. `header` is one more header, "Name: value", or NULL. Returns 0 when it
 * was ended here, -ECONNRESET when the stream ended by itself, or what api_get() and `cb` return.
 */
int api_stream(const char *run_dir, const char *path, const char *header, int stop_fd,
	       api_line_cb cb, void *data, struct err *err);

#endif
