#include "agent/base/ipc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* A wake-up reads at most so many messages, so that one peer cannot keep the loop to itself. */
#define IPC_BURST 64

struct ipc_header {
	uint32_t type;
	uint32_t length; /* of the payload */
};

struct ipc_queued {
	struct ipc_queued *next;
	int fd;
	size_t length;
	unsigned char bytes[]; /* header and payload */
};

static void on_poll(uv_poll_t *poll, int status, int events);

int ipc_pair(int ret_fds[2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

int ipc_memfd(const char *name, const void *data, size_t len)
{
	size_t done = 0;
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (fd < 0)
		return -errno;
	while (done < len) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n < 0 ? -errno : -ENOSPC;
			close(fd);
			return err;
		}
		done += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int ipc_open(struct ipc_channel *channel, uv_loop_t *loop, int fd, enum ipc_end self,
	     enum ipc_end peer, ipc_cb cb)
{
	int err;

	*channel = (struct ipc_channel){
		.data = channel->data,
		.fd = fd,
		.self = self,
		.peer = peer,
		.cb = cb,
	};
	channel->queue_end = &channel->queue;
	err = uv_poll_init(loop, &channel->poll, fd);
	if (err) {
		close(fd);
		channel->fd = -1;
		return err;
	}
	channel->open = true;
	return uv_poll_start(&channel->poll, UV_READABLE, on_poll);
}

static void queue_drop(struct ipc_channel *channel)
{
	struct ipc_queued *q;

	while ((q = channel->queue)) {
		channel->queue = q->next;
		if (q->fd >= 0)
			close(q->fd);
		free(q);
	}
	channel->queue_end = &channel->queue;
	channel->queued = 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct ipc_channel *channel =
		(struct ipc_channel *)((char *)handle - offsetof(struct ipc_channel, poll));

	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
	if (channel->closed)
		channel->closed(channel);
}

void ipc_close(struct ipc_channel *channel, void (*closed)(struct ipc_channel *channel))
{
	channel->dead = true;
	if (!channel->open)
		return;
	channel->open = false;
	channel->closed = closed;
	queue_drop(channel);
	uv_close((uv_handle_t *)&channel->poll, on_closed);
}

/* No more events; the owner hears of it once, from the loop. */
static void channel_die(struct ipc_channel *channel, int reason)
{
	if (channel->dead)
		return;
	channel->dead = true;
	uv_poll_stop(&channel->poll);
	queue_drop(channel);
	channel->cb(channel, NULL, reason);
}

/* Returns 0, -EAGAIN when the peer's queue is full, or another negative errno. */
static int send_now(int sock, const void *bytes, size_t length, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .room = { 0 } };
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = length };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	for (;;) {
		if (sendmsg(sock, &msg, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		/* ETOOMANYREFS: too many fds in flight (unix(7)); the peer has to read first. */
		if (errno == EWOULDBLOCK || errno == ETOOMANYREFS || errno == ENOBUFS)
			return -EAGAIN;
		return -errno;
	}
}

static int enqueue(struct ipc_channel *channel, const void *bytes, size_t length, int fd)
{
	struct ipc_queued *q;

	if (channel->queued >= IPC_QUEUE_MAX)
		return -ENOBUFS;
	q = malloc(sizeof(*q) + length);
	if (!q)
		return -ENOMEM;
	q->next = NULL;
	q->length = length;
	q->fd = -1;
	memcpy(q->bytes, bytes, length);
	if (fd >= 0) {
		q->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (q->fd < 0) {
			int err = -errno;

			free(q);
			return err;
		}
	}
	*channel->queue_end = q;
	channel->queue_end = &q->next;
	channel->queued++;
	return uv_poll_start(&channel->poll, UV_READABLE | UV_WRITABLE, on_poll);
}

int ipc_send(struct ipc_channel *channel, enum ipc_type type, const void *payload, int fd)
{
	const struct ipc_type_info *info = ipc_type_info(type);
	unsigned char bytes[IPC_MESSAGE_MAX];
	struct ipc_header header = { .type = type };
	int err = -EAGAIN;

	assert(info && (info->from & channel->self) && (info->to & channel->peer));
	assert(sizeof(header) + info->length <= sizeof(bytes) && (fd >= 0) == (info->fds == 1));
	if (channel->dead)
		return -EPIPE;
	header.length = (uint32_t)info->length;
	memcpy(bytes, &header, sizeof(header));
	if (info->length)
		memcpy(bytes + sizeof(header), payload, info->length);
	if (!channel->queue)
		err = send_now(channel->fd, bytes, sizeof(header) + info->length, fd);
	if (err == -EAGAIN)
		err = enqueue(channel, bytes, sizeof(header) + info->length, fd);
	/*
	 * A peer that is gone is reported by the poll as end of file. A peer that does not read is
	 * not, so the reading side is shut down here: the loop then sees the end of the channel.
	 */
	if (err) {
		if (!channel->send_error)
			channel->send_error = err;
		shutdown(channel->fd, SHUT_RDWR);
	}
	return err;
}

void ipc_fault_now(int fd, const char *text)
{
	struct {
		struct ipc_header header;
		struct ipc_fault fault;
	} message = { .header = { .type = IPC_FAULT, .length = sizeof(message.fault) } };

	strncpy(message.fault.text, text, sizeof(message.fault.text) - 1);
	(void)send(fd, &message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void flush(struct ipc_channel *channel)
{
	struct ipc_queued *q;
	int err;

	while ((q = channel->queue)) {
		err = send_now(channel->fd, q->bytes, q->length, q->fd);
		if (err == -EAGAIN)
			return;
		if (err) {
			channel_die(channel, channel->send_error ? channel->send_error : err);
			return;
		}
		channel->queue = q->next;
		if (!q->next)
			channel->queue_end = &channel->queue;
		channel->queued--;
		if (q->fd >= 0)
			close(q->fd);
		free(q);
	}
	uv_poll_start(&channel->poll, UV_READABLE, on_poll);
}

/* Takes every fd out of the control data; keeps the first, closes what nobody may send. */
static unsigned int take_fds(struct msghdr *msg, int *ret_fd)
{
	unsigned int n = 0;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= len; at += sizeof(int), n++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + at, sizeof(int));
			if (*ret_fd < 0)
				*ret_fd = fd;
			else
				close(fd);
		}
	}
	return n;
}

static int message_check(const struct ipc_channel *channel, const struct ipc_header *header,
			 size_t got, unsigned int n_fds, const void *payload)
{
	const struct ipc_type_info *info;

	if (got < sizeof(*header))
		return -EBADMSG;
	info = ipc_type_info(header->type);
	if (!info || !(info->from & channel->peer) || !(info->to & channel->self))
		return -EBADMSG;
	if (header->length != info->length || got != sizeof(*header) + info->length ||
	    n_fds != info->fds)
		return -EBADMSG;
	return info->check ? info->check(payload) : 0;
}

/* Reads one message and hands it on. Returns 1 for a message, 0 for none left or a dead channel. */
static int receive(struct ipc_channel *channel)
{
	union {
		char room[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct ipc_header header;
	_Alignas(max_align_t) unsigned char payload[IPC_MESSAGE_MAX];
	struct iovec iov[2] = { { &header, sizeof(header) }, { payload, sizeof(payload) } };
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	struct ipc_message message = { .payload = payload, .fd = -1 };
	unsigned int n_fds;
	ssize_t got;
	int err;

	do {
		got = recvmsg(channel->fd, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EWOULDBLOCK)
		return 0;
	if (got < 0) {
		channel_die(channel, -errno);
		return 0;
	}
	n_fds = take_fds(&msg, &message.fd);
	/* The end; or an empty message, which looks the same but can bring descriptors. */
	if (got == 0) {
		if (message.fd >= 0)
			close(message.fd);
		channel_die(channel, channel->send_error);
		return 0;
	}
	err = (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ? -EBADMSG : 0;
	if (!err)
		err = message_check(channel, &header, (size_t)got, n_fds, payload);
	if (!err) {
		message.type = header.type;
		channel->cb(channel, &message, 0);
	}
	if (message.fd >= 0)
		close(message.fd);
	if (err)
		channel_die(channel, err);
	return !channel->dead;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct ipc_channel *channel =
		(struct ipc_channel *)((char *)poll - offsetof(struct ipc_channel, poll));

	/*
	 * A peer that ends with messages unread is an error to poll(2), and libuv has stopped the
	 * handle. What it sent before is read all the same; then it is gone like any other.
	 */
	if (status < 0) {
		while (!channel->dead && receive(channel) > 0)
			;
		channel_die(channel, channel->send_error);
		return;
	}
	if (events & UV_WRITABLE)
		flush(channel);
	if (events & UV_READABLE) {
		for (int i = 0; i < IPC_BURST && !channel->dead && receive(channel) > 0; i++)
			;
	}
}
