#include "agent/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Of the test vectors that its authors publish (test_fnv.c): the second column is with the NUL. */
static void is_fnv_1a(void **state)
{
	(void)state;
	assert_int_equal(hash_bytes(HASH_INIT, "", 0), UINT64_C(0xcbf29ce484222325));
	assert_int_equal(hash_bytes(HASH_INIT, "a", 1), UINT64_C(0xaf63dc4c8601ec8c));
	assert_int_equal(hash_bytes(HASH_INIT, "foobar", 6), UINT64_C(0x85944171f73967e8));
	assert_int_equal(hash_text(HASH_INIT, ""), UINT64_C(0xaf63bd4c8601b7df));
	assert_int_equal(hash_text(HASH_INIT, "foobar"), UINT64_C(0x34531ca7168b8f38));
}

static void parts_are_told_apart(void **state)
{
	(void)state;
	assert_true(hash_text(hash_text(HASH_INIT, "a"), "bc") !=
		    hash_text(hash_text(HASH_INIT, "ab"), "c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_fnv_1a),
		cmocka_unit_test(parts_are_told_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
