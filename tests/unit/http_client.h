/*
 * A client for tests that drive a server on the same loop: sockets that never block, and the loop
 * is run between two looks at them.
 */
#ifndef TW_HTTP_CLIENT_H
#define TW_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/buf.h"

/* A test that waits longer hangs; nothing else is concluded from it. */
#define CLIENT_PATIENCE_S 20

/* A listening socket on a port of its own on 127.0.0.1. */
static inline int listen_on_loopback(struct sockaddr_in *ret)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 256), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*ret = addr;
	return fd;
}

/* From another address of the loopback network than 127.0.0.1. */
static inline int client_connect_from(const struct sockaddr_in *addr, const char *source)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, source, &own.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)addr, sizeof(*addr)), 0);
	return fd;
}

static inline int client_connect(const struct sockaddr_in *addr)
{
	return client_connect_from(addr, "127.0.0.1");
}

static inline void client_send(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static inline void loop_turn(uv_loop_t *loop)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };

	uv_run(loop, UV_RUN_NOWAIT);
	nanosleep(&moment, NULL);
}

/* Adds what has come; false once the other end closed. */
static inline bool client_take(int fd, struct buf *out)
{
	char part[65536];
	ssize_t n;

	while ((n = recv(fd, part, sizeof(part), MSG_DONTWAIT)) > 0)
		buf_add(out, part, (size_t)n);
	return n < 0 && errno == EWOULDBLOCK;
}

/* Runs the loop until the other end closed. */
static inline void client_read_all(uv_loop_t *loop, int fd, struct buf *out)
{
	time_t until = time(NULL) + CLIENT_PATIENCE_S;

	while (client_take(fd, out)) {
		assert_true(time(NULL) < until);
		loop_turn(loop);
	}
}

/* Runs the loop until `out` ends in `end`; the connection must stay open until then. */
static inline void client_read_until(uv_loop_t *loop, int fd, struct buf *out, const char *end)
{
	time_t until = time(NULL) + CLIENT_PATIENCE_S;
	size_t len = strlen(end);

	for (;;) {
		bool open = client_take(fd, out);

		if (out->len >= len && strcmp(out->data + out->len - len, end) == 0)
			return;
		assert_true(open && time(NULL) < until);
		loop_turn(loop);
	}
}

/* One connection: sends `bytes` and returns all that came back, which the caller frees. */
static inline char *client_exchange(uv_loop_t *loop, const struct sockaddr_in *addr,
				    const void *bytes, size_t len)
{
	int fd = client_connect(addr);
	struct buf out;

	buf_init(&out, 1 << 20);
	buf_adds(&out, "");
	client_send(fd, bytes, len);
	client_read_all(loop, fd, &out);
	close(fd);
	return buf_take(&out);
}

#endif
