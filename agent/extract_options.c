#include "agent/extract_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hint.h"
#include "agent/base/parse.h"
#include "agent/base/schema_type.h"
#include "agent/cli.h"
#include "agent/extract_judge.h"
#include "agent/extract_patterns.h"

/*
 * Ten times what a guest's payload may cost: whoever runs the verb waits for it, and may ask for
 * more.
 */
#define MATCH_LIMIT 1000000u
#define TEXT_MAX    65536u

enum word {
	WORD_UTF = 256,
	WORD_PRECEDED,
	WORD_FOLLOWED,
	WORD_SEP,
	WORD_UNSET,
	WORD_TEMPLATE,
	WORD_OVERLAP,
	WORD_EMPTY,
	WORD_RAW,
	WORD_COUNT,
	WORD_JSON,
	WORD_STATS,
	WORD_THREADS,
	WORD_PATTERN,
	WORD_LIMIT,
	WORD_COLOR,
	WORD_SCOPE,
	WORD_BPF,
	WORD_LIVE,
	WORD_TEXT,
	WORD_RS,
	WORD_BEGIN,
	WORD_END,
	WORD_INCLUDE,
	WORD_END_TEST,
	WORD_OPEN_END,
	WORD_NEST,
	WORD_OUTSIDE,
	WORD_MAX_LINES,
	WORD_MAX_BYTES,
};

static const struct option longs[] = {
	{ "regex", required_argument, NULL, 'e' },
	{ "file", required_argument, NULL, 'f' },
	{ "fixed", no_argument, NULL, 'F' },
	{ "ignore-case", no_argument, NULL, 'i' },
	{ "groups", required_argument, NULL, 'g' },
	{ "whole", no_argument, NULL, 'U' },
	{ "config", required_argument, NULL, 'c' },
	{ "utf", no_argument, NULL, WORD_UTF },
	{ "preceded-by", required_argument, NULL, WORD_PRECEDED },
	{ "followed-by", required_argument, NULL, WORD_FOLLOWED },
	{ "sep", required_argument, NULL, WORD_SEP },
	{ "unset", required_argument, NULL, WORD_UNSET },
	{ "template", required_argument, NULL, WORD_TEMPLATE },
	{ "overlap", required_argument, NULL, WORD_OVERLAP },
	{ "empty", required_argument, NULL, WORD_EMPTY },
	{ "raw", no_argument, NULL, WORD_RAW },
	{ "count", no_argument, NULL, WORD_COUNT },
	{ "json", no_argument, NULL, WORD_JSON },
	{ "stats", no_argument, NULL, WORD_STATS },
	{ "threads", required_argument, NULL, WORD_THREADS },
	{ "pattern", required_argument, NULL, WORD_PATTERN },
	{ "match-limit", required_argument, NULL, WORD_LIMIT },
	{ "color", required_argument, NULL, WORD_COLOR },
	{ "scope", required_argument, NULL, WORD_SCOPE },
	{ "bpf", required_argument, NULL, WORD_BPF },
	{ "live", required_argument, NULL, WORD_LIVE },
	{ "write", required_argument, NULL, 'w' },
	{ "text", no_argument, NULL, WORD_TEXT },
	{ "rs", required_argument, NULL, WORD_RS },
	{ "begin", required_argument, NULL, WORD_BEGIN },
	{ "end", required_argument, NULL, WORD_END },
	{ "include", required_argument, NULL, WORD_INCLUDE },
	{ "end-test", required_argument, NULL, WORD_END_TEST },
	{ "open-end", required_argument, NULL, WORD_OPEN_END },
	{ "nest", required_argument, NULL, WORD_NEST },
	{ "outside", no_argument, NULL, WORD_OUTSIDE },
	{ "max-lines", required_argument, NULL, WORD_MAX_LINES },
	{ "max-bytes", required_argument, NULL, WORD_MAX_BYTES },
	{ 0 },
};

static const char letters[] = ":e:f:Fig:Uc:nHhb0qw:";

/* ---- words ---------------------------------------------------------------------------------- */

static int read_number(const char *option, const char *text, uint64_t max, uint64_t *ret,
		       struct err *err)
{
	struct err why;

	if (parse_u64(text, 1, max, ret, &why) == 0)
		return 0;
	return err_set(err, -EINVAL, "--%s: %s", option, why.text);
}

static int read_choice(const char *option, const char *text, const char *off, const char *on,
		       bool *ret, struct err *err)
{
	if (strcmp(text, off) != 0 && strcmp(text, on) != 0)
		return err_set(err, -EINVAL, "--%s: \"%s\" is not known: %s or %s", option, text,
			       off, on);
	*ret = strcmp(text, on) == 0;
	return 0;
}

static int read_text(const char *option, const char *text, struct buf *out, struct err *err)
{
	int code;

	buf_reset(out);
	code = hit_text_parse(text, out, err);
	return code ? err_prefix(err, code, "--%s", option) : 0;
}

static int read_template(const char *text, struct extract_options *o, struct err *err)
{
	int code;

	hit_template_done(&o->template);
	o->template = (struct hit_template){ 0 };
	o->has_template = true;
	code = hit_template_parse(text, &o->template, err);
	return code ? err_prefix(err, code, "--template") : 0;
}

/* -g NAME, or several with commas between. */
static int read_groups(const char *text, struct extract_words *words)
{
	char *list = strdup(text), *rest = list, *name;
	int code = list ? 0 : -ENOMEM;

	while (!code && (name = strsep(&rest, ",")))
		code = extract_text_add(&words->conf.groups.v, &words->conf.groups.n, name);
	free(list);
	return code;
}

static int read_color(const char *text, struct extract_options *o, struct err *err)
{
	o->color_on = strcmp(text, "always") == 0;
	o->color_off = strcmp(text, "never") == 0;
	if (o->color_on || o->color_off || strcmp(text, "auto") == 0)
		return 0;
	return err_set(err, -EINVAL, "--color: \"%s\" is not known: auto, always or never", text);
}

static int read_scope(const char *text, struct extract_options *o, struct err *err)
{
	bool stream = false;
	int code = read_choice("scope", text, "packet", "stream", &stream, err);

	o->has_scope = true;
	o->scope = stream ? SCOPE_STREAM : SCOPE_PACKET;
	return code;
}

/* The words that only say yes. */
static bool read_flag(int word, struct extract_options *o, struct extract_words *words)
{
	switch (word) {
	case 'F':
		return words->fixed = true;
	case 'i':
		return words->conf.caseless = true;
	case WORD_UTF:
		return words->conf.utf = true;
	case WORD_OUTSIDE:
		return words->range_words = words->conf.range.outside = true;
	case 'U':
		return o->whole = true;
	case 'n':
		return o->lines = true;
	case 'H':
		return o->names_on = true;
	case 'h':
		return o->names_off = true;
	case 'b':
		return o->offsets = true;
	case '0':
		return o->nul = true;
	case WORD_RAW:
		return o->raw = true;
	case WORD_TEXT:
		return o->text = true;
	case WORD_JSON:
		return o->json = true;
	case WORD_STATS:
		return o->stats = true;
	case 'q':
		o->show = EXTRACT_QUIET;
		return true;
	case WORD_COUNT:
		if (o->show != EXTRACT_QUIET)
			o->show = EXTRACT_COUNT;
		return true;
	default:
		return false;
	}
}

static const char *word_name(int word)
{
	const struct option *l = longs;

	while (l->name && l->val != word)
		l++;
	return l->name;
}

/* The words of ranges, which are those of [pattern]'s keys of the same names. */
#define CHOICE(field, table)                                                            \
	{                                                                               \
		SCHEMA_ENUM, offsetof(struct range_conf, field),                        \
		{                                                                       \
			.words = (table), .n_words = sizeof(table) / sizeof((table)[0]) \
		}                                                                       \
	}
#define LIMIT(type, field)                                  \
	{                                                   \
		(type), offsetof(struct range_conf, field), \
		{                                           \
			.min = 1, .max = UINT64_MAX         \
		}                                           \
	}

static const struct range_word {
	enum schema_type type;
	size_t offset;
	struct schema_bounds bounds;
} range_words[] = {
	[WORD_INCLUDE - WORD_BEGIN] = CHOICE(include, range_include_words),
	[WORD_END_TEST - WORD_BEGIN] = CHOICE(end_test, range_end_test_words),
	[WORD_OPEN_END - WORD_BEGIN] = CHOICE(open_end, range_open_end_words),
	[WORD_NEST - WORD_BEGIN] = CHOICE(nest, range_nest_words),
	[WORD_MAX_LINES - WORD_BEGIN] = LIMIT(SCHEMA_U64, max_lines),
	[WORD_MAX_BYTES - WORD_BEGIN] = LIMIT(SCHEMA_SIZE, max_bytes),
};

static int read_range_word(int word, const char *value, struct range_conf *conf, struct err *err)
{
	const struct range_word *w = &range_words[word - WORD_BEGIN];
	const char *option = word_name(word);
	int code =
		schema_type_read(w->type, &w->bounds, option, value, (char *)conf + w->offset, err);

	return code ? err_prefix(err, code, "--%s", option) : 0;
}

/* The words whose value is kept as it is. */
static bool keep_value(int word, char *value, struct extract_options *o,
		       struct extract_words *words)
{
	switch (word) {
	case 'c':
		o->config = value;
		break;
	case 'w':
		o->out = value;
		break;
	case WORD_BPF:
		o->bpf = value;
		break;
	case WORD_LIVE:
		o->live = value;
		break;
	case WORD_RS:
		words->separator = value;
		break;
	case WORD_PRECEDED:
		words->conf.preceded_by = value;
		break;
	case WORD_FOLLOWED:
		words->conf.followed_by = value;
		break;
	case WORD_BEGIN:
		words->conf.begin = value;
		break;
	case WORD_END:
		words->conf.end = value;
		break;
	default:
		return false;
	}
	return true;
}

static int read_word(int word, char *value, struct extract_options *o, struct extract_words *words,
		     struct err *err)
{
	uint64_t number;
	int code = 0;

	switch (word) {
	case 'e':
		return extract_text_add(&words->regexes, &words->n, value);
	case 'f':
		return extract_words_file(words, value, err);
	case 'g':
		return read_groups(value, words);
	case WORD_PATTERN:
		return extract_text_add(&o->names.v, &o->names.n, value);
	case WORD_SEP:
		return read_text("sep", value, &o->sep, err);
	case WORD_UNSET:
		return read_text("unset", value, &o->unset, err);
	case WORD_TEMPLATE:
		return read_template(value, o, err);
	case WORD_OVERLAP:
		return read_choice("overlap", value, "none", "starts", &o->policy.starts, err);
	case WORD_EMPTY:
		return read_choice("empty", value, "skip", "keep", &o->policy.keep_empty, err);
	case WORD_SCOPE:
		return read_scope(value, o, err);
	case WORD_INCLUDE:
	case WORD_END_TEST:
	case WORD_OPEN_END:
	case WORD_NEST:
	case WORD_MAX_LINES:
	case WORD_MAX_BYTES:
		words->range_words = true;
		return read_range_word(word, value, &words->conf.range, err);
	case WORD_COLOR:
		return read_color(value, o, err);
	case WORD_THREADS:
		code = read_number("threads", value, EXTRACT_THREADS_MAX, &number, err);
		if (!code)
			o->threads = (unsigned int)number;
		return code;
	case WORD_LIMIT:
		code = read_number("match-limit", value, UINT32_MAX, &number, err);
		if (!code)
			words->conf.match_limit = (uint32_t)number;
		return code;
	default:
		return keep_value(word, value, o, words) || read_flag(word, o, words) ? 0 : -ENOENT;
	}
}

/* What grep(1) and pcre2grep(1) must be told, by letters that mean nothing here. */
static const struct {
	const char *word, *instead;
} of_grep[] = {
	{ "-E", "patterns are PCRE2's, give them by -e" },
	{ "-P", "patterns are PCRE2's, give them by -e" },
	{ "-o", "matches alone are printed anyway" },
	{ "-M", "with -U a match may span lines" },
	{ "-z", "--rs '\\x00' makes records that end in NUL" },
};

static const char *instead_of(const char *word)
{
	for (size_t i = 0; i < sizeof(of_grep) / sizeof(of_grep[0]); i++) {
		if (strcmp(of_grep[i].word, word) == 0)
			return of_grep[i].instead;
	}
	return NULL;
}

/* What getopt_long(3), which returned `c`, did not take. */
static int refuse(int c, const char *word, struct err *err)
{
	const char *instead = instead_of(word);

	struct hint hint = hint_for(word[0] == '-' && word[1] == '-' ? word + 2 : "");

	if (c == ':')
		return err_set(err, -EINVAL, "\"%s\" lacks its value", word);
	if (instead)
		return err_set(err, -EINVAL, "\"%s\" is not understood here: %s", word, instead);
	for (const struct option *l = longs; l->name && *word; l++)
		hint_try(&hint, l->name);
	return err_set(err, -EINVAL, "\"%s\" is not understood here%s%s%s", word,
		       hint.best ? ": did you mean \"--" : "", hint.best ? hint.best : "",
		       hint.best ? "\"?" : "");
}

static int judge_files(const struct extract_options *o, const struct extract_words *words,
		       struct err *err)
{
	bool from_stdin = !o->n_files && !o->live;

	if (o->live && o->n_files)
		return err_set(err, -EINVAL, "--live IFACE and files exclude each other");
	for (size_t i = 0; i < o->n_files; i++)
		from_stdin = from_stdin || strcmp(o->files[i], EXTRACT_STDIN) == 0;
	if (from_stdin && words->from_stdin)
		return err_set(err, -EINVAL,
			       "-f - takes the patterns from the standard input, where the text "
			       "cannot be too: name its FILE");
	return 0;
}

int extract_options_read(int argc, char **argv, struct extract_options *ret, struct err *err)
{
	struct extract_words words = {
		.conf = { .match_limit = MATCH_LIMIT,
			  .severity = 3,
			  .range = { .include = RANGE_BOTH } },
	};
	int word, code = 0;

	*ret = (struct extract_options){
		.policy = { .max = SIZE_MAX },
		.show = EXTRACT_RECORDS,
		.threads = 1,
	};
	buf_init(&ret->sep, TEXT_MAX);
	buf_init(&ret->unset, TEXT_MAX);
	buf_adds(&ret->sep, "\t");
	optind = 1;
	while (!code && (word = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (word == '?' || word == ':')
			code = refuse(word, cli_refused(argv), err);
		else
			code = read_word(word, optarg, ret, &words, err);
	}
	if (!code)
		code = extract_judge(ret, &words, err);
	if (!code)
		code = extract_words_patterns(
			&words, ret->has_template ? &ret->template.groups : &words.conf.groups,
			&ret->patterns, &ret->n);
	if (!code)
		code = extract_words_range(&words, &ret->range);
	if (!code)
		code = extract_words_separator(&words, &ret->separator);
	if (code == -ENOMEM)
		err_set(err, code, "out of memory");
	ret->files = argv + optind;
	ret->n_files = (size_t)(argc - optind);
	if (!code)
		code = judge_files(ret, &words, err);
	extract_words_done(&words);
	return code;
}

void extract_options_done(struct extract_options *options)
{
	for (size_t i = 0; i < options->n; i++)
		extract_pattern_done(&options->patterns[i]);
	free(options->patterns);
	extract_pattern_done(&options->range);
	extract_pattern_done(&options->separator);
	for (size_t i = 0; i < options->names.n; i++)
		free(options->names.v[i]);
	free(options->names.v);
	hit_template_done(&options->template);
	buf_done(&options->sep);
	buf_done(&options->unset);
}
