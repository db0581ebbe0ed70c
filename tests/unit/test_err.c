/* links: agent/base/err.c */
#include "agent/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void texts_are_put_together(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, -EINVAL, "%s %d", "link", 7), -EINVAL);
	assert_string_equal(err.text, "link 7");
	assert_int_equal(err_prefix(&err, -EIO, "set %s", "web"), -EIO);
	assert_string_equal(err.text, "set web: link 7");
	assert_int_equal(err_errno(&err, -ENOENT, "cannot open %s", "x"), -ENOENT);
	assert_string_equal(err.text, "cannot open x: No such file or directory");
}

static void nobody_need_listen(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EINVAL, "%s", "x"), -EINVAL);
	assert_int_equal(err_errno(NULL, -EIO, "%s", "x"), -EIO);
	assert_int_equal(err_prefix(NULL, -EPERM, "%s", "x"), -EPERM);
}

/* The text is whole up to where it is cut, whichever function had too much to say. */
static void long_texts_are_cut(void **state)
{
	char big[2 * sizeof(((struct err *)NULL)->text)];
	const size_t room = sizeof(((struct err *)NULL)->text) - 1;
	struct err err;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memset(&err, 'y', sizeof(err));
	err_set(&err, -EINVAL, "%s", big);
	assert_int_equal(strlen(err.text), room);
	err_errno(&err, -ENOENT, "%s", big);
	assert_int_equal(strlen(err.text), room);
	err_set(&err, -EINVAL, "tail");
	err_prefix(&err, -EINVAL, "%s", big);
	assert_int_equal(strlen(err.text), room);
	err_errno(&err, -ENOENT, "%.*s", (int)room - 4, big);
	assert_string_equal(err.text + room - 4, ": No");
}

/* "return err_prefix(err, err_set(err, ...))" works on one struct. */
static void a_text_may_quote_itself(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, -EINVAL, "inner");
	err_prefix(&err, -EINVAL, "middle");
	err_prefix(&err, -EINVAL, "outer");
	assert_string_equal(err.text, "outer: middle: inner");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_put_together),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(a_text_may_quote_itself),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
