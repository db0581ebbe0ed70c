#include "capture/pattern.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"

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

static const char note_keep_out[] =
	"preceded-by is not of fixed length, so it is matched before the regex instead of looked "
	"back at: text that the match before took cannot be context of the next";

static unsigned int regex_options(const struct pattern_conf *conf)
{
	unsigned int options = 0;

	options |= conf->utf ? REGEX_UTF : 0;
	options |= conf->caseless ? REGEX_CASELESS : 0;
	options |= conf->multiline ? REGEX_MULTILINE : 0;
	options |= conf->dotall ? REGEX_DOTALL : 0;
	return options;
}

/* The texts of a pattern, and what each needs behind it to be closed. */
struct parts {
	const char *preceded_by, *regex, *followed_by;
	const char *ends[3];
};

/*
 * A part that is a pattern by itself may end in an open \Q, or in a comment of (?x): that would go
 * on in what is put behind it. Where nothing closes it, what is put together says why.
 */
static int close_part(const char *text, const struct pattern_conf *conf, const char **ret_end,
		      struct err *err)
{
	static const char *const ends[] = { "", "\\E", "\n" };
	const bool may_be_open = text && (strstr(text, "\\Q") || strchr(text, '#'));

	*ret_end = "";
	for (size_t i = 0; may_be_open && i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct regex *regex = NULL;
		struct buf closed;
		int code;

		buf_init(&closed, 2 * (size_t)REGEX_TEXT_MAX);
		buf_addf(&closed, "(?:%s%s)", text, ends[i]);
		code = closed.failed ? -ENOMEM
				     : regex_compile(closed.data, closed.len, regex_options(conf),
						     "regex", &regex, NULL, NULL);
		buf_done(&closed);
		regex_free(regex);
		if (code == -ENOMEM)
			return err_set(err, code, "regex: out of memory");
		if (code)
			continue;
		*ret_end = ends[i];
		break;
	}
	return 0;
}

/*
 * Each part has to be a pattern by itself, so that "a)(b" is refused where it stands. A group of a
 * context would shift the numbers of the regex's own.
 */
static int check_part(const char *text, const struct pattern_conf *conf, const char *what,
		      bool context, struct err *err)
{
	struct regex *regex = NULL;
	uint32_t captures;
	bool recurses;
	int code;

	if (!text)
		return 0;
	code = regex_compile(text, strlen(text), regex_options(conf), what, &regex, NULL, err);
	if (code)
		return code;
	captures = regex_captures(regex);
	regex_free(regex);
	if (context && captures)
		return err_set(err, -EINVAL,
			       "%s: a context has no groups of its own: write (?:...) for (...)",
			       what);
	code = regex_finds_recursion(text, regex_options(conf), what, &recurses, err);
	if (code || !recurses)
		return code;
	return err_set(err, -EINVAL,
		       context ? "%s: recursion into the whole pattern would take the regex in too"
			       : "%s: recursion into the whole pattern would take its context in "
				 "too: name a group: (?<p>...(?&p)...)",
		       what);
}

static int check_parts(const struct pattern_conf *conf, struct parts *ret, struct err *err)
{
	const char *const texts[] = { conf->preceded_by, conf->regex, conf->followed_by };
	static const char *const names[] = { "preceded-by", "regex", "followed-by" };
	int code = 0;

	*ret = (struct parts){ texts[0], texts[1], texts[2], { "", "", "" } };
	for (int i = 0; i < 3 && !code && (texts[0] || texts[2]); i++) {
		code = check_part(texts[i], conf, names[i], i != 1, err);
		if (!code)
			code = close_part(texts[i], conf, &ret->ends[i], err);
	}
	return code;
}

/* Context becomes lookaround, so that neighbouring matches may share a delimiter. */
static void compose(const struct parts *parts, bool look_behind, struct buf *out)
{
	if (!parts->preceded_by && !parts->followed_by) {
		buf_adds(out, parts->regex);
		return;
	}
	if (parts->preceded_by)
		buf_addf(out, look_behind ? "(?<=%s%s)" : "(?:%s%s)\\K", parts->preceded_by,
			 parts->ends[0]);
	buf_addf(out, "(?:%s%s)", parts->regex, parts->ends[1]);
	if (parts->followed_by)
		buf_addf(out, "(?=%s%s)", parts->followed_by, parts->ends[2]);
}

static int compile_composed(const struct pattern_conf *conf, const struct parts *parts,
			    bool look_behind, struct pattern *pattern, bool *ret_lookbehind,
			    struct err *err)
{
	bool context = parts->preceded_by || parts->followed_by;
	struct buf text;
	int code;

	/* The parts were checked against REGEX_TEXT_MAX; this only has to hold all three. */
	buf_init(&text, 4 * (size_t)REGEX_TEXT_MAX);
	compose(parts, look_behind, &text);
	if (text.failed || !text.data) {
		buf_done(&text);
		return err_set(err, -ENOMEM, "regex: out of memory");
	}
	code = regex_compile(text.data, text.len, regex_options(conf),
			     context ? "regex with its context" : "regex", &pattern->regex,
			     ret_lookbehind, err);
	if (!code)
		pattern->text = buf_take(&text);
	buf_done(&text);
	return code;
}

/* What stands before a match need not be of one length, only a lookbehind. */
static int say_preceded_by(int code, struct err *err)
{
	char why[sizeof(err->text)];

	if (!err)
		return code;
	memcpy(why, err->text, sizeof(why));
	return err_set(err, code, "%s: preceded-by takes a context of any length", why);
}

static int compile(const struct pattern_conf *conf, struct pattern *pattern, struct err *err)
{
	struct parts parts;
	bool lookbehind = false;
	int code = check_parts(conf, &parts, err);

	if (code)
		return code;
	code = compile_composed(conf, &parts, true, pattern, &lookbehind, err);
	if (code && lookbehind && conf->preceded_by) {
		code = compile_composed(conf, &parts, false, pattern, NULL, err);
		pattern->note = note_keep_out;
	} else if (code && lookbehind) {
		return say_preceded_by(code, err);
	}
	return code;
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
	if (!regex_is_multiline(text, regex_options(conf)))
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
			     regex_options(conf) | REGEX_LINE_AT_END, "regex", &pattern->open, NULL,
			     err);
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
