/* links: capture/regex_match.c */
/* links: capture/pattern.c capture/regex.c agent/base/parse.c agent/base/buf.c agent/base/err.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c */
#include "capture/pattern.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pattern_conf conf_of(const char *regex)
{
	return (struct pattern_conf){ .regex = (char *)regex, .match_limit = 100000 };
}

static struct pattern *compiled(const struct pattern_conf *conf)
{
	struct pattern *pattern = NULL;
	struct err err;

	if (pattern_compile(conf, &pattern, &err))
		fail_msg("%s: %s", conf->regex, err.text);
	return pattern;
}

struct refused_case {
	const char *regex, *preceded_by, *followed_by, *group;
	const char *text;
};

#define RECURSES                                                                                \
	"regex: recursion into the whole pattern would take its context in too: name a group: " \
	"(?<p>...(?&p)...)"

static const struct refused_case refused_cases[] = {
	{ "a(b", NULL, NULL, NULL, "regex: missing closing parenthesis at offset 3: a(b<HERE>" },
	{ "[a", NULL, NULL, NULL,
	  "regex: missing terminating ] for character class at offset 2: [a<HERE>" },
	{ "a", "b)(c", NULL, NULL,
	  "preceded-by: unmatched closing parenthesis at offset 1: b<HERE>)(c" },
	{ "(?x)a #", NULL, "\nb)(?:", NULL,
	  "followed-by: unmatched closing parenthesis at offset 2: \\x0ab<HERE>)(?:" },
	{ "a)(?:b", "x", NULL, NULL,
	  "regex: unmatched closing parenthesis at offset 1: a<HERE>)(?:b" },
	{ "a", NULL, "*", NULL,
	  "followed-by: quantifier does not follow a repeatable item at "
	  "offset 0: <HERE>*" },
	{ "a", "(b)", NULL, NULL,
	  "preceded-by: a context has no groups of its own: write (?:...) for (...)" },
	{ "a", NULL, "(?<x>b)", NULL,
	  "followed-by: a context has no groups of its own: write (?:...) for (...)" },
	{ "(?<=ab(?:c|de))f", NULL, NULL, NULL,
	  "regex: lookbehind assertion is not fixed length at offset 0: <HERE>(?<=ab(?:c|de))f: "
	  "preceded-by takes a context of any length" },
	{ "a\\C", NULL, NULL, NULL,
	  "regex: using \\C is disabled by the application at offset 3: a\\C<HERE>" },
	{ "(*UTF)a", NULL, NULL, NULL,
	  "regex: using UTF is disabled by the application at offset 6: (*UTF)<HERE>a" },
	{ "a(b)", NULL, NULL, "2", "groups: there is no group 2: the regex has 1" },
	{ "a(b)", NULL, NULL, "x", "groups: the regex has no group named \"x\"" },
	{ "a(b)", NULL, NULL, "99999999999999999999",
	  "groups: there is no group 99999999999999999999: the regex has 1" },
	/* The whole pattern is more than the regex when it has context. */
	{ "a(?R)?b", "x", NULL, NULL, RECURSES },
	{ "a(?0)?b", NULL, "x", NULL, RECURSES },
	{ "a(?00)?b", "x", NULL, NULL, RECURSES },
	{ "a(?:\\g<0>|c)b", "x", NULL, NULL, RECURSES },
	{ "a\\Q(\\E\\g'00'*b", "x", NULL, NULL, RECURSES },
	{ "(?:(?R)){0}a", "x", NULL, NULL, RECURSES },
	{ "a", "x(?R)?", NULL, NULL,
	  "preceded-by: recursion into the whole pattern would take the regex in too" },
	{ "a", NULL, "(?0)?x", NULL,
	  "followed-by: recursion into the whole pattern would take the regex in too" },
};

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]); i++) {
		const struct refused_case *c = &refused_cases[i];
		struct pattern_conf conf = conf_of(c->regex);
		struct pattern *pattern = NULL;
		char *groups[] = { (char *)c->group };
		struct err err = { "" };

		conf.preceded_by = (char *)c->preceded_by;
		conf.followed_by = (char *)c->followed_by;
		if (c->group)
			conf.groups = (struct strv){ groups, 1 };
		assert_int_equal(pattern_compile(&conf, &pattern, &err), -EINVAL);
		assert_string_equal(err.text, c->text);
		assert_null(pattern);
	}
}

static void too_large(void **state)
{
	char regex[4 * (REGEX_CAPTURES_MAX + 1) + 1] = "";
	char *names[PATTERN_GROUPS_MAX + 1];
	struct pattern_conf conf = conf_of(regex);
	struct pattern *pattern = NULL;
	struct err err;
	char *longer = malloc(REGEX_TEXT_MAX + 2);

	(void)state;
	for (int i = 0; i < REGEX_CAPTURES_MAX; i++)
		strcat(regex, "(a)");
	pattern = compiled(&conf);
	pattern_free(pattern);
	pattern = NULL;
	strcat(regex, "(a)");
	assert_int_equal(pattern_compile(&conf, &pattern, &err), -EINVAL);
	assert_string_equal(err.text, "regex: more than 255 groups: use (?:...)");

	for (size_t i = 0; i <= PATTERN_GROUPS_MAX; i++)
		names[i] = "0";
	conf = conf_of("a");
	conf.groups = (struct strv){ names, PATTERN_GROUPS_MAX + 1 };
	assert_int_equal(pattern_compile(&conf, &pattern, &err), -EINVAL);
	assert_string_equal(err.text, "groups: more than 64");
	conf.groups.n = 2;
	assert_int_equal(pattern_compile(&conf, &pattern, &err), -EINVAL);
	assert_string_equal(err.text, "groups: 0 is named twice");

	assert_non_null(longer);
	memset(longer, 'a', REGEX_TEXT_MAX + 1);
	longer[REGEX_TEXT_MAX + 1] = '\0';
	conf = conf_of(longer);
	assert_int_equal(pattern_compile(&conf, &pattern, &err), -EINVAL);
	assert_non_null(strstr(err.text, "pattern string is longer than the limit"));
	free(longer);
}

struct match_case {
	const char *regex, *preceded_by, *followed_by;
	const char *subject;
	size_t len; /* 0: strlen(subject) */
	size_t offset;
	bool not_empty_here, utf, caseless, multiline, dotall;
	enum regex_result result;
	size_t start, end;
};

static const struct match_case match_cases[] = {
	{ .regex = "b+", .subject = "abbc", .start = 1, .end = 3 },
	{ .regex = "b+", .subject = "ac", .result = REGEX_NO_MATCH },
	{ .regex = "b+", .subject = "abab", .offset = 2, .start = 3, .end = 4 },
	{ .regex = "^b", .subject = "ab", .offset = 1, .result = REGEX_NO_MATCH },
	{ .regex = "", .subject = "a", .start = 0, .end = 0 },
	{ .regex = "", .subject = "a", .not_empty_here = true, .start = 1, .end = 1 },
	{ .regex = "", .subject = "", .not_empty_here = true, .result = REGEX_NO_MATCH },
	/* NUL is a byte like others, in the subject and in the pattern. */
	{ .regex = "a\\x00b", .subject = "a\0b", .len = 3, .start = 0, .end = 3 },
	{ .regex = "b", .subject = "\0\0b", .len = 3, .start = 2, .end = 3 },
	/* Bytes, unless utf. */
	{ .regex = "k=.", .subject = "k=\xc3\xa9", .start = 0, .end = 3 },
	{ .regex = "k=.", .subject = "k=\xc3\xa9", .utf = true, .start = 0, .end = 4 },
	{ .regex = "k=[^x]+",
	  .subject = "k=ab\xff"
		     "cd",
	  .start = 0,
	  .end = 7 },
	{ .regex = "k=[^x]+",
	  .subject = "k=ab\xff"
		     "cd",
	  .utf = true,
	  .start = 0,
	  .end = 4 },
	{ .regex = "cd",
	  .subject = "k=ab\xff"
		     "cd",
	  .utf = true,
	  .start = 5,
	  .end = 7 },
	/* A character of several bytes is no digit, space or letter of a word. */
	{ .regex = "\\D", .subject = "1\xc3\xa9", .utf = true, .start = 1, .end = 3 },
	{ .regex = "\\W+$", .subject = "a\xe2\x82\xac.", .utf = true, .start = 1, .end = 5 },
	{ .regex = "k=(?:\\S){2,}", .subject = "k=b\xc3\xa9", .utf = true, .start = 0, .end = 5 },
	{ .regex = "(?<=\\W)(?x) \\S # [\n\\D",
	  .subject = "\xc3\xa9\xc3\xa9\xc3\xa8",
	  .utf = true,
	  .start = 2,
	  .end = 6 },
	{ .regex = "\\Q\\W\\E[\\W\\d]",
	  .subject = "\\W\xc3\xa9",
	  .utf = true,
	  .start = 0,
	  .end = 4 },
	{ .regex = "\\W{1,2}?\\\\W", .subject = "\xc3\xa9\\W", .utf = true, .start = 0, .end = 4 },
	{ .regex = "ABC", .subject = "xabc", .caseless = true, .start = 1, .end = 4 },
	{ .regex = "^b", .subject = "a\nb", .result = REGEX_NO_MATCH },
	{ .regex = "^b", .subject = "a\nb", .multiline = true, .start = 2, .end = 3 },
	{ .regex = "^b", .subject = "a\rb", .multiline = true, .start = 2, .end = 3 },
	{ .regex = "a$", .subject = "a\r\nb", .multiline = true, .start = 0, .end = 1 },
	{ .regex = "a.b", .subject = "a\nb", .result = REGEX_NO_MATCH },
	{ .regex = "a.b", .subject = "a\nb", .dotall = true, .start = 0, .end = 3 },
	/* Context, also with alternatives of different lengths, and shared by neighbours. */
	{ .regex = "\\w+", .preceded_by = "Host: ", .subject = "Host: web", .start = 6, .end = 9 },
	{ .regex = "[^|]*",
	  .preceded_by = "\\|",
	  .followed_by = "\\|",
	  .subject = "|a|b|",
	  .start = 1,
	  .end = 2 },
	{ .regex = "[^|]*",
	  .preceded_by = "\\|",
	  .followed_by = "\\|",
	  .subject = "|a|b|",
	  .offset = 2,
	  .start = 3,
	  .end = 4 },
	{ .regex = "x", .preceded_by = "a|bc|def", .subject = "x cx defx", .start = 8, .end = 9 },
	{ .regex = "a|b",
	  .preceded_by = "x",
	  .followed_by = "y",
	  .subject = "a b xb xby",
	  .start = 8,
	  .end = 9 },
	{ .regex = "x", .preceded_by = "(?i)a|b", .subject = "Bx", .start = 1, .end = 2 },
	/* Not of fixed length: by \K. */
	{ .regex = "\\w+",
	  .preceded_by = "Host: *",
	  .subject = "Host:   web",
	  .start = 8,
	  .end = 11 },
	/* Recursion: of the whole pattern without a context, of a group with one. */
	{ .regex = "a(?R)?b", .subject = "xaabbx", .start = 1, .end = 5 },
	{ .regex = "(?<p>a(?&p)?b)",
	  .preceded_by = "x",
	  .followed_by = "x",
	  .subject = "aabb xaabbx",
	  .start = 6,
	  .end = 10 },
	/* What only looks like it. */
	{ .regex = "\\Q(?R)\\E", .preceded_by = "x", .subject = "x(?R)", .start = 1, .end = 5 },
	{ .regex = "[(?R)]", .preceded_by = "x", .subject = "xR", .start = 1, .end = 2 },
	{ .regex = "a(?#(?0)", .preceded_by = "x", .subject = "xa", .start = 1, .end = 2 },
	/* What a part leaves open does not take in what is behind it. */
	{ .regex = "\\Qa.b", .followed_by = "c", .subject = "a.bc", .start = 0, .end = 3 },
	{ .regex = "(?x) a # one",
	  .preceded_by = "(?x) x+ # (",
	  .followed_by = "(?x) c # \\Qc",
	  .subject = "xxac",
	  .start = 2,
	  .end = 3 },
	{ .regex = "a#", .preceded_by = "\\Qx\\", .subject = "x\\a#", .start = 2, .end = 4 },
	{ .regex = "\\\\g<0>|\\(?R", .preceded_by = "x", .subject = "xR", .start = 1, .end = 2 },
	{ .regex = "\\Q\\g<0>\\E", .preceded_by = "x", .subject = "x\\g<0>", .start = 1, .end = 6 },
	/* \K in a group that a lookaround calls puts the ends out of order. */
	{ .regex = "(?:(ab\\K)){0}(?=(?1))", .subject = "ab", .result = REGEX_ERROR },
	{ .regex = "(?:(\\Ka)){0}(?<=(?1))b", .subject = "ab", .offset = 1, .result = REGEX_ERROR },
	{ .regex = "(?:(ab\\K)){0}(?=(?1))(?<g>a)", .subject = "ab", .result = REGEX_ERROR },
	{ .regex = "\\d",
	  .preceded_by = "(?:a|bc)+",
	  .followed_by = ";",
	  .subject = "abca1; x",
	  .start = 4,
	  .end = 5 },
};

static void matches(void **state)
{
	struct regex_scratch *scratch;

	(void)state;
	assert_int_equal(regex_scratch_new(&scratch), 0);
	for (size_t i = 0; i < sizeof(match_cases) / sizeof(match_cases[0]); i++) {
		const struct match_case *c = &match_cases[i];
		struct pattern_conf conf = conf_of(c->regex);
		size_t len = c->len ? c->len : strlen(c->subject);
		struct pattern *pattern;
		struct span span;

		conf.preceded_by = (char *)c->preceded_by;
		conf.followed_by = (char *)c->followed_by;
		conf.utf = c->utf;
		conf.caseless = c->caseless;
		conf.multiline = c->multiline;
		conf.dotall = c->dotall;
		pattern = compiled(&conf);
		assert_int_equal(pattern_match(pattern, scratch, (const uint8_t *)c->subject, len,
					       c->offset, c->not_empty_here),
				 c->result);
		if (c->result == REGEX_MATCH) {
			span = pattern_whole(scratch);
			if (span.start != c->start || span.end != c->end)
				fail_msg("%s on %s: %zu-%zu, expected %zu-%zu", c->regex,
					 c->subject, span.start, span.end, c->start, c->end);
		}
		pattern_free(pattern);
	}
	regex_scratch_free(scratch);
}

static void groups(void **state)
{
	char *names[] = { "user", "3", "0", "2" };
	struct pattern_conf conf = conf_of("(?J)(?:u=(?<user>\\w+)|n=(?<user>\\w+));(x)?");
	struct regex_scratch *scratch;
	struct pattern *pattern;
	struct span span;

	(void)state;
	conf.groups = (struct strv){ names, 4 };
	pattern = compiled(&conf);
	assert_int_equal(regex_scratch_new(&scratch), 0);
	assert_int_equal(pattern_n_groups(pattern), 4);
	assert_string_equal(pattern_group_name(pattern, 0), "user");
	assert_string_equal(pattern_group_name(pattern, 1), "3");
	assert_int_equal(pattern_match(pattern, scratch, (const uint8_t *)"n=bob;", 6, 0, false),
			 REGEX_MATCH);
	/* Of two groups of one name the one that is set. */
	span = pattern_group_span(pattern, scratch, 0);
	assert_int_equal(span.start, 2);
	assert_int_equal(span.end, 5);
	assert_false(span_is_set(pattern_group_span(pattern, scratch, 1)));
	span = pattern_group_span(pattern, scratch, 2);
	assert_int_equal(span.start, 0);
	assert_int_equal(span.end, 6);
	span = pattern_group_span(pattern, scratch, 3);
	assert_int_equal(span.start, 2);
	assert_int_equal(pattern_match(pattern, scratch, (const uint8_t *)"u=al;x", 6, 0, false),
			 REGEX_MATCH);
	assert_int_equal(pattern_group_span(pattern, scratch, 0).end, 4);
	assert_int_equal(pattern_group_span(pattern, scratch, 1).start, 5);
	assert_false(span_is_set(pattern_group_span(pattern, scratch, 3)));
	pattern_free(pattern);
	regex_scratch_free(scratch);
}

static void default_group(void **state)
{
	struct pattern_conf conf = conf_of("a(b)");
	struct pattern *pattern = compiled(&conf);

	(void)state;
	assert_int_equal(pattern_n_groups(pattern), 1);
	assert_string_equal(pattern_group_name(pattern, 0), "0");
	pattern_free(pattern);
}

/* What would run for minutes ends early, and is not taken for "no match". */
static void limits(void **state)
{
	static const char *const evil[] = { "(a+)+$", "(?:a|aa)+$", "(a|a?)+$", "(*NO_JIT)(a+)+$",
					    "(*NO_JIT)(?:a|aa)+$" };
	struct regex_scratch *scratch;
	char subject[1500];

	(void)state;
	memset(subject, 'a', sizeof(subject));
	subject[sizeof(subject) - 1] = '!';
	assert_int_equal(regex_scratch_new(&scratch), 0);
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		struct pattern_conf conf = conf_of(evil[i]);
		struct pattern *pattern = compiled(&conf);

		if (pattern_match(pattern, scratch, (const uint8_t *)subject, sizeof(subject), 0,
				  false) != REGEX_LIMIT)
			fail_msg("%s: not limited", evil[i]);
		/* The scratch is good for another subject. */
		assert_int_equal(pattern_match(pattern, scratch, (const uint8_t *)"aa", 2, 0,
					       false),
				 REGEX_MATCH);
		pattern_free(pattern);
	}
	regex_scratch_free(scratch);
}

struct limit_case {
	const char *regex;
	bool jit;
	uint32_t limit;
	enum regex_result result;
};

/* The pattern's own limit is the one that holds, with machine code and without. */
static void match_limit(void **state)
{
	static const struct limit_case cases[] = {
		{ "(?:a|aa)+b|a+!", true, 10000000, REGEX_MATCH },
		{ "(?:a|aa)+b|a+!", true, 1000, REGEX_LIMIT },
		{ "(*NO_JIT)(?:a|aa)+b|a+!", false, 10000000, REGEX_MATCH },
		{ "(*NO_JIT)(?:a|aa)+b|a+!", false, 1000, REGEX_LIMIT },
	};
	static const char subject[] = "aaaaaaaaaaaaaaaaaaaaaaaa!";
	struct regex_scratch *scratch;

	(void)state;
	assert_int_equal(regex_scratch_new(&scratch), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pattern_conf conf = conf_of(cases[i].regex);
		struct pattern *pattern;

		conf.match_limit = cases[i].limit;
		pattern = compiled(&conf);
		assert_int_equal(regex_jit(pattern_regex(pattern), NULL), cases[i].jit);
		if (pattern_match(pattern, scratch, (const uint8_t *)subject, sizeof(subject) - 1,
				  0, false) != cases[i].result)
			fail_msg("%s with %u", cases[i].regex, cases[i].limit);
		pattern_free(pattern);
	}
	regex_scratch_free(scratch);
}

/* What the interpreter keeps for its backtracking is bounded in bytes too, whatever the limit. */
static void heap_limit(void **state)
{
	struct pattern_conf conf = conf_of("(*NO_JIT)(?:(a)|b)*c");
	const size_t len = 1 << 20;
	struct regex_scratch *scratch;
	char *subject = malloc(len);
	struct pattern *pattern;

	(void)state;
	conf.match_limit = UINT32_MAX;
	pattern = compiled(&conf);
	assert_non_null(subject);
	memset(subject, 'a', len);
	subject[len - 1] = 'c';
	assert_int_equal(regex_scratch_new(&scratch), 0);
	assert_int_equal(pattern_match(pattern, scratch, (const uint8_t *)subject, len, 0, false),
			 REGEX_LIMIT);
	assert_int_equal(pattern_match(pattern, scratch, (const uint8_t *)subject + len - 10000,
				       10000, 0, false),
			 REGEX_MATCH);
	pattern_free(pattern);
	regex_scratch_free(scratch);
	free(subject);
}

/* Too deep for the stack of machine code, but not for the interpreter: tried again there. */
static void stack(void **state)
{
	struct pattern_conf conf = conf_of("(?:(a)|b)*c");
	struct regex_scratch *scratch;
	static char subject[60000];
	const size_t fits = 28000;
	struct pattern *pattern;

	(void)state;
	pattern = compiled(&conf);
	memset(subject, 'a', sizeof(subject));
	subject[sizeof(subject) - 1] = 'c';
	assert_int_equal(regex_scratch_new(&scratch), 0);
	assert_int_equal(pattern_match(pattern, scratch,
				       (const uint8_t *)subject + sizeof(subject) - fits, fits, 0,
				       false),
			 REGEX_MATCH);
	assert_int_equal(pattern_match(pattern, scratch, (const uint8_t *)subject, sizeof(subject),
				       0, false),
			 REGEX_LIMIT);
	pattern_free(pattern);
	regex_scratch_free(scratch);
}

static void how_it_runs(void **state)
{
	struct pattern_conf conf = conf_of("(*NO_JIT)a");
	const char *reason = NULL;
	struct pattern *pattern = compiled(&conf);

	(void)state;
	assert_false(regex_jit(pattern_regex(pattern), &reason));
	assert_string_equal(reason, "the pattern forbids it");
	assert_null(pattern_note(pattern));
	pattern_free(pattern);

	conf = conf_of("a");
	conf.preceded_by = "b+";
	pattern = compiled(&conf);
	assert_non_null(strstr(pattern_note(pattern), "preceded-by is not of fixed length"));
	pattern_free(pattern);
	conf.preceded_by = "b|cc";
	pattern = compiled(&conf);
	assert_null(pattern_note(pattern));
	pattern_free(pattern);
	pattern_free(NULL);
	regex_scratch_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),	 cmocka_unit_test(too_large),
		cmocka_unit_test(matches),	 cmocka_unit_test(groups),
		cmocka_unit_test(default_group), cmocka_unit_test(limits),
		cmocka_unit_test(stack),	 cmocka_unit_test(match_limit),
		cmocka_unit_test(heap_limit),	 cmocka_unit_test(how_it_runs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
