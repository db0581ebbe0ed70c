/* links: capture/regex_match.c */
/* links: capture/extract.c capture/pattern.c capture/regex.c agent/base/parse.c agent/base/buf.c */
/* links: capture/pattern_compose.c */
/* links: agent/base/err.c */
/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c */
#include "capture/extract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* START-END for each match, then :START-END for each selected group, ":-" for one not set. */
struct told {
	char text[4096];
	size_t len;
	size_t n_groups;
};

static void add(struct told *told, struct span span, char lead)
{
	if (span_is_set(span))
		told->len += (size_t)snprintf(told->text + told->len,
					      sizeof(told->text) - told->len, "%c%zu-%zu", lead,
					      span.start, span.end);
	else
		told->len += (size_t)snprintf(told->text + told->len,
					      sizeof(told->text) - told->len, "%c-", lead);
}

static void on_match(void *data, const struct extract_match *match)
{
	struct told *told = data;

	add(told, match->whole, ' ');
	for (size_t i = 0; i < told->n_groups; i++)
		add(told, match->groups[i], ':');
}

/*
 * Expected is what Perl gives, in bytes, for
 *   while (/REGEX/g) { print " $-[0]-$+[0]" }
 * less the empty matches; Perl knows neither CR as a newline nor bad bytes in UTF-8: there it is
 * what pcre2unicode(3) says.
 */
struct extract_case {
	const char *regex, *preceded_by, *followed_by;
	const char *group; /* NULL: none selected */
	const char *subject;
	size_t len; /* 0: strlen(subject) */
	bool utf;
	const char *expect;
	enum extract_result result;
};

static const struct extract_case cases[] = {
	{ .regex = "b", .subject = "abcb", .expect = " 1-2 3-4" },
	{ .regex = "b", .subject = "", .expect = "" },
	{ .regex = "aa", .subject = "aaaaa", .expect = " 0-2 2-4" },
	/* Empty matches are passed over, and what is behind them is found. */
	{ .regex = "a*", .subject = "baac", .expect = " 1-3" },
	{ .regex = "a*?", .subject = "baac", .expect = " 1-2 2-3" },
	{ .regex = "|b", .subject = "abb", .expect = " 1-2 2-3" },
	{ .regex = "x*|b", .subject = "aba", .expect = " 1-2" },
	{ .regex = "\\b", .subject = "one two", .expect = "" },
	{ .regex = "(?m)^", .subject = "a\nb", .expect = "" },
	{ .regex = "(?m)^.*$", .subject = "a\n\nb", .expect = " 0-1 3-4" },
	/* Unless a selected group is not empty: matches that overlap. */
	{ .regex = "(?=(aba))", .subject = "ababa", .expect = "" },
	{ .regex = "(?=(aba))", .group = "1", .subject = "ababa", .expect = " 0-0:0-3 2-2:2-5" },
	{ .regex = "(?=(\\w\\w))", .group = "1", .subject = "abc", .expect = " 0-0:0-2 1-1:1-3" },
	{ .regex = "(?=(x?))", .group = "1", .subject = "ax", .expect = " 1-1:1-2" },
	/* A group that took no part is told as such. */
	{ .regex = "a(b)?", .group = "1", .subject = "aab", .expect = " 0-1:- 1-3:2-3" },
	{ .regex = "a(b?)", .group = "1", .subject = "aab", .expect = " 0-1:1-1 1-3:2-3" },
	{ .regex = "(?<k>\\w+)=(?<v>\\w+)",
	  .group = "v",
	  .subject = "a=1;b=22",
	  .expect = " 0-3:2-3 4-8:6-8" },
	/* \K moves the start; with nothing behind it the match is empty. */
	{ .regex = "a\\Kb", .subject = "abab", .expect = " 1-2 3-4" },
	{ .regex = "a\\K", .subject = "aaa", .expect = "" },
	{ .regex = "a\\Ka", .subject = "aaaa", .expect = " 1-2 3-4" },
	{ .regex = "(a)\\K", .group = "1", .subject = "aa", .expect = " 1-1:0-1 2-2:1-2" },
	/* Anchors see the whole subject, not the rest of it. */
	{ .regex = "^a", .subject = "aa", .expect = " 0-1" },
	{ .regex = "\\Ga", .subject = "aaba", .expect = " 0-1 1-2" },
	{ .regex = "(?<=a)a", .subject = "aaa", .expect = " 1-2 2-3" },
	{ .regex = "a$", .subject = "aa", .expect = " 1-2" },
	{ .regex = "a\\b", .subject = "a aa", .expect = " 0-1 3-4" },
	/* CR LF is one newline, also right after an empty match. */
	{ .regex = "(?m)$", .group = "0", .subject = "a\r\nb", .expect = "" },
	{ .regex = "(?m)(?=(^.?))",
	  .group = "1",
	  .subject = "a\r\nb",
	  .expect = " 0-0:0-1 3-3:3-4" },
	{ .regex = "\\R", .subject = "a\r\n\nb", .expect = " 1-3 3-4" },
	/* NUL and high bytes. */
	{ .regex = "[^,]+", .subject = "a\0b,\xff\xfe", .len = 6, .expect = " 0-3 4-6" },
	{ .regex = "\\x00", .subject = "\0\0", .len = 2, .expect = " 0-1 1-2" },
	/* A step is a character with utf; bad bytes match nothing and stop nothing. */
	{ .regex = ".", .subject = "\xc3\xa9z", .expect = " 0-1 1-2 2-3" },
	{ .regex = ".", .subject = "\xc3\xa9z", .utf = true, .expect = " 0-2 2-3" },
	{ .regex = "(?=(.))",
	  .group = "1",
	  .subject = "\xc3\xa9z",
	  .utf = true,
	  .expect = " 0-0:0-2 2-2:2-3" },
	{ .regex = ".", .subject = "a\xff\xc3z", .utf = true, .expect = " 0-1 3-4" },
	{ .regex = "x*", .subject = "\xffx\xff\xffxx", .utf = true, .expect = " 1-2 4-6" },
	/* Neighbours share a delimiter that is context. */
	{ .regex = "[^|]*",
	  .preceded_by = "\\|",
	  .followed_by = "\\|",
	  .subject = "|a|b||c|",
	  .expect = " 1-2 3-4 6-7" },
	{ .regex = "[^|]*",
	  .preceded_by = "\\|+",
	  .followed_by = "\\|",
	  .subject = "|a|b||c|",
	  .expect = " 1-2 3-4 6-7" },
	/* Ends out of order, by \K in a group that a lookahead calls, end the search. */
	{ .regex = "x|(?:(ab\\K)){0}(?=(?1))",
	  .subject = "xabx",
	  .expect = " 0-1",
	  .result = EXTRACT_ERROR },
	{ .regex = "(?:(ab\\K)){0}(?=(?1))(?<g>a)",
	  .group = "g",
	  .subject = "ab",
	  .expect = "",
	  .result = EXTRACT_ERROR },
};

static void matches(void **state)
{
	struct regex_scratch *scratch;

	(void)state;
	assert_int_equal(regex_scratch_new(&scratch), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct extract_case *c = &cases[i];
		size_t len = c->len ? c->len : strlen(c->subject);
		char *groups[] = { (char *)c->group };
		struct pattern_conf conf = {
			.regex = (char *)c->regex,
			.preceded_by = (char *)c->preceded_by,
			.followed_by = (char *)c->followed_by,
			.utf = c->utf,
			.match_limit = 100000,
			.groups = { groups, c->group ? 1 : 0 },
		};
		struct told told = { .n_groups = c->group ? 1 : 0 };
		struct pattern *pattern;
		struct err err;

		if (pattern_compile(&conf, &pattern, &err))
			fail_msg("%s: %s", c->regex, err.text);
		assert_int_equal(extract(pattern, &extract_live, scratch,
					 (const uint8_t *)c->subject, len, on_match, &told, NULL),
				 c->result);
		if (strcmp(told.text, c->expect) != 0)
			fail_msg("%s on \"%s\": got \"%s\", expected \"%s\"", c->regex, c->subject,
				 told.text, c->expect);
		pattern_free(pattern);
	}
	regex_scratch_free(scratch);
}

static void count(void *data, const struct extract_match *match)
{
	(void)match;
	++*(size_t *)data;
}

struct bound_case {
	const char *regex;
	char fill;
	size_t len;
	enum extract_result result;
	size_t n;
};

static void bounds(void **state)
{
	static const struct bound_case bound_cases[] = {
		{ "a", 'a', EXTRACT_MATCHES_MAX, EXTRACT_DONE, EXTRACT_MATCHES_MAX },
		{ "a", 'a', EXTRACT_MATCHES_MAX + 1, EXTRACT_TOO_MANY, EXTRACT_MATCHES_MAX },
		{ "a", 'a', 60000, EXTRACT_TOO_MANY, EXTRACT_MATCHES_MAX },
		/* A match before the place that is too costly. */
		{ "\\Aa|\\Ga(?!aaa)|(?:a|aa)+$", 'a', 1500, EXTRACT_LIMIT, 1 },
		{ "", 'a', 60000, EXTRACT_DONE, 0 },
	};
	struct regex_scratch *scratch;

	(void)state;
	assert_int_equal(regex_scratch_new(&scratch), 0);
	for (size_t i = 0; i < sizeof(bound_cases) / sizeof(bound_cases[0]); i++) {
		const struct bound_case *c = &bound_cases[i];
		struct pattern_conf conf = { .regex = (char *)c->regex, .match_limit = 100000 };
		uint8_t *subject = malloc(c->len);
		struct pattern *pattern;
		size_t told = 0, n = 99;

		assert_non_null(subject);
		memset(subject, c->fill, c->len);
		if (c->result == EXTRACT_LIMIT)
			subject[c->len - 1] = '!';
		assert_int_equal(pattern_compile(&conf, &pattern, NULL), 0);
		assert_int_equal(extract(pattern, &extract_live, scratch, subject, c->len, count,
					 &told, &n),
				 c->result);
		assert_int_equal(n, c->n);
		assert_int_equal(told, n);
		pattern_free(pattern);
		free(subject);
	}
	regex_scratch_free(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(matches), cmocka_unit_test(bounds) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
