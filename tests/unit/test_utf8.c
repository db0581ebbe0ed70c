/* links: agent/base/utf8.c agent/base/buf.c */
#include "agent/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(s) (s), sizeof(s) - 1

struct utf8_case {
	const char *bytes;
	size_t len;
	bool valid;
};

static void utf8(void **state)
{
	static const struct utf8_case cases[] = {
		{ BYTES(""), true },
		{ BYTES("abc\0"), true },
		{ BYTES("\xc2\x80"), true },
		{ BYTES("\xdf\xbf"), true },
		{ BYTES("\xe0\xa0\x80"), true },
		{ BYTES("\xed\x9f\xbf"), true },
		{ BYTES("\xee\x80\x80"), true },
		{ BYTES("\xf0\x90\x80\x80"), true },
		{ BYTES("\xf4\x8f\xbf\xbf"), true },
		{ BYTES("\x80"), false },
		{ BYTES("\xc0\x80"), false },
		{ BYTES("\xc1\xbf"), false },
		{ BYTES("\xc2"), false },
		{ BYTES("\xc2\x20"), false },
		{ BYTES("\xe0\x9f\xbf"), false },
		{ BYTES("\xe2\x82"), false },
		{ BYTES("\xe2\x82\x20"), false },
		{ BYTES("\xed\xa0\x80"), false },
		{ BYTES("\xf0\x8f\xbf\xbf"), false },
		{ BYTES("\xf0\x9f\x98"), false },
		{ BYTES("\xf4\x90\x80\x80"), false },
		{ BYTES("\xf5\x80\x80\x80"), false },
		{ BYTES("\xff"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* In an allocation of its own, so that a sanitizer sees a read behind it. */
		char *exact = malloc(cases[i].len + !cases[i].len);

		assert_non_null(exact);
		memcpy(exact, cases[i].bytes, cases[i].len);
		if (utf8_valid(exact, cases[i].len) != cases[i].valid)
			fail_msg("case %zu", i);
		free(exact);
	}
}

static void cutting(void **state)
{
	static const size_t expect[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };
	const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
	const char *bytes = "\x80\x80\x80\x80\x80";

	(void)state;
	for (size_t max = 0; max < sizeof(expect) / sizeof(expect[0]); max++) {
		assert_int_equal(utf8_cut(text, 11, max), expect[max]);
		assert_true(utf8_valid(text, expect[max]));
	}
	assert_int_equal(utf8_cut(text, 11, 99), 11);
	assert_int_equal(utf8_cut(bytes, 5, 4), 4);
}

static void nothing_printable_moves_a_cursor(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	utf8_add_printable(&buf, "a\x1b[2J\n\x7f\xc2\x9b"
				 "2J\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_string_equal(buf.data, "a\\x1b[2J\\x0a\\x7f\\xc2\\x9b"
				      "2J\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	buf_reset(&buf);
	utf8_add_printable(&buf, "\xff\xc0\xaf\xe2\x82"
				 "a\xc2");
	assert_string_equal(buf.data, "\\xff\\xc0\\xaf\\xe2\\x82"
				      "a\\xc2");
	buf_reset(&buf);
	utf8_add_printable(&buf, "\xe0\x9b\x9b\xed\xa0\x80");
	assert_string_equal(buf.data, "\\xe0\\x9b\\x9b\\xed\\xa0\\x80");
	buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8),
		cmocka_unit_test(cutting),
		cmocka_unit_test(nothing_printable_moves_a_cursor),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
