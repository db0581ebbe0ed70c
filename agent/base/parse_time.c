#include "agent/base/parse_time.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/base/parse.h"
#include "agent/base/time_units.h"

#define FRACTION_DIGITS 9

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly `digits` of them, a number from `min` to `max`. */
static bool take_number(const char **s, int digits, int min, int max, int *ret)
{
	int n = 0;

	for (int i = 0; i < digits; i++) {
		if (!is_digit((*s)[i]))
			return false;
		n = n * 10 + ((*s)[i] - '0');
	}
	*s += digits;
	*ret = n;
	return n >= min && n <= max;
}

static bool take_char(const char **s, char c)
{
	/* RFC 3339 lets T and Z be small. */
	if (**s != c && (c < 'A' || **s != c + ('a' - 'A')))
		return false;
	(*s)++;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* From 1970-01-01 on. Counted here, since gmtime() and the like read the host's time zone. */
static int64_t days_before(int year, int month, int day)
{
	const int past = year - 1;
	int64_t days = 365LL * (year - 1970) + (past / 4 - past / 100 + past / 400) -
		       (1969 / 4 - 1969 / 100 + 1969 / 400);

	for (int m = 1; m < month; m++)
		days += days_of(year, m);
	return days + day - 1;
}

static bool take_date(const char **s, int64_t *ret_seconds)
{
	int year, month, day;

	if (!take_number(s, 4, 1969, 9999, &year) || !take_char(s, '-') ||
	    !take_number(s, 2, 1, 12, &month) || !take_char(s, '-') ||
	    !take_number(s, 2, 1, days_of(year, month), &day))
		return false;
	*ret_seconds = days_before(year, month, day) * 86400;
	return true;
}

static bool take_clock(const char **s, int64_t *seconds, uint64_t *ret_ns)
{
	int hour, minute, second, digits = 0;
	uint64_t ns = 0, unit = NS_PER_S;

	if (!take_number(s, 2, 0, 23, &hour) || !take_char(s, ':') ||
	    !take_number(s, 2, 0, 59, &minute) || !take_char(s, ':') ||
	    !take_number(s, 2, 0, 60, &second))
		return false;
	if (take_char(s, '.')) {
		for (; is_digit(**s); (*s)++, digits++) {
			if (digits < FRACTION_DIGITS)
				ns += (uint64_t)(**s - '0') * (unit /= 10);
		}
		if (digits == 0)
			return false;
	}
	*seconds += hour * 3600 + minute * 60 + second;
	*ret_ns = ns;
	return true;
}

/* "Z", "+01:00", "-00:30": what is to be taken away for UTC. */
static bool take_offset(const char **s, int64_t *seconds)
{
	int hour, minute, sign = 1;

	if (take_char(s, 'Z'))
		return true;
	if (take_char(s, '-'))
		sign = -1;
	else if (!take_char(s, '+'))
		return false;
	if (!take_number(s, 2, 0, 23, &hour) || !take_char(s, ':') ||
	    !take_number(s, 2, 0, 59, &minute))
		return false;
	*seconds -= sign * (hour * 3600 + minute * 60);
	return true;
}

int parse_time(const char *s, uint64_t *ret_ns, struct err *err)
{
	const char *at = s;
	uint64_t whole, ns;
	int64_t seconds;

	if (parse_u64(s, 0, PARSE_TIME_SECONDS_MAX, &whole, NULL) == 0) {
		*ret_ns = whole * NS_PER_S;
		return 0;
	}
	if (!take_date(&at, &seconds) || !take_char(&at, 'T') || !take_clock(&at, &seconds, &ns) ||
	    !take_offset(&at, &seconds) || *at || seconds < 0 || seconds > PARSE_TIME_SECONDS_MAX)
		return err_set(
			err, -EINVAL,
			"\"%s\" is no time: seconds of Unix time, or as 2026-11-29T03:00:00Z", s);
	*ret_ns = (uint64_t)seconds * NS_PER_S + ns;
	return 0;
}
