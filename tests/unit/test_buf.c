/* links: agent/base/buf.c */
#include "agent/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void pieces_are_appended(void **state)
{
	struct buf buf;
	char *text;

	(void)state;
	buf_init(&buf, 100);
	assert_null(buf.data);
	buf_adds(&buf, "a");
	buf_addc(&buf, 'b');
	buf_addf(&buf, "%d%s", 12, "cd");
	buf_add(&buf, "e\0f", 3);
	buf_add(&buf, NULL, 0);
	assert_false(buf.failed);
	assert_int_equal(buf.len, 9);
	assert_memory_equal(buf.data, "ab12cde\0f", 10);
	text = buf_take(&buf);
	assert_memory_equal(text, "ab12cde\0f", 10);
	assert_null(buf.data);
	free(text);
}

/* Exactly `max` bytes fit; a piece that does not is not added in part, and nothing after it. */
static void the_bound_holds(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	buf_adds(&buf, "12345678");
	assert_false(buf.failed);
	buf_adds(&buf, "");
	assert_false(buf.failed);
	buf_addc(&buf, '9');
	assert_true(buf.failed);
	assert_int_equal(buf.len, 8);
	assert_string_equal(buf.data, "12345678");
	assert_null(buf_take(&buf));

	buf_adds(&buf, "1234567");
	buf_addf(&buf, "%s", "89");
	assert_true(buf.failed);
	buf_addc(&buf, '8');
	assert_string_equal(buf.data, "1234567");
	buf_reset(&buf);
	assert_false(buf.failed);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
	buf_addc(&buf, 'x');
	assert_string_equal(buf.data, "x");
	buf_done(&buf);
	buf_done(&buf);
}

static void reserved_room_is_the_callers(void **state)
{
	struct buf buf;
	char *room;

	(void)state;
	buf_init(&buf, 1000);
	buf_adds(&buf, "head");
	room = buf_reserve(&buf, 996);
	assert_non_null(room);
	assert_ptr_equal(room, buf.data + 4);
	memset(room, 'x', 996);
	assert_int_equal(buf.len, 4);
	buf.len += 996;
	assert_null(buf_reserve(&buf, 1));
	assert_true(buf.failed);
	buf_done(&buf);

	buf_init(&buf, SIZE_MAX);
	buf_addc(&buf, 'x');
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_true(buf.failed);
	buf_done(&buf);
}

/* However it grows, what was written stays, and a NUL is behind it. */
static void growth_keeps_the_content(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100000);
	for (unsigned int i = 0; i < 10000; i++) {
		buf_addf(&buf, "%u,", i % 10);
		assert_int_equal(buf.data[buf.len], '\0');
	}
	assert_int_equal(buf.len, 20000);
	for (size_t i = 0; i < buf.len; i += 2)
		assert_int_equal(buf.data[i], '0' + (int)(i / 2 % 10));
	buf_done(&buf);
}

static void empty_is_null(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_null(buf_take(&buf));
	buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_appended),
		cmocka_unit_test(the_bound_holds),
		cmocka_unit_test(reserved_room_is_the_callers),
		cmocka_unit_test(growth_keeps_the_content),
		cmocka_unit_test(empty_is_null),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
