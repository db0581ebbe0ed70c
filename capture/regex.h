/*
 * One regular expression: compiled with bounds, matched with bounds, in one piece or as it comes.
 *
 * Pure: bytes in, spans out. regex.c is the only file that knows PCRE2. A subject is a pointer and
 * a length, NUL bytes are as good as any; it is taken as bytes unless REGEX_UTF is given, and then
 * invalid UTF-8 is a place that nothing matches (PCRE2_MATCH_INVALID_UTF). Newline is CR, LF or
 * CRLF.
 */
#ifndef TW_REGEX_H
#define TW_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define REGEX_TEXT_MAX	   65536 /* bytes */
#define REGEX_CAPTURES_MAX 255 /* more would make every match's bookkeeping large */

#define SPAN_UNSET SIZE_MAX

/* Offsets into the subject; both SPAN_UNSET for a group that took no part in the match. */
struct span {
	size_t start;
	size_t end;
};

static inline bool span_is_set(struct span span)
{
	return span.start != SPAN_UNSET;
}

enum regex_option {
	REGEX_UTF = 1 << 0,
	REGEX_CASELESS = 1 << 1,
	REGEX_MULTILINE = 1 << 2,
	REGEX_DOTALL = 1 << 3,
	REGEX_LINE_AT_END = 1 << 4, /* ^ of lines is true behind a newline that is the last byte */
};

enum regex_result {
	REGEX_MATCH,
	REGEX_NO_MATCH,
	REGEX_PARTIAL, /* with REGEX_MORE: what is behind the end decides */
	/* match, depth, heap, stack or time limit: the subject was not fully searched */
	REGEX_LIMIT,
	REGEX_ERROR, /* PCRE2 refused for another reason */
};

enum regex_how {
	REGEX_NOT_EMPTY_HERE = 1 << 0, /* an empty match at the offset itself does not count */
	REGEX_MORE = 1 << 1, /* the subject goes on behind its end */
	REGEX_NOT_BEGIN = 1 << 2, /* its first byte is not where it began */
	REGEX_OPEN_END =
		1 << 3, /* it is searched as if it ended here, but `$` does not match there */
};

/* Whether ^ and $ are of lines, somewhere in the text; it may say so of one where they are not. */
bool regex_is_multiline(const char *text, unsigned int options);

/* Immutable once compiled: several threads may match with it, each with a scratch of its own. */
struct regex;

/* What a match needs beside it: the JIT stack, match data, limits. One per thread. */
struct regex_scratch;

/*
 * Compiles `text` to machine code where that is possible. The error text is "WHAT: why at offset
 * N: text<HERE>text". -EINVAL for a faulty text, -ENOMEM. With `ret_lookbehind` (may be NULL) it is
 * told apart whether the fault is a lookbehind that PCRE2 cannot do.
 */
int regex_compile(const char *text, size_t len, unsigned int options, const char *what,
		  struct regex **ret, bool *ret_lookbehind, struct err *err);
void regex_free(struct regex *regex);

/* Whether it runs as machine code; if not, `ret_reason` (may be NULL) says why. */
bool regex_jit(const struct regex *regex, const char **ret_reason);

/* Bytes of machine code. */
size_t regex_jit_size(const struct regex *regex);

/* "PCRE2 10.42 2022-12-11", cut at `size`. */
void regex_engine(char *ret, size_t size);

uint32_t regex_captures(const struct regex *regex);

/* How far back an assertion looks, in characters; nested lookbehinds are not added up. */
uint32_t regex_lookbehind(const struct regex *regex);

/*
 * Whether a text that compiles recurses into the whole pattern: (?R) and its kin. 0 or the error of
 * regex_compile().
 */
int regex_finds_recursion(const char *text, unsigned int options, const char *what, bool *ret,
			  struct err *err);

/* A group: by number, or all that bear a name. */
struct regex_group {
	uint32_t number;
	const uint8_t *first, *last; /* entries of the table of names; NULL: by number */
};

/* "0" is the whole match, digits a number, else a name. -ENOENT: there is none. */
int regex_find_group(const struct regex *regex, const char *name, struct regex_group *ret);

int regex_scratch_new(struct regex_scratch **ret);
void regex_scratch_free(struct regex_scratch *scratch);

/*
 * Who stops searches from without; the functions are those of search_time.h. What run() left is not
 * looked at any more, and the search counts as one that was given up.
 */
struct regex_guard {
	bool (*is_over)(void); /* none is to be begun */
	bool (*run)(void (*search)(void *data), void *data); /* false: it was left */
};

/* `guard` outlives the scratch. */
void regex_scratch_guard(struct regex_scratch *scratch, const struct regex_guard *guard);

/* Whether the last search was not begun because the time for it was over. */
bool regex_was_skipped(const struct regex_scratch *scratch);

/*
 * The leftmost match that starts at `offset` or after it; `how` are REGEX_ bits. `limit` bounds the
 * steps. For REGEX_MATCH and REGEX_PARTIAL, spans are asked from the scratch before its next use;
 * of a partial one only that of group 0, whose start is where the match would.
 */
enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch,
			      const uint8_t *subject, size_t len, size_t offset, unsigned int how,
			      uint32_t limit);

/*
 * After \K in a group that a lookahead calls, start may be behind end, or before the offset
 * (pcre2api(3)): it is for the caller to look.
 */
struct span regex_span(const struct regex_scratch *scratch, uint32_t number);

/* Of equally named groups the first that is set. */
struct span regex_group_span(const struct regex *regex, const struct regex_scratch *scratch,
			     const struct regex_group *group);

/* Where the matching began, which \K does not move. */
size_t regex_start(const struct regex_scratch *scratch);

#endif
