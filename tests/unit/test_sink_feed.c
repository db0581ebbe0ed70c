/* links: capture/sink_feed.c */
#include "capture/sink_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
}

static void datagrams(void **state)
{
	struct sink_feed feed;
	char text[64];
	int fds[2];

	(void)state;
	sink_feed_init(&feed);
	assert_int_equal(sink_feed_put(&feed, "x", 1), -ENOTCONN);
	pair(fds);
	sink_feed_set(&feed, fds[0], 8 << 20);
	assert_int_equal(sink_feed_put(&feed, "{\"a\":1}", 7), 0);
	assert_int_equal(sink_feed_put(&feed, "{\"b\":2}", 7), 0);
	assert_int_equal(recv(fds[1], text, sizeof(text), MSG_DONTWAIT), 7);
	assert_memory_equal(text, "{\"a\":1}", 7);
	assert_int_equal(recv(fds[1], text, sizeof(text), MSG_DONTWAIT), 7);
	assert_memory_equal(text, "{\"b\":2}", 7);
	close(fds[1]);
	sink_feed_done(&feed);
	sink_feed_done(&feed);
}

/* A reader that sleeps costs records, never time; a blocking socket makes a wait visible. */
static void slow_reader(void **state)
{
	struct sink_feed feed;
	char text[1000] = { 0 };
	unsigned int n = 0;
	int fds[2], err;

	(void)state;
	sink_feed_init(&feed);
	pair(fds);
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	sink_feed_set(&feed, fds[0], 8 << 20);
	while ((err = sink_feed_put(&feed, text, sizeof(text))) == 0 && n < 1000000)
		n++;
	assert_int_equal(err, -EAGAIN);
	/* Twice the default of 208 KiB cannot be had everywhere, but a hundred records can. */
	assert_true(n > 100);
	assert_int_equal(recv(fds[1], text, sizeof(text), 0), sizeof(text));
	assert_int_equal(recv(fds[1], text, sizeof(text), 0), sizeof(text));
	assert_int_equal(sink_feed_put(&feed, text, sizeof(text)), 0);
	close(fds[1]);
	sink_feed_done(&feed);
}

static void too_long(void **state)
{
	static char text[64 << 20];
	struct sink_feed feed;
	int fds[2];

	(void)state;
	sink_feed_init(&feed);
	pair(fds);
	sink_feed_set(&feed, fds[0], 8 << 20);
	assert_int_equal(sink_feed_put(&feed, text, sizeof(text)), -EMSGSIZE);
	assert_int_equal(sink_feed_put(&feed, "x", 1), 0);
	close(fds[1]);
	sink_feed_done(&feed);
}

static void reader_gone(void **state)
{
	struct sink_feed feed;
	int fds[2], old;

	(void)state;
	sink_feed_init(&feed);
	pair(fds);
	old = fds[0];
	sink_feed_set(&feed, fds[0], 8 << 20);
	close(fds[1]);
	assert_int_equal(sink_feed_put(&feed, "x", 1), -ENOTCONN);
	/* The socket was given back, and asking again is as good. */
	assert_int_equal(fcntl(old, F_GETFD), -1);
	assert_int_equal(sink_feed_put(&feed, "x", 1), -ENOTCONN);
	pair(fds);
	sink_feed_set(&feed, fds[0], 8 << 20);
	assert_int_equal(sink_feed_put(&feed, "x", 1), 0);
	/* Replaced while it works: the one before is closed. */
	close(fds[1]);
	old = fds[0];
	fds[0] = dup(old);
	sink_feed_set(&feed, fds[0], 8 << 20);
	assert_int_equal(fcntl(old, F_GETFD), -1);
	sink_feed_done(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams),
		cmocka_unit_test(slow_reader),
		cmocka_unit_test(too_long),
		cmocka_unit_test(reader_gone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
