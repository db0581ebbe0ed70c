/* links: capture/frame_buf.c */
#include "capture/frame_buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SMALLEST (FRAME_BUF_HEADER + FRAME_BUF_FRAME_MAX)

static void push(struct frame_buf *buf, const char *text)
{
	uint8_t *room = frame_buf_room(buf);

	assert_non_null(room);
	memcpy(room, text, strlen(text));
	frame_buf_push(buf, strlen(text));
}

static void feed(struct frame_buf *buf, const void *bytes, size_t len)
{
	size_t space;
	uint8_t *at = frame_buf_space(buf, &space);

	assert_true(space >= len);
	memcpy(at, bytes, len);
	frame_buf_filled(buf, len);
}

static void assert_front(const struct frame_buf *buf, const char *text)
{
	const uint8_t *frame;
	size_t len;

	assert_int_equal(frame_buf_front(buf, &frame, &len), 1);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(frame, text, len);
}

static void smaller_than_a_frame_is_refused(void **state)
{
	struct frame_buf buf;

	(void)state;
	assert_int_equal(frame_buf_init(&buf, SMALLEST - 1), -EINVAL);
	assert_int_equal(frame_buf_init(&buf, SMALLEST), 0);
	frame_buf_done(&buf);
}

/* As net/stream.c of QEMU writes them. */
static void frames_go_out_behind_their_lengths(void **state)
{
	struct frame_buf buf;
	const uint8_t *bytes;
	size_t len;

	(void)state;
	assert_int_equal(frame_buf_init(&buf, 2 * SMALLEST), 0);
	push(&buf, "one");
	push(&buf, "");
	push(&buf, "three");
	bytes = frame_buf_bytes(&buf, &len);
	assert_int_equal(len, 20);
	assert_memory_equal(bytes, "\0\0\0\3one\0\0\0\0\0\0\0\5three", 20);
	frame_buf_sent(&buf, 5);
	bytes = frame_buf_bytes(&buf, &len);
	assert_int_equal(len, 15);
	assert_memory_equal(bytes, "ne\0\0\0\0\0\0\0\5three", 15);
	frame_buf_sent(&buf, 15);
	frame_buf_bytes(&buf, &len);
	assert_int_equal(len, 0);
	frame_buf_done(&buf);
}

/* Whatever the pieces are that the socket gives. */
static void frames_come_in_cut_anywhere(void **state)
{
	static const char stream[] = "\0\0\0\3one\0\0\0\0\0\0\0\5three";
	const size_t total = sizeof(stream) - 1;
	struct frame_buf buf;
	const uint8_t *frame;
	size_t len;

	(void)state;
	for (size_t cut = 0; cut <= total; cut++) {
		size_t frames = 0;

		assert_int_equal(frame_buf_init(&buf, SMALLEST), 0);
		for (size_t part = 0; part < 2; part++) {
			feed(&buf, stream + (part ? cut : 0), part ? total - cut : cut);
			while (frame_buf_front(&buf, &frame, &len) == 1) {
				static const char *const expected[] = { "one", "", "three" };

				assert_true(frames < 3);
				assert_front(&buf, expected[frames++]);
				frame_buf_pop(&buf);
			}
		}
		assert_int_equal(frames, 3);
		frame_buf_done(&buf);
	}
}

static void a_length_that_cannot_be_is_an_error(void **state)
{
	static const uint8_t most[] = { 0, 1, 0x10, 0 }, more[] = { 0, 1, 0x10, 1 };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff };
	struct frame_buf buf;
	const uint8_t *frame;
	size_t len;

	(void)state;
	assert_int_equal(frame_buf_init(&buf, SMALLEST), 0);
	feed(&buf, most, 4);
	assert_int_equal(frame_buf_front(&buf, &frame, &len), 0);
	frame_buf_clear(&buf);
	feed(&buf, more, 4);
	assert_int_equal(frame_buf_front(&buf, &frame, &len), -EPROTO);
	frame_buf_clear(&buf);
	feed(&buf, huge, 4);
	assert_int_equal(frame_buf_front(&buf, &frame, &len), -EPROTO);
	frame_buf_done(&buf);
}

/* The longest frame fits whatever lies before it, as it does alone. */
static void the_longest_frame_comes_in_behind_a_short_one(void **state)
{
	struct frame_buf buf;
	const uint8_t *frame;
	size_t len, space;
	uint8_t *at;

	(void)state;
	assert_int_equal(frame_buf_init(&buf, SMALLEST), 0);
	feed(&buf, "\0\0\0\1x\0\1\x10\0ab", 11);
	assert_front(&buf, "x");
	frame_buf_pop(&buf);
	assert_int_equal(frame_buf_front(&buf, &frame, &len), 0);
	at = frame_buf_space(&buf, &space);
	assert_int_equal(space, FRAME_BUF_FRAME_MAX - 2);
	memset(at, 'c', space);
	frame_buf_filled(&buf, space);
	assert_int_equal(frame_buf_front(&buf, &frame, &len), 1);
	assert_int_equal(len, FRAME_BUF_FRAME_MAX);
	assert_memory_equal(frame, "abcc", 4);
	frame_buf_done(&buf);
}

/* A peer that does not read: room for a whole frame or none, and room again when it has read. */
static void a_full_buffer_has_no_room(void **state)
{
	struct frame_buf buf;
	uint8_t *room;
	size_t len;

	(void)state;
	assert_int_equal(frame_buf_init(&buf, SMALLEST + 8), 0);
	push(&buf, "abcd");
	assert_non_null(frame_buf_room(&buf));
	push(&buf, "e");
	assert_null(frame_buf_room(&buf));
	frame_buf_sent(&buf, 5);
	room = frame_buf_room(&buf);
	assert_non_null(room);
	assert_memory_equal(frame_buf_bytes(&buf, &len), "bcd\0\0\0\1e", 8);
	assert_int_equal(len, 8);
	memset(room, 0, FRAME_BUF_FRAME_MAX);
	frame_buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smaller_than_a_frame_is_refused),
		cmocka_unit_test(frames_go_out_behind_their_lengths),
		cmocka_unit_test(frames_come_in_cut_anywhere),
		cmocka_unit_test(a_length_that_cannot_be_is_an_error),
		cmocka_unit_test(the_longest_frame_comes_in_behind_a_short_one),
		cmocka_unit_test(a_full_buffer_has_no_room),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
