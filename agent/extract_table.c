#include "agent/extract_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/schema_type.h"

struct word {
	const char *name; /* NULL: a letter alone */
	int (*read)(const struct word *word, char *value, struct extract_filled *f,
		    struct err *err);
	size_t offset; /* of what is filled */
	/* Of read_typed(); read_choice() has the words. */
	struct schema_bounds bounds;
	enum schema_type type;
	char letter; /* '\0': none */
	bool takes; /* a value */
};

static void *field_of(const struct word *word, struct extract_filled *f)
{
	return (char *)f + word->offset;
}

static int read_flag(const struct word *word, char *value, struct extract_filled *f,
		     struct err *err)
{
	(void)value;
	(void)err;
	*(bool *)field_of(word, f) = true;
	return 0;
}

/* Kept as it is. */
static int read_value(const struct word *word, char *value, struct extract_filled *f,
		      struct err *err)
{
	(void)err;
	*(const char **)field_of(word, f) = value;
	return 0;
}

static int read_typed(const struct word *word, char *value, struct extract_filled *f,
		      struct err *err)
{
	int code = schema_type_read(word->type, &word->bounds, word->name, value, field_of(word, f),
				    err);

	return code ? err_prefix(err, code, "--%s", word->name) : 0;
}

/* The second of two words. */
static int read_choice(const struct word *word, char *value, struct extract_filled *f,
		       struct err *err)
{
	const char *off = word->bounds.words[0], *on = word->bounds.words[1];

	if (strcmp(value, off) != 0 && strcmp(value, on) != 0)
		return err_set(err, -EINVAL, "--%s: \"%s\" is not known: %s or %s", word->name,
			       value, off, on);
	*(bool *)field_of(word, f) = strcmp(value, on) == 0;
	return 0;
}

static int read_text(const struct word *word, char *value, struct extract_filled *f,
		     struct err *err)
{
	struct buf *out = field_of(word, f);
	int code;

	buf_reset(out);
	code = hit_text_parse(value, out, err);
	return code ? err_prefix(err, code, "--%s", word->name) : 0;
}

static int read_template(const struct word *word, char *value, struct extract_filled *f,
			 struct err *err)
{
	int code;

	hit_template_done(&f->o.template);
	f->o.template = (struct hit_template){ 0 };
	f->o.has_template = true;
	code = hit_template_parse(value, &f->o.template, err);
	return code ? err_prefix(err, code, "--%s", word->name) : 0;
}

static int read_regex(const struct word *word, char *value, struct extract_filled *f,
		      struct err *err)
{
	(void)word;
	(void)err;
	return extract_text_add(&f->words.regexes, &f->words.n, value);
}

static int read_file(const struct word *word, char *value, struct extract_filled *f,
		     struct err *err)
{
	(void)word;
	return extract_words_file(&f->words, value, err);
}

static int read_names(const struct word *word, char *value, struct extract_filled *f,
		      struct err *err)
{
	struct strv *names = field_of(word, f);

	(void)err;
	return extract_text_add(&names->v, &names->n, value);
}

/* -g NAME, or several with commas between. */
static int read_groups(const struct word *word, char *value, struct extract_filled *f,
		       struct err *err)
{
	char *list = strdup(value), *rest = list, *name;
	int code = list ? 0 : -ENOMEM;

	while (!code && (name = strsep(&rest, ",")))
		code = read_names(word, name, f, err);
	free(list);
	return code;
}

static int read_color(const struct word *word, char *value, struct extract_filled *f,
		      struct err *err)
{
	f->o.color_on = strcmp(value, "always") == 0;
	f->o.color_off = strcmp(value, "never") == 0;
	if (f->o.color_on || f->o.color_off || strcmp(value, "auto") == 0)
		return 0;
	return err_set(err, -EINVAL, "--%s: \"%s\" is not known: auto, always or never", word->name,
		       value);
}

static int read_scope(const struct word *word, char *value, struct extract_filled *f,
		      struct err *err)
{
	f->o.has_scope = true;
	return read_typed(word, value, f, err);
}

static int read_range(const struct word *word, char *value, struct extract_filled *f,
		      struct err *err)
{
	f->words.range_words = true;
	return read_typed(word, value, f, err);
}

static int read_outside(const struct word *word, char *value, struct extract_filled *f,
			struct err *err)
{
	f->words.range_words = true;
	return read_flag(word, value, f, err);
}

static int read_quiet(const struct word *word, char *value, struct extract_filled *f,
		      struct err *err)
{
	(void)word;
	(void)value;
	(void)err;
	f->o.show = EXTRACT_QUIET;
	return 0;
}

static int read_count(const struct word *word, char *value, struct extract_filled *f,
		      struct err *err)
{
	(void)word;
	(void)value;
	(void)err;
	if (f->o.show != EXTRACT_QUIET)
		f->o.show = EXTRACT_COUNT;
	return 0;
}

static const char *const overlap_words[] = { "none", "starts" };
static const char *const empty_words[] = { "skip", "keep" };
static const char *const scope_words[] = {
	[SCOPE_PACKET] = "packet",
	[SCOPE_STREAM] = "stream",
};

#define AT(field)    .offset = offsetof(struct extract_filled, field)
#define WORDS(table) .bounds = { .words = (table), .n_words = sizeof(table) / sizeof((table)[0]) }
#define UP_TO(most)  .bounds = { .min = 1, .max = (most) }

/* The words of ranges are those of [pattern]'s keys of the same names. */
static const struct word words_of_extract[] = {
	{ .name = "regex", .letter = 'e', .takes = true, .read = read_regex },
	{ .name = "file", .letter = 'f', .takes = true, .read = read_file },
	{ .name = "fixed", .letter = 'F', .read = read_flag, AT(words.fixed) },
	{ .name = "ignore-case", .letter = 'i', .read = read_flag, AT(words.conf.caseless) },
	{ .name = "groups",
	  .letter = 'g',
	  .takes = true,
	  .read = read_groups,
	  AT(words.conf.groups) },
	{ .name = "whole", .letter = 'U', .read = read_flag, AT(o.whole) },
	{ .name = "config", .letter = 'c', .takes = true, .read = read_value, AT(o.config) },
	{ .letter = 'n', .read = read_flag, AT(o.lines) },
	{ .letter = 'H', .read = read_flag, AT(o.names_on) },
	{ .letter = 'h', .read = read_flag, AT(o.names_off) },
	{ .letter = 'b', .read = read_flag, AT(o.offsets) },
	{ .letter = '0', .read = read_flag, AT(o.nul) },
	{ .letter = 'q', .read = read_quiet },
	{ .name = "utf", .read = read_flag, AT(words.conf.utf) },
	{ .name = "preceded-by", .takes = true, .read = read_value, AT(words.conf.preceded_by) },
	{ .name = "followed-by", .takes = true, .read = read_value, AT(words.conf.followed_by) },
	{ .name = "sep", .takes = true, .read = read_text, AT(o.sep) },
	{ .name = "unset", .takes = true, .read = read_text, AT(o.unset) },
	{ .name = "template", .takes = true, .read = read_template },
	{ .name = "overlap",
	  .takes = true,
	  .read = read_choice,
	  AT(o.policy.starts),
	  WORDS(overlap_words) },
	{ .name = "empty",
	  .takes = true,
	  .read = read_choice,
	  AT(o.policy.keep_empty),
	  WORDS(empty_words) },
	{ .name = "raw", .read = read_flag, AT(o.raw) },
	{ .name = "count", .read = read_count },
	{ .name = "json", .read = read_flag, AT(o.json) },
	{ .name = "stats", .read = read_flag, AT(o.stats) },
	{ .name = "threads",
	  .takes = true,
	  .read = read_typed,
	  AT(o.threads),
	  .type = SCHEMA_U32,
	  UP_TO(EXTRACT_THREADS_MAX) },
	{ .name = "pattern", .takes = true, .read = read_names, AT(o.names) },
	{ .name = "match-limit",
	  .takes = true,
	  .read = read_typed,
	  AT(words.conf.match_limit),
	  .type = SCHEMA_U32,
	  UP_TO(UINT32_MAX) },
	{ .name = "color", .takes = true, .read = read_color },
	{ .name = "scope",
	  .takes = true,
	  .read = read_scope,
	  AT(o.scope),
	  .type = SCHEMA_ENUM,
	  WORDS(scope_words) },
	{ .name = "bpf", .takes = true, .read = read_value, AT(o.bpf) },
	{ .name = "live", .takes = true, .read = read_value, AT(o.live) },
	{ .name = "write", .letter = 'w', .takes = true, .read = read_value, AT(o.out) },
	{ .name = "text", .read = read_flag, AT(o.text) },
	{ .name = "rs", .takes = true, .read = read_value, AT(words.separator) },
	{ .name = "begin", .takes = true, .read = read_value, AT(words.conf.begin) },
	{ .name = "end", .takes = true, .read = read_value, AT(words.conf.end) },
	{ .name = "include",
	  .takes = true,
	  .read = read_range,
	  AT(words.conf.range.include),
	  .type = SCHEMA_ENUM,
	  WORDS(range_include_words) },
	{ .name = "end-test",
	  .takes = true,
	  .read = read_range,
	  AT(words.conf.range.end_test),
	  .type = SCHEMA_ENUM,
	  WORDS(range_end_test_words) },
	{ .name = "open-end",
	  .takes = true,
	  .read = read_range,
	  AT(words.conf.range.open_end),
	  .type = SCHEMA_ENUM,
	  WORDS(range_open_end_words) },
	{ .name = "nest",
	  .takes = true,
	  .read = read_range,
	  AT(words.conf.range.nest),
	  .type = SCHEMA_ENUM,
	  WORDS(range_nest_words) },
	{ .name = "outside", .read = read_outside, AT(words.conf.range.outside) },
	{ .name = "max-lines",
	  .takes = true,
	  .read = read_range,
	  AT(words.conf.range.max_lines),
	  .type = SCHEMA_U64,
	  UP_TO(UINT64_MAX) },
	{ .name = "max-bytes",
	  .takes = true,
	  .read = read_range,
	  AT(words.conf.range.max_bytes),
	  .type = SCHEMA_SIZE,
	  UP_TO(UINT64_MAX) },
};

#define N_WORDS (sizeof(words_of_extract) / sizeof(words_of_extract[0]))

/* What getopt_long(3) returns for a word is its place in the table, behind all letters. */
#define FIRST_WORD 256

_Static_assert(N_WORDS <= EXTRACT_TABLE_MAX, "the table is longer");

void extract_table(struct extract_table *ret)
{
	struct option *l = ret->longs;
	char *c = ret->letters;

	*c++ = ':';
	for (size_t i = 0; i < N_WORDS; i++) {
		const struct word *w = &words_of_extract[i];

		if (w->name)
			*l++ = (struct option){ w->name, w->takes, NULL, FIRST_WORD + (int)i };
		if (w->letter)
			*c++ = w->letter;
		if (w->letter && w->takes)
			*c++ = ':';
	}
	*l = (struct option){ 0 };
	*c = '\0';
}

/* The word of what getopt_long(3) returned, which has no other. */
static const struct word *word_of(int c)
{
	const struct word *w = words_of_extract;

	if (c >= FIRST_WORD)
		return &w[c - FIRST_WORD];
	while (w->letter != c)
		w++;
	return w;
}

int extract_table_read(int c, char *value, struct extract_filled *f, struct err *err)
{
	const struct word *word = word_of(c);

	return word->read(word, value, f, err);
}
