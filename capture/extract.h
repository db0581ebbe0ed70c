/*
 * Every match of one pattern in one subject.
 *
 * Pure. Matches are leftmost and do not overlap, as Perl's //g finds them. Empty matches are not
 * told, unless a selected group is not empty: so `(?=(aba))` finds both in "ababa". A policy may
 * ask for more.
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
	EXTRACT_TOO_MANY, /* as many as may be were told and there is at least one more */
	EXTRACT_LIMIT, /* REGEX_LIMIT: what was found before it was told */
	EXTRACT_ERROR, /* REGEX_ERROR */
};

struct extract_policy {
	size_t max; /* matches in one subject */
	bool starts; /* overlap: a match for each place where one can start */
	bool keep_empty; /* empty matches are told too */
};

/* What a guest's payload gets. */
extern const struct extract_policy extract_live;

struct extract_match {
	struct span whole;
	const struct span *groups; /* pattern_n_groups() of them */
};

/* Where the next search begins. */
struct extract_cursor {
	size_t offset;
	bool not_empty_here;
	bool at_end; /* there is none */
};

/*
 * The match that the scratch holds: fills `groups`, of PATTERN_GROUPS_MAX, and moves the cursor
 * behind it. True when it is one to tell.
 */
bool extract_take(const struct pattern *pattern, const struct extract_policy *policy,
		  const struct regex_scratch *scratch, const uint8_t *subject, size_t len,
		  struct extract_cursor *cursor, struct extract_match *ret, struct span *groups);

/* `match` and its groups are valid during the call. */
typedef void (*extract_cb)(void *data, const struct extract_match *match);

/* `ret_n` (may be NULL) is the number of matches told, whatever the result. */
enum extract_result extract(const struct pattern *pattern, const struct extract_policy *policy,
			    struct regex_scratch *scratch, const uint8_t *subject, size_t len,
			    extract_cb cb, void *data, size_t *ret_n);

#endif
