#include "capture/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/base/fd_io.h"
#include "capture/frame_buf.h"
#include "capture/turn.h"

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
	bool left; /* its turn ended before the frames in `in` */
	uint64_t since_ns; /* when those were read */
	struct frame_buf in;
};

struct relay {
	uv_poll_t poll; /* of the tap */
	int tap;
	struct relay_conf conf;
	struct turn turn;
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

static void on_tap(uv_poll_t *poll, int status, int events);
static void on_peer(uv_poll_t *poll, int status, int events);

/*
 * A tap that takes more frames goes on with those that are left. Polled anew (uv_poll_start() takes
 * it from epoll first), it is behind the others: epoll puts what is added behind what had no turn
 * in this round (ep_insert()).
 */
static void poll_tap(struct relay *relay)
{
	const bool left = relay->peer && relay->peer->left;

	uv_poll_start(&relay->poll, UV_READABLE | (left ? UV_WRITABLE : 0), on_tap);
}

/* There may be no room to read to before those. */
static void poll_peer(struct peer *peer)
{
	const int read = peer->left ? 0 : UV_READABLE;

	uv_poll_start(&peer->poll, read | (peer->blocked ? UV_WRITABLE : 0), on_peer);
}

static void set_left(struct peer *peer, bool left)
{
	if (peer->left == left)
		return;
	peer->left = left;
	poll_tap(peer->relay);
	poll_peer(peer);
}

static void count_left(struct relay *relay)
{
	struct frame_buf *in = &relay->peer->in;
	const uint8_t *frame;
	size_t len;

	while (frame_buf_front(in, &frame, &len) == 1) {
		drop(relay, STATS_FROM_GUEST, STATS_RELAY_NO_PEER);
		frame_buf_pop(in);
	}
}

static void detach(struct relay *relay)
{
	if (!relay->peer)
		return;
	count_left(relay);
	set_left(relay->peer, false);
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

static void await(struct peer *peer, bool blocked)
{
	if (peer->blocked == blocked)
		return;
	peer->blocked = blocked;
	poll_peer(peer);
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

static bool batch_begin(struct relay *relay, uint64_t now_ns)
{
	if (!turn_begin(&relay->turn, relay->poll.loop, now_ns))
		return false;
	relay->conf.ops->batch_begin(relay->conf.data, relay->turn.end_ns);
	return true;
}

/* Of `n` frames, the first of which came at `since_ns`. */
static void batch_end(struct relay *relay, enum stats_direction direction, uint64_t since_ns,
		      unsigned int n)
{
	uint64_t now_ns;

	if (!n)
		return;
	now_ns = uv_hrtime();
	turn_end(&relay->turn, now_ns);
	stat_add(&relay->conf.stats->latency[direction][stats_latency_bucket(now_ns - since_ns)],
		 n);
	relay->conf.ops->batch_end(relay->conf.data);
	if (!relay->turn.slow)
		return;
	poll_tap(relay);
	if (relay->peer)
		poll_peer(relay->peer);
}

static void read_tap(struct relay *relay)
{
	const uint64_t begun_ns = uv_hrtime();
	unsigned int n = 0;
	bool over = false;

	if (!batch_begin(relay, begun_ns))
		return;
	while (n < BATCH && !over && to_guest(relay)) {
		n++;
		over = turn_is_over(&relay->turn);
	}
	flush(relay);
	batch_end(relay, STATS_TO_GUEST, begun_ns, n);
}

/* 0, or why the peer is gone. */
static int take_frames(struct relay *relay, unsigned int *n)
{
	struct peer *peer = relay->peer;
	const uint8_t *frame;
	bool over = false;
	size_t len;
	int code;

	while ((code = frame_buf_front(&peer->in, &frame, &len)) == 1 && !over) {
		from_guest(relay, frame, len);
		frame_buf_pop(&peer->in);
		++*n;
		over = turn_is_over(&relay->turn);
	}
	set_left(peer, code == 1);
	return code < 0 ? code : 0;
}

/* 0, or why the peer is gone; -ECONNRESET for the end of a stream. */
static int read_stream(struct relay *relay, unsigned int *n)
{
	struct frame_buf *in = &relay->peer->in;
	size_t space;
	uint8_t *at = frame_buf_space(in, &space);
	ssize_t got = recv(relay->peer->fd, at, space, 0);

	if (got == 0)
		return -ECONNRESET;
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	frame_buf_filled(in, (size_t)got);
	return take_frames(relay, n);
}

static int read_dgram(struct relay *relay, unsigned int *n)
{
	struct peer *peer = relay->peer;
	uint8_t *at = frame_buf_room(&peer->in);
	bool over = false;

	while (*n < BATCH && !over) {
		/* With MSG_TRUNC the true length is told: what was cut is not passed on. */
		ssize_t got = recv(peer->fd, at, FRAME_BUF_FRAME_MAX, MSG_TRUNC);

		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		++*n;
		if ((size_t)got > FRAME_BUF_FRAME_MAX)
			drop(relay, STATS_FROM_GUEST, STATS_RELAY_LENGTH);
		else
			from_guest(relay, at, (size_t)got);
		over = turn_is_over(&relay->turn);
	}
	return 0;
}

static int (*const read_kinds[PEER_KINDS])(struct relay *relay, unsigned int *n) = {
	[PEER_STREAM] = read_stream,
	[PEER_DGRAM] = read_dgram,
};

static void end_peer(struct relay *relay, int code, unsigned int n)
{
	const uint64_t since_ns = relay->peer->since_ns;

	if (code)
		lose(relay, code);
	else
		flush(relay);
	batch_end(relay, STATS_FROM_GUEST, since_ns, n);
}

static void go_on(struct relay *relay)
{
	unsigned int n = 0;
	int code;

	if (!relay->peer || !relay->peer->left || !batch_begin(relay, uv_hrtime()))
		return;
	code = take_frames(relay, &n);
	end_peer(relay, code, n);
}

static void on_tap(uv_poll_t *poll, int status, int events)
{
	struct relay *relay = poll->data;

	/* The link went: the agent knows by netlink, and lets this relay go. */
	if (status < 0) {
		uv_poll_stop(poll);
		return;
	}
	if (events & UV_WRITABLE)
		go_on(relay);
	if (events & UV_READABLE)
		read_tap(relay);
}

static void on_peer(uv_poll_t *poll, int status, int events)
{
	struct peer *peer = poll->data;
	struct relay *relay = peer->relay;
	const uint64_t now_ns = uv_hrtime();
	unsigned int n = 0;
	int code = status < 0 ? -ECONNRESET : 0;

	if (code == 0 && !batch_begin(relay, now_ns))
		return;
	if (code == 0 && (events & UV_READABLE)) {
		peer->since_ns = now_ns;
		code = read_kinds[peer->kind](relay, &n);
	}
	end_peer(relay, code, n);
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
	relay->turn.frame_ns = conf->frame_ns;
	relay->poll.data = relay;
	if (!conf->has_peer)
		poll_tap(relay);
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
	peer->since_ns = uv_hrtime();
	relay->peer = peer;
	stat_add(&relay->conf.stats->peers, 1);
	poll_peer(peer);
	poll_tap(relay);
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
		if (relay->peer)
			frame_buf_clear(&relay->peer->in);
		frame_buf_clear(&relay->out);
		*ret = rest;
	}
	detach(relay);
	uv_poll_stop(&relay->poll);
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
	const uint8_t *frame;
	size_t len;

	if (code == 0)
		code = read_all(fd, &relay->out, rest->out, rest->in);
	if (code)
		return code;
	set_left(relay->peer, frame_buf_front(&relay->peer->in, &frame, &len) == 1);
	flush(relay);
	return 0;
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
