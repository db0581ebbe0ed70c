/* links: capture/flashback.c agent/base/buf.c */
#include "capture/flashback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buf.h"

#define RING 65536u

static bool add(struct flashback *flashback, uint64_t flow, uint64_t number, size_t len)
{
	uint8_t bytes[4096];

	memset(bytes, (int)number, sizeof(bytes));
	return flashback_add(flashback, &(struct flashback_frame){
						.flow = flow,
						.number = number,
						.bytes = bytes,
						.len = (uint32_t)len,
						.wire_len = (uint32_t)len,
					});
}

static bool on_frame(void *data, const struct flashback_frame *frame)
{
	for (uint32_t i = 0; i < frame->len; i++)
		assert_int_equal(frame->bytes[i], (uint8_t)frame->number);
	buf_addf(data, "%llu ", (unsigned long long)frame->number);
	return true;
}

static void expect(struct flashback *flashback, uint64_t flow, uint64_t first, uint32_t before,
		   uint32_t after, const char *text)
{
	struct buf out;

	buf_init(&out, 1 << 16);
	buf_adds(&out, "");
	flashback_match(flashback, flow, first, before, after, on_frame, &out);
	assert_string_equal(out.data ? out.data : "", text);
	buf_done(&out);
}

/* Two flows in turn: a match has its own flow's frames, and each of them once. */
static void before_and_after(void **state)
{
	struct flashback flashback;

	(void)state;
	assert_int_equal(flashback_init(&flashback, RING, 64), 0);
	for (uint64_t i = 1; i <= 20; i++)
		assert_false(add(&flashback, 1 + i % 2, i, 100));
	expect(&flashback, 1, 20, 2, 0, "16 18 20 ");
	expect(&flashback, 1, 20, 2, 0, "");
	expect(&flashback, 1, 20, 4, 0, "12 14 ");
	expect(&flashback, 2, 19, 0, 2, "19 ");
	expect(&flashback, 3, UINT64_MAX, 5, 0, "");
	/* Two more of flow 2 are wanted, and are not handed over again. */
	assert_false(add(&flashback, 1, 21, 100));
	assert_true(add(&flashback, 2, 22, 100));
	assert_true(add(&flashback, 2, 23, 100));
	assert_false(add(&flashback, 2, 24, 100));
	expect(&flashback, 2, 24, 10, 0, "5 7 9 11 13 15 17 24 ");
	/* A match that spans frames has them all, whatever `before` says. */
	for (uint64_t i = 30; i < 36; i++)
		add(&flashback, 1, i, 100);
	expect(&flashback, 1, 32, 1, 0, "31 32 33 34 35 ");
	flashback_done(&flashback);
}

/* The ring turns many times with frames of all sizes: what is handed over is always whole. */
static void turns(void **state)
{
	struct flashback flashback;
	uint32_t random = 1;

	(void)state;
	assert_int_equal(flashback_init(&flashback, RING, 4), 0);
	for (uint64_t i = 1; i < 20000; i++) {
		struct buf out;
		size_t len;

		random = random * 1103515245u + 12345u;
		len = (random >> 8) % 4000;
		add(&flashback, 1 + (random >> 4) % 9, i, len);
		if (i % 7)
			continue;
		buf_init(&out, 1 << 16);
		flashback_match(&flashback, 1 + i % 9, UINT64_MAX, 100, 0, on_frame, &out);
		buf_done(&out);
	}
	assert_true(flashback.head - flashback.tail <= flashback.size);
	flashback_done(&flashback);
}

static void too_large(void **state)
{
	struct flashback flashback;

	(void)state;
	assert_int_equal(flashback_init(&flashback, 1, 1), 0);
	assert_false(add(&flashback, 1, 1, 4096));
	expect(&flashback, 1, UINT64_MAX, 5, 1, "");
	/* It is not kept, but it is wanted. */
	assert_true(add(&flashback, 1, 2, 4096));
	assert_false(add(&flashback, 1, 3, 3000));
	expect(&flashback, 1, UINT64_MAX, 5, 0, "3 ");
	flashback_done(&flashback);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_and_after),
		cmocka_unit_test(turns),
		cmocka_unit_test(too_large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
