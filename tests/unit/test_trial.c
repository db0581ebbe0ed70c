/* links: capture/trial.c capture/explain_json.c capture/explain_pattern.c capture/pattern_lint.c */
/* links: agent/base/base64.c capture/search.c capture/straight.c capture/straight_find.c */
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
#include "capture/trial.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Requests that are refused, with a word of why. */
static const struct {
	const char *request, *why;
} refused[] = {
	{ "[]", "Expected object" },
	{ "{}", "regex" },
	{ "{'regex': 1}", "Expected string" },
	{ "{'regex': 'a', 'groups': [1]}", "groups" },
	{ "{'regex': 'a', 'groups': ['nosuch']}", "nosuch" },
	{ "{'regex': 'a', 'scope': 'line'}", "scope" },
	{ "{'regex': 'a', 'begin': 'b', 'end': 'c', 'include': 'all'}", "include" },
	{ "{'regex': 'a', 'end': 'c'}", "begin and end" },
	{ "{'regex': 'a', 'begin': '(', 'end': 'c'}", "begin" },
	{ "{'regex': 'a', 'begin': 'b', 'end': '('}", "end" },
	{ "{'regex': '(', 'subjects': []}", "offset 1" },
	{ "{'regex': 'a', 'subjects': ['a']}", "base64" },
	{ "{'regex': 'a', 'subjects': [null]}", "base64" },
	{ "{'regex': 'a', 'subjects': ['YQ==', 'Y Q']}", "subject 1" },
	{ "{'regex': 'a', 'color': 'red'}", "color" },
};

/* The request with quotes as JSON has them. */
static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json = json_loads(copy, 0, NULL);
	free(copy);
	assert_non_null(json);
	return json;
}

static void bad_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		json_t *request = parse(refused[i].request), *answer = NULL;
		struct err err = { "" };

		assert_int_equal(trial(request, &answer, &err), -EINVAL);
		assert_null(answer);
		if (!strstr(err.text, refused[i].why))
			fail_msg("%s: \"%s\" does not say \"%s\"", refused[i].request, err.text,
				 refused[i].why);
		json_decref(request);
	}
}

static void too_much(void **state)
{
	json_t *request = parse("{'regex': 'a', 'subjects': []}"), *answer = NULL;
	struct err err;

	(void)state;
	for (int i = 0; i <= TRIAL_SUBJECTS_MAX; i++)
		json_array_append_new(json_object_get(request, "subjects"), json_string(""));
	assert_int_equal(trial(request, &answer, &err), -EINVAL);
	json_array_remove(json_object_get(request, "subjects"), 0);
	assert_int_equal(trial(request, &answer, &err), 0);
	assert_int_equal(json_array_size(json_object_get(answer, "subjects")), TRIAL_SUBJECTS_MAX);
	json_decref(answer);
	json_decref(request);
}

/* "OFFSET+LENGTH ..." of the first subject. */
static void assert_found(const char *text, const char *wanted)
{
	json_t *request = parse(text), *answer = NULL, *match;
	const json_t *matches;
	struct err err = { "" };
	char found[256] = "";
	size_t i, len = 0;

	if (trial(request, &answer, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	matches =
		json_object_get(json_array_get(json_object_get(answer, "subjects"), 0), "matches");
	json_array_foreach(matches, i, match)
		len += (size_t)snprintf(found + len, sizeof(found) - len, "%s%d+%d", len ? " " : "",
					(int)json_integer_value(json_object_get(match, "offset")),
					(int)json_integer_value(json_object_get(match, "length")));
	assert_string_equal(found, wanted);
	json_decref(answer);
	json_decref(request);
}

/* "aXbaXb" is YVhiYVhi, "<a><a>a" is PGE+PGE+YQ==, and NUL, a, NUL is AGEA. */
static void finds(void **state)
{
	(void)state;
	assert_found("{'regex': 'x', 'caseless': true, 'subjects': ['YVhiYVhi']}", "1+1 4+1");
	assert_found(
		"{'regex': 'X', 'preceded-by': 'a', 'followed-by': 'b$', 'subjects': ['YVhiYVhi']}",
		"4+1");
	assert_found("{'regex': 'a', 'begin': '<', 'end': '>', 'subjects': ['PGE+PGE+YQ==']}",
		     "1+1 4+1");
	assert_found("{'regex': '\\\\x00', 'subjects': ['AGEA']}", "0+1 2+1");
	assert_found("{'regex': 'a', 'scope': 'stream', 'subjects': ['']}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_requests),
		cmocka_unit_test(too_much),
		cmocka_unit_test(finds),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
