/* What the words of `tapwarden extract` make of patterns. Edge: reads the files of -f. */
#ifndef TW_EXTRACT_PATTERNS_H
#define TW_EXTRACT_PATTERNS_H

#include "agent/base/config.h"
#include "agent/base/err.h"

/* A rule each: more would be a mistake of whoever wrote the file. */
#define EXTRACT_PATTERNS_MAX 10000u

/* What the patterns have in common, and their texts; the words may come in any order. */
struct extract_words {
	struct pattern_conf conf; /* its texts are argv's */
	const char *separator; /* --rs, argv's; NULL: none */
	bool fixed;
	const char *empty; /* a file of patterns that has none */
	bool from_stdin; /* there were some, and nothing else is left there */
	bool range_words; /* there were some */
	char **regexes; /* owned */
	size_t n;
};

void extract_words_done(struct extract_words *words);

/* Appends a copy. -ENOMEM. */
int extract_text_add(char ***v, size_t *n, const char *text);

/* The patterns of a file, or of the standard input for EXTRACT_STDIN, one a line. */
int extract_words_file(struct extract_words *words, const char *path, struct err *err);

/*
 * The patterns, which are to be freed in any case; `groups` is what they select. -ENOMEM.
 */
int extract_words_patterns(const struct extract_words *words, const struct strv *groups,
			   struct pattern_conf **ret, size_t *ret_n);

/* BEGIN and END, if they were given, alike. */
int extract_words_range(const struct extract_words *words, struct pattern_conf *ret);

/* The separator of records, alike. */
int extract_words_separator(const struct extract_words *words, struct pattern_conf *ret);

/* Frees the texts of one, not the struct. */
void extract_pattern_done(struct pattern_conf *conf);

#endif
