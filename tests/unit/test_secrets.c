/* links: agent/secrets.c agent/base/buf.c agent/base/ipc.c agent/base/ipc_msg.c agent/base/err.c */
/* links: agent/base/fd_io.c */
#include "agent/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/test_secrets.XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void write_file(const char *path, const void *bytes, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

#define TEN	"0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define MOST	HUNDRED HUNDRED TEN TEN TEN TEN TEN "01234"
#define LENGTH	"a CHAP secret has 12 to 255 bytes"

/* `secret` is NULL where the file is refused with `text`. */
static const struct {
	const char *bytes;
	size_t len;
	mode_t mode;
	const char *secret;
	const char *text;
} cases[] = {
#define BYTES(s) (s), sizeof(s) - 1
	{ BYTES("secret-pass-12"), 0600, "secret-pass-12", NULL },
	{ BYTES("secret-pass-12\n"), 0640, "secret-pass-12", NULL },
	{ BYTES("${x} # \"';\\\xc3\xa4"), 0400, "${x} # \"';\\\xc3\xa4", NULL },
	{ BYTES("0123456789ab"), 0600, "0123456789ab", NULL },
	{ BYTES(MOST "\n"), 0600, MOST, NULL },
	{ BYTES("0123456789a"), 0600, NULL, LENGTH },
	{ BYTES("0123456789a\n"), 0600, NULL, LENGTH },
	{ BYTES(""), 0600, NULL, LENGTH },
	{ BYTES("\n"), 0600, NULL, LENGTH },
	{ BYTES(MOST "5"), 0600, NULL, LENGTH },
	{ BYTES(MOST "56789"), 0600, NULL, LENGTH },
	{ BYTES("secret-pass-12\nsecond\n"), 0600, NULL, "more than one line" },
	{ BYTES("secret-pass-12\n\n"), 0600, NULL, "more than one line" },
	{ BYTES("secret-pass-12\r\n"), 0600, NULL, "a control character at offset 14" },
	{ BYTES("secret\0pass-12"), 0600, NULL, "a control character at offset 6" },
	{ BYTES("secret-pass-12\x7f"), 0600, NULL, "a control character at offset 14" },
	{ BYTES("secret-pass-12"), 0604, NULL, "others may read or write it: chmod o-rw it" },
	{ BYTES("secret-pass-12"), 0602, NULL, "others may read or write it: chmod o-rw it" },
	{ BYTES("secret-pass-12"), 0620, NULL, "its group may write it: chmod g-w it" },
};

static void files(void **state)
{
	char path[64], text[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/secret", dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target_conf target = { .head = { .name = "d" }, .chap_secret_file = path };
		struct err err = { "" };
		int code;

		target.chap_secret = strdup("before");
		write_file(path, cases[i].bytes, cases[i].len, cases[i].mode);
		code = secrets_load_target(&target, &err);
		unlink(path);
		if (cases[i].secret) {
			assert_string_equal(err.text, "");
			assert_int_equal(code, 0);
			assert_string_equal(target.chap_secret, cases[i].secret);
		} else {
			snprintf(text, sizeof(text), "[target d] chap-secret-file: %s: %s", path,
				 cases[i].text);
			assert_true(code < 0);
			assert_string_equal(err.text, text);
			assert_string_equal(target.chap_secret, "before");
		}
		free(target.chap_secret);
	}
}

static void what_is_no_file(void **state)
{
	char fifo[64], missing[64], text[256];
	const char *const paths[] = { dir, fifo, "/dev/null", missing };
	const char *const texts[] = { "not a regular file", "not a regular file",
				      "not a regular file",
				      "cannot be opened: No such file or directory" };

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	snprintf(missing, sizeof(missing), "%s/missing", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct target_conf target = { .head = { .name = "d" },
					      .chap_secret_file = (char *)paths[i] };
		struct err err;

		assert_true(secrets_load_target(&target, &err) < 0);
		snprintf(text, sizeof(text), "[target d] chap-secret-file: %s: %s", paths[i],
			 texts[i]);
		assert_string_equal(err.text, text);
		assert_null(target.chap_secret);
	}
	unlink(fifo);
}

static void every_target(void **state)
{
	char path[64];
	struct target_conf targets[3] = { { .head = { .name = "a" } },
					  { .head = { .name = "b" } },
					  { .head = { .name = "c" } } };
	struct config config = { .targets = targets, .n_targets = 3 };
	struct err err;

	(void)state;
	snprintf(path, sizeof(path), "%s/secret", dir);
	write_file(path, "secret-pass-12\n", 15, 0600);
	targets[0].chap_secret_file = path;
	targets[2].chap_secret_file = path;
	assert_int_equal(secrets_load(&config, &err), 0);
	assert_string_equal(targets[0].chap_secret, "secret-pass-12");
	assert_null(targets[1].chap_secret);
	assert_string_equal(targets[2].chap_secret, "secret-pass-12");
	unlink(path);
	assert_int_equal(secrets_load(&config, &err), -ENOENT);
	free(targets[0].chap_secret);
	free(targets[2].chap_secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(what_is_no_file),
		cmocka_unit_test(every_target),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
