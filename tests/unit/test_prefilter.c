/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: capture/gram_index.c capture/prefilter.c */
#include "capture/prefilter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RULES_MAX 1100

static uint64_t seed = 20260417;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

static struct literal_set sets[RULES_MAX];
static const struct literal_set *set_of[RULES_MAX];
static struct prefilter_walk walk;

static struct prefilter *make(size_t n, bool simd)
{
	struct prefilter *pf = NULL;

	for (size_t i = 0; i < n; i++)
		set_of[i] = &sets[i];
	assert_int_equal(prefilter_new(set_of, n, simd, &pf), 0);
	return pf;
}

static bool text_at(const struct literal_set *set, size_t k, const uint8_t *data, size_t len,
		    size_t at)
{
	const struct literal *text = &set->v[k];

	if (text->len > len - at)
		return false;
	for (size_t j = 0; j < text->len; j++) {
		uint8_t c = data[at + j];

		if (set->caseless && c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (c != text->bytes[j])
			return false;
	}
	return true;
}

static bool begins_at(size_t rule, const uint8_t *data, size_t len, size_t at)
{
	for (size_t k = 0; k < sets[rule].n; k++) {
		if (text_at(&sets[rule], k, data, len, at))
			return true;
	}
	return false;
}

/* Both answers against a look at every place for every text. */
static void check(const struct prefilter *pf, size_t n, const uint8_t *data, size_t len)
{
	uint8_t *told = calloc(len + 1, n);
	struct prefilter_choice choice;
	struct prefilter_hit hit;
	const uint8_t *before = data;

	assert_non_null(told);
	prefilter_walk_begin(&walk, pf, data, len);
	while (prefilter_walk_next(&walk, &hit)) {
		assert_true(hit.at >= before && hit.at < data + len);
		before = hit.at;
		assert_true(hit.n > 0);
		for (size_t i = 0; i < hit.n; i++)
			told[(size_t)(hit.at - data) * n + hit.rules[i]] = 1;
	}
	assert_int_equal(prefilter_choice_init(&choice, pf), 0);
	prefilter_clear(pf, &choice);
	prefilter_choose(pf, data, len, &choice);
	for (size_t rule = 0; rule < n; rule++) {
		bool wanted = sets[rule].n == 0;

		for (size_t at = 0; at < len; at++) {
			bool here = begins_at(rule, data, len, at);

			assert_int_equal(told[at * n + rule], here);
			wanted = wanted || here;
		}
		assert_int_equal(choice.rules[rule / 64] >> rule % 64 & 1, wanted);
	}
	prefilter_choice_done(&choice);
	free(told);
}

static void random_set(struct literal_set *set, const char *alphabet, size_t n_letters,
		       uint32_t max_len)
{
	*set = (struct literal_set){ .n = dice(LITERAL_ALTS_MAX + 1), .caseless = dice(2) };
	for (size_t j = 0; j < set->n; j++) {
		set->v[j].len = (uint8_t)(1 + dice(max_len));
		for (size_t k = 0; k < set->v[j].len; k++)
			set->v[j].bytes[k] = (uint8_t)alphabet[dice((uint32_t)n_letters)];
	}
}

/* Behind the data is the end of the heap block, where a sanitizer sees every byte too much. */
static uint8_t *random_data(size_t n_rules, size_t len)
{
	uint8_t *data = malloc(len + !len);

	assert_non_null(data);
	for (size_t j = 0; j < len; j++)
		data[j] = (uint8_t)("aAbB@`\xff\xdf\0"[dice(9)]);
	for (int i = 0; i < 4; i++) {
		const struct literal_set *set = &sets[dice((uint32_t)n_rules)];
		const struct literal *text = set->n ? &set->v[dice((uint32_t)set->n)] : NULL;

		if (text && text->len <= len)
			memcpy(data + (dice(2) ? len - text->len
					       : dice((uint32_t)(len - text->len + 1))),
			       text->bytes, text->len);
	}
	return data;
}

static void test_random(void **state)
{
	(void)state;
	for (int i = 0; i < 6000; i++) {
		size_t n = 1 + dice(12), len = dice(300);
		uint32_t max_len = 1 + dice(LITERAL_BYTES_MAX);
		struct prefilter *pf;
		uint8_t *data;

		for (size_t j = 0; j < n; j++) {
			random_set(&sets[j], "ab@`\xff", 5, max_len);
			/* Without short ones there is another step. */
			for (size_t k = 0; k < sets[j].n && i % 2; k++) {
				while (sets[j].v[k].len < max_len)
					sets[j].v[k].bytes[sets[j].v[k].len++] = 'b';
			}
		}
		data = random_data(n, len);
		pf = make(n, i % 4 < 2);
		check(pf, n, data, len);
		prefilter_free(pf);
		free(data);
	}
}

/* More hits than there is room for, over more bytes than are looked at in one go. */
static void test_dense(void **state)
{
	static uint8_t data[20000];

	(void)state;
	memset(data, 'a', sizeof(data));
	memset(data + 6000, 'b', 6000);
	for (size_t j = 0; j < 24; j++) {
		sets[j] = (struct literal_set){ .n = 1, .caseless = j % 2 };
		sets[j].v[0].len = (uint8_t)(j + 1);
		memset(sets[j].v[0].bytes, 'a', j + 1);
	}
	for (int simd = 0; simd < 2; simd++) {
		struct prefilter *pf = make(24, simd);

		check(pf, 24, data, sizeof(data));
		prefilter_free(pf);
	}
}

/* A thousand rules that begin alike, some of them the same. */
static void test_many(void **state)
{
	static uint8_t data[3000];

	(void)state;
	for (size_t j = 0; j < 1000; j++) {
		char text[LITERAL_BYTES_MAX + 1];
		int len = snprintf(text, sizeof(text), "X-Header-%03zu:", j % 997);

		literal_required(text, (size_t)len,
				 &(struct literal_options){ .caseless = j % 3 == 0 }, &sets[j]);
	}
	for (int simd = 0; simd < 2; simd++) {
		struct prefilter *pf = make(1000, simd);

		for (int i = 0; i < 5; i++) {
			for (size_t k = 0; k + 20 < sizeof(data); k += 20)
				snprintf((char *)data + k, 21, "%s-Header-%03u: %4u.",
					 dice(2) ? "X" : "x", dice(1000), dice(10000));
			check(pf, 1000, data, sizeof(data));
		}
		prefilter_free(pf);
	}
}

static void test_nothing(void **state)
{
	static const uint8_t data[] = "anything";
	struct prefilter *pf;

	(void)state;
	pf = make(0, true);
	check(pf, 0, data, sizeof(data));
	prefilter_free(pf);
	sets[0] = sets[1] = (struct literal_set){ 0 };
	pf = make(2, true);
	check(pf, 2, data, sizeof(data));
	prefilter_free(pf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_dense),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("prefilter", tests, NULL, NULL);
}
