/* links: agent/base/parse_time.c agent/base/parse.c agent/base/err.c */
#include "agent/base/parse_time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

/* The seconds are those of `date -u +%s -d`. */
static const struct {
	const char *text;
	uint64_t ns;
} times[] = {
	{ "0", 0 },
	{ "1764385200", 1764385200 * S },
	{ "9999999999", 9999999999 * S },
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2026-11-29T03:00:00Z", 1795921200 * S },
	{ "2026-11-29t03:00:00z", 1795921200 * S },
	{ "2026-11-29T04:00:00+01:00", 1795921200 * S },
	{ "2026-11-28T20:15:00-06:45", 1795921200 * S },
	{ "2026-11-29T03:00:00-00:00", 1795921200 * S },
	{ "1969-12-31T23:30:00-00:30", 0 },
	{ "2026-11-29T03:00:00.5Z", 1795921200 * S + S / 2 },
	{ "2026-11-29T03:00:00.123456789Z", 1795921200 * S + 123456789 },
	{ "2026-11-29T03:00:00.1234567899Z", 1795921200 * S + 123456789 },
	{ "2016-12-31T23:59:60Z", 1483228800 * S },
	{ "2024-02-29T00:00:00Z", 1709164800 * S },
	{ "2000-02-29T12:00:00Z", 951825600 * S },
	{ "2286-11-20T17:46:39Z", 9999999999 * S },
};

static const char *const refused[] = {
	"",
	"yesterday",
	"-1",
	"1.5",
	" 1",
	"10000000000",
	"2026-11-29",
	"2026-11-29T03:00:00",
	"2026-11-29T03:00Z",
	"2026-11-29 03:00:00Z",
	"2026-11-29T03:00:00Zx",
	"2026-11-29T03:00:00.Z",
	"2026-11-29T03:00:00,5Z",
	"2026-11-29T24:00:00Z",
	"2026-11-29T03:60:00Z",
	"2026-11-29T03:00:61Z",
	"2026-11-29T03:00:00+24:00",
	"2026-11-29T03:00:00+0100",
	"2026-11-29T03:00:00+01",
	"2026-11-29T03:00:00 01:00",
	"2026-11-31T03:00:00Z",
	"2026-02-29T03:00:00Z",
	"2100-02-29T03:00:00Z",
	"2026-00-10T03:00:00Z",
	"2026-13-10T03:00:00Z",
	"2026-1-10T03:00:00Z",
	"2026-11-00T03:00:00Z",
	"02026-11-29T03:00:00Z",
	"1969-12-31T23:59:59Z",
	"1970-01-01T00:00:00+00:01",
	"2286-11-20T17:46:40Z",
	"9999-12-31T23:59:59Z",
};

static void whole_texts_are_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		uint64_t ns = 1;

		if (parse_time(times[i].text, &ns, NULL) != 0 || ns != times[i].ns)
			print_error("%s\n", times[i].text);
		assert_int_equal(parse_time(times[i].text, &ns, NULL), 0);
		assert_int_equal(ns, times[i].ns);
	}
}

static void anything_else_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct err err = { "" };
		uint64_t ns = 1;

		if (parse_time(refused[i], &ns, &err) != -EINVAL)
			print_error("%s\n", refused[i]);
		assert_int_equal(parse_time(refused[i], &ns, &err), -EINVAL);
		assert_int_equal(ns, 1);
		assert_non_null(strstr(err.text, "is no time"));
	}
}

/* libc's calendar is another's. */
static void each_day_is_that_of_the_calendar(void **state)
{
	char text[32];

	(void)state;
	for (time_t at = 0; at <= 9999999999; at += 86400 - 7) {
		uint64_t ns = 0;
		struct tm tm;

		gmtime_r(&at, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_int_equal(parse_time(text, &ns, NULL), 0);
		assert_int_equal(ns, (uint64_t)at * S);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts_are_times),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(each_day_is_that_of_the_calendar),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
