#include "agent/extract_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hint.h"
#include "agent/base/parse.h"

/*
 * Ten times what a guest's payload may cost: whoever runs the verb waits for it, and may ask for more.
 */
#define MATCH_LIMIT 1000000u
#define TEXT_MAX    65536u

/* What the patterns have in common; the words may come in any order. */
struct common {
	struct pattern_conf conf; /* its texts are argv's */
	bool fixed;
	char **regexes;
	size_t n;
	const char *empty; /* a file of patterns that has none */
};

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
	{ 0 },
};

static const char letters[] = "e:f:Fig:Uc:nHhb0q";

static int add_text(char ***v, size_t *n, const char *text)
{
	char **more = realloc(*v, (*n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	*v = more;
	more[*n] = strdup(text);
	return more[*n] ? (++*n, 0) : -ENOMEM;
}

/* ---- patterns ------------------------------------------------------------------------------- */

static int add_file(struct common *common, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t n;
	int code = 0;

	if (!file)
		return err_errno(err, -errno, "cannot read the patterns of %s", path);
	while (!code && (n = getline(&line, &size, file)) >= 0) {
		number++;
		if (n && line[n - 1] == '\n')
			line[--n] = '\0';
		if (strlen(line) != (size_t)n)
			code = err_set(err, -EINVAL, "%s:%zu: a NUL byte: write it as \\x00", path,
				       number);
		else if (common->n == EXTRACT_PATTERNS_MAX)
			code = err_set(err, -E2BIG, "%s has more than %u patterns", path,
				       EXTRACT_PATTERNS_MAX);
		else
			code = add_text(&common->regexes, &common->n, line);
	}
	if (!code && !feof(file))
		code = err_errno(err, -errno, "cannot read the patterns of %s", path);
	if (!number)
		common->empty = path;
	free(line);
	(void)fclose(file);
	return code;
}

/* No byte but letters, digits and those above ASCII means anything behind a backslash but itself. */
static char *quote(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + 1), *p = quoted;

	for (; quoted && *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80 && !isalnum(c))
			*p++ = '\\';
		*p++ = *text;
	}
	if (quoted)
		*p = '\0';
	return quoted;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int copy_groups(const struct strv *from, struct strv *to)
{
	int code = 0;

	for (size_t i = 0; i < from->n && !code; i++)
		code = add_text(&to->v, &to->n, from->v[i]);
	return code;
}

static int make_pattern(const struct common *common, size_t number, const struct strv *groups,
			struct pattern_conf *ret)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "%zu", number + 1);
	*ret = common->conf;
	ret->groups = (struct strv){ 0 };
	ret->head.name = strdup(name);
	ret->regex = common->fixed ? quote(common->regexes[number])
				   : strdup(common->regexes[number]);
	ret->preceded_by = copy(common->conf.preceded_by);
	ret->followed_by = copy(common->conf.followed_by);
	if (!ret->head.name || !ret->regex)
		return -ENOMEM;
	return copy_groups(groups, &ret->groups);
}

static int make_patterns(const struct common *common, struct extract_options *ret)
{
	const struct strv *groups = ret->has_template ? &ret->template.groups
						      : &common->conf.groups;
	int code = 0;

	ret->patterns = calloc(common->n + 1, sizeof(*ret->patterns));
	if (!ret->patterns)
		return -ENOMEM;
	for (size_t i = 0; i < common->n && !code; i++)
		code = make_pattern(common, i, groups, &ret->patterns[ret->n++]);
	return code;
}

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
static int read_groups(const char *text, struct common *common)
{
	char *list = strdup(text), *rest = list, *name;
	int code = list ? 0 : -ENOMEM;

	while (!code && (name = strsep(&rest, ",")))
		code = add_text(&common->conf.groups.v, &common->conf.groups.n, name);
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

/* The words that only say yes. */
static bool read_flag(int word, struct extract_options *o, struct common *common)
{
	switch (word) {
	case 'F':
		return common->fixed = true;
	case 'i':
		return common->conf.caseless = true;
	case WORD_UTF:
		return common->conf.utf = true;
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

static int read_word(int word, char *value, struct extract_options *o, struct common *common,
		     struct err *err)
{
	uint64_t number;
	int code = 0;

	switch (word) {
	case 'e':
		return add_text(&common->regexes, &common->n, value);
	case 'f':
		return add_file(common, value, err);
	case 'g':
		return read_groups(value, common);
	case 'c':
		o->config = value;
		return 0;
	case WORD_PATTERN:
		return add_text(&o->names.v, &o->names.n, value);
	case WORD_PRECEDED:
		common->conf.preceded_by = value;
		return 0;
	case WORD_FOLLOWED:
		common->conf.followed_by = value;
		return 0;
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
			common->conf.match_limit = (uint32_t)number;
		return code;
	default:
		return read_flag(word, o, common) ? 0 : -ENOENT;
	}
}

/* Where getopt_long() stopped, which is not yet behind the word when that has more letters. */
static int unknown(const char *word, struct err *err)
{
	const bool is_letter = optopt > 0 && optopt < WORD_UTF && !strchr(letters, optopt);
	const char letter[] = { '-', (char)optopt, '\0' };
	struct hint hint = hint_for(word[0] == '-' && word[1] == '-' ? word + 2 : "");

	if (is_letter)
		word = letter;

	for (const struct option *l = longs; l->name && *word; l++)
		hint_try(&hint, l->name);
	return err_set(err, -EINVAL, "\"%s\" is not understood here, or lacks a value%s%s%s", word,
		       hint.best ? ": did you mean \"--" : "", hint.best ? hint.best : "",
		       hint.best ? "\"?" : "");
}

/* What the words are together. */
static int judge(const struct extract_options *o, const struct common *common, struct err *err)
{
	if (o->names.n && common->n)
		return err_set(err, -EINVAL,
			       "--pattern takes rules of a file, -e and -f give them "
			       "here: one of the two");
	if (o->config && !o->names.n)
		return err_set(err, -EINVAL, "-c FILE without --pattern NAME says no pattern");
	if (!o->names.n && !common->n && common->empty)
		return err_set(err, -EINVAL, "no pattern: %s is empty", common->empty);
	if (!o->names.n && !common->n)
		return err_set(err, -EINVAL,
			       "no pattern: -e REGEX, -f FILE or -c FILE --pattern NAME");
	if (o->has_template && common->conf.groups.n)
		return err_set(err, -EINVAL, "-g and --template both say what is printed");
	if (o->names_on && o->names_off)
		return err_set(err, -EINVAL, "-H and -h exclude each other");
	return 0;
}

int extract_options_read(int argc, char **argv, struct extract_options *ret, struct err *err)
{
	struct common common = { .conf = { .match_limit = MATCH_LIMIT } };
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
		code = word == '?' ? -ENOENT : read_word(word, optarg, ret, &common, err);
		if (code == -ENOENT && word == '?')
			code = unknown(argv[optind - 1], err);
	}
	if (!code)
		code = judge(ret, &common, err);
	if (!code)
		code = make_patterns(&common, ret);
	if (code == -ENOMEM)
		err_set(err, code, "out of memory");
	ret->files = argv + optind;
	ret->n_files = (size_t)(argc - optind);
	for (size_t i = 0; i < common.n; i++)
		free(common.regexes[i]);
	free(common.regexes);
	for (size_t i = 0; i < common.conf.groups.n; i++)
		free(common.conf.groups.v[i]);
	free(common.conf.groups.v);
	return code;
}

static void strv_done(struct strv *strv)
{
	for (size_t i = 0; i < strv->n; i++)
		free(strv->v[i]);
	free(strv->v);
}

void extract_options_done(struct extract_options *options)
{
	for (size_t i = 0; i < options->n; i++) {
		struct pattern_conf *conf = &options->patterns[i];

		free((char *)conf->head.name);
		free(conf->regex);
		free(conf->preceded_by);
		free(conf->followed_by);
		strv_done(&conf->groups);
	}
	free(options->patterns);
	strv_done(&options->names);
	hit_template_done(&options->template);
	buf_done(&options->sep);
	buf_done(&options->unset);
}
