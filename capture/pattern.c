#include "capture/pattern.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pattern_compose.h"

struct group {
	char *name;
	struct regex_group regex;
};

struct pattern {
	struct regex *regex;
	struct regex *open; /* for subjects that go on; NULL: it is the same */
	char *text;
	uint32_t match_limit;
	struct group *groups;
	size_t n_groups;
	size_t lookback;
	bool utf;
	bool may_restart;
	bool sees_last_newline;
	const char *note;
	struct literal_set required;
};

static int compile(const struct pattern_conf *conf, struct pattern *pattern, struct err *err)
{
	struct pattern_composed composed;
	int code = pattern_compose(conf, &composed, err);

	if (code)
		return code;
	pattern->regex = composed.regex;
	pattern->text = composed.text;
	pattern->note = composed.note;
	return 0;
}

static int add_group(struct pattern *pattern, const char *name, struct err *err)
{
	struct group *group = &pattern->groups[pattern->n_groups];

	if (regex_find_group(pattern->regex, name, &group->regex)) {
		if (*name && name[strspn(name, "0123456789")] == '\0')
			return err_set(err, -EINVAL,
				       "groups: there is no group %s: the regex has %u", name,
				       regex_captures(pattern->regex));
		return err_set(err, -EINVAL, "groups: the regex has no group named \"%s\"", name);
	}
	for (size_t i = 0; i < pattern->n_groups; i++) {
		if (strcmp(pattern->groups[i].name, name) == 0)
			return err_set(err, -EINVAL, "groups: %s is named twice", name);
	}
	group->name = strdup(name);
	if (!group->name)
		return err_set(err, -ENOMEM, "groups: out of memory");
	pattern->n_groups++;
	return 0;
}

static int find_groups(const struct pattern_conf *conf, struct pattern *pattern, struct err *err)
{
	size_t n = conf->groups.n ? conf->groups.n : 1;
	int code = 0;

	if (regex_captures(pattern->regex) > REGEX_CAPTURES_MAX)
		return err_set(err, -EINVAL, "regex: more than %d groups: use (?:...)",
			       REGEX_CAPTURES_MAX);
	if (n > PATTERN_GROUPS_MAX)
		return err_set(err, -EINVAL, "groups: more than %d", PATTERN_GROUPS_MAX);
	pattern->groups = calloc(n, sizeof(*pattern->groups));
	if (!pattern->groups)
		return err_set(err, -ENOMEM, "groups: out of memory");
	if (!conf->groups.n)
		return add_group(pattern, "0", err);
	for (size_t i = 0; i < n && !code; i++)
		code = add_group(pattern, conf->groups.v[i], err);
	return code;
}

static size_t count_of(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

/*
 * PCRE2 does not add up lookbehinds in lookbehinds (pcre2api(3), PCRE2_INFO_MAXLOOKBEHIND). They
 * cannot be deeper than there are of them, since one cannot recurse: "(?<" and "(*" begin each.
 */
static size_t lookback_of(const struct pattern *pattern)
{
	size_t depth = count_of(pattern->text, "(?<") + count_of(pattern->text, "(*");

	return (size_t)regex_lookbehind(pattern->regex) * (pattern->utf ? 4 : 1) *
		       (depth ? depth : 1) +
	       1;
}

/* Whether nothing can have been matched before the `^` at `at`: groups are opened, options set. */
static bool is_leading(const char *text, const char *at)
{
	while (text < at) {
		size_t n = text[0] == '(' && text[1] == '?' ? strspn(text + 2, "imsxnJU^-") : 0;

		if (text[0] != '(')
			return false;
		text += text[1] == '?' ? 2 + n : 1;
		if (text[-1] == '(')
			continue;
		if (text[0] != ':' && text[0] != ')')
			return false;
		text++;
	}
	return true;
}

/*
 * `^` in multiline is not true behind a newline that is the last byte, although more may come: that
 * matters where something is matched before it, since one that leads is found with the next bytes.
 */
static bool has_inner_line_start(const struct pattern_conf *conf, const char *text)
{
	if (!regex_is_multiline(text, pattern_regex_options(conf)))
		return false;
	for (const char *at = text; (at = strchr(at, '^')); at++) {
		if ((at == text || at[-1] != '[') && !is_leading(text, at))
			return true;
	}
	return false;
}

/* As it is searched for where more is to come. */
static int compile_open(const struct pattern_conf *conf, struct pattern *pattern, struct err *err)
{
	assert(pattern->text); /* by compile() */
	if (!has_inner_line_start(conf, pattern->text))
		return 0;
	return regex_compile(pattern->text, strlen(pattern->text),
			     pattern_regex_options(conf) | REGEX_LINE_AT_END, "regex",
			     &pattern->open, NULL, err);
}

static void find_traits(const struct pattern_conf *conf, struct pattern *pattern)
{
	const struct literal_options options = { .utf = conf->utf, .caseless = conf->caseless };

	pattern->match_limit = conf->match_limit;
	pattern->utf = conf->utf;
	pattern->lookback = lookback_of(pattern);
	pattern->may_restart = !strstr(pattern->text, "\\G") && !strstr(pattern->text, "(*");
	pattern->sees_last_newline = pattern->open || strchr(pattern->text, '$') ||
				     strstr(pattern->text, "\\Z");
	literal_required(pattern->text, strlen(pattern->text), &options, &pattern->required);
}

int pattern_compile(const struct pattern_conf *conf, struct pattern **ret, struct err *err)
{
	struct pattern *pattern = calloc(1, sizeof(*pattern));
	int code;

	if (!pattern)
		return err_set(err, -ENOMEM, "regex: out of memory");
	code = compile(conf, pattern, err);
	if (!code)
		code = find_groups(conf, pattern, err);
	if (!code)
		code = compile_open(conf, pattern, err);
	if (code) {
		pattern_free(pattern);
		return code;
	}
	find_traits(conf, pattern);
	*ret = pattern;
	return 0;
}

int pattern_compile_delimiter(const struct pattern_conf *conf, const char *regex, const char *what,
			      struct pattern **ret, struct err *err)
{
	const struct pattern_conf delimiter = {
		.head = conf->head,
		.regex = (char *)regex,
		.caseless = conf->caseless,
		.multiline = conf->multiline,
		.dotall = conf->dotall,
		.utf = conf->utf,
		.match_limit = conf->match_limit,
	};
	int code = pattern_compile(&delimiter, ret, err);

	return code ? err_prefix(err, code, "%s", what) : 0;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	for (size_t i = 0; i < pattern->n_groups; i++)
		free(pattern->groups[i].name);
	free(pattern->groups);
	free(pattern->text);
	regex_free(pattern->regex);
	regex_free(pattern->open);
	free(pattern);
}

const struct regex *pattern_regex(const struct pattern *pattern)
{
	return pattern->regex;
}

const char *pattern_text(const struct pattern *pattern)
{
	return pattern->text;
}

const char *pattern_note(const struct pattern *pattern)
{
	return pattern->note;
}

const struct literal_set *pattern_required(const struct pattern *pattern)
{
	return &pattern->required;
}

size_t pattern_lookback(const struct pattern *pattern)
{
	return pattern->lookback;
}

bool pattern_may_restart(const struct pattern *pattern)
{
	return pattern->may_restart;
}

bool pattern_sees_last_newline(const struct pattern *pattern)
{
	return pattern->sees_last_newline;
}

bool pattern_is_utf(const struct pattern *pattern)
{
	return pattern->utf;
}

size_t pattern_n_groups(const struct pattern *pattern)
{
	return pattern->n_groups;
}

const char *pattern_group_name(const struct pattern *pattern, size_t group)
{
	return pattern->groups[group].name;
}

struct span pattern_whole(const struct regex_scratch *scratch)
{
	return regex_span(scratch, 0);
}

struct span pattern_group_span(const struct pattern *pattern, const struct regex_scratch *scratch,
			       size_t group)
{
	return regex_group_span(pattern->regex, scratch, &pattern->groups[group].regex);
}

/*
 * PCRE2 refuses \K in a lookaround, but not in a group that a lookaround calls: then the match may
 * start before `offset` or behind its own end (pcre2api(3)). Whoever reads a span takes its length.
 */
static bool spans_in_order(const struct pattern *pattern, const struct regex_scratch *scratch,
			   size_t offset)
{
	struct span whole = pattern_whole(scratch);

	if (whole.start < offset || whole.start > whole.end)
		return false;
	for (size_t i = 0; i < pattern->n_groups; i++) {
		struct span span = pattern_group_span(pattern, scratch, i);

		if (span_is_set(span) && span.start > span.end)
			return false;
	}
	return true;
}

enum regex_result pattern_match(const struct pattern *pattern, struct regex_scratch *scratch,
				const uint8_t *subject, size_t len, size_t offset, unsigned int how)
{
	const struct regex *regex = how & REGEX_MORE && pattern->open ? pattern->open
								      : pattern->regex;
	enum regex_result result =
		regex_match(regex, scratch, subject, len, offset, how, pattern->match_limit);

	if (result == REGEX_MATCH && !spans_in_order(pattern, scratch, offset))
		return REGEX_ERROR;
	return result;
}
