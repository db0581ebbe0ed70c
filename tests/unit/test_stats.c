/* links: agent/base/stats.c agent/base/stats_traffic.c */
#include "agent/base/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Every time is in the bucket whose bound it does not exceed, while it exceeds the one before. */
static void times_fall_into_their_buckets(void **state)
{
	(void)state;
	assert_int_equal(stats_latency_bucket(0), 0);
	for (uint64_t ns = 4; ns < UINT64_C(1) << 33; ns += ns / 37 + 1) {
		unsigned int bucket = stats_latency_bucket(ns);

		assert_true(bucket < STATS_LATENCY_BUCKETS);
		assert_true(ns > stats_latency_bound(bucket - 1));
		if (bucket < STATS_LATENCY_BUCKETS - 1)
			assert_true(ns <= stats_latency_bound(bucket));
	}
	assert_int_equal(stats_latency_bucket(UINT64_MAX), STATS_LATENCY_BUCKETS - 1);
	/* A bucket is a quarter of its octave: what is told is at most a fourth too much. */
	assert_int_equal(stats_latency_bound(stats_latency_bucket(1000)), 1023);
	assert_int_equal(stats_latency_bound(stats_latency_bucket(200000)), 229375);
}

static void quantiles_are_bounds_of_buckets(void **state)
{
	static stat_counter buckets[STATS_LATENCY_BUCKETS];

	(void)state;
	assert_int_equal(stats_latency_quantile(buckets, 500), 0);
	stat_add(&buckets[stats_latency_bucket(1000)], 98);
	stat_add(&buckets[stats_latency_bucket(50000)], 1);
	stat_add(&buckets[stats_latency_bucket(9000000)], 1);
	assert_int_equal(stats_latency_quantile(buckets, 500), 1023);
	assert_int_equal(stats_latency_quantile(buckets, 980), 1023);
	assert_int_equal(stats_latency_quantile(buckets, 990), 57343);
	assert_int_equal(stats_latency_quantile(buckets, 1000), 10485759);
}

/* RFC 2819 counts the four octets of the check sequence. */
static void lengths_fall_into_the_groups_of_rfc_2819(void **state)
{
	(void)state;
	for (uint32_t bytes = 0; bytes < 70000; bytes++) {
		enum stats_size size = stats_size_of(bytes);

		assert_true(size < STATS_SIZES);
		assert_true(bytes + 4 <= stats_size_bounds[size]);
		if (size > 0)
			assert_true(bytes + 4 > stats_size_bounds[size - 1]);
	}
	assert_int_equal(stats_size_of(1514), STATS_SIZE_1518);
	assert_int_equal(stats_size_of(60), STATS_SIZE_64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_fall_into_their_buckets),
		cmocka_unit_test(quantiles_are_bounds_of_buckets),
		cmocka_unit_test(lengths_fall_into_the_groups_of_rfc_2819),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
