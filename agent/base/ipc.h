/*
 * A channel of typed, length-checked messages over a SOCK_SEQPACKET socketpair, like imsg(3).
 *
 * Edge: owns the socket. One message is one datagram: struct ipc_header, then the payload; file
 * descriptors beside it by SCM_RIGHTS (unix(7)). Received fds are close-on-exec.
 */
#ifndef TW_IPC_H
#define TW_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/base/ipc_msg.h"

/* Messages that wait because the peer does not read; one more and the channel is dead. */
#define IPC_QUEUE_MAX 16384

struct ipc_message {
	enum ipc_type type;
	const void
		*payload; /* info->length bytes, aligned as malloc() does; valid in the callback */
	int fd; /* -1, or the one fd; whoever takes it sets it to -1, else it is closed */
};

struct ipc_channel;

/*
 * `message` is NULL when the channel died: `reason` is 0 when the peer closed its end, else a
 * negative errno (-EBADMSG: it broke the protocol; -ENOBUFS: it does not read). After that call
 * the channel is silent; the owner closes it. The callback may call ipc_close().
 */
typedef void (*ipc_cb)(struct ipc_channel *channel, struct ipc_message *message, int reason);

struct ipc_queued;

struct ipc_channel {
	void *data; /* the owner's */

	/* private */
	uv_poll_t poll;
	int fd;
	enum ipc_end self, peer;
	ipc_cb cb;
	void (*closed)(struct ipc_channel *channel);
	struct ipc_queued *queue, **queue_end;
	size_t queued;
	bool dead, open;
	int send_error; /* why the sending side gave up; told when the loop sees the end */
};

/* Two connected ends, non-blocking and close-on-exec. */
int ipc_pair(int ret_fds[2]);

/*
 * Starts to receive on `fd`, which the channel owns from here on (also when this fails). The caller
 * embeds the channel and keeps it until `closed` of ipc_close() was called.
 */
int ipc_open(struct ipc_channel *channel, uv_loop_t *loop, int fd, enum ipc_end self,
	     enum ipc_end peer, ipc_cb cb);

/* Safe to call twice and from the callback; `closed` may be NULL. */
void ipc_close(struct ipc_channel *channel, void (*closed)(struct ipc_channel *channel));

/*
 * Sends or queues a message. `payload` has the length of the type's table entry and is copied. `fd`
 * (-1: none) stays the caller's: it is duplicated when the message must wait. Returns 0, or a
 * negative errno when the channel is dead or full: the callback then tells the owner, later.
 */
int ipc_send(struct ipc_channel *channel, enum ipc_type type, const void *payload, int fd);

/*
 * From a signal handler of a worker that ends by it: an IPC_FAULT, before all that waits. `fd` is
 * that of the channel. Keeps to signal-safety(7).
 */
void ipc_fault_now(int fd, const char *text);

/* A memfd with `len` bytes, sealed against every change, at offset 0; or a negative errno. */
int ipc_memfd(const char *name, const void *data, size_t len);

#endif
