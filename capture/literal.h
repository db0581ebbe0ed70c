/*
 * What a subject must hold for a pattern to match in it at all: one of a few literal texts.
 *
 * Pure. Read from the text of the pattern, without PCRE2. Wherever the reading is in doubt there is
 * no literal (n == 0), which costs speed and never a match: a wrong one would be a silent miss.
 */
#ifndef TW_LITERAL_H
#define TW_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer texts select no better, and every alternative more costs the search. */
#define LITERAL_BYTES_MAX 24
#define LITERAL_ALTS_MAX  16

/* How deep groups may nest before the reading gives up. */
#define LITERAL_NEST_MAX 50

/* Stands for "as far as one likes" in `before_min` (negative) and `before_max`. */
#define LITERAL_FAR (INT64_MAX / 4)

struct literal {
	uint8_t bytes[LITERAL_BYTES_MAX];
	uint8_t len;
};

/*
 * Whenever the pattern matches somewhere in a subject, one of `v` is in the subject, and for each
 * match it begins at least `before_min` and at most `before_max` bytes behind the place where the
 * match starts (pcre2_get_startchar(3): before \K); a negative place is one that a lookbehind sees.
 * A text has at least one byte, may hold any byte (newlines and NULs too), and no text begins with
 * another.
 */
struct literal_set {
	struct literal v[LITERAL_ALTS_MAX];
	size_t n; /* 0: nothing is known, every subject is to be tried */
	bool caseless; /* ASCII letters, lower case here, stand for both cases */
	int64_t before_min, before_max;
};

/* What is not written in the pattern's text; as the options of the same name of PCRE2. */
struct literal_options {
	bool utf;
	bool caseless;
};

/* `regex` is one that PCRE2 compiles with these options. `ret` is set in any case. */
void literal_required(const char *regex, size_t len, const struct literal_options *options,
		      struct literal_set *ret);

/* How seldom a byte is in usual text: 0 for a blank or an "e", 15 for most that is not text. */
unsigned int literal_rarity(uint8_t byte);

#endif
