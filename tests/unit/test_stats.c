/* links: agent/base/stats.c */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_fall_into_their_buckets),
		cmocka_unit_test(quantiles_are_bounds_of_buckets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
