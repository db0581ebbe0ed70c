/*
 * The connection to the QEMU of an inline link, made whenever there is a QEMU to connect to. Edge.
 *
 * QEMU comes and goes as it likes; a watch on the folder tells when its socket is there. The handle
 * is freed by the loop some time after guest_socket_close().
 */
#ifndef TW_GUEST_SOCKET_H
#define TW_GUEST_SOCKET_H

#include <uv.h>

#include "agent/guest_dir.h"

struct guest_socket_conf {
	struct guest_dir dir; /* its texts are copied */
	enum peer_kind kind;
	/* A connection: the fd is the callee's. */
	void (*connected)(void *data, int fd);
	/* What is at the place of the socket cannot be used; told once for each reason. */
	void (*refused)(void *data, const char *why);
	void *data;
};

struct guest_socket;

/* Makes the folder and begins. 0 or a negative errno. */
int guest_socket_open(uv_loop_t *loop, const struct guest_socket_conf *conf,
		      struct guest_socket **ret, struct err *err);

/* The connection is gone, or the worker that had it: connects again. */
void guest_socket_dial(struct guest_socket *socket);

/* No callback after this. */
void guest_socket_close(struct guest_socket *socket);

#endif
