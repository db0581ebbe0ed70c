#include "capture/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/base/fd_io.h"
#include "capture/frame_buf.h"

/* Frames of one side before the other gets its turn. */
#define BATCH 64

/*
 * What waits for a peer that does not read: some hundred frames, as a tap's own queue (txqueuelen).
 */
#define OUT_BYTES (1u << 20)

/* One read(2) of a stream; a whole batch of frames at full size. */
#define IN_BYTES (256u << 10)

/* Ethernet header: the least that a tap takes (tap_get_user() of drivers/net/tap.c). */
#define FRAME_MIN 14

#define INJECTED_MAX   8
#define INJECTED_BYTES 128

struct injected {
	enum stats_direction direction;
	size_t len;
	uint8_t bytes[INJECTED_BYTES];
};

struct peer {
	uv_poll_t poll;
	struct relay *relay;
	enum peer_kind kind;
	int fd;
	bool blocked; /* it does not take more now */
	struct frame_buf in;
};

struct relay {
	uv_poll_t poll; /* of the tap */
	int tap;
	struct relay_conf conf;
	struct peer *peer; /* NULL: none */
	struct frame_buf out; /* to the peer */
	struct injected injected[INJECTED_MAX]; /* of the frame in hand */
	size_t n_injected;
	uint8_t scratch[FRAME_BUF_FRAME_MAX]; /* frames that have no room */
};

static void drop(struct relay *relay, enum stats_direction direction, enum stats_relay_drop why)
{
	stat_add(&relay->conf.stats->dropped[direction][why], 1);
}

/* ---- the peer ------------------------------------------------------------------------------- */

static void on_peer_closed(uv_handle_t *handle)
{
	struct peer *peer = handle->data;

	close(peer->fd);
	frame_buf_done(&peer->in);
	free(peer);
}

static void count_unsent(struct relay *relay)
{
	const uint8_t *frame;
	size_t len;

	while (frame_buf_front(&relay->out, &frame, &len) == 1) {
		drop(relay, STATS_TO_GUEST, STATS_RELAY_NO_PEER);
		frame_buf_pop(&relay->out);
	}
	frame_buf_clear(&relay->out);
}

static void detach(struct relay *relay)
{
	if (!relay->peer)
		return;
	uv_close((uv_handle_t *)&relay->peer->poll, on_peer_closed);
	relay->peer = NULL;
}

static void lose(struct relay *relay, int reason)
{
	detach(relay);
	/* The rest of a frame that was sent in part is no frame for the next peer. */
	count_unsent(relay);
	if (reason == -EPROTO)
		stat_add(&relay->conf.stats->protocol, 1);
	relay->conf.ops->peer_lost(relay->conf.data, reason);
}

static void on_peer(uv_poll_t *poll, int status, int events);

static void await(struct peer *peer, bool blocked)
{
	if (peer->blocked == blocked)
		return;
	peer->blocked = blocked;
	uv_poll_start(&peer->poll, UV_READABLE | (blocked ? UV_WRITABLE : 0), on_peer);
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

/* One message for each frame that is complete in the buffer; at most BATCH. */
static unsigned int gather(const struct relay *relay, struct mmsghdr *messages, struct iovec *parts)
{
	struct frame_buf rest = relay->out;
	const uint8_t *frame;
	unsigned int n = 0;
	size_t len;

	for (; n < BATCH && frame_buf_front(&rest, &frame, &len) == 1; n++) {
		parts[n] = (struct iovec){ .iov_base = (void *)frame, .iov_len = len };
		messages[n] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &parts[n], .msg_iovlen = 1 } };
		rest.begin += FRAME_BUF_HEADER + len;
	}
	return n;
}

static int flush_dgram(struct relay *relay)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	unsigned int n;
	int sent;

	while ((n = gather(relay, messages, parts)) > 0) {
		sent = sendmmsg(relay->peer->fd, messages, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EMSGSIZE) {
			drop(relay, STATS_TO_GUEST, STATS_RELAY_LENGTH);
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

static void flush(struct relay *relay)
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
		lose(relay, code);
	else
		await(relay->peer, false);
}

/* ---- frames --------------------------------------------------------------------------------- */

static void to_tap(struct relay *relay, const uint8_t *frame, size_t len)
{
	if (write(relay->tap, frame, len) < 0)
		drop(relay, STATS_FROM_GUEST, STATS_RELAY_TAP);
}

/* What the verdict on the frame in hand added. That frame is off the buffer by now. */
static void send_injected(struct relay *relay)
{
	for (size_t i = 0; i < relay->n_injected; i++) {
		const struct injected *injected = &relay->injected[i];
		uint8_t *room;

		stat_add(&relay->conf.stats->injected, 1);
		if (injected->direction == STATS_FROM_GUEST) {
			to_tap(relay, injected->bytes, injected->len);
			continue;
		}
		room = relay->peer ? frame_buf_room(&relay->out) : NULL;
		if (!room) {
			drop(relay, STATS_TO_GUEST,
			     relay->peer ? STATS_RELAY_FULL : STATS_RELAY_NO_PEER);
			continue;
		}
		memcpy(room, injected->bytes, injected->len);
		frame_buf_push(&relay->out, injected->len);
	}
	relay->n_injected = 0;
}

void relay_inject(struct relay *relay, enum stats_direction direction, const uint8_t *frame,
		  size_t len)
{
	struct injected *injected = &relay->injected[relay->n_injected];

	if (relay->n_injected == INJECTED_MAX || len > INJECTED_BYTES) {
		drop(relay, direction, STATS_RELAY_FULL);
		return;
	}
	injected->direction = direction;
	injected->len = len;
	memcpy(injected->bytes, frame, len);
	relay->n_injected++;
}

static bool passes(struct relay *relay, enum stats_direction direction, const uint8_t *frame,
		   size_t len)
{
	enum stats_relay_drop why = STATS_RELAY_LENGTH;

	if (len >= FRAME_MIN)
		why = relay->conf.ops->judge(relay->conf.data, direction, frame, len);
	if (why == STATS_RELAY_DROPS)
		return true;
	drop(relay, direction, why);
	return false;
}

static void from_guest(struct relay *relay, const uint8_t *frame, size_t len)
{
	if (passes(relay, STATS_FROM_GUEST, frame, len))
		to_tap(relay, frame, len);
	if (relay->n_injected)
		send_injected(relay);
}

/* Reads one frame to where it is sent from. False when there is none. */
static bool to_guest(struct relay *relay)
{
	uint8_t *room = frame_buf_room(&relay->out);
	uint8_t *at = room ? room : relay->scratch;
	ssize_t n = read(relay->tap, at, FRAME_BUF_FRAME_MAX);

	if (n < 0)
		return false;
	if (!relay->peer)
		drop(relay, STATS_TO_GUEST, STATS_RELAY_NO_PEER);
	else if (!room)
		drop(relay, STATS_TO_GUEST, STATS_RELAY_FULL);
	else if (passes(relay, STATS_TO_GUEST, at, (size_t)n))
		frame_buf_push(&relay->out, (size_t)n);
	if (relay->n_injected)
		send_injected(relay);
	return true;
}

static void batch_end(struct relay *relay, enum stats_direction direction, uint64_t begun,
		      unsigned int n)
{
	unsigned int bucket = stats_latency_bucket(uv_hrtime() - begun);

	if (!n)
		return;
	stat_add(&relay->conf.stats->latency[direction][bucket], n);
	relay->conf.ops->batch_end(relay->conf.data);
}

static void on_tap(uv_poll_t *poll, int status, int events)
{
	struct relay *relay = poll->data;
	uint64_t begun = uv_hrtime();
	unsigned int n = 0;

	(void)events;
	/* The link went: the agent knows by netlink, and lets this relay go. */
	if (status < 0) {
		uv_poll_stop(poll);
		return;
	}
	relay->conf.ops->batch_begin(relay->conf.data);
	while (n < BATCH && to_guest(relay))
		n++;
	flush(relay);
	batch_end(relay, STATS_TO_GUEST, begun, n);
}

/* 0, or why the peer is gone; -ECONNRESET for the end of a stream. */
static int read_stream(struct relay *relay, unsigned int *n)
{
	struct frame_buf *in = &relay->peer->in;
	const uint8_t *frame;
	size_t len, space;
	uint8_t *at = frame_buf_space(in, &space);
	ssize_t got = recv(relay->peer->fd, at, space, 0);
	int code;

	if (got == 0)
		return -ECONNRESET;
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	frame_buf_filled(in, (size_t)got);
	while ((code = frame_buf_front(in, &frame, &len)) == 1) {
		from_guest(relay, frame, len);
		frame_buf_pop(in);
		++*n;
	}
	return code;
}

static int read_dgram(struct relay *relay, unsigned int *n)
{
	struct peer *peer = relay->peer;
	uint8_t *at = frame_buf_room(&peer->in);

	while (*n < BATCH) {
		/* With MSG_TRUNC the true length is told: what was cut is not passed on. */
		ssize_t got = recv(peer->fd, at, FRAME_BUF_FRAME_MAX, MSG_TRUNC);

		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		++*n;
		if ((size_t)got > FRAME_BUF_FRAME_MAX)
			drop(relay, STATS_FROM_GUEST, STATS_RELAY_LENGTH);
		else
			from_guest(relay, at, (size_t)got);
	}
	return 0;
}

static int (*const read_kinds[PEER_KINDS])(struct relay *relay, unsigned int *n) = {
	[PEER_STREAM] = read_stream,
	[PEER_DGRAM] = read_dgram,
};

static void on_peer(uv_poll_t *poll, int status, int events)
{
	struct peer *peer = poll->data;
	struct relay *relay = peer->relay;
	uint64_t begun = uv_hrtime();
	unsigned int n = 0;
	int code = status < 0 ? -ECONNRESET : 0;

	relay->conf.ops->batch_begin(relay->conf.data);
	if (code == 0 && (events & UV_READABLE))
		code = read_kinds[peer->kind](relay, &n);
	if (code)
		lose(relay, code);
	else
		flush(relay);
	batch_end(relay, STATS_FROM_GUEST, begun, n);
}

/* ---- life ----------------------------------------------------------------------------------- */

int relay_open(uv_loop_t *loop, int tap_fd, const struct relay_conf *conf, struct relay **ret,
	       struct err *err)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	int code = relay ? frame_buf_init(&relay->out, OUT_BYTES) : -ENOMEM;

	if (code == 0)
		code = uv_poll_init(loop, &relay->poll, tap_fd);
	if (code) {
		if (relay)
			frame_buf_done(&relay->out);
		free(relay);
		close(tap_fd);
		return err_errno(err, code, "cannot relay the tap's frames");
	}
	relay->tap = tap_fd;
	relay->conf = *conf;
	relay->poll.data = relay;
	if (!conf->has_peer)
		uv_poll_start(&relay->poll, UV_READABLE, on_tap);
	*ret = relay;
	return 0;
}

int relay_attach(struct relay *relay, enum peer_kind kind, int peer_fd, struct err *err)
{
	struct peer *peer = calloc(1, sizeof(*peer));
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
	detach(relay);
	count_unsent(relay);
	peer->poll.data = peer;
	peer->relay = relay;
	peer->kind = kind;
	peer->fd = peer_fd;
	uv_poll_start(&peer->poll, UV_READABLE, on_peer);
	relay->peer = peer;
	stat_add(&relay->conf.stats->peers, 1);
	uv_poll_start(&relay->poll, UV_READABLE, on_tap);
	return 0;
}

bool relay_attached(const struct relay *relay)
{
	return relay->peer != NULL;
}

int relay_save(struct relay *relay, int fd, struct relay_rest *ret)
{
	struct relay_rest rest = { 0 };
	const uint8_t *in = NULL, *out;
	int code;

	uv_poll_stop(&relay->poll);
	flush(relay);
	if (relay->peer)
		in = frame_buf_bytes(&relay->peer->in, &rest.in);
	out = frame_buf_bytes(&relay->out, &rest.out);
	code = fd_write_all_at(fd, in, rest.in, 0);
	if (code == 0)
		code = fd_write_all_at(fd, out, rest.out, (off_t)rest.in);
	if (code) {
		count_unsent(relay);
	} else {
		frame_buf_clear(&relay->out);
		*ret = rest;
	}
	detach(relay);
	return code;
}

/* The buffers are those of a new peer: empty. */
static int read_all(int fd, struct frame_buf *buf, size_t len, size_t at)
{
	size_t space;
	uint8_t *bytes = frame_buf_space(buf, &space);
	int code = len > space ? -EMSGSIZE : fd_read_all_at(fd, bytes, len, (off_t)at);

	if (code == 0)
		frame_buf_filled(buf, len);
	return code;
}

int relay_restore(struct relay *relay, int fd, const struct relay_rest *rest)
{
	int code = relay->peer ? read_all(fd, &relay->peer->in, rest->in, 0) : -ENOTCONN;

	if (code == 0)
		code = read_all(fd, &relay->out, rest->out, rest->in);
	if (code == 0)
		flush(relay);
	return code;
}

static void on_closed(uv_handle_t *handle)
{
	struct relay *relay = handle->data;

	close(relay->tap);
	frame_buf_done(&relay->out);
	free(relay);
}

void relay_close(struct relay *relay)
{
	detach(relay);
	uv_close((uv_handle_t *)&relay->poll, on_closed);
}
