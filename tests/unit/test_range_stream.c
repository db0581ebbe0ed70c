/* links: capture/range_stream.c capture/stream_match.c capture/extract.c capture/pattern.c */
/* links: capture/pattern_compose.c */
/* links: capture/stream_sleep.c capture/stream_window.c */
/* links: capture/regex_match.c */
/* links: capture/regex.c capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: capture/literal_find.c agent/base/buf.c agent/base/parse.c agent/base/err.c */
#include "capture/range_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buf.h"

static uint64_t seed = 20260420;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

static struct regex_scratch *scratch;

static struct pattern *compile(const char *regex, bool utf)
{
	const struct pattern_conf conf = { .regex = (char *)regex,
					   .match_limit = 100000,
					   .utf = utf };
	struct pattern *pattern = NULL;

	assert_int_equal(pattern_compile(&conf, &pattern, NULL), 0);
	return pattern;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static void add_hit(struct buf *text, const uint8_t *subject, uint64_t offset, struct span span,
		    bool gap)
{
	buf_addf(text, "%llu:%.*s%s ", (unsigned long long)offset + span.start,
		 (int)(span.end - span.start), (const char *)subject + span.start, gap ? "!" : "");
}

static void on_hit(void *data, const struct hit *hit)
{
	add_hit(data, hit->subject, hit->offset, hit->match->whole, hit->gap);
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	buf_addf(data, "(%s %llu-%llu) ", stream_loss_name(why), (unsigned long long)from,
		 (unsigned long long)to);
}

static const struct stream_match_ops ops = { .match = on_hit, .loss = on_loss };

/* ---- the same, of the whole subject at once -------------------------------------------------- */

struct reference {
	struct buf *text;
	const uint8_t *content;
	uint64_t offset;
};

static void on_match(void *data, const struct extract_match *match)
{
	const struct reference *ref = data;

	add_hit(ref->text, ref->content, ref->offset, match->whole, false);
}

/* The first match from `at` on that is not empty. */
static bool find(const struct pattern *pattern, const uint8_t *subject, size_t len, size_t at,
		 struct span *ret)
{
	struct extract_cursor cursor = { .offset = at };
	struct span groups[PATTERN_GROUPS_MAX];
	struct extract_match match;

	while (!cursor.at_end &&
	       pattern_match(pattern, scratch, subject, len, cursor.offset,
			     cursor.not_empty_here ? REGEX_NOT_EMPTY_HERE : 0) == REGEX_MATCH) {
		if (!extract_take(pattern, &(struct extract_policy){ .max = 1 }, scratch, subject,
				  len, &cursor, &match, groups))
			continue;
		*ret = match.whole;
		return true;
	}
	return false;
}

static void whole(const struct range_stream_rule *rule, const uint8_t *subject, size_t len,
		  struct buf *text)
{
	struct span begin, end;
	size_t at = 0;

	while (find(rule->begin, subject, len, at, &begin)) {
		bool closed = find(rule->end, subject, len, begin.end, &end);
		size_t from = rule->conf->include & RANGE_BEGIN ? begin.start : begin.end;
		size_t to = !closed ? len : rule->conf->include & RANGE_END ? end.end : end.start;
		struct reference ref = { text, subject + from, from };

		if (closed || rule->conf->open_end == RANGE_EMIT)
			extract(rule->inner, &extract_live, scratch, subject + from, to - from,
				on_match, &ref, NULL);
		if (!closed)
			break;
		at = end.end;
	}
}

static const struct {
	const char *begin, *end, *inner;
	bool utf;
} rules[] = {
	{ "<", ">", "\\w+", false },
	{ "<+", ">+", "a.?", false },
	{ "ab", "b", "a|b+", false },
	{ "(?<=a)b", "(?<=ab)a", "\\w", false },
	{ "^a|<", "$|>", "[ab]+", false },
	{ "(?m)^<", "(?m)>$", "(?s)^.+$", false },
	{ "a(?=b)", "b(?!b)", "\\b\\w", false },
	{ "<", "<", "[^<]+", false },
	{ "<\\R?", "\\R>", ".+", false },
	{ "\xc3\xa9", "(?<=\xc3\xa9.)b", ".", true },
	{ "a{3}", "b{3}\\z|>>", "a+", false },
};

static void check(size_t i, const struct range_conf *conf)
{
	static const char alphabet[] = "aaabbb<<>>\n\r \xc3\xa9";
	struct pattern *begin = compile(rules[i].begin, rules[i].utf);
	struct pattern *end = compile(rules[i].end, rules[i].utf);
	struct pattern *inner = compile(rules[i].inner, rules[i].utf);
	const struct range_stream_rule rule = {
		.conf = conf,
		.begin = begin,
		.end = end,
		.inner = inner,
		.max = 4096,
	};

	for (int round = 0; round < 400; round++) {
		struct buf expected, told;
		struct range_stream rs;
		uint8_t subject[80];
		size_t len = dice(sizeof(subject)), step = 1 + dice(dice(2) ? 3 : 80);

		for (size_t k = 0; k < len; k++)
			subject[k] = (uint8_t)alphabet[dice(sizeof(alphabet) - 1)];
		buf_init(&expected, 1 << 16);
		buf_init(&told, 1 << 16);
		buf_adds(&expected, "");
		buf_adds(&told, "");
		whole(&rule, subject, len, &expected);
		assert_int_equal(range_stream_init(&rs, &rule, &extract_live, &ops, &told), 0);
		for (size_t at = 0, n; at < len; at += n) {
			n = 1 + dice((uint32_t)step);
			n = n < len - at ? n : len - at;
			range_stream_feed(&rs, scratch, subject + at, n);
			assert_true(range_stream_needs(&rs) <= at + n);
		}
		range_stream_end(&rs, scratch);
		if (strcmp(told.data, expected.data) != 0)
			fail_msg(
				"/%s/ to /%s/ for /%s/, include %d, in \"%.*s\": \"%s\", not \"%s\"",
				rules[i].begin, rules[i].end, rules[i].inner, (int)conf->include,
				(int)len, (const char *)subject, told.data, expected.data);
		range_stream_done(&rs);
		buf_done(&expected);
		buf_done(&told);
	}
	pattern_free(begin);
	pattern_free(end);
	pattern_free(inner);
}

static void random_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		for (int k = 0; k < 8; k++) {
			const struct range_conf conf = {
				.include = (enum range_include)(k & 3),
				.open_end = k & 4 ? RANGE_DROP : RANGE_EMIT,
			};

			check(i, &conf);
		}
	}
}

static void expect(const struct range_conf *conf, const char *pieces[], const char *expected)
{
	struct pattern *begin = compile("BEGIN", false), *end = compile("END", false);
	struct pattern *inner = compile("x+", false);
	const struct range_stream_rule rule = {
		.conf = conf,
		.begin = begin,
		.end = end,
		.inner = inner,
		.max = 4096,
	};
	struct range_stream rs;
	struct buf told;

	buf_init(&told, 1 << 16);
	buf_adds(&told, "");
	assert_int_equal(range_stream_init(&rs, &rule, &extract_live, &ops, &told), 0);
	for (; *pieces; pieces++) {
		if (**pieces)
			range_stream_feed(&rs, scratch, (const uint8_t *)*pieces, strlen(*pieces));
		else
			range_stream_gap(&rs, scratch, 10);
	}
	range_stream_end(&rs, scratch);
	assert_string_equal(told.data, expected);
	range_stream_done(&rs);
	buf_done(&told);
	pattern_free(begin);
	pattern_free(end);
	pattern_free(inner);
}

/* A range ends at a gap, and nothing spans it; "" is one of ten bytes. */
static void gaps(void **state)
{
	const struct range_conf emit = { .open_end = RANGE_EMIT },
				drop = { .open_end = RANGE_DROP };
	const char *pieces[] = { "xBEGINxx", "", "xxENDBEGINxEND", "", "BEG", "", "INxEND", NULL };

	(void)state;
	expect(&emit, pieces, "6:xx! 28:x ");
	expect(&drop, pieces, "28:x ");
}

static void limits(void **state)
{
	const struct range_conf conf = { .open_end = RANGE_EMIT, .max_bytes = 8 };
	const char *pieces[] = { "BEGINx", "......", "..xx", "END x", "BEGINxEND", NULL };

	(void)state;
	expect(&conf, pieces, "5:x (overflow 13-16) 26:x ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_cuts),
		cmocka_unit_test(gaps),
		cmocka_unit_test(limits),
	};
	int failed;

	if (regex_scratch_new(&scratch))
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("range_stream", tests, NULL, NULL);
	regex_scratch_free(scratch);
	return failed;
}
