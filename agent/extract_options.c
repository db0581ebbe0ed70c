#include "agent/extract_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hint.h"
#include "agent/cli.h"
#include "agent/extract_judge.h"
#include "agent/extract_patterns.h"
#include "agent/extract_table.h"

/*
 * Ten times what a guest's payload may cost: whoever runs the verb waits for it, and may ask for
 * more.
 */
#define MATCH_LIMIT 1000000u
#define TEXT_MAX    65536u

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
static int refuse(int c, const char *word, const struct option *longs, struct err *err)
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

static int read_words(int argc, char **argv, struct extract_filled *f, struct err *err)
{
	struct extract_table table;
	int c, code = 0;

	extract_table(&table);
	optind = 1;
	while (!code && (c = getopt_long(argc, argv, table.letters, table.longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			code = refuse(c, cli_refused(argv), table.longs, err);
		else
			code = extract_table_read(c, optarg, f, err);
	}
	f->o.files = argv + optind;
	f->o.n_files = (size_t)(argc - optind);
	return code;
}

static int make_patterns(const struct extract_words *words, struct extract_options *o)
{
	const struct strv *groups = o->has_template ? &o->template.groups : &words->conf.groups;
	int code = extract_words_patterns(words, groups, &o->patterns, &o->n);

	if (!code)
		code = extract_words_range(words, &o->range);
	return code ? code : extract_words_separator(words, &o->separator);
}

int extract_options_read(int argc, char **argv, struct extract_options *ret, struct err *err)
{
	struct extract_filled f = {
		.o = { .policy = { .max = SIZE_MAX }, .show = EXTRACT_RECORDS, .threads = 1 },
		.words.conf = { .match_limit = MATCH_LIMIT,
				.severity = 3,
				.range = { .include = RANGE_BOTH } },
	};
	int code;

	buf_init(&f.o.sep, TEXT_MAX);
	buf_init(&f.o.unset, TEXT_MAX);
	buf_adds(&f.o.sep, "\t");
	code = read_words(argc, argv, &f, err);
	if (!code)
		code = extract_judge(&f.o, &f.words, err);
	if (!code)
		code = make_patterns(&f.words, &f.o);
	if (code == -ENOMEM)
		err_set(err, code, "out of memory");
	if (!code)
		code = judge_files(&f.o, &f.words, err);
	extract_words_done(&f.words);
	*ret = f.o;
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
