#include "capture/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/base64.h"
#include "capture/explain_json.h"
#include "capture/rule_stream.h"
#include "capture/ruleset.h"
#include "capture/sift.h"

/* As a [pattern] has it unless it says otherwise. */
#define MATCH_LIMIT	 100000
#define QUARANTINE_AFTER 10

struct trial_subject {
	const struct pattern *pattern;
	const char *result;
	json_t *matches;
};

/* ---- the request ---------------------------------------------------------------------------- */

static int take_include(const char *word, struct pattern_conf *conf, struct err *err)
{
	for (unsigned int i = 0; i < RANGE_INCLUDES; i++) {
		if (strcmp(word, range_include_words[i]) == 0) {
			conf->range.include = (enum range_include)i;
			return 0;
		}
	}
	return err_set(err, -EINVAL, "include is none, begin, end or both");
}

static int take_scope(const char *scope, struct pattern_conf *conf, struct err *err)
{
	if (strcmp(scope, "stream") == 0)
		conf->scope = SCOPE_STREAM;
	else if (strcmp(scope, "packet") != 0)
		return err_set(err, -EINVAL, "scope is packet or stream");
	return 0;
}

static int take_groups(const json_t *names, struct pattern_conf *conf, struct err *err)
{
	size_t n = json_array_size(names);

	if (n > PATTERN_GROUPS_MAX)
		return err_set(err, -EINVAL, "more than %d groups", PATTERN_GROUPS_MAX);
	conf->groups.v = calloc(n + 1, sizeof(*conf->groups.v));
	if (!conf->groups.v)
		return err_errno(err, -ENOMEM, "cannot try it");
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (!name)
			return err_set(err, -EINVAL, "groups are names or numbers, as texts");
		conf->groups.v[conf->groups.n++] = (char *)name;
	}
	return 0;
}

/* What is in `conf` afterwards belongs to the request, but for the list of groups. */
static int read_request(const json_t *request, struct pattern_conf *conf,
			const json_t **ret_subjects, struct err *err)
{
	int caseless = 0, multiline = 0, dotall = 0, utf = 0;
	const char *scope = "packet", *include = "both";
	json_t *groups = NULL, *subjects = NULL;
	json_error_t wrong;
	int code;

	*conf = (struct pattern_conf){ .head.name = (char *)"tried",
				       .match_limit = MATCH_LIMIT,
				       .quarantine_after = QUARANTINE_AFTER };
	if (json_unpack_ex((json_t *)request, &wrong, JSON_STRICT,
			   "{s:s, s?s, s?s, s?s, s?s, s?s, s?b, s?b, s?b, s?b, s?s, s?o, s?o}",
			   "regex", &conf->regex, "preceded-by", &conf->preceded_by, "followed-by",
			   &conf->followed_by, "begin", &conf->begin, "end", &conf->end, "include",
			   &include, "caseless", &caseless, "multiline", &multiline, "dotall",
			   &dotall, "utf", &utf, "scope", &scope, "groups", &groups, "subjects",
			   &subjects) != 0)
		return err_set(err, -EINVAL, "what is to be tried: %s", wrong.text);
	conf->caseless = caseless;
	conf->multiline = multiline;
	conf->dotall = dotall;
	conf->utf = utf;
	if (json_array_size(subjects) > TRIAL_SUBJECTS_MAX)
		return err_set(err, -EINVAL, "more than %d subjects", TRIAL_SUBJECTS_MAX);
	if (!conf->begin != !conf->end)
		return err_set(err, -EINVAL, "a range has begin and end");
	*ret_subjects = subjects;
	code = take_scope(scope, conf, err);
	if (!code)
		code = take_include(include, conf, err);
	return code ? code : take_groups(groups, conf, err);
}

/* ---- what is found -------------------------------------------------------------------------- */

static json_t *span_json(struct span span, uint64_t base)
{
	if (!span_is_set(span))
		return json_null();
	return json_pack("{s:I, s:I}", "offset", (json_int_t)base + (json_int_t)span.start,
			 "length", (json_int_t)(span.end - span.start));
}

static void on_match(void *data, const struct hit *hit)
{
	const struct trial_subject *subject = data;
	json_t *found = span_json(hit->match->whole, hit->offset), *groups = json_array();

	for (size_t i = 0; i < pattern_n_groups(subject->pattern); i++)
		json_array_append_new(groups, span_json(hit->match->groups[i], hit->offset));
	json_object_set_new(found, "groups", groups);
	json_array_append_new(subject->matches, found);
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	static const char *const names[STREAM_LOSSES] = {
		[STREAM_LOSS_OVERFLOW] = "limit", [STREAM_LOSS_LIMIT] = "limit",
		[STREAM_LOSS_ERROR] = "error",	  [STREAM_LOSS_TOO_MANY] = "too-many",
		[STREAM_LOSS_MEMORY] = "error",
	};
	struct trial_subject *subject = data;

	(void)from;
	(void)to;
	subject->result = names[why];
}

static int search_bytes(const struct ruleset *rules, struct trial_subject *subject,
			const uint8_t *bytes, size_t len)
{
	static const struct stream_match_ops ops = { .match = on_match, .loss = on_loss };
	struct rule_stream stream;
	int code = rule_stream_init(&stream, &rules->rules[0], &extract_live, SIFT_MATCH_MAX, &ops,
				    subject);

	if (code)
		return code;
	rule_stream_feed(&stream, rules->scratch, bytes, len);
	rule_stream_end(&stream, rules->scratch, len);
	rule_stream_done(&stream);
	return 0;
}

static int search_one(const struct ruleset *rules, const char *text, json_t *list, struct err *err)
{
	struct trial_subject subject = { .pattern = rules->rules[0].pattern,
					 .result = "done",
					 .matches = json_array() };
	uint8_t *bytes = NULL;
	int code = -EINVAL;
	size_t len;

	if (text)
		bytes = malloc(strlen(text) + 1);
	if (bytes)
		code = base64_decode(text, bytes, strlen(text), &len);
	if (code)
		err_set(err, code, "subject %zu is no base64", json_array_size(list));
	else if ((code = search_bytes(rules, &subject, bytes, len)))
		err_errno(err, code, "cannot try it");
	json_array_append_new(list, json_pack("{s:s, s:o}", "result", subject.result, "matches",
					      subject.matches));
	free(bytes);
	return code;
}

static json_t *groups_json(const struct pattern *pattern)
{
	json_t *list = json_array();

	for (size_t i = 0; i < pattern_n_groups(pattern); i++)
		json_array_append_new(list, json_string(pattern_group_name(pattern, i)));
	return list;
}

static int search_all(const struct ruleset *rules, const json_t *subjects, json_t *answer,
		      struct err *err)
{
	json_t *list = json_array();
	int code = 0;

	for (size_t i = 0; code == 0 && i < json_array_size(subjects); i++)
		code = search_one(rules, json_string_value(json_array_get(subjects, i)), list, err);
	json_object_set_new(answer, "groups", groups_json(rules->rules[0].pattern));
	json_object_set_new(answer, "subjects", list);
	return code;
}

int trial(const json_t *request, json_t **ret, struct err *err)
{
	struct pattern_explained explained = { 0 };
	const json_t *subjects = NULL;
	json_t *answer = json_object();
	struct ruleset rules = { 0 };
	struct pattern_conf conf;
	int code = read_request(request, &conf, &subjects, err);

	if (code == 0)
		code = explain_pattern(&conf, SIFT_MATCH_MAX, &explained, err);
	if (code == 0)
		code = ruleset_init(&rules, &(struct config){ .patterns = &conf, .n_patterns = 1 },
				    err);
	if (code == 0) {
		json_object_set_new(answer, "explained", explain_json(&conf, &explained));
		code = search_all(&rules, subjects, answer, err);
	}
	ruleset_done(&rules);
	explain_pattern_done(&explained);
	free(conf.groups.v);
	if (code == 0)
		*ret = answer;
	else
		json_decref(answer);
	return code;
}
