/* links: capture/ruleset.c capture/shape.c capture/set_reader.c capture/range_stream.c */
/* links: capture/regex_match.c */
/* links: capture/rule_stream.c capture/extract.c capture/pattern.c capture/regex.c */
/* links: capture/pattern_compose.c */
/* links: agent/base/config.c agent/base/config_cross.c agent/base/config_range.c */
/* links: agent/base/config_wishes.c */
/* links: agent/base/config_lowers.c agent/base/config_boot.c agent/base/config_schema*.c */
/* links: agent/base/range_types.c agent/base/fault.c agent/base/hint.c agent/base/ini.c */
/* links: agent/base/ini_load.c agent/base/ini_scan.c agent/base/link_types.c */
/* links: agent/base/name_template.c agent/base/schema.c agent/base/schema_print.c */
/* links: agent/base/schema_walk.c */
/* links: agent/base/schema_fill.c */
/* links: agent/base/schema_type.c agent/base/parse_boot.c agent/base/schema_list.c */
/* links: agent/base/schema_text.c */
/* links: agent/base/buf.c agent/base/err.c agent/base/parse.c capture/literal.c */
/* links: capture/literal_reader.c capture/literal_part.c capture/prefilter.c */
/* links: capture/gram_index.c capture/literal_find.c capture/stream_match.c agent/base/utf8.c */
/* links: capture/stream_sleep.c capture/stream_window.c */
#include "capture/ruleset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pattern_conf pattern_named(const char *name, const char *regex)
{
	return (struct pattern_conf){
		.head.name = name,
		.regex = (char *)regex,
		.match_limit = 10000,
	};
}

struct told {
	char text[16384];
	size_t len;
};

static void on_match(void *data, const struct rule *rule, const struct extract_match *match)
{
	struct told *told = data;

	told->len += (size_t)snprintf(told->text + told->len, sizeof(told->text) - told->len,
				      "%s@%zu ", rule->conf->head.name, match->whole.start);
}

static void on_gave_up(void *data, const struct rule *rule, enum extract_result why)
{
	struct told *told = data;

	told->len += (size_t)snprintf(told->text + told->len, sizeof(told->text) - told->len,
				      "%s!%d ", rule->conf->head.name, why);
}

static const struct ruleset_ops ops = { .match = on_match, .gave_up = on_gave_up };
static const struct rule_mask none;

static size_t run(const struct ruleset *set, const struct strv *names, struct stats_pattern *stats,
		  const char *payload, struct told *told)
{
	struct rule_mask mask;

	*told = (struct told){ .len = 0 };
	ruleset_select(set, names, &mask);
	return ruleset_run(set, &mask, &none, stats, (const uint8_t *)payload, strlen(payload),
			   &ops, told);
}

static void ranges_are_selected_too(void **state)
{
	struct pattern_conf patterns[] = { pattern_named("a", "a"), pattern_named("b", "b") };
	struct config config = { .patterns = patterns, .n_patterns = 2 };
	char *all[] = { "all" }, begin[] = "<", end[] = ">";
	struct stats_pattern stats[2] = { 0 };
	struct ruleset set;
	struct told told;

	(void)state;
	patterns[1].begin = begin;
	patterns[1].end = end;
	assert_int_equal(ruleset_init(&set, &config, NULL), 0);
	assert_int_equal(run(&set, &(struct strv){ all, 1 }, stats, "ab<b>", &told), 2);
	assert_string_equal(told.text, "a@0 b@3 ");
	ruleset_done(&set);
}

static void selection(void **state)
{
	struct pattern_conf patterns[] = { pattern_named("a", "a"), pattern_named("b", "b"),
					   pattern_named("c", "c") };
	struct config config = { .patterns = patterns, .n_patterns = 3 };
	char *all[] = { "all" }, *some[] = { "c", "a" }, *unknown[] = { "d" };
	struct stats_pattern *stats = calloc(3, sizeof(*stats));
	struct ruleset set;
	struct rule_mask mask;
	struct told told;

	(void)state;
	assert_non_null(stats);
	assert_int_equal(ruleset_init(&set, &config, NULL), 0);
	assert_int_equal(set.n, 3);
	assert_int_equal(set.n_jit, 3);
	assert_int_equal(run(&set, &(struct strv){ all, 1 }, stats, "cbaab", &told), 5);
	/* Rule by rule, in the order of the configuration. */
	assert_string_equal(told.text, "a@2 a@3 b@1 b@4 c@0 ");
	assert_int_equal(run(&set, &(struct strv){ some, 2 }, stats, "cbaab", &told), 3);
	assert_string_equal(told.text, "a@2 a@3 c@0 ");
	assert_int_equal(run(&set, &(struct strv){ unknown, 1 }, stats, "cbaab", &told), 0);
	assert_int_equal(run(&set, &(struct strv){ NULL, 0 }, stats, "cbaab", &told), 0);
	assert_int_equal(stat_get(&stats[0].tried), 2);
	assert_int_equal(stat_get(&stats[0].matches), 4);
	assert_int_equal(stat_get(&stats[1].tried), 1);
	assert_int_equal(stat_get(&stats[1].matches), 2);
	assert_int_equal(stat_get(&stats[2].limited), 0);
	ruleset_select(&set, &(struct strv){ unknown, 1 }, &mask);
	assert_false(mask.any);
	ruleset_select(&set, &(struct strv){ some, 2 }, &mask);
	assert_true(mask.any);
	ruleset_done(&set);
	free(stats);
}

/* A rule that gives up or has too much to tell is counted; the next one runs all the same. */
static void limited(void **state)
{
	struct pattern_conf patterns[] = { pattern_named("evil", "(?:a|aa)+$"),
					   pattern_named("many", "a"), pattern_named("good", "!") };
	struct config config = { .patterns = patterns, .n_patterns = 3 };
	struct stats_pattern *stats = calloc(3, sizeof(*stats));
	char *all[] = { "all" }, payload[1001];
	struct ruleset set;
	struct told told;

	(void)state;
	assert_non_null(stats);
	memset(payload, 'a', 999);
	strcpy(payload + 999, "!");
	assert_int_equal(ruleset_init(&set, &config, NULL), 0);
	assert_int_equal(run(&set, &(struct strv){ all, 1 }, stats, payload, &told),
			 EXTRACT_MATCHES_MAX + 1);
	assert_int_equal(stat_get(&stats[0].limited), 1);
	assert_int_equal(stat_get(&stats[1].limited), 1);
	assert_int_equal(stat_get(&stats[1].matches), EXTRACT_MATCHES_MAX);
	assert_int_equal(stat_get(&stats[2].limited), 0);
	assert_int_equal(stat_get(&stats[2].matches), 1);
	ruleset_done(&set);
	free(stats);
}

static void ids(void **state)
{
	struct pattern_conf patterns[] = { pattern_named("a", "a"), pattern_named("b", "b"),
					   pattern_named("given", "c") };
	struct config config = { .patterns = patterns, .n_patterns = 3 };
	struct ruleset set, again;

	(void)state;
	patterns[2].id = 1001;
	assert_int_equal(ruleset_init(&set, &config, NULL), 0);
	assert_int_equal(set.rules[2].signature_id, 1001);
	assert_int_not_equal(set.rules[0].signature_id, set.rules[1].signature_id);
	assert_true(set.rules[0].signature_id > 0 && set.rules[0].signature_id <= INT32_MAX);
	/* By the name alone: readers keep their filters when the order changes. */
	config.patterns = &patterns[1];
	config.n_patterns = 1;
	assert_int_equal(ruleset_init(&again, &config, NULL), 0);
	assert_int_equal(again.rules[0].signature_id, set.rules[1].signature_id);
	ruleset_done(&again);
	ruleset_done(&set);
	ruleset_done(&set);
}

static void faulty(void **state)
{
	struct pattern_conf patterns[] = { pattern_named("good", "a"), pattern_named("bad", "a(") };
	struct config config = { .patterns = patterns, .n_patterns = 2 };
	struct ruleset set;
	struct err err;

	(void)state;
	assert_int_equal(ruleset_init(&set, &config, &err), -EINVAL);
	assert_string_equal(
		err.text,
		"[pattern bad]: regex: missing closing parenthesis at offset 2: a(<HERE>");
	config.n_patterns = STATS_PATTERNS_MAX + 1;
	assert_int_equal(ruleset_init(&set, &config, &err), -E2BIG);
	config.n_patterns = 0;
	assert_int_equal(ruleset_init(&set, &config, &err), 0);
	ruleset_done(&set);
}

/* The last rule of the last word of the mask. */
static void as_many_as_may_be(void **state)
{
	struct pattern_conf *patterns = calloc(STATS_PATTERNS_MAX, sizeof(*patterns));
	struct stats_pattern *stats = calloc(STATS_PATTERNS_MAX, sizeof(*stats));
	struct config config = { .patterns = patterns, .n_patterns = STATS_PATTERNS_MAX };
	char names[2][8] = { "other", "last" }, *last[] = { names[1] }, *all[] = { "all" };
	struct ruleset set;
	struct told told;

	(void)state;
	assert_true(patterns && stats);
	for (size_t i = 0; i < STATS_PATTERNS_MAX; i++)
		patterns[i] = pattern_named(names[i == STATS_PATTERNS_MAX - 1], "x");
	assert_int_equal(ruleset_init(&set, &config, NULL), 0);
	assert_int_equal(run(&set, &(struct strv){ last, 1 }, stats, "x", &told), 1);
	assert_string_equal(told.text, "last@0 ");
	assert_int_equal(stat_get(&stats[STATS_PATTERNS_MAX - 1].tried), 1);
	assert_int_equal(run(&set, &(struct strv){ all, 1 }, stats, "x", &told),
			 STATS_PATTERNS_MAX);
	ruleset_done(&set);
	free(stats);
	free(patterns);
}

static uint64_t seed = 20260418;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

/* What is found does not depend on whether the prefilter is asked; how much is tried does. */
static void prefiltered(void **state)
{
	static const char *const regexes[] = {
		"abc",	      "ab(?:cd|ce)",	"(?<=ab)c+",	  "a.?c",	"(?i)abcd",
		"[bc]a+",     "^abcab",		"\\Kabc",	  "(?!abc)abx", "abc|cba|(?=bca)b",
		"ab$",	      "(a|b)*cabcabc",	"x{3}",		  "(?s)abc.*x", "c(?<!bc)ab",
		"[ab]{3}\\B", "(?:[a-c][BC])+", "[bc]{2}\\w[^a]",
	};
	struct pattern_conf patterns[sizeof(regexes) / sizeof(regexes[0])];
	const size_t n = sizeof(regexes) / sizeof(regexes[0]);
	struct config config = { .patterns = patterns, .n_patterns = n };
	struct stats_pattern *stats = calloc(n, sizeof(*stats));
	char *all[] = { "all" };
	uint64_t tried[2] = { 0 };
	struct ruleset set;

	(void)state;
	assert_non_null(stats);
	for (size_t i = 0; i < n; i++)
		patterns[i] = pattern_named(regexes[i], regexes[i]);
	assert_int_equal(ruleset_init(&set, &config, NULL), 0);
	for (int i = 0; i < 20000; i++) {
		struct told told[2];
		char payload[41];
		size_t len = dice(sizeof(payload));

		for (size_t k = 0; k < len; k++)
			payload[k] = "aaabbbcccxABC\\"[dice(14)];
		payload[len] = '\0';
		for (int k = 0; k < 2; k++) {
			memset(stats, 0, n * sizeof(*stats));
			set.try_all = k;
			run(&set, &(struct strv){ all, 1 }, stats, payload, &told[k]);
			for (size_t r = 0; r < n; r++)
				tried[k] += stat_get(&stats[r].tried);
		}
		assert_string_equal(told[0].text, told[1].text);
	}
	assert_int_equal(tried[1], 20000 * n);
	assert_true(tried[0] < tried[1] / 2);
	ruleset_done(&set);
	free(stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selection),   cmocka_unit_test(ranges_are_selected_too),
		cmocka_unit_test(limited),     cmocka_unit_test(ids),
		cmocka_unit_test(faulty),      cmocka_unit_test(as_many_as_may_be),
		cmocka_unit_test(prefiltered),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
