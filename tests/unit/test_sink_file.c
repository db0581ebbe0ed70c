/* links: capture/sink_file.c agent/base/buf.c */
/* links: capture/rotated.c */
#include "capture/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Lines are entries. */
static size_t whole_lines(const void *data, size_t len, uint64_t *ret)
{
	const char *p = data;
	size_t whole = 0;
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\n') {
			whole = i + 1;
			n++;
		}
	}
	if (ret)
		*ret = n;
	return whole;
}

struct fixture {
	char dir[64];
	int dir_fd;
	struct sink_file_conf conf;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_sink_file.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->dir_fd = open(f->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(f->dir_fd >= 0);
	f->conf = (struct sink_file_conf){
		.dir_fd = f->dir_fd,
		.name = "log",
		.rotate_bytes = 1 << 20,
		.keep = 2,
		.pending_max = 4096,
		.whole = whole_lines,
		.entry_max = 8,
	};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "log", "log.1", "log.2", "log.3", "away", "target" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(f->dir_fd, names[i], 0);
	close(f->dir_fd);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void check_file(const struct fixture *f, const char *name, const char *expect)
{
	static char text[1 << 16];
	int fd = openat(f->dir_fd, name, O_RDONLY);
	ssize_t n;

	if (!expect) {
		assert_int_equal(fd, -1);
		assert_int_equal(errno, ENOENT);
		return;
	}
	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	assert_string_equal(text, expect);
}

static void make_file(const struct fixture *f, const char *name, const char *text)
{
	int fd = openat(f->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void put(struct sink_file *sink, const char *line)
{
	assert_int_equal(sink_file_put(sink, line, strlen(line)), 0);
}

static uint64_t now_s;

static void flush(struct sink_file *sink, int result, uint64_t entries)
{
	uint64_t written = 99;

	assert_int_equal(sink_file_flush(sink, now_s, &written), result);
	assert_int_equal(written, entries);
}

static void appends(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;
	struct stat st;

	make_file(f, "log", "old\n");
	assert_int_equal(fchmodat(f->dir_fd, "log", 0640, 0), 0);
	sink_file_init(&sink, &f->conf);
	flush(&sink, 0, 0);
	put(&sink, "one\n");
	put(&sink, "two\n");
	check_file(f, "log", "old\n");
	flush(&sink, 0, 2);
	flush(&sink, 0, 0);
	put(&sink, "three\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "old\none\ntwo\nthree\n");
	sink_file_done(&sink);
	/* New files are for the owner and the group. */
	unlinkat(f->dir_fd, "log", 0);
	sink_file_init(&sink, &f->conf);
	put(&sink, "x\n");
	flush(&sink, 0, 1);
	assert_int_equal(fstatat(f->dir_fd, "log", &st, 0), 0);
	assert_int_equal(st.st_mode & 0137, 0);
	sink_file_done(&sink);
}

static void rotates(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;

	f->conf.rotate_bytes = 8;
	sink_file_init(&sink, &f->conf);
	/* An empty file is not rotated, however long the first entry. */
	put(&sink, "0123456789\n");
	flush(&sink, 0, 1);
	check_file(f, "log.1", NULL);
	assert_int_equal(unlinkat(f->dir_fd, "log", 0), 0);
	put(&sink, "aaaa\n");
	flush(&sink, 0, 1);
	put(&sink, "bb\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "aaaa\nbb\n");
	check_file(f, "log.1", NULL);
	put(&sink, "c\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "c\n");
	check_file(f, "log.1", "aaaa\nbb\n");
	/* One entry above the bound has a file for itself. */
	put(&sink, "dddddddddddd\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "dddddddddddd\n");
	check_file(f, "log.1", "c\n");
	check_file(f, "log.2", "aaaa\nbb\n");
	put(&sink, "e\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "e\n");
	check_file(f, "log.1", "dddddddddddd\n");
	check_file(f, "log.2", "c\n");
	check_file(f, "log.3", NULL);
	sink_file_done(&sink);
}

static void keeps_none(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;

	f->conf.rotate_bytes = 4;
	f->conf.keep = 0;
	sink_file_init(&sink, &f->conf);
	put(&sink, "aaaa\n");
	flush(&sink, 0, 1);
	put(&sink, "b\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "b\n");
	check_file(f, "log.1", NULL);
	sink_file_done(&sink);
}

/* logrotate(8) and operators move files away; nothing is written into those. */
static void moved_away(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;

	sink_file_init(&sink, &f->conf);
	put(&sink, "a\n");
	flush(&sink, 0, 1);
	assert_int_equal(renameat(f->dir_fd, "log", f->dir_fd, "away"), 0);
	put(&sink, "b\n");
	flush(&sink, 0, 1);
	check_file(f, "away", "a\n");
	check_file(f, "log", "b\n");
	assert_int_equal(unlinkat(f->dir_fd, "log", 0), 0);
	put(&sink, "c\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "c\n");
	sink_file_done(&sink);
}

struct torn_case {
	const char *left;
	const char *expect;
};

/* What a killed writer left of its last line is cut off before the next one. */
static void torn(void **state)
{
	static const struct torn_case cases[] = {
		{ "a\nb", "a\nnext\n" },
		{ "abc", "next\n" },
		{ "a\n", "a\nnext\n" },
		{ "", "next\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sink_file sink;

		make_file(f, "log", cases[i].left);
		sink_file_init(&sink, &f->conf);
		put(&sink, "next\n");
		flush(&sink, 0, 1);
		check_file(f, "log", cases[i].expect);
		sink_file_done(&sink);
	}
}

/* More than a killed writer can leave: nothing of it is lost, and nothing is written behind it. */
static void damaged(void **state)
{
	static const uint32_t keeps[] = { 0, 1, 2 };
	struct fixture *f = *state;
	struct sink_file sink;

	for (size_t i = 0; i < sizeof(keeps) / sizeof(keeps[0]); i++) {
		f->conf.keep = keeps[i];
		make_file(f, "log", "a\n12345678");
		make_file(f, "log.1", "before\n");
		sink_file_init(&sink, &f->conf);
		put(&sink, "next\n");
		flush(&sink, 0, 1);
		check_file(f, "log", "next\n");
		check_file(f, "log.1", "a\n12345678");
		check_file(f, "log.2", keeps[i] == 2 ? "before\n" : NULL);
		assert_int_equal(sink.n_set_aside, 1);
		sink_file_done(&sink);
	}
	make_file(f, "log", "a\n1234567");
	sink_file_init(&sink, &f->conf);
	put(&sink, "next\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "a\nnext\n");
	assert_int_equal(sink.n_set_aside, 0);
	sink_file_done(&sink);
}

static void file_size_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file that cannot grow takes part of a write, as a full disk does. */
static void full(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;

	signal(SIGXFSZ, SIG_IGN);
	sink_file_init(&sink, &f->conf);
	put(&sink, "one\n");
	flush(&sink, 0, 1);
	file_size_limit(13);
	put(&sink, "two\n");
	put(&sink, "three\n");
	put(&sink, "four\n");
	flush(&sink, -EFBIG, 1);
	check_file(f, "log", "one\ntwo\n");
	assert_int_equal(sink.n_pending, 2);
	/* Still full: nothing is written, nothing is half written. */
	file_size_limit(10);
	flush(&sink, -EFBIG, 0);
	check_file(f, "log", "one\ntwo\n");
	put(&sink, "five\n");
	file_size_limit(RLIM_INFINITY);
	flush(&sink, 0, 3);
	check_file(f, "log", "one\ntwo\nthree\nfour\nfive\n");
	assert_int_equal(sink.n_pending, 0);
	sink_file_done(&sink);
}

static void bounded(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;

	f->conf.pending_max = 8;
	sink_file_init(&sink, &f->conf);
	put(&sink, "aaaa\n");
	assert_int_equal(sink_file_put(&sink, "bbb\n", 4), -ENOBUFS);
	put(&sink, "b\n");
	assert_int_equal(sink_file_put(&sink, "cccccccccccc\n", 13), -ENOBUFS);
	flush(&sink, 0, 2);
	check_file(f, "log", "aaaa\nb\n");
	put(&sink, "bbb\n");
	flush(&sink, 0, 1);
	sink_file_done(&sink);
}

/* Two writers: the second waits until the first has let go of the file. */
static void one_writer(void **state)
{
	struct fixture *f = *state;
	struct sink_file first, second;

	sink_file_init(&first, &f->conf);
	sink_file_init(&second, &f->conf);
	put(&first, "a\n");
	flush(&first, 0, 1);
	put(&second, "c\n");
	flush(&second, -EAGAIN, 0);
	put(&first, "b\n");
	flush(&first, 0, 1);
	flush(&second, -EAGAIN, 0);
	sink_file_done(&first);
	flush(&second, 0, 1);
	check_file(f, "log", "a\nb\nc\n");
	sink_file_done(&second);
}

/* Nothing but a regular file that stands there itself is written to. */
static void not_a_file(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;

	make_file(f, "target", "precious\n");
	assert_int_equal(symlinkat("target", f->dir_fd, "log"), 0);
	sink_file_init(&sink, &f->conf);
	put(&sink, "x\n");
	flush(&sink, -ELOOP, 0);
	check_file(f, "target", "precious\n");
	assert_int_equal(unlinkat(f->dir_fd, "log", 0), 0);
	assert_int_equal(mkfifoat(f->dir_fd, "log", 0600), 0);
	flush(&sink, -EINVAL, 0);
	assert_int_equal(unlinkat(f->dir_fd, "log", 0), 0);
	assert_int_equal(mkdirat(f->dir_fd, "log", 0700), 0);
	flush(&sink, -EISDIR, 0);
	assert_int_equal(unlinkat(f->dir_fd, "log", AT_REMOVEDIR), 0);
	/* It kept what it was given. */
	flush(&sink, 0, 1);
	check_file(f, "log", "x\n");
	sink_file_done(&sink);
}

/* By the clock: a file for each full hour in which there was anything. */
static void rotates_by_the_clock(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;

	f->conf.rotate_seconds = 3600;
	/* A new file is stamped by the system's clock, which this one goes on from. */
	now_s = (uint64_t)time(NULL) / 3600 * 3600 + 2 * 3600;
	sink_file_init(&sink, &f->conf);
	put(&sink, "a\n");
	flush(&sink, 0, 1);
	now_s += 3599;
	put(&sink, "b\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "a\nb\n");
	now_s++;
	flush(&sink, 0, 0);
	check_file(f, "log.1", NULL);
	put(&sink, "c\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "c\n");
	check_file(f, "log.1", "a\nb\n");
	/* A clock that was set back does not rotate. */
	now_s -= 7200;
	put(&sink, "d\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "c\nd\n");
	sink_file_done(&sink);
	now_s = 0;
}

/* An old file of another worker belongs to the hour in which it was last written. */
static void rotates_an_old_file(void **state)
{
	struct fixture *f = *state;
	const struct timespec times[2] = { { .tv_sec = 7200 }, { .tv_sec = 7200 } };
	struct sink_file sink;

	f->conf.rotate_seconds = 3600;
	make_file(f, "log", "old\n");
	assert_int_equal(utimensat(f->dir_fd, "log", times, 0), 0);
	now_s = (uint64_t)time(NULL);
	sink_file_init(&sink, &f->conf);
	put(&sink, "new\n");
	flush(&sink, 0, 1);
	check_file(f, "log", "new\n");
	check_file(f, "log.1", "old\n");
	sink_file_done(&sink);
	now_s = 0;
}

/* `data` is how many parts there are. */
static size_t header(void *data, size_t have, struct buf *out)
{
	const size_t *n = data;

	for (size_t i = have; i < *n; i++)
		buf_addf(out, "head%zu\n", i);
	return *n;
}

static void trailer(void *data, size_t have, struct buf *out)
{
	(void)data;
	buf_addf(out, "tail%zu\n", have);
}

static void headers_and_trailers(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;
	size_t n = 1;

	f->conf.header = header;
	f->conf.trailer = trailer;
	f->conf.data = &n;
	f->conf.rotate_bytes = 20;
	sink_file_init(&sink, &f->conf);
	put(&sink, "one\n");
	flush(&sink, 0, 1);
	put(&sink, "two\n");
	n = 2;
	sink_file_extend(&sink);
	flush(&sink, 0, 1);
	check_file(f, "log", "head0\none\nhead1\ntwo\n");
	put(&sink, "three\n");
	flush(&sink, 0, 1);
	check_file(f, "log.1", "head0\none\nhead1\ntwo\ntail2\n");
	check_file(f, "log", "head0\nhead1\nthree\n");
	/* Of parts that nobody wrote there is no end. */
	n = 3;
	sink_file_extend(&sink);
	sink_file_done(&sink);
	check_file(f, "log", "head0\nhead1\nthree\ntail2\n");
	/* What is full has no half a header. */
	unlinkat(f->dir_fd, "log", 0);
	n = 1;
	sink_file_init(&sink, &f->conf);
	put(&sink, "four\n");
	file_size_limit(3);
	flush(&sink, -EFBIG, 0);
	check_file(f, "log", "");
	file_size_limit(RLIM_INFINITY);
	flush(&sink, 0, 1);
	check_file(f, "log", "head0\nfour\n");
	put(&sink, "five\n");
	n = 2;
	sink_file_extend(&sink);
	file_size_limit(14);
	flush(&sink, -EFBIG, 0);
	check_file(f, "log", "head0\nfour\n");
	file_size_limit(RLIM_INFINITY);
	flush(&sink, 0, 1);
	check_file(f, "log", "head0\nfour\nhead1\nfive\n");
	sink_file_done(&sink);
}

static void check_first(const struct fixture *f, const char *name, char first, off_t size)
{
	struct stat st;
	char c;
	int fd = openat(f->dir_fd, name, O_RDONLY);

	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(c, first);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	close(fd);
	unlinkat(f->dir_fd, name, 0);
}

/* What waited for a disk goes to as many files as it is long. */
static void long_flush(void **state)
{
	static char line[10 * 1024 + 1];
	struct fixture *f = *state;
	struct sink_file sink;

	f->conf.rotate_bytes = 100 * 1024;
	f->conf.keep = 5;
	f->conf.pending_max = 1 << 20;
	sink_file_init(&sink, &f->conf);
	memset(line, '.', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	for (int i = 0; i < 25; i++) {
		line[0] = (char)('a' + i);
		put(&sink, line);
	}
	flush(&sink, 0, 25);
	sink_file_done(&sink);
	check_first(f, "log.2", 'a', 100 * 1024);
	check_first(f, "log.1", 'k', 100 * 1024);
	check_first(f, "log", 'u', 50 * 1024);
}

static void quota(void **state)
{
	struct fixture *f = *state;
	struct sink_file sink;

	f->conf.rotate_bytes = 10;
	f->conf.keep = 3;
	f->conf.quota_bytes = 25;
	sink_file_init(&sink, &f->conf);
	for (int i = 0; i < 4; i++) {
		put(&sink, "8bytes.\n");
		flush(&sink, 0, 1);
	}
	/* 10 are for the one that is written, and two of 8 do not fit beside it. */
	check_file(f, "log", "8bytes.\n");
	check_file(f, "log.1", "8bytes.\n");
	check_file(f, "log.2", NULL);
	check_file(f, "log.3", NULL);
	sink_file_done(&sink);
}

struct changed_case {
	const char *text; /* what someone made of it */
	const char *expect;
	uint64_t n_changed;
};

/* As copytruncate of logrotate(8) does while it is open, and those who write there. */
static void changed(void **state)
{
	static const struct changed_case cases[] = {
		{ "head0\none\n", "head0\none\ntwo\ntail1\n", 0 },
		{ "", "head0\ntwo\ntail1\n", 1 },
		{ "head0\no", "head0\nhead0\ntwo\ntail1\n", 1 },
		{ "head0\none\nxy", "head0\none\nhead0\ntwo\ntail1\n", 1 },
		{ "x", "head0\ntwo\ntail1\n", 1 },
	};
	struct fixture *f = *state;
	struct sink_file sink;
	size_t n = 1;

	f->conf.header = header;
	f->conf.trailer = trailer;
	f->conf.data = &n;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sink_file_init(&sink, &f->conf);
		put(&sink, "one\n");
		flush(&sink, 0, 1);
		make_file(f, "log", cases[i].text);
		put(&sink, "two\n");
		flush(&sink, 0, 1);
		assert_int_equal(sink.n_changed, cases[i].n_changed);
		sink_file_done(&sink);
		check_file(f, "log", cases[i].expect);
		assert_int_equal(unlinkat(f->dir_fd, "log", 0), 0);
	}
	/* No end is written behind what is no end; what was moved away has one. */
	sink_file_init(&sink, &f->conf);
	put(&sink, "one\n");
	flush(&sink, 0, 1);
	assert_int_equal(renameat(f->dir_fd, "log", f->dir_fd, "away"), 0);
	put(&sink, "two\n");
	flush(&sink, 0, 1);
	check_file(f, "away", "head0\none\ntail1\n");
	make_file(f, "log", "x");
	sink_file_done(&sink);
	check_file(f, "log", "x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(appends),
		TEST(rotates),
		TEST(keeps_none),
		TEST(moved_away),
		TEST(torn),
		TEST(full),
		TEST(bounded),
		TEST(one_writer),
		TEST(damaged),
		TEST(not_a_file),
		TEST(rotates_by_the_clock),
		TEST(rotates_an_old_file),
		TEST(headers_and_trailers),
		TEST(long_flush),
		TEST(quota),
		TEST(changed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
