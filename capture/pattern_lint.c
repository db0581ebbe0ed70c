#include "capture/pattern_lint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(struct pattern_explained *ex, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add(struct pattern_explained *ex, const char *name, const char *fmt, ...)
{
	struct pattern_lint *lint = &ex->lints[ex->n_lints];
	va_list args;

	if (ex->n_lints == PATTERN_LINTS_MAX)
		return;
	ex->n_lints++;
	lint->name = name;
	va_start(args, fmt);
	vsnprintf(lint->text, sizeof(lint->text), fmt, args);
	va_end(args);
}

/* ---- what is written in the text ------------------------------------------------------------ */

#define DEPTH_MAX 100 /* regex.c refuses deeper ones */

struct traits {
	bool dollar, last, end, begin; /* $ \Z \z ^ */
	bool any_unbounded; /* .* and its kin */
	bool nested_lookbehind;
	bool multiline, dotall;
};

/* Whether a quantifier without an upper bound is at `p`. */
static bool is_unbounded(const char *p)
{
	if (*p == '*' || *p == '+')
		return true;
	if (*p != '{')
		return false;
	p += 1 + strspn(p + 1, "0123456789");
	return p[0] == ',' && p[1] == '}';
}

/* Behind the bracket that closes a class; the first one in it stands for itself. */
static const char *skip_class(const char *p)
{
	p++;
	p += *p == '^';
	p += *p == ']';
	while (*p && *p != ']') {
		if (*p == '\\' && p[1])
			p++;
		p++;
	}
	return *p ? p + 1 : p;
}

/* Behind \Q...\E, or behind one escape. */
static const char *skip_escape(const char *p, struct traits *t)
{
	const char *close;

	if (p[1] == 'Q') {
		close = strstr(p, "\\E");
		return close ? close + 2 : p + strlen(p);
	}
	t->last = t->last || p[1] == 'Z';
	t->end = t->end || p[1] == 'z';
	return p[1] ? p + 2 : p + 1;
}

/* (?m-i) and the like, from behind "(?". */
static void read_settings(const char *p, struct traits *t)
{
	size_t n = strspn(p, "imsxnJU^");

	if (p[n] != ')' && p[n] != ':' && p[n] != '-')
		return;
	t->multiline = t->multiline || memchr(p, 'm', n);
	t->dotall = t->dotall || memchr(p, 's', n);
}

static struct traits traits_of(const struct pattern_conf *conf, const char *text)
{
	struct traits t = { .multiline = conf->multiline, .dotall = conf->dotall };
	bool behind[DEPTH_MAX + 1] = { false };
	size_t depth = 0;

	for (const char *p = text; *p;) {
		switch (*p) {
		case '\\':
			p = skip_escape(p, &t);
			continue;
		case '[':
			p = skip_class(p);
			continue;
		case '(':
			if (depth < DEPTH_MAX)
				depth++;
			behind[depth] = strncmp(p, "(?<=", 4) == 0 || strncmp(p, "(?<!", 4) == 0;
			for (size_t i = 1; i < depth && behind[depth]; i++)
				t.nested_lookbehind = t.nested_lookbehind || behind[i];
			if (p[1] == '?')
				read_settings(p + 2, &t);
			break;
		case ')':
			depth -= depth > 0;
			break;
		case '$':
			t.dollar = true;
			break;
		case '^':
			t.begin = true;
			break;
		case '.':
			t.any_unbounded = t.any_unbounded || is_unbounded(p + 1);
			break;
		}
		p++;
	}
	return t;
}

static void lint_stream(const struct traits *t, struct pattern_explained *ex)
{
	if (t->any_unbounded)
		add(ex, "unbounded",
		    "`.*` or its like goes on to the end of %s: in a stream the match is told when "
		    "that has come, and one that is larger than may be kept is lost, with a record: "
		    "bound it, as [^\\r\\n]{0,200}",
		    t->dotall ? "the stream" : "the line");
	if ((t->dollar || t->last) && !t->multiline)
		add(ex, "decided-at-end",
		    "$ and \\Z are true where the stream ends, or before its last newline: the match "
		    "is told when the connection closes: multiline makes $ the end of each line");
	if (t->end)
		add(ex, "decided-at-end",
		    "\\z is true where the stream ends: the match is told when the connection closes");
	if (t->begin && !t->multiline)
		add(ex, "begin-of-stream",
		    "^ is true where the stream begins, once: multiline makes it the beginning of "
		    "each line");
}

/* ---- what was found by trying --------------------------------------------------------------- */

#define HOSTILE_RUN 1500 /* of one byte: what fits in a frame */
#define TRIES_MAX   24

/* Bytes that the pattern may repeat: those of its text, and one of each usual class. */
static size_t bytes_to_try(const char *text, uint8_t bytes[TRIES_MAX])
{
	static const char always[] = "a0 _";
	bool seen[256] = { false };
	size_t n = 0;

	for (const char *p = always; *p; p++) {
		seen[(uint8_t)*p] = true;
		bytes[n++] = (uint8_t)*p;
	}
	for (const char *p = text; *p && n < TRIES_MAX; p++) {
		if (seen[(uint8_t)*p] || strchr("\\()[]{}?*+|^$.", *p))
			continue;
		seen[(uint8_t)*p] = true;
		bytes[n++] = (uint8_t)*p;
	}
	return n;
}

struct tries {
	uint8_t bytes[TRIES_MAX];
	size_t n;
	const struct literal *text; /* a required one, or NULL */
};

/*
 * Many of the same byte, one that ends the run, then all of which PCRE2 knows that it has to be
 * there, since otherwise it ends early; the text also before them, unless that is a match.
 */
static size_t make_hostile(const struct tries *tries, uint8_t byte, bool led, uint8_t *ret)
{
	const struct literal *text = tries->text;
	size_t len = 0;

	if (text && led) {
		memcpy(ret, text->bytes, text->len);
		len += text->len;
	}
	memset(ret + len, byte, HOSTILE_RUN);
	len += HOSTILE_RUN;
	ret[len++] = 1;
	memcpy(ret + len, tries->bytes, tries->n);
	len += tries->n;
	if (text) {
		memcpy(ret + len, text->bytes, text->len);
		len += text->len;
	}
	return len;
}

static int lint_hostile(const struct pattern_conf *conf, const struct pattern *pattern,
			struct pattern_explained *ex)
{
	const struct literal_set *required = pattern_required(pattern);
	uint8_t subject[HOSTILE_RUN + 2 * LITERAL_BYTES_MAX + 1 + TRIES_MAX];
	struct tries tries = { .text = required->n ? &required->v[0] : NULL };
	struct regex_scratch *scratch;

	if (regex_scratch_new(&scratch))
		return -ENOMEM;
	tries.n = bytes_to_try(pattern_text(pattern), tries.bytes);
	for (size_t i = 0; i < 2 * tries.n; i++) {
		size_t len = make_hostile(&tries, tries.bytes[i / 2], i % 2, subject);

		if (pattern_match(pattern, scratch, subject, len, 0, 0) != REGEX_LIMIT)
			continue;
		add(ex, "gives-up",
		    "on %u times '%c' the search takes more than match-limit %u steps and is given up: "
		    "a guest can bring that about: say what ends each repetition, or make it "
		    "possessive, as (?:a|b)++",
		    HOSTILE_RUN, tries.bytes[i / 2], conf->match_limit);
		break;
	}
	regex_scratch_free(scratch);
	return 0;
}

/* ---- ranges --------------------------------------------------------------------------------- */

/* Whether END matches a text that BEGIN needs. */
static int ends_match(const struct pattern_conf *conf, bool *ret)
{
	struct pattern *begin = NULL, *end = NULL;
	struct regex_scratch *scratch = NULL;
	int code = pattern_compile_delimiter(conf, conf->begin, "begin", &begin, NULL);

	if (!code)
		code = pattern_compile_delimiter(conf, conf->end, "end", &end, NULL);
	if (!code)
		code = regex_scratch_new(&scratch);
	for (size_t i = 0; !code && !*ret && i < pattern_required(begin)->n; i++) {
		const struct literal *text = &pattern_required(begin)->v[i];

		*ret = pattern_match(end, scratch, text->bytes, text->len, 0, 0) == REGEX_MATCH;
	}
	regex_scratch_free(scratch);
	pattern_free(begin);
	pattern_free(end);
	return code == -EINVAL ? 0 : code;
}

static int lint_range(const struct pattern_conf *conf, struct pattern_explained *ex)
{
	bool matches;
	int code = 0;

	if (!conf->begin || !conf->end)
		return 0;
	matches = strcmp(conf->begin, conf->end) == 0;
	if (!matches)
		code = ends_match(conf, &matches);
	if (!code && matches)
		add(ex, "end-matches-begin", "a line that matches begin matches end too: %s",
		    conf->range.end_test == RANGE_END_NEXT
			    ? "it does not end the range that it begins, but a second one does: "
			      "neither begins another"
			    : "with this end-test it may end the range that it begins");
	return code;
}

int pattern_lint(const struct pattern_conf *conf, const struct pattern *pattern,
		 struct pattern_explained *ex)
{
	const struct traits traits = traits_of(conf, pattern_text(pattern));
	int code;

	if (pattern_note(pattern))
		add(ex, "lookbehind-rewritten", "%s", pattern_note(pattern));
	if (traits.nested_lookbehind)
		add(ex, "nested-lookbehind",
		    "a lookbehind in a lookbehind: PCRE2 does not say how far both look together, so "
		    "%zu bytes are kept before each place",
		    pattern_lookback(pattern));
	if (!ex->required.n)
		add(ex, "no-text",
		    "there is no text that every match has: it is tried on %s, and on all of every "
		    "stream",
		    ex->shape ? "more payloads than others" : "every payload");
	if (!pattern_may_restart(pattern))
		add(ex, "not-restartable",
		    "\\G or a verb, as (*...), makes it remember what was tried before: a stream is "
		    "kept from the match before on");
	if (conf->scope == SCOPE_STREAM)
		lint_stream(&traits, ex);
	code = lint_hostile(conf, pattern, ex);
	return code ? code : lint_range(conf, ex);
}
