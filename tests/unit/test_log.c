/* links: agent/base/log.c agent/base/utf8.c agent/base/buf.c */
#include "agent/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What one line of `text` is on stderr; valid until the next call. */
static const char *line_of(const char *text)
{
	static char line[8192];
	int ends[2], before = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_err("%s", text);
	dup2(before, STDERR_FILENO);
	close(before);
	close(ends[1]);
	n = read(ends[0], line, sizeof(line) - 1);
	close(ends[0]);
	assert_true(n > 0);
	line[n] = '\0';
	return line;
}

static void nothing_in_a_line_moves_a_cursor(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_init("web", LOG_LEVEL_INFO);
	assert_string_equal(line_of("a\x1b[2J\nb\x7f"), "tapwarden: web: a\\x1b[2J\\x0ab\\x7f\n");
	/* C1 as UTF-8 and as a byte; what is no control stays. */
	assert_string_equal(line_of("\xc2\x9b"
				    "2J\x9b"
				    "2J\xc3\xa9\xe2\x82\xac"),
			    "tapwarden: web: \\xc2\\x9b"
			    "2J\\x9b"
			    "2J\xc3\xa9\xe2\x82\xac\n");
	assert_string_equal(line_of("\xc0\xaf\xed\xa0\x80"),
			    "tapwarden: web: \\xc0\\xaf\\xed\\xa0\\x80\n");
}

static void a_long_line_is_one_line(void **state)
{
	char text[3000];
	const char *line;

	(void)state;
	memset(text, '\x9b', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	line = line_of(text);
	assert_true(strlen(line) > 2000);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_null(strchr(line, '\x9b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_in_a_line_moves_a_cursor),
		cmocka_unit_test(a_long_line_is_one_line),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
