/* links: agent/base/ipc.c agent/base/ipc_msg.c */
/*
 * Hostile datagrams, as a worker that a guest took over would send them to the agent, or a broken
 * agent to a worker. The first byte says who receives; then come datagrams, each led by a byte with
 * the number of descriptors (0 to 3) and two bytes of length. Oracles: what reaches the callback
 * has the length of its type and terminated texts, an end is told once, no descriptor stays open.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/ipc.h"
#include "agent/base/stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct receiver {
	struct ipc_channel channel;
	enum ipc_end self, peer;
	unsigned int deaths;
};

static void must(int truth)
{
	if (!truth)
		abort();
}

static void check_text(const char *text, size_t size)
{
	must(memchr(text, '\0', size) != NULL);
}

#define CHECK_TEXT(field) check_text((field), sizeof(field))

/* Reads what a receiver reads; a sanitizer sees bytes that nobody sent. */
static void check_payload(const struct ipc_message *message)
{
	const void *p = message->payload;

	if (message->type == IPC_CONFIG)
		CHECK_TEXT(((const struct ipc_config *)p)->host);
	if (message->type == IPC_LISTEN)
		CHECK_TEXT(((const struct ipc_listen *)p)->address);
	if (message->type == IPC_LINK_ADD) {
		CHECK_TEXT(((const struct ipc_link *)p)->name);
		CHECK_TEXT(((const struct ipc_link *)p)->set);
		CHECK_TEXT(((const struct ipc_link *)p)->guest);
		must(((const struct ipc_link *)p)->slot < STATS_LINKS_MAX);
		must(((const struct ipc_link *)p)->source < IPC_SOURCES);
	}
	if (message->type == IPC_LINK_DEL)
		must(((const struct ipc_link_del *)p)->slot < STATS_LINKS_MAX);
	if (message->type == IPC_EVENT) {
		CHECK_TEXT(((const struct ipc_event *)p)->link);
		CHECK_TEXT(((const struct ipc_event *)p)->detail);
		must(((const struct ipc_event *)p)->kind < IPC_EVENT_KINDS);
	}
	if (message->type == IPC_FAULT)
		CHECK_TEXT(((const struct ipc_fault *)p)->text);
	if (message->type == IPC_REQUEST)
		must(((const struct ipc_request *)p)->op < IPC_OPS);
}

static void on_message(struct ipc_channel *channel, struct ipc_message *message, int reason)
{
	struct receiver *r = channel->data;
	const struct ipc_type_info *info;

	must(r->deaths == 0);
	if (!message) {
		must(reason <= 0);
		r->deaths++;
		return;
	}
	info = ipc_type_info(message->type);
	must(info && (info->from & r->peer) && (info->to & r->self));
	must((message->fd >= 0) == (info->fds == 1));
	check_payload(message);
}

static void send_datagram(int sock, const uint8_t *bytes, size_t len, unsigned int n_fds)
{
	union {
		char room[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control = { .room = { 0 } };
	struct iovec iov = { (void *)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[3] = { sock, sock, sock };
	struct cmsghdr *c;

	if (n_fds) {
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	/* It fails once the receiver gave up. */
	(void)sendmsg(sock, &msg, MSG_NOSIGNAL);
}

/* The lowest free number tells whether something below it was left open. */
static int lowest_fd(void)
{
	int fd = dup(STDERR_FILENO);

	must(fd >= 0);
	close(fd);
	return fd;
}

static void run(uv_loop_t *loop, const uint8_t *data, size_t size)
{
	static const enum ipc_end ends[][2] = { { IPC_AGENT, IPC_CAPTURE },
						{ IPC_AGENT, IPC_WEB },
						{ IPC_CAPTURE, IPC_AGENT },
						{ IPC_WEB, IPC_AGENT } };
	struct receiver r = { .self = ends[data[0] & 3][0], .peer = ends[data[0] & 3][1] };
	size_t at = 1;
	int fds[2];

	r.channel.data = &r;
	must(ipc_pair(fds) == 0);
	must(ipc_open(&r.channel, loop, fds[0], r.self, r.peer, on_message) == 0);
	while (size - at >= 3) {
		size_t len = (size_t)(data[at + 1] | data[at + 2] << 8);
		unsigned int n_fds = data[at] & 3;

		at += 3;
		if (len > size - at)
			len = size - at;
		send_datagram(fds[1], data + at, len, n_fds);
		uv_run(loop, UV_RUN_NOWAIT);
		at += len;
	}
	ipc_close(&r.channel, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uv_loop_t loop;
	static int ready;
	int before;

	if (!ready) {
		must(uv_loop_init(&loop) == 0);
		ready = 1;
	}
	if (size == 0)
		return 0;
	before = lowest_fd();
	run(&loop, data, size);
	must(lowest_fd() == before);
	return 0;
}
