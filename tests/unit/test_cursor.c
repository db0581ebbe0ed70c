#include "agent/base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A copy of `len` bytes with a page behind them that nobody may touch. */
static uint8_t *guarded(const void *bytes, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *area =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(area != MAP_FAILED);
	assert_true(len <= page);
	assert_int_equal(mprotect(area + page, page, PROT_NONE), 0);
	if (len)
		memcpy(area + page - len, bytes, len);
	return area + page - len;
}

static void unguard(uint8_t *bytes, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	assert_int_equal(munmap(bytes + len - page, 2 * page), 0);
}

static void pulls_move_and_stop_at_the_end(void **state)
{
	uint8_t *bytes = guarded("\x01\x02\x03\x04\x05\x06\x07", 7);
	struct cursor c = cursor_init(bytes, 7);
	const uint8_t *p;

	(void)state;
	assert_int_equal(cursor_left(&c), 7);
	p = cursor_pull(&c, 2);
	assert_ptr_equal(p, bytes);
	assert_int_equal(be16(p), 0x0102);
	p = cursor_pull(&c, 4);
	assert_int_equal(be32(p), 0x03040506);
	assert_int_equal(cursor_offset(&c), 6);
	assert_null(cursor_pull(&c, 2));
	assert_int_equal(cursor_offset(&c), 6);
	assert_int_equal(*cursor_pull(&c, 1), 7);
	assert_int_equal(cursor_left(&c), 0);
	assert_non_null(cursor_pull(&c, 0));
	assert_null(cursor_pull(&c, 1));
	assert_null(cursor_pull(&c, SIZE_MAX));
	unguard(bytes, 7);
}

static void limits_only_shorten(void **state)
{
	uint8_t *bytes = guarded("abcdef", 6);
	struct cursor c = cursor_init(bytes, 6);

	(void)state;
	cursor_limit(&c, 100);
	assert_int_equal(cursor_left(&c), 6);
	assert_non_null(cursor_pull(&c, 1));
	cursor_limit(&c, 2);
	assert_int_equal(cursor_left(&c), 2);
	assert_null(cursor_pull(&c, 3));
	cursor_limit(&c, 5);
	assert_int_equal(cursor_left(&c), 2);
	cursor_limit(&c, 0);
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_offset(&c), 1);
	unguard(bytes, 6);
}

/* At every length and with every step: what is given lies inside, and all of it is readable. */
static void nothing_is_read_past_the_end(void **state)
{
	static const uint8_t zero[40];

	(void)state;
	for (size_t len = 0; len < sizeof(zero); len++) {
		uint8_t *bytes = guarded(zero, len);

		for (size_t step = 1; step < 9; step++) {
			struct cursor c = cursor_init(bytes, len);
			const uint8_t *p;
			uint64_t sum = 0;
			size_t pulled = 0;

			while ((p = cursor_pull(&c, step))) {
				for (size_t i = 0; i < step; i++)
					sum += p[i];
				if (step >= 4)
					sum += be32(p);
				pulled += step;
			}
			assert_int_equal(sum, 0);
			assert_int_equal(pulled, len / step * step);
			assert_int_equal(cursor_offset(&c) + cursor_left(&c), len);
		}
		unguard(bytes, len);
	}
}

static void big_endian_takes_the_high_bit(void **state)
{
	(void)state;
	assert_int_equal(be16((const uint8_t *)"\xff\xfe"), 0xfffe);
	assert_true(be32((const uint8_t *)"\xff\xfe\xfd\xfc") == 0xfffefdfcu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pulls_move_and_stop_at_the_end),
		cmocka_unit_test(limits_only_shorten),
		cmocka_unit_test(nothing_is_read_past_the_end),
		cmocka_unit_test(big_endian_takes_the_high_bit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
