/* links: capture/regex_match.c */
/* links: capture/explain_pattern.c capture/pattern_lint.c capture/pattern.c capture/regex.c */
/* links: capture/pattern_compose.c */
/* links: capture/search.c capture/straight.c capture/straight_find.c capture/set_reader.c */
/* links: capture/shape.c capture/prefilter.c capture/gram_index.c capture/stream_match.c */
/* links: capture/stream_sleep.c capture/stream_window.c */
/* links: capture/extract.c capture/literal_find.c capture/literal.c capture/literal_reader.c */
/* links: capture/literal_part.c agent/base/buf.c agent/base/err.c agent/base/parse.c */
#include "capture/explain_pattern.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <cmocka.h>

#include "capture/regex.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

#define MAX 65536

static struct pattern_explained explain(const struct pattern_conf *conf)
{
	struct pattern_explained ex;

	assert_int_equal(explain_pattern(conf, MAX, &ex, NULL), 0);
	return ex;
}

static const struct {
	const char *regex;
	bool stream, multiline;
	const char *lints; /* each with a blank behind it */
} cases[] = {
	{ "Host: \\K\\S+", true, false, "" },
	{ "secret.*", false, false, "" },
	{ "secret.*", true, false, "unbounded " },
	{ "secret.{3,}x", true, false, "unbounded " },
	{ "secret.{3,5}x", true, false, "" },
	{ "secret[.]*x", true, false, "" },
	{ "secret\\.*x", true, false, "" },
	{ "secret\\Q.*\\E", true, false, "" },
	{ "secret[]$]", true, false, "" },
	{ "secret$", true, false, "decided-at-end " },
	{ "secret$", false, false, "" },
	{ "secret$", true, true, "" },
	{ "(?m)secret$", true, false, "" },
	{ "secret\\$", true, false, "" },
	{ "secret\\z", true, true, "decided-at-end " },
	{ "^secret", true, false, "begin-of-stream " },
	{ "secret[^a]", true, false, "" },
	{ "(?<=(?<!b)a)secret", false, false, "nested-lookbehind " },
	{ "(?<=a)(?<!b)secret", false, false, "" },
	{ "\\d", false, false, "no-text " },
	{ "\\Gsecret", false, false, "not-restartable " },
	{ "(?:a|aa)+secret", false, false, "gives-up " },
	{ "(x+x+)+secret", false, false, "gives-up " },
	{ "(?:a|aa)++secret", false, false, "" },
	{ "a+secret", false, false, "" },
};

static void lints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pattern_conf conf = {
			.regex = (char *)cases[i].regex,
			.scope = cases[i].stream ? SCOPE_STREAM : SCOPE_PACKET,
			.multiline = cases[i].multiline,
			.match_limit = 100000,
		};
		struct pattern_explained ex = explain(&conf);
		char names[1000] = "";

		for (size_t k = 0; k < ex.n_lints; k++) {
			strcat(names, ex.lints[k].name);
			strcat(names, " ");
			assert_true(strlen(ex.lints[k].text) + 1 < sizeof(ex.lints[k].text));
		}
		if (strcmp(names, cases[i].lints) != 0)
			fail_msg("/%s/ has the lints \"%s\", not \"%s\"", cases[i].regex, names,
				 cases[i].lints);
		explain_pattern_done(&ex);
	}
}

static void ranges(void **state)
{
	static const char *const texts[][3] = {
		{ "BEGIN", "END", "" },
		{ "--- BEGIN", "---", "end-matches-begin" },
		{ "---", "---", "end-matches-begin" },

	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct pattern_conf conf = {
			.regex = (char *)"secret",
			.begin = (char *)texts[i][0],
			.end = (char *)texts[i][1],
			.match_limit = 1000,
		};
		struct pattern_explained ex = explain(&conf);

		assert_string_equal(ex.n_lints ? ex.lints[0].name : "", texts[i][2]);
		assert_true(ex.ranges);
		assert_int_equal(ex.tail, 0);
		explain_pattern_done(&ex);
	}
	{
		const struct pattern_conf conf = { .regex = (char *)"secret",
						   .begin = (char *)"(",
						   .end = (char *)"END",
						   .match_limit = 1000 };
		struct pattern_explained ex;

		assert_int_equal(explain_pattern(&conf, MAX, &ex, NULL), -EINVAL);
	}
}

static void figures(void **state)
{
	struct pattern_conf conf = {
		.regex = (char *)"(secret)-(\\d{1,5})|pass(word)",
		.preceded_by = (char *)"ab",
		.match_limit = 1000,
		.caseless = true,
	};
	struct pattern_explained ex = explain(&conf);

	(void)state;
	assert_string_equal(ex.text, "(?<=ab)(?:(secret)-(\\d{1,5})|pass(word))");
	assert_int_equal(strncmp(ex.engine, "PCRE2 10.", 9), 0);
	assert_true(ex.jit && ex.jit_bytes > 100);
	assert_int_equal(ex.captures, 3);
	assert_int_equal(ex.required.n, 2);
	assert_true(ex.required.caseless);
	assert_int_equal(ex.lookback, 3);
	assert_true(ex.tail > 24 && ex.tail < 100);
	assert_int_equal(ex.stream_max, ex.tail + 2 * (MAX + 3));
	explain_pattern_done(&ex);
	conf.preceded_by = (char *)"a+";
	ex = explain(&conf);
	assert_string_equal(ex.lints[0].name, "lookbehind-rewritten");
	explain_pattern_done(&ex);
}

static void faulty(void **state)
{
	const struct pattern_conf conf = { .regex = (char *)"a(b", .match_limit = 1000 };
	struct pattern_explained ex;
	struct err err;

	(void)state;
	assert_int_equal(explain_pattern(&conf, MAX, &ex, &err), -EINVAL);
	assert_non_null(strstr(err.text, "<HERE>"));
}

/* The last one: from here on this process maps no machine code. */
static void without_jit(void **state)
{
	const struct pattern_conf conf = { .regex = (char *)"secret", .match_limit = 1000 };
	struct pattern_explained ex;
	static struct regex *held[1000];
	size_t n = 0;

	(void)state;
	assert_int_equal(prctl(PR_SET_MDWE, 1, 0, 0, 0), 0);
	/* What the library has mapped before has room for a few more. */
	do
		assert_int_equal(regex_compile("secret", 6, 0, "", &held[n++], NULL, NULL), 0);
	while (n < 1000 && regex_jit(held[n - 1], NULL));
	ex = explain(&conf);
	assert_false(ex.jit);
	assert_true(strlen(ex.jit_reason) > 0);
	explain_pattern_done(&ex);
	while (n)
		regex_free(held[--n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lints),  cmocka_unit_test(ranges),	 cmocka_unit_test(figures),
		cmocka_unit_test(faulty), cmocka_unit_test(without_jit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("explain_pattern", tests, NULL, NULL);
}
