#include "capture/relay_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* One read(2) of a stream; a whole batch of frames at full size. */
#define IN_BYTES (256u << 10)

static void on_peer_closed(uv_handle_t *handle)
{
	struct relay_peer *peer = handle->data;

	close(peer->fd);
	frame_buf_done(&peer->in);
	free(peer);
}

void relay_drop_unsent(struct relay *relay)
{
	const uint8_t *frame;
	size_t len;

	while (frame_buf_front(&relay->out, &frame, &len) == 1) {
		relay_drop(relay, STATS_TO_GUEST, STATS_RELAY_NO_PEER);
		frame_buf_pop(&relay->out);
	}
	frame_buf_clear(&relay->out);
}

void relay_set_left(struct relay_peer *peer, bool left)
{
	if (peer->left == left)
		return;
	peer->left = left;
	relay_poll_tap(peer->relay);
	relay_poll_peer(peer);
}

static void count_left(struct relay *relay)
{
	struct frame_buf *in = &relay->peer->in;
	const uint8_t *frame;
	size_t len;

	while (frame_buf_front(in, &frame, &len) == 1) {
		relay_drop(relay, STATS_FROM_GUEST, STATS_RELAY_NO_PEER);
		frame_buf_pop(in);
	}
}

void relay_detach(struct relay *relay)
{
	if (!relay->peer)
		return;
	count_left(relay);
	relay_set_left(relay->peer, false);
	uv_close((uv_handle_t *)&relay->peer->poll, on_peer_closed);
	relay->peer = NULL;
}

void relay_lose(struct relay *relay, int reason)
{
	relay_detach(relay);
	/* The rest of a frame that was sent in part is no frame for the next peer. */
	relay_drop_unsent(relay);
	if (reason == -EPROTO)
		stat_add(&relay->conf.stats->protocol, 1);
	relay->conf.ops->peer_lost(relay->conf.data, reason);
}

static void await(struct relay_peer *peer, bool blocked)
{
	if (peer->blocked == blocked)
		return;
	peer->blocked = blocked;
	relay_poll_peer(peer);
}

/* 0 when all was taken, -EAGAIN, or why the peer is gone. */
static int flush_stream(struct relay *relay)
{
	const uint8_t *bytes;
	size_t len;
	ssize_t n;

	for (;;) {
		bytes = frame_buf_bytes(&relay->out, &len);
		if (!len)
			return 0;
		n = send(relay->peer->fd, bytes, len, MSG_NOSIGNAL);
		if (n < 0)
			return -errno;
		frame_buf_sent(&relay->out, (size_t)n);
	}
}

/* One message for each frame that is complete in the buffer; at most RELAY_BATCH. */
static unsigned int gather(const struct relay *relay, struct mmsghdr *messages, struct iovec *parts)
{
	struct frame_buf rest = relay->out;
	const uint8_t *frame;
	unsigned int n = 0;
	size_t len;

	for (; n < RELAY_BATCH && frame_buf_front(&rest, &frame, &len) == 1; n++) {
		parts[n] = (struct iovec){ .iov_base = (void *)frame, .iov_len = len };
		messages[n] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &parts[n], .msg_iovlen = 1 } };
		rest.begin += FRAME_BUF_HEADER + len;
	}
	return n;
}

static int flush_dgram(struct relay *relay)
{
	struct mmsghdr messages[RELAY_BATCH];
	struct iovec parts[RELAY_BATCH];
	unsigned int n;
	int sent;

	while ((n = gather(relay, messages, parts)) > 0) {
		sent = sendmmsg(relay->peer->fd, messages, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EMSGSIZE) {
			relay_drop(relay, STATS_TO_GUEST, STATS_RELAY_LENGTH);
			sent = 1;
		}
		if (sent < 0)
			return -errno;
		while (sent-- > 0)
			frame_buf_pop(&relay->out);
	}
	return 0;
}

static int (*const flush_kinds[PEER_KINDS])(struct relay *relay) = {
	[PEER_STREAM] = flush_stream,
	[PEER_DGRAM] = flush_dgram,
};

void relay_flush(struct relay *relay)
{
	int code;

	if (!relay->peer)
		return;
	code = flush_kinds[relay->peer->kind](relay);
	/*
	 * Without memory for a message it is tried again, as when the peer's queue is full
	 * (unix(7)).
	 */
	if (code == -EAGAIN || code == -ENOBUFS || code == -ENOMEM)
		await(relay->peer, true);
	else if (code)
		relay_lose(relay, code);
	else
		await(relay->peer, false);
}

int relay_attach(struct relay *relay, enum peer_kind kind, int peer_fd, struct err *err)
{
	struct relay_peer *peer = calloc(1, sizeof(*peer));
	int code = peer ? frame_buf_init(&peer->in, IN_BYTES) : -ENOMEM;

	if (code == 0)
		code = uv_poll_init(relay->poll.loop, &peer->poll, peer_fd);
	if (code) {
		if (peer)
			frame_buf_done(&peer->in);
		free(peer);
		close(peer_fd);
		return err_errno(err, code, "cannot talk to the guest");
	}
	relay_detach(relay);
	relay_drop_unsent(relay);
	peer->poll.data = peer;
	peer->relay = relay;
	peer->kind = kind;
	peer->fd = peer_fd;
	peer->since_ns = uv_hrtime();
	relay->peer = peer;
	stat_add(&relay->conf.stats->peers, 1);
	relay_poll_peer(peer);
	relay_poll_tap(relay);
	return 0;
}

bool relay_attached(const struct relay *relay)
{
	return relay->peer != NULL;
}
