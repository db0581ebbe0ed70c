/* links: capture/straight.c capture/set_reader.c capture/straight_find.c capture/literal_find.c */
/* links: capture/regex_match.c */
/* links: capture/extract.c capture/pattern.c capture/regex.c capture/literal.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal_reader.c capture/literal_part.c capture/lines.c agent/base/parse.c */
/* links: agent/base/buf.c agent/base/err.c */
#include "capture/straight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buf.h"
#include "capture/extract.h"
#include "capture/lines.h"

static struct regex_scratch *scratch;

static struct pattern *compile(const char *regex, bool caseless, bool dotall)
{
	struct pattern_conf conf = {
		.regex = (char *)regex,
		.caseless = caseless,
		.dotall = dotall,
		.match_limit = 1000000,
	};
	struct pattern *pattern = NULL;
	struct err err = { "" };

	return pattern_compile(&conf, &pattern, &err) ? NULL : pattern;
}

static bool make(const struct pattern *pattern, bool caseless, bool dotall, bool simd,
		 struct straight *ret)
{
	const struct straight_options options = { caseless, dotall };

	return straight_compile(pattern_text(pattern), &options, pattern_required(pattern), simd,
				ret);
}

/* ---- what is one ----------------------------------------------------------------------------- */

static void test_which(void **state)
{
	static const struct {
		const char *regex;
		bool straight;
	} cases[] = {
		{ "\\d+", true },
		{ "[0-9]{3,}", true },
		{ "foobar[0-9]+", true },
		{ "Host: \\K\\S+", true },
		{ "Disk sd[ab] failed", true },
		{ "ab[^;\\\\]+", true },
		{ "\"[^\"]*\"", true },
		{ "[]a-]x\\.y\\x41", true },
		{ "x.*", true },
		{ "\\d+:\\d+", false }, /* its text has no fixed place */
		{ "\\w+\\d", false }, /* a run that has to give back */
		{ "a.*b", false },
		{ "foo|bar", false },
		{ "(foo)\\d", false },
		{ "^foo", false },
		{ "foo\\b", false },
		{ "foo\\d+?", false },
		{ "foo\\d++", false },
		{ "foo\\d{,3}", false },
		{ "\\d*", false }, /* may be empty */
		{ "foo\\K", false },
		{ "[[:digit:]]+", false },
		{ "[^x]+", false }, /* takes CRs, and has no text */
		{ "foo\\R", false },
		{ "\\Qa+\\E", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pattern *pattern = compile(cases[i].regex, false, false);
		struct straight straight;

		assert_non_null(pattern);
		if (make(pattern, false, false, true, &straight) != cases[i].straight)
			fail_msg("%s", cases[i].regex);
		pattern_free(pattern);
	}
}

/* ---- what it finds --------------------------------------------------------------------------- */

static uint64_t seed = 20261128;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

#define PICK(array) (array)[dice(sizeof(array) / sizeof((array)[0]))]

static void random_regex(struct buf *out)
{
	static const char *const sets[] = { "a",     "b",    "foo", "[ab]", "[^a]",  "\\d",
					    "\\D",   "\\w",  "\\s", "\\S",  ".",     "[0-3]",
					    "-",     "[^;]", "\\.", "Fo",   "[b-d]", ":",
					    "\\x41", "=",    "\r",  "a\r" };
	static const char *const counts[] = {
		"", "", "", "+", "+", "*", "{2}", "{1,3}", "{2,}", "?"
	};
	uint32_t n = 1 + dice(4);

	for (uint32_t i = 0; i < n; i++) {
		buf_adds(out, PICK(sets));
		buf_adds(out, PICK(counts));
		if (dice(12) == 0)
			buf_adds(out, "\\K");
	}
}

static void random_text(struct buf *out)
{
	static const char *const words[] = { "a",  "b",	  "foo", "Foo", "12", "3",  "\n", "\r\n",
					     "\r", "-",	  ";",	 " ",	".",  "=",  ":",  "\xff",
					     "A",  "aaa", "bd",	 "012", "\t", "_x", "\n", "FOO" };
	uint32_t n = dice(120);

	for (uint32_t i = 0; i < n; i++)
		buf_adds(out, PICK(words));
}

struct told {
	struct buf text;
	size_t line;
};

static void on_match(void *data, const struct extract_match *match)
{
	struct told *told = data;

	buf_addf(&told->text, "%zu-%zu ", told->line + match->whole.start,
		 told->line + match->whole.end);
}

static void by_pcre2(const struct pattern *pattern, const struct buf *text, struct told *ret)
{
	const struct extract_policy policy = { .max = SIZE_MAX };
	const uint8_t *data = (const uint8_t *)text->data, *end = data + text->len, *p = data;

	while (p < end) {
		const uint8_t *next = line_end(p, end);

		ret->line = (size_t)(p - data);
		assert_int_equal(extract(pattern, &policy, scratch, p,
					 line_subject(p, (size_t)(next - p)), on_match, ret, NULL),
				 EXTRACT_DONE);
		p = next;
	}
}

/* Of exactly its size, so that a read behind it is seen. */
static void straightly(const struct straight *straight, const struct buf *text, struct told *ret)
{
	struct span spans[STRAIGHT_SPANS_MIN];
	uint8_t *data = malloc(text->len + 1);
	size_t cursor = 0, n;

	assert_non_null(data);
	memcpy(data, text->data, text->len);
	data = realloc(data, text->len + !text->len);
	assert_non_null(data);
	while (cursor < text->len) {
		assert_true(straight_find(straight, data, text->len, &cursor, spans,
					  STRAIGHT_SPANS_MIN, &n));
		for (size_t i = 0; i < n; i++)
			buf_addf(&ret->text, "%zu-%zu ", spans[i].start, spans[i].end);
	}
	free(data);
}

static void compare(const struct pattern *pattern, const struct straight *straight)
{
	struct told theirs, ours;
	struct buf text;

	buf_init(&text, 65536);
	buf_init(&theirs.text, 1u << 20);
	buf_init(&ours.text, 1u << 20);
	random_text(&text);
	if (text.len) {
		by_pcre2(pattern, &text, &theirs);
		straightly(straight, &text, &ours);
	}
	if (theirs.text.len != ours.text.len ||
	    (ours.text.len && memcmp(ours.text.data, theirs.text.data, ours.text.len) != 0))
		fail_msg("/%s/ in {%s}: %s and not %s", pattern_text(pattern), text.data,
			 ours.text.data ? ours.text.data : "",
			 theirs.text.data ? theirs.text.data : "");
	buf_done(&text);
	buf_done(&theirs.text);
	buf_done(&ours.text);
}

static void test_random(void **state)
{
	unsigned int found = 0;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		bool caseless = dice(3) == 0, dotall = dice(4) == 0, simd = dice(3) != 0;
		struct straight straight;
		struct pattern *pattern;
		struct buf regex;

		buf_init(&regex, 4096);
		random_regex(&regex);
		pattern = compile(regex.data, caseless, dotall);
		if (pattern && make(pattern, caseless, dotall, simd, &straight)) {
			found++;
			for (int i = 0; i < 5; i++)
				compare(pattern, &straight);
		}
		pattern_free(pattern);
		buf_done(&regex);
	}
	/* The rest would be a test of nothing. */
	assert_in_range(found, 2000, 20000);
}

/* Each "Qz" begins a run to the end: what that would take is left to PCRE2. */
static void test_hostile(void **state)
{
	struct pattern *pattern = compile("Qz\\w*[;:]", false, false);
	const size_t len = 1u << 20;
	struct span spans[STRAIGHT_SPANS_MIN];
	uint8_t *text = malloc(len);
	struct straight straight;
	size_t cursor = 0, n;

	(void)state;
	assert_non_null(pattern);
	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = i % 2 ? 'z' : 'Q';
	assert_true(make(pattern, false, false, true, &straight));
	assert_false(straight_find(&straight, text, len, &cursor, spans, STRAIGHT_SPANS_MIN, &n));
	assert_int_equal(n, 0);
	assert_in_range(cursor, 1, 100);
	free(text);
	pattern_free(pattern);
}

static int set_up(void **state)
{
	(void)state;
	return regex_scratch_new(&scratch);
}

static int tear_down(void **state)
{
	(void)state;
	regex_scratch_free(scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_hostile),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
