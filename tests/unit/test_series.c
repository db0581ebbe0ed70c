/* links: agent/series.c capture/json_writer.c agent/base/buf.c agent/base/utf8.c */
#include "agent/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

/* Counters of which all four grow alike. */
static void add(struct series *s, size_t slot, const char *name, uint64_t bytes, unsigned int steps)
{
	const uint64_t counted[STATS_RATES] = {
		[STATS_FRAMES_FROM] = bytes / 100,
		[STATS_FRAMES_TO] = bytes / 50,
		[STATS_BYTES_FROM] = bytes,
		[STATS_BYTES_TO] = bytes * 2,
	};

	assert_int_equal(series_add(s, slot, name, counted, steps, 10.0 * steps), 0);
}

static void step(struct series *s, size_t n, unsigned int steps)
{
	assert_int_equal(series_step(s, n, steps, 1000 + 10 * (int64_t)s->steps), 0);
}

static json_t *told(const struct series *s, size_t slot, const char *name)
{
	struct buf out;
	json_t *json;

	buf_init(&out, 1 << 20);
	if (name)
		series_write_link(s, slot, name, &out);
	else
		series_write_all(s, &out);
	assert_false(out.failed);
	json = json_loads(out.data, 0, NULL);
	assert_non_null(json);
	buf_done(&out);
	return json;
}

static const json_t *list_of(const json_t *json, const char *direction, const char *unit)
{
	return json_object_get(json_object_get(json, direction), unit);
}

static double at(const json_t *list, size_t i)
{
	const json_t *value = json_array_get(list, i);

	return json_is_null(value) ? NAN : json_number_value(value);
}

static void averages_of_each_step(void **state)
{
	struct series s = { 0 };
	json_t *json;

	(void)state;
	step(&s, 1, 1);
	add(&s, 0, "web01", 1000, 1);
	step(&s, 1, 1);
	add(&s, 0, "web01", 4000, 1);
	step(&s, 1, 1);
	add(&s, 0, "web01", 4000, 1);
	json = told(&s, 0, "web01");
	assert_int_equal(json_integer_value(json_object_get(json, "step")), 10);
	assert_int_equal(json_integer_value(json_object_get(json, "end")), 1020);
	assert_int_equal(json_array_size(list_of(json, "from_guest", "bytes")), 3);
	assert_true(at(list_of(json, "from_guest", "bytes"), 0) == 100);
	assert_true(at(list_of(json, "from_guest", "bytes"), 1) == 300);
	assert_true(at(list_of(json, "from_guest", "bytes"), 2) == 0);
	assert_true(at(list_of(json, "to_guest", "bytes"), 1) == 600);
	assert_true(at(list_of(json, "to_guest", "frames"), 1) == 6);
	assert_true(at(list_of(json, "from_guest", "frames"), 0) == 1);
	json_decref(json);
	series_done(&s);
}

/* A place goes from link to link, a link is away for a while, a worker's counters begin anew. */
static void what_was_not_watched_is_null(void **state)
{
	struct series s = { 0 };
	json_t *json;

	(void)state;
	step(&s, 2, 1);
	add(&s, 1, "web01", 1000, 1);
	step(&s, 2, 1);
	series_add(&s, 1, "web01", NULL, 1, 10);
	step(&s, 2, 1);
	add(&s, 1, "web01", 9000, 1);
	step(&s, 2, 1);
	add(&s, 1, "web01", 500, 1);
	json = told(&s, 1, "web01");
	assert_true(at(list_of(json, "from_guest", "bytes"), 0) == 100);
	assert_true(isnan(at(list_of(json, "from_guest", "bytes"), 1)));
	assert_true(isnan(at(list_of(json, "from_guest", "bytes"), 2)));
	assert_true(at(list_of(json, "from_guest", "bytes"), 3) == 50);
	json_decref(json);

	step(&s, 2, 1);
	add(&s, 1, "web02", 700, 1);
	json = told(&s, 1, "web02");
	assert_int_equal(json_array_size(list_of(json, "to_guest", "bytes")), 1);
	assert_true(at(list_of(json, "from_guest", "bytes"), 0) == 70);
	json_decref(json);
	json = told(&s, 1, "web01");
	assert_int_equal(json_array_size(list_of(json, "to_guest", "bytes")), 0);
	json_decref(json);
	series_done(&s);
}

static void an_hour_is_kept_and_no_more(void **state)
{
	struct series s = { 0 };
	json_t *json;

	(void)state;
	for (uint64_t i = 1; i <= SERIES_SAMPLES + 5; i++) {
		step(&s, 3, 1);
		add(&s, 2, "web01", i * i * 100, 1);
		add(&s, 0, "quiet", 0, 1);
	}
	assert_null(s.links[0].samples);
	json = told(&s, 2, "web01");
	assert_int_equal(json_array_size(list_of(json, "from_guest", "bytes")), SERIES_SAMPLES);
	/* From i - 1 to i there are 2i - 1. */
	assert_true(at(list_of(json, "from_guest", "bytes"), 0) == 10 * (2 * 6 - 1));
	assert_true(at(list_of(json, "from_guest", "bytes"), SERIES_SAMPLES - 1) ==
		    10 * (2 * (SERIES_SAMPLES + 5) - 1));
	json_decref(json);

	/* Ten minutes of those that were heard. */
	json = told(&s, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "links")), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(json, "links"), 0), "name")),
			    "web01");
	assert_int_equal(json_array_size(json_object_get(
				 json_array_get(json_object_get(json, "links"), 0), "to_guest")),
			 SERIES_SHORT);
	json_decref(json);

	/*
	 * The host slept for a day; then the link is away for an hour, and its memory is given
	 * back.
	 */
	step(&s, 3, SERIES_SAMPLES);
	add(&s, 2, "web01", 365 * 365 * 100 + 36000, SERIES_SAMPLES);
	json = told(&s, 2, "web01");
	assert_true(at(list_of(json, "from_guest", "bytes"), 0) == 10);
	assert_true(at(list_of(json, "from_guest", "bytes"), SERIES_SAMPLES - 1) == 10);
	json_decref(json);
	for (unsigned int i = 0; i <= SERIES_SAMPLES; i++) {
		step(&s, 3, 1);
		series_add(&s, 2, "web01", NULL, 1, 10);
	}
	assert_null(s.links[2].samples);
	series_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(averages_of_each_step),
		cmocka_unit_test(what_was_not_watched_is_null),
		cmocka_unit_test(an_hour_is_kept_and_no_more),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
