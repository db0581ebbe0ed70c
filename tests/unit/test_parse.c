/* links: agent/base/parse.c agent/base/err.c */
#include "agent/base/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void numbers(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_int_equal(parse_u64("42", 0, 100, &n, NULL), 0);
	assert_int_equal(n, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(numbers) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
