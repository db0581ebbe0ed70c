#include "capture/relay_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What waits for a peer that does not read: some hundred frames, as a tap's own queue (txqueuelen).
 */
#define OUT_BYTES (1u << 20)

/* Ethernet header: the least that a tap takes (tap_get_user() of drivers/net/tap.c). */
#define FRAME_MIN 14

/* ---- frames --------------------------------------------------------------------------------- */

static void to_tap(struct relay *relay, const uint8_t *frame, size_t len)
{
	if (write(relay->tap, frame, len) < 0)
		relay_drop(relay, STATS_FROM_GUEST, STATS_RELAY_TAP);
}

static void send_passed(struct relay *relay)
{
	for (size_t i = 0; i < relay->n_passed; i++)
		to_tap(relay, relay->passed[i].iov_base, relay->passed[i].iov_len);
	relay->n_passed = 0;
}

/* What the verdict on the frame in hand added. */
static void send_injected(struct relay *relay)
{
	send_passed(relay);
	for (size_t i = 0; i < relay->n_injected; i++) {
		const struct relay_injected *injected = &relay->injected[i];
		uint8_t *room;

		stat_add(&relay->conf.stats->injected, 1);
		if (injected->direction == STATS_FROM_GUEST) {
			to_tap(relay, injected->bytes, injected->len);
			continue;
		}
		room = relay->peer ? frame_buf_room(&relay->out) : NULL;
		if (!room) {
			relay_drop(relay, STATS_TO_GUEST,
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
	struct relay_injected *injected = &relay->injected[relay->n_injected];

	if (relay->n_injected == RELAY_INJECTED_MAX || len > RELAY_INJECTED_BYTES) {
		relay_drop(relay, direction, STATS_RELAY_FULL);
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
	relay_drop(relay, direction, why);
	return false;
}

static void from_guest(struct relay *relay, const uint8_t *frame, size_t len)
{
	if (passes(relay, STATS_FROM_GUEST, frame, len))
		relay->passed[relay->n_passed++] =
			(struct iovec){ .iov_base = (void *)frame, .iov_len = len };
	/* Where verdicts are slow, no frame waits for that of another. */
	if (relay->n_passed == RELAY_PASSED_MAX || turn_frames(&relay->turn) == 1)
		send_passed(relay);
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
		relay_drop(relay, STATS_TO_GUEST, STATS_RELAY_NO_PEER);
	else if (!room)
		relay_drop(relay, STATS_TO_GUEST, STATS_RELAY_FULL);
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
	relay_poll_tap(relay);
	if (relay->peer)
		relay_poll_peer(relay->peer);
}

static void read_tap(struct relay *relay)
{
	const uint64_t begun_ns = uv_hrtime();
	unsigned int n = 0;
	bool over = false;

	if (!batch_begin(relay, begun_ns))
		return;
	while (n < RELAY_BATCH && !over && to_guest(relay)) {
		n++;
		over = turn_is_over(&relay->turn);
	}
	relay_flush(relay);
	batch_end(relay, STATS_TO_GUEST, begun_ns, n);
}

/* 0, or why the peer is gone. */
static int take_frames(struct relay *relay, unsigned int *n)
{
	struct relay_peer *peer = relay->peer;
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
	send_passed(relay);
	relay_set_left(peer, code == 1);
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
	struct relay_peer *peer = relay->peer;
	uint8_t *at = frame_buf_room(&peer->in);
	bool over = false;

	while (*n < RELAY_BATCH && !over) {
		/* With MSG_TRUNC the true length is told: what was cut is not passed on. */
		ssize_t got = recv(peer->fd, at, FRAME_BUF_FRAME_MAX, MSG_TRUNC);

		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		++*n;
		if ((size_t)got > FRAME_BUF_FRAME_MAX)
			relay_drop(relay, STATS_FROM_GUEST, STATS_RELAY_LENGTH);
		else
			from_guest(relay, at, (size_t)got);
		send_passed(relay);
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
		relay_lose(relay, code);
	else
		relay_flush(relay);
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
	struct relay_peer *peer = poll->data;
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

/*
 * A tap that takes more frames goes on with those that are left. Polled anew (uv_poll_start() takes
 * it from epoll first), it is behind the others: epoll puts what is added behind what had no turn
 * in this round (ep_insert()).
 */
void relay_poll_tap(struct relay *relay)
{
	const bool left = relay->peer && relay->peer->left;

	uv_poll_start(&relay->poll, UV_READABLE | (left ? UV_WRITABLE : 0), on_tap);
}

/* There may be no room to read to before the frames that are left. */
void relay_poll_peer(struct relay_peer *peer)
{
	const int read = peer->left ? 0 : UV_READABLE;

	uv_poll_start(&peer->poll, read | (peer->blocked ? UV_WRITABLE : 0), on_peer);
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
		relay_poll_tap(relay);
	*ret = relay;
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
	relay_detach(relay);
	uv_close((uv_handle_t *)&relay->poll, on_closed);
}
