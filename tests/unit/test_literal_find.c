/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: capture/literal_find.c */
#include "capture/literal_find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 20260402;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

static bool begins_at(const struct literal_set *set, const char *subject, size_t len, size_t at)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct literal *text = &set->v[i];
		bool same = at + text->len <= len;

		for (size_t j = 0; same && j < text->len; j++) {
			char c = subject[at + j];

			if (set->caseless && c >= 'A' && c <= 'Z')
				c |= 0x20;
			same = c == (char)text->bytes[j];
		}
		if (same)
			return true;
	}
	return false;
}

static const uint8_t *naive_find(const struct literal_set *set, const char *data, size_t len)
{
	for (size_t at = 0; at < len; at++) {
		if (begins_at(set, data, len, at))
			return (const uint8_t *)data + at;
	}
	return NULL;
}

/* Behind the data is the end of the heap block, where a sanitizer sees every byte too much. */
static void test_find(void **state)
{
	(void)state;
	for (int i = 0; i < 40000; i++) {
		struct literal_set set = { .n = 1 + dice(dice(2) ? 1 : LITERAL_ALTS_MAX),
					   .caseless = dice(2) };
		size_t len = dice(200);
		char *data = malloc(len + 1), *end;
		struct literal_finder finder;

		assert_non_null(data);
		for (size_t j = 0; j < set.n; j++) {
			set.v[j].len = (uint8_t)(1 + dice(dice(2) ? 4 : LITERAL_BYTES_MAX));
			for (size_t k = 0; k < set.v[j].len; k++)
				set.v[j].bytes[k] = (uint8_t)("ab@`\xff"[dice(5)]);
		}
		for (size_t j = 0; j < len; j++)
			data[j] = "aAbB@`\xff\xdf\0"[dice(9)];
		/* Something that is there, at the end more often than chance has it. */
		if (len >= set.v[0].len && dice(2))
			memcpy(data + (dice(2) ? len - set.v[0].len
					       : dice((uint32_t)(len - set.v[0].len + 1))),
			       set.v[0].bytes, set.v[0].len);
		end = realloc(data, len + !len);
		assert_non_null(end);
		literal_finder_init(&finder, &set);
		assert_ptr_equal(literal_find(&finder, end, len), naive_find(&set, end, len));
		free(end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("literal_find", tests, NULL, NULL);
}
