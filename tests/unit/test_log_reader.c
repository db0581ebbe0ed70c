/* links: capture/log_reader.c */
#include "capture/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

struct fixture {
	struct log_reader reader;
	int fd; /* writing end of the newest file */
	uint64_t file, now_ns;
	char told[1 << 16]; /* all lines, and "<cut>" */
	size_t len;
	uint64_t skipped, left;
	uint64_t end, end_file; /* behind the last line told, of that file */
};

static void add_told(struct fixture *f, const void *bytes, size_t len)
{
	if (len > sizeof(f->told) - f->len)
		len = sizeof(f->told) - f->len;
	memcpy(f->told + f->len, bytes, len);
	f->len += len;
}

static void on_lines(void *data, const uint8_t *block, size_t len, uint64_t offset)
{
	struct fixture *f = data;

	assert_true(len > 0);
	assert_true(offset >= f->end || f->reader.files[0].file != f->end_file);
	f->end_file = f->reader.files[0].file;
	f->end = offset + len;
	add_told(f, block, len);
}

static void on_cut(void *data, uint64_t offset)
{
	struct fixture *f = data;

	(void)offset;
	f->end = 0;
	add_told(f, "<cut>", 5);
}

static void on_left(void *data)
{
	struct fixture *f = data;

	f->left++;
}

static void on_skipped(void *data, uint64_t bytes)
{
	struct fixture *f = data;

	f->skipped += bytes;
}

static void on_failed(void *data, int error)
{
	(void)data;
	fail_msg("%s", strerror(-error));
}

static const struct log_reader_ops ops = { on_lines, on_cut, on_left, on_skipped, on_failed };

/* A new file in the log's place. */
static void rotate(struct fixture *f, uint64_t offset, bool partial)
{
	char name[] = "/tmp/test_log_reader.XXXXXX";
	struct log_reader_file file = { .file = ++f->file, .offset = offset, .partial = partial };

	if (f->fd >= 0)
		close(f->fd);
	f->fd = mkstemp(name);
	assert_true(f->fd >= 0);
	assert_int_equal(fcntl(f->fd, F_SETFL, O_APPEND), 0);
	file.fd = open(name, O_RDONLY);
	unlink(name);
	assert_int_equal(log_reader_add(&f->reader, &file, f->now_ns), 0);
}

static void put(struct fixture *f, const char *text)
{
	assert_int_equal(write(f->fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void look(struct fixture *f, uint64_t ns)
{
	f->now_ns += ns;
	while (log_reader_poll(&f->reader, f->now_ns, 1000))
		;
}

static void expect(struct fixture *f, const char *told)
{
	if (strlen(told) != f->len || memcmp(told, f->told, f->len) != 0)
		fail_msg("told \"%.*s\", not \"%s\"", (int)f->len, f->told, told);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->fd = -1;
	f->now_ns = SECOND;
	log_reader_init(&f->reader, &ops, f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	log_reader_done(&f->reader);
	free(f);
	return 0;
}

static void last_lines(void **state)
{
	struct fixture *f = *state;
	uint64_t offset = 99;

	assert_int_equal(log_reader_place(&f->reader, &offset), 0);
	rotate(f, 0, false);
	put(f, "one\ntw");
	look(f, SECOND);
	expect(f, "one\n");
	assert_int_equal(log_reader_place(&f->reader, &offset), 1);
	assert_int_equal(offset, 4);
	put(f, "o\nthree");
	look(f, SECOND);
	expect(f, "one\ntwo\n");
	/* Nothing ends a last line but a newline, or that the file is left. */
	look(f, 100 * SECOND);
	expect(f, "one\ntwo\n");
	rotate(f, 0, false);
	put(f, "four\n");
	look(f, SECOND);
	expect(f, "one\ntwo\n");
	look(f, 2 * SECOND);
	expect(f, "one\ntwo\nthreefour\n");
	assert_int_equal(f->left, 1);
	assert_int_equal(log_reader_place(&f->reader, &offset), 2);
	assert_int_equal(offset, 5);
}

static void begins_in_a_line(void **state)
{
	struct fixture *f = *state;

	rotate(f, 2, true);
	put(f, "old line");
	look(f, SECOND);
	put(f, " goes on");
	look(f, SECOND);
	put(f, "\nnew\n");
	look(f, SECOND);
	expect(f, "new\n");
	assert_int_equal(f->skipped, 0);
}

static void cuts(void **state)
{
	struct fixture *f = *state;

	rotate(f, 0, false);
	put(f, "one\ntwo");
	look(f, SECOND);
	assert_int_equal(ftruncate(f->fd, 0), 0);
	put(f, "three\n");
	look(f, SECOND);
	expect(f, "one\ntwo<cut>three\n");
	/* As long as before, and longer: it is told by what is in it. */
	assert_int_equal(ftruncate(f->fd, 0), 0);
	put(f, "four!\nfive\n");
	look(f, SECOND);
	expect(f, "one\ntwo<cut>three\n<cut>four!\nfive\n");
	assert_int_equal(ftruncate(f->fd, 0), 0);
	look(f, SECOND);
	expect(f, "one\ntwo<cut>three\n<cut>four!\nfive\n<cut>");
}

static void long_lines(void **state)
{
	static char text[LOG_LINE_MAX + 1000];
	struct fixture *f = *state;

	memset(text, 'x', sizeof(text) - 1);
	rotate(f, 0, false);
	put(f, text);
	look(f, SECOND);
	/* As much as is told of it was told. */
	assert_int_equal(f->len, sizeof(f->told));
	assert_int_equal(f->end, LOG_LINE_MAX);
	put(f, "y\nz\n");
	look(f, SECOND);
	assert_int_equal(f->skipped, sizeof(text) - 1 - LOG_LINE_MAX + 2);
	assert_int_equal(f->end, sizeof(text) - 1 + 4);
	assert_true(f->reader.cap <= 2 * LOG_LINE_MAX);
}

static void too_many_files(void **state)
{
	struct fixture *f = *state;
	struct log_reader_file file = { .file = 99 };

	for (size_t i = 0; i < LOG_FILES_MAX; i++) {
		rotate(f, 0, false);
		put(f, "a\n");
	}
	file.fd = dup(f->fd);
	assert_int_equal(log_reader_add(&f->reader, &file, f->now_ns), -ENOBUFS);
	for (size_t i = 0; i < LOG_FILES_MAX; i++) {
		look(f, 3 * SECOND);
	}
	assert_int_equal(f->len, 2 * LOG_FILES_MAX);
	assert_int_equal(f->reader.n_files, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(last_lines), TEST(begins_in_a_line), TEST(cuts),
		TEST(long_lines), TEST(too_many_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("log_reader", tests, NULL, NULL);
}
