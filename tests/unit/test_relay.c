/* links: capture/relay.c capture/relay_peer.c capture/relay_save.c */
/* links: capture/turn.c capture/frame_buf.c */
/* links: agent/base/stats.c agent/base/fd_io.c agent/base/err.c */
/* The relay between a tap, here a datagram socket, and a guest on a real socket of each kind. */
#include "capture/relay.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/frame_buf.h"

struct fixture {
	uv_loop_t loop;
	struct relay *relay;
	struct stats_relay stats;
	int tap, wire; /* what the relay has a duplicate of, and the other end */
	int guest; /* the other end of the peer's socket */
	int lost; /* times that the peer was lost */
	int reason;
	unsigned int batches;
	bool in_batch;
	const char *forbidden; /* a frame with this text does not pass */
	const char *answer; /* and is answered with this */
	unsigned int verdict_ms; /* how long a verdict takes */
	unsigned int judged, judged_max; /* frames of the batch, and of the largest one */
};

static void batch_begin(void *data, uint64_t end_ns)
{
	struct fixture *f = data;

	assert_true(end_ns > uv_hrtime());
	f->in_batch = true;
	f->judged = 0;
}

static enum stats_relay_drop judge(void *data, enum stats_direction direction, const uint8_t *frame,
				   size_t len)
{
	struct fixture *f = data;

	assert_true(f->in_batch);
	if (++f->judged > f->judged_max)
		f->judged_max = f->judged;
	if (f->verdict_ms)
		usleep(f->verdict_ms * 1000);
	if (!f->forbidden || !memmem(frame, len, f->forbidden, strlen(f->forbidden)))
		return STATS_RELAY_DROPS;
	if (f->answer) {
		relay_inject(f->relay, STATS_TO_GUEST, (const uint8_t *)f->answer,
			     strlen(f->answer));
		relay_inject(f->relay, STATS_FROM_GUEST, (const uint8_t *)f->answer,
			     strlen(f->answer));
	}
	(void)direction;
	return STATS_RELAY_VERDICT;
}

static void batch_end(void *data)
{
	struct fixture *f = data;

	f->batches++;
	f->in_batch = false;
}

static void peer_lost(void *data, int reason)
{
	struct fixture *f = data;

	f->lost++;
	f->reason = reason;
}

static const struct relay_ops ops = { batch_begin, judge, batch_end, peer_lost };

static void pair(int type, int ret[2])
{
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret), 0);
}

static void attach(struct fixture *f, enum peer_kind kind)
{
	struct err err;
	int fds[2];

	pair(kind == PEER_STREAM ? SOCK_STREAM : SOCK_DGRAM, fds);
	f->guest = fds[0];
	assert_int_equal(relay_attach(f->relay, kind, fds[1], &err), 0);
}

static void open_relay(struct fixture *f)
{
	struct relay_conf conf = { .stats = &f->stats, .ops = &ops, .data = f };
	struct err err;

	assert_int_equal(relay_open(&f->loop, dup(f->tap), &conf, &f->relay, &err), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int tap[2];

	pair(SOCK_DGRAM, tap);
	f->wire = tap[0];
	f->tap = tap[1];
	f->guest = -1;
	uv_loop_init(&f->loop);
	open_relay(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	relay_close(f->relay);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	if (f->guest >= 0)
		close(f->guest);
	close(f->wire);
	close(f->tap);
	free(f);
	return 0;
}

/* As often as something is ready. */
static void settle(struct fixture *f)
{
	for (int i = 0; i < 20; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void wire_sends(struct fixture *f, const char *frame)
{
	assert_int_equal(send(f->wire, frame, strlen(frame), 0), strlen(frame));
	settle(f);
}

static void assert_next(int fd, const char *expected, size_t len)
{
	char got[256];
	ssize_t n = recv(fd, got, len < sizeof(got) ? len : sizeof(got), 0);

	assert_int_equal(n, len);
	assert_memory_equal(got, expected, len);
}

static void assert_nothing(int fd)
{
	char got[16];

	assert_int_equal(recv(fd, got, sizeof(got), 0), -1);
	assert_int_equal(errno, EAGAIN);
}

#define A "frame-a-frame-a"
#define B "frame-b-frame-b-x"

static void a_stream_guest_gets_and_sends(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_STREAM);
	wire_sends(f, A);
	wire_sends(f, B);
	assert_next(f->guest, "\0\0\0\17" A "\0\0\0\21" B, 4 + 15 + 4 + 17);
	assert_int_equal(send(f->guest, "\0\0\0\17" A "\0\0\0\21fra", 26, 0), 26);
	settle(f);
	assert_next(f->wire, A, 15);
	assert_nothing(f->wire);
	assert_int_equal(send(f->guest, B + 3, 14, 0), 14);
	settle(f);
	assert_next(f->wire, B, 17);
	assert_int_equal(f->stats.peers, 1);
	assert_int_equal(f->lost, 0);
	assert_true(f->batches >= 4);
}

static void a_datagram_guest_gets_and_sends(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_DGRAM);
	wire_sends(f, A);
	wire_sends(f, B);
	assert_next(f->guest, A, 15);
	assert_next(f->guest, B, 17);
	assert_int_equal(send(f->guest, A, 15, 0), 15);
	assert_int_equal(send(f->guest, B, 17, 0), 17);
	settle(f);
	assert_next(f->wire, A, 15);
	assert_next(f->wire, B, 17);
}

static void a_frame_that_is_forbidden_is_dropped_and_counted(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_STREAM);
	f->forbidden = "frame-b";
	wire_sends(f, B);
	wire_sends(f, A);
	assert_next(f->guest, "\0\0\0\17" A, 19);
	assert_int_equal(send(f->guest, "\0\0\0\21" B "\0\0\0\17" A, 40, 0), 40);
	settle(f);
	assert_next(f->wire, A, 15);
	assert_nothing(f->wire);
	assert_int_equal(f->stats.dropped[STATS_TO_GUEST][STATS_RELAY_VERDICT], 1);
	assert_int_equal(f->stats.dropped[STATS_FROM_GUEST][STATS_RELAY_VERDICT], 1);
}

/* Both ways, and not in place of a frame that waits. */
static void what_the_verdict_adds_is_sent(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_STREAM);
	f->forbidden = "frame-b";
	f->answer = "reset-reset-reset";
	assert_int_equal(send(f->wire, A, 15, 0), 15);
	assert_int_equal(send(f->wire, B, 17, 0), 17);
	assert_int_equal(send(f->wire, A, 15, 0), 15);
	settle(f);
	assert_next(f->guest, "\0\0\0\17" A "\0\0\0\21reset-reset-reset\0\0\0\17" A, 19 + 21 + 19);
	assert_next(f->wire, "reset-reset-reset", 17);
	assert_int_equal(f->stats.injected, 2);
}

static void without_a_guest_frames_are_counted(void **state)
{
	struct fixture *f = *state;

	wire_sends(f, A);
	assert_false(relay_attached(f->relay));
	assert_int_equal(f->stats.dropped[STATS_TO_GUEST][STATS_RELAY_NO_PEER], 1);
	attach(f, PEER_STREAM);
	settle(f);
	assert_nothing(f->guest);
}

/* Nothing is kept for a guest that does not read but what the buffers hold; then it goes on. */
static void a_guest_that_does_not_read_costs_a_bounded_buffer(void **state)
{
	struct fixture *f = *state;
	char frame[1500] = "big frame", got[4096];
	uint64_t sent = 0, dropped, received = 0;
	ssize_t n;

	attach(f, PEER_STREAM);
	for (; sent < 4000; sent++) {
		while (send(f->wire, frame, sizeof(frame), 0) < 0)
			settle(f);
	}
	settle(f);
	dropped = f->stats.dropped[STATS_TO_GUEST][STATS_RELAY_FULL];
	assert_true(dropped > 0 && dropped < sent);
	assert_int_equal(f->lost, 0);
	for (int idle = 0; idle < 3; idle++) {
		while ((n = recv(f->guest, got, sizeof(got), 0)) > 0) {
			received += (uint64_t)n;
			idle = 0;
		}
		settle(f);
	}
	assert_int_equal(received, (sent - dropped) * (sizeof(frame) + 4));
	wire_sends(f, A);
	assert_next(f->guest, "\0\0\0\17" A, 19);
}

static void lengths_that_no_frame_has_are_counted(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_STREAM);
	assert_int_equal(send(f->guest, "\0\0\0\15thirteen-long\0\0\0\0\0\0\0\17" A, 40, 0), 40);
	settle(f);
	assert_next(f->wire, A, 15);
	assert_int_equal(f->stats.dropped[STATS_FROM_GUEST][STATS_RELAY_LENGTH], 2);
	assert_int_equal(f->lost, 0);
}

static void a_length_out_of_bounds_ends_the_peer(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_STREAM);
	assert_int_equal(send(f->guest, "\0\0\0\17" A "\0\1\20\1", 23, 0), 23);
	settle(f);
	assert_next(f->wire, A, 15);
	assert_int_equal(f->lost, 1);
	assert_int_equal(f->reason, -EPROTO);
	assert_int_equal(f->stats.protocol, 1);
	assert_int_equal(recv(f->guest, (char[1]){ 0 }, 1, 0), 0);
}

static void a_guest_that_goes_is_told_and_may_come_again(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_STREAM);
	assert_int_equal(send(f->guest, "\0\0\0\17half", 8, 0), 8);
	close(f->guest);
	settle(f);
	assert_int_equal(f->lost, 1);
	assert_int_equal(f->reason, -ECONNRESET);
	assert_false(relay_attached(f->relay));
	attach(f, PEER_STREAM);
	assert_int_equal(send(f->guest, "\0\0\0\17" A, 19, 0), 19);
	settle(f);
	assert_next(f->wire, A, 15);
	assert_int_equal(f->stats.peers, 2);
}

/* Frames that the guest before did not take are not the next one's. */
static void a_new_guest_gets_nothing_of_the_one_before(void **state)
{
	struct fixture *f = *state;
	char frame[1500] = "big frame";
	int before;

	attach(f, PEER_STREAM);
	before = f->guest;
	for (int i = 0; i < 400; i++) {
		while (send(f->wire, frame, sizeof(frame), 0) < 0)
			settle(f);
	}
	settle(f);
	attach(f, PEER_STREAM);
	wire_sends(f, A);
	assert_next(f->guest, "\0\0\0\17" A, 19);
	assert_true(f->stats.dropped[STATS_TO_GUEST][STATS_RELAY_NO_PEER] > 0);
	close(before);
}

static void a_datagram_too_long_is_counted(void **state)
{
	struct fixture *f = *state;
	static uint8_t frame[FRAME_BUF_FRAME_MAX + 1];

	attach(f, PEER_DGRAM);
	assert_int_equal(send(f->guest, frame, sizeof(frame), 0), sizeof(frame));
	assert_int_equal(send(f->guest, A, 15, 0), 15);
	settle(f);
	assert_next(f->wire, A, 15);
	assert_int_equal(f->stats.dropped[STATS_FROM_GUEST][STATS_RELAY_LENGTH], 1);
}

static void a_tap_that_takes_nothing_is_counted(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_DGRAM);
	close(f->wire);
	assert_int_equal(send(f->guest, A, 15, 0), 15);
	settle(f);
	assert_int_equal(f->stats.dropped[STATS_FROM_GUEST][STATS_RELAY_TAP], 1);
	f->wire = dup(f->guest);
}

static uint64_t timed(const struct fixture *f, enum stats_direction direction)
{
	uint64_t frames = 0;

	for (unsigned int i = 0; i < STATS_LATENCY_BUCKETS; i++)
		frames += stat_get(&f->stats.latency[direction][i]);
	return frames;
}

static void times_are_counted_by_frame(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_STREAM);
	wire_sends(f, A);
	wire_sends(f, B);
	assert_int_equal(timed(f, STATS_TO_GUEST), 2);
	assert_true(stats_latency_quantile(f->stats.latency[STATS_TO_GUEST], 990) > 0);
	assert_int_equal(stats_latency_quantile(f->stats.latency[STATS_FROM_GUEST], 990), 0);
}

/* ---- verdicts that take long ---------------------------------------------------------------- */

/* Of a turn's time three or four; and not so many in one turn. */
#define SLOW_MS	    30
#define SLOW_TURN   6
#define SLOW_FRAMES 12

static const char numbered[] = "a frame of the number ";
#define NUMBERED sizeof(numbered) /* with one more letter in place of its end */

static void send_numbered(int fd, bool stream)
{
	char bytes[SLOW_FRAMES * (FRAME_BUF_HEADER + NUMBERED)];
	size_t len = 0;

	for (char i = 'a'; i < 'a' + SLOW_FRAMES; i++) {
		if (stream) {
			memcpy(bytes + len, "\0\0\0", 3);
			bytes[len + 3] = (char)NUMBERED;
			len += FRAME_BUF_HEADER;
		}
		memcpy(bytes + len, numbered, NUMBERED);
		bytes[len + NUMBERED - 1] = i;
		len += NUMBERED;
		if (stream && i < 'a' + SLOW_FRAMES - 1)
			continue;
		assert_int_equal(send(fd, bytes, len, 0), len);
		len = 0;
	}
}

static void assert_numbered(int fd)
{
	char got[NUMBERED];

	for (char i = 'a'; i < 'a' + SLOW_FRAMES; i++) {
		assert_int_equal(recv(fd, got, sizeof(got), 0), NUMBERED);
		assert_int_equal(got[NUMBERED - 1], i);
	}
}

static void assert_turns(const struct fixture *f)
{
	assert_in_range(f->judged_max, 1, SLOW_TURN);
}

/* What is left is passed although the guest goes meanwhile; that is told after it. */
static void slow_verdicts_end_the_turn_of_a_stream(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_STREAM);
	f->verdict_ms = SLOW_MS;
	send_numbered(f->guest, true);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_turns(f);
	close(f->guest);
	f->guest = -1;
	settle(f);
	assert_numbered(f->wire);
	assert_nothing(f->wire);
	assert_turns(f);
	assert_int_equal(f->lost, 1);
	assert_int_equal(f->reason, -ECONNRESET);
	/* The last one was in the relay while all others were searched. */
	assert_int_equal(timed(f, STATS_FROM_GUEST), SLOW_FRAMES);
	assert_true(stats_latency_quantile(f->stats.latency[STATS_FROM_GUEST], 1000) >=
		    UINT64_C(1000000) * SLOW_FRAMES * SLOW_MS);
}

/* Bytes that come while frames are left wait behind them; and the other way is not closed. */
static void what_comes_after_slow_verdicts_comes_after_them(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_STREAM);
	f->verdict_ms = SLOW_MS;
	send_numbered(f->guest, true);
	assert_int_equal(send(f->guest, "\0\0\0\17" A, 19, 0), 19);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	f->verdict_ms = 0;
	assert_int_equal(send(f->guest, "\0\0\0\21" B, 21, 0), 21);
	wire_sends(f, B);
	assert_next(f->guest, "\0\0\0\21" B, 21);
	assert_numbered(f->wire);
	assert_next(f->wire, A, 15);
	assert_next(f->wire, B, 17);
	assert_nothing(f->wire);
	assert_int_equal(f->lost, 0);
}

static void slow_verdicts_end_the_turn_of_datagrams(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_DGRAM);
	f->verdict_ms = SLOW_MS;
	send_numbered(f->guest, false);
	settle(f);
	assert_numbered(f->wire);
	assert_nothing(f->wire);
	assert_turns(f);
}

static void slow_verdicts_end_the_turn_of_a_tap(void **state)
{
	struct fixture *f = *state;

	attach(f, PEER_DGRAM);
	f->verdict_ms = SLOW_MS;
	send_numbered(f->wire, false);
	settle(f);
	assert_numbered(f->guest);
	assert_nothing(f->guest);
	assert_turns(f);
}

/* The next worker's relay goes on with them, and then with the half of a frame behind them. */
static void frames_that_had_no_turn_are_handed_over(void **state)
{
	struct fixture *f = *state;
	int file = memfd_create("rest", MFD_CLOEXEC), fds[2], peer;
	struct relay_rest rest;
	struct err err;

	pair(SOCK_STREAM, fds);
	f->guest = fds[0];
	peer = dup(fds[1]);
	assert_int_equal(relay_attach(f->relay, PEER_STREAM, fds[1], &err), 0);
	f->verdict_ms = SLOW_MS;
	send_numbered(f->guest, true);
	assert_int_equal(send(f->guest, "\0\0\0\17fra", 7, 0), 7);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(relay_save(f->relay, file, &rest), 0);
	assert_true(rest.in > 7);
	relay_close(f->relay);
	f->verdict_ms = 0;
	open_relay(f);
	assert_int_equal(relay_attach(f->relay, PEER_STREAM, peer, &err), 0);
	assert_int_equal(relay_restore(f->relay, file, &rest), 0);
	settle(f);
	assert_int_equal(send(f->guest, A + 3, 12, 0), 12);
	settle(f);
	assert_numbered(f->wire);
	assert_next(f->wire, A, 15);
	assert_nothing(f->wire);
	assert_int_equal(stat_get(&f->stats.dropped[STATS_FROM_GUEST][STATS_RELAY_NO_PEER]), 0);
	close(file);
}

static void frames_that_had_no_turn_are_counted_when_their_guest_is_replaced(void **state)
{
	struct fixture *f = *state;
	uint64_t passed = 0;
	int before;

	attach(f, PEER_STREAM);
	f->verdict_ms = SLOW_MS;
	send_numbered(f->guest, true);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	before = f->guest;
	attach(f, PEER_STREAM);
	settle(f);
	while (recv(f->wire, (char[256]){ 0 }, 256, 0) > 0)
		passed++;
	assert_in_range(passed, 1, SLOW_TURN);
	assert_int_equal(stat_get(&f->stats.dropped[STATS_FROM_GUEST][STATS_RELAY_NO_PEER]),
			 SLOW_FRAMES - passed);
	close(before);
}

/* More than have their verdicts at once; what a verdict adds stays at the place of its frame. */
static void frames_of_a_stream_keep_their_order(void **state)
{
	struct fixture *f = *state;
	char got[NUMBERED];

	attach(f, PEER_STREAM);
	f->forbidden = "number k";
	f->answer = "a reset, and no number ";
	send_numbered(f->guest, true);
	settle(f);
	for (char i = 'a'; i < 'a' + SLOW_FRAMES; i++) {
		assert_int_equal(recv(f->wire, got, sizeof(got), 0), NUMBERED);
		assert_memory_equal(got, i == 'k' ? f->answer : numbered, NUMBERED - 1);
		assert_int_equal(got[NUMBERED - 1], i == 'k' ? ' ' : i);
	}
	assert_nothing(f->wire);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_guest_gets_and_sends),
		TEST(a_datagram_guest_gets_and_sends),
		TEST(a_frame_that_is_forbidden_is_dropped_and_counted),
		TEST(what_the_verdict_adds_is_sent),
		TEST(without_a_guest_frames_are_counted),
		TEST(a_guest_that_does_not_read_costs_a_bounded_buffer),
		TEST(lengths_that_no_frame_has_are_counted),
		TEST(a_length_out_of_bounds_ends_the_peer),
		TEST(a_guest_that_goes_is_told_and_may_come_again),
		TEST(a_new_guest_gets_nothing_of_the_one_before),
		TEST(a_datagram_too_long_is_counted),
		TEST(a_tap_that_takes_nothing_is_counted),
		TEST(times_are_counted_by_frame),
		TEST(frames_of_a_stream_keep_their_order),
		TEST(slow_verdicts_end_the_turn_of_a_stream),
		TEST(what_comes_after_slow_verdicts_comes_after_them),
		TEST(slow_verdicts_end_the_turn_of_datagrams),
		TEST(slow_verdicts_end_the_turn_of_a_tap),
		TEST(frames_that_had_no_turn_are_handed_over),
		TEST(frames_that_had_no_turn_are_counted_when_their_guest_is_replaced),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
