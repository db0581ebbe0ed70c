#include "agent/extract_patterns.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/extract_job.h"

int extract_text_add(char ***v, size_t *n, const char *text)
{
	char **more = realloc(*v, (*n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	*v = more;
	more[*n] = strdup(text);
	return more[*n] ? (++*n, 0) : -ENOMEM;
}

/* Also one of DOS: a CR before its LF would be in no line, and so never found. */
static size_t without_newline(char *line, size_t len)
{
	if (len && line[len - 1] == '\n') {
		len--;
		len -= len && line[len - 1] == '\r';
	}
	line[len] = '\0';
	return len;
}

int extract_words_file(struct extract_words *words, const char *path, struct err *err)
{
	const bool from_stdin = strcmp(path, EXTRACT_STDIN) == 0;
	FILE *file = from_stdin ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t n;
	int code = 0;

	if (!file)
		return err_errno(err, -errno, "cannot read the patterns of %s", path);
	while (!code && (n = getline(&line, &size, file)) >= 0) {
		number++;
		n = (ssize_t)without_newline(line, (size_t)n);
		if (strlen(line) != (size_t)n)
			code = err_set(err, -EINVAL, "%s:%zu: a NUL byte: write it as \\x00", path,
				       number);
		else if (words->n == EXTRACT_PATTERNS_MAX)
			code = err_set(err, -E2BIG, "%s has more than %u patterns", path,
				       EXTRACT_PATTERNS_MAX);
		else
			code = extract_text_add(&words->regexes, &words->n, line);
	}
	if (!code && !feof(file))
		code = err_errno(err, -errno, "cannot read the patterns of %s", path);
	if (!number)
		words->empty = path;
	words->from_stdin = words->from_stdin || from_stdin;
	free(line);
	if (!from_stdin)
		(void)fclose(file);
	return code;
}

/*
 * No byte but letters, digits and those above ASCII means anything behind a backslash but itself.
 */
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
		code = extract_text_add(&to->v, &to->n, from->v[i]);
	return code;
}

static char *make_regex(const struct extract_words *words, const char *text)
{
	return words->fixed ? quote(text) : strdup(text);
}

static int make_pattern(const struct extract_words *words, size_t number, const struct strv *groups,
			struct pattern_conf *ret)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "%zu", number + 1);
	*ret = words->conf;
	ret->begin = ret->end = NULL;
	ret->groups = (struct strv){ 0 };
	ret->head.name = strdup(name);
	ret->regex = make_regex(words, words->regexes[number]);
	ret->preceded_by = copy(words->conf.preceded_by);
	ret->followed_by = copy(words->conf.followed_by);
	if (!ret->head.name || !ret->regex)
		return -ENOMEM;
	return copy_groups(groups, &ret->groups);
}

int extract_words_patterns(const struct extract_words *words, const struct strv *groups,
			   struct pattern_conf **ret, size_t *ret_n)
{
	struct pattern_conf *v = calloc(words->n + 1, sizeof(*v));
	int code = 0;

	if (!v)
		return -ENOMEM;
	*ret = v;
	for (*ret_n = 0; *ret_n < words->n && !code; ++*ret_n)
		code = make_pattern(words, *ret_n, groups, &v[*ret_n]);
	return code;
}

int extract_words_range(const struct extract_words *words, struct pattern_conf *ret)
{
	*ret = words->conf;
	ret->groups = (struct strv){ 0 };
	ret->preceded_by = ret->followed_by = NULL;
	if (!words->conf.begin)
		return 0;
	ret->begin = make_regex(words, words->conf.begin);
	/* What never matches: to the end of the text. */
	ret->end = words->conf.end ? make_regex(words, words->conf.end) : strdup("(?!)");
	return ret->begin && ret->end ? 0 : -ENOMEM;
}

int extract_words_separator(const struct extract_words *words, struct pattern_conf *ret)
{
	*ret = words->conf;
	ret->groups = (struct strv){ 0 };
	ret->preceded_by = ret->followed_by = ret->begin = ret->end = NULL;
	if (!words->separator)
		return 0;
	ret->regex = make_regex(words, words->separator);
	return ret->regex ? 0 : -ENOMEM;
}

static void strv_done(struct strv *strv)
{
	for (size_t i = 0; i < strv->n; i++)
		free(strv->v[i]);
	free(strv->v);
}

void extract_words_done(struct extract_words *words)
{
	strv_done(&(struct strv){ words->regexes, words->n });
	strv_done(&words->conf.groups);
}

void extract_pattern_done(struct pattern_conf *conf)
{
	free((char *)conf->head.name);
	free(conf->regex);
	free(conf->preceded_by);
	free(conf->followed_by);
	free(conf->begin);
	free(conf->end);
	strv_done(&conf->groups);
}
