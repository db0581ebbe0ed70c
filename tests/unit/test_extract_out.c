/* links: capture/extract_out.c agent/base/buf.c agent/base/fd_io.c */
#include "capture/extract_out.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* What was written to a memfd. */
static struct buf written(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	struct buf text;

	buf_init(&text, SIZE_MAX);
	assert_non_null(buf_reserve(&text, (size_t)len));
	assert_int_equal(pread(fd, text.data, (size_t)len, 0), len);
	text.len = (size_t)len;
	text.data[len] = '\0';
	return text;
}

static void part(struct extract_out *out, uint64_t number, const char *text)
{
	struct extract_outlet outlet;

	extract_outlet_init(&outlet, out, number);
	buf_adds(&outlet.buf, text);
	extract_outlet_record(&outlet);
	extract_outlet_complete(&outlet, 0);
	extract_outlet_done(&outlet);
}

static void parts_before_their_turn_are_left_and_written_in_order(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct extract_out out;
	struct buf text;

	(void)state;
	extract_out_init(&out, fd);
	part(&out, 2, "two ");
	part(&out, 1, "");
	part(&out, 4, "four");
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	part(&out, 0, "zero ");
	text = written(fd);
	assert_string_equal(text.data, "zero two ");
	buf_done(&text);
	part(&out, 3, "three ");
	text = written(fd);
	assert_string_equal(text.data, "zero two three four");
	assert_int_equal(out.turn, 5);
	buf_done(&text);
	extract_out_done(&out);
	close(fd);
}

#define PARTS 500u

/* Some of the later parts have more than is left to others. */
static size_t size_of(uint64_t number)
{
	return number > 100 && number % 10 == 9 ? (3u << 20) : (size_t)(number % 7) * 1000;
}

static void *all_but_the_first(void *data)
{
	struct extract_outlet outlet;

	extract_outlet_init(&outlet, data, 1);
	for (uint64_t number = 1; number < PARTS; number++) {
		buf_addf(&outlet.buf, "%u\n", (unsigned int)number);
		for (size_t i = 0; i < size_of(number); i += 1000) {
			char *room = buf_reserve(&outlet.buf, 1000);

			assert_non_null(room);
			memset(room, 'x', 1000);
			outlet.buf.len += 1000;
			extract_outlet_record(&outlet);
		}
		extract_outlet_complete(&outlet, number + 1);
	}
	extract_outlet_done(&outlet);
	return NULL;
}

static bool is_left(struct extract_out *out, size_t kept)
{
	bool left;

	pthread_mutex_lock(&out->lock);
	left = out->kept[kept].complete;
	pthread_mutex_unlock(&out->lock);
	return left;
}

static void who_is_too_far_ahead_waits(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct extract_out out;
	pthread_t thread;
	const char *at;
	struct buf text;

	(void)state;
	extract_out_init(&out, fd);
	assert_int_equal(pthread_create(&thread, NULL, all_but_the_first, &out), 0);
	/* All that it may leave is there. */
	while (!is_left(&out, EXTRACT_OUT_KEPT - 1))
		usleep(1000);
	part(&out, 0, "0\n");
	pthread_join(thread, NULL);
	assert_int_equal(out.turn, PARTS);
	text = written(fd);
	at = text.data;
	for (unsigned int number = 0; number < PARTS; number++) {
		char *end;

		assert_int_equal(strtoul(at, &end, 10), number);
		at = end + 1;
		if (number)
			at += (size_of(number) + 999) / 1000 * 1000;
	}
	assert_ptr_equal(at, text.data + text.len);
	buf_done(&text);
	extract_out_done(&out);
	close(fd);
}

static void nothing_is_written_after_a_stop(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct extract_out out;

	(void)state;
	extract_out_init(&out, fd);
	part(&out, 1, "one");
	extract_out_stop(&out);
	part(&out, 2, "two");
	part(&out, 0, "");
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	assert_int_equal(out.error, 0);
	extract_out_done(&out);
	close(fd);
}

static void an_error_stops_it(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct extract_out out;

	(void)state;
	extract_out_init(&out, fd);
	part(&out, 1, "one");
	part(&out, 0, "");
	assert_int_equal(out.error, ENOSPC);
	assert_true(extract_out_stopped(&out));
	extract_out_done(&out);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_before_their_turn_are_left_and_written_in_order),
		cmocka_unit_test(who_is_too_far_ahead_waits),
		cmocka_unit_test(nothing_is_written_after_a_stop),
		cmocka_unit_test(an_error_stops_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
