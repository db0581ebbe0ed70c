/*
 * Every match of one pattern in one subject.
 *
 * Pure. Matches are leftmost and do not overlap, as Perl's //g finds them. Empty matches are not
 * told, unless a selected group is not empty: so `(?=(aba))` finds both in "ababa".
 */
#ifndef TW_EXTRACT_H
#define TW_EXTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "capture/pattern.h"

/* A guest chooses the subject: without a bound it also chooses the number of records. */
#define EXTRACT_MATCHES_MAX 256

enum extract_result {
	EXTRACT_DONE,
	EXTRACT_TOO_MANY, /* EXTRACT_MATCHES_MAX were told and there is at least one more */
	EXTRACT_LIMIT, /* REGEX_LIMIT: what was found before it was told */
	EXTRACT_ERROR, /* REGEX_ERROR */
};

struct extract_match {
	struct span whole;
	const struct span *groups; /* pattern_n_groups() of them */
};

/* `match` and its groups are valid during the call. */
typedef void (*extract_cb)(void *data, const struct extract_match *match);

/* `ret_n` (may be NULL) is the number of matches told, whatever the result. */
enum extract_result extract(const struct pattern *pattern, struct regex_scratch *scratch,
			    const uint8_t *subject, size_t len, extract_cb cb, void *data,
			    size_t *ret_n);

#endif
