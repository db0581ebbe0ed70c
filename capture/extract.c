#include "capture/extract.h"

#include <assert.h>
#include <stdbool.h>

static const enum extract_result ends[] = {
	[REGEX_NO_MATCH] = EXTRACT_DONE,
	[REGEX_LIMIT] = EXTRACT_LIMIT,
	[REGEX_ERROR] = EXTRACT_ERROR,
};

/* Fills `groups`; true when there is something to tell. */
static bool collect(const struct pattern *pattern, const struct regex_scratch *scratch,
		    struct span whole, struct span *groups)
{
	bool any = whole.end > whole.start;

	for (size_t i = 0; i < pattern_n_groups(pattern); i++) {
		groups[i] = pattern_group_span(pattern, scratch, i);
		any = any || (span_is_set(groups[i]) && groups[i].end > groups[i].start);
	}
	return any;
}

enum extract_result extract(const struct pattern *pattern, struct regex_scratch *scratch,
			    const uint8_t *subject, size_t len, extract_cb cb, void *data,
			    size_t *ret_n)
{
	struct span groups[PATTERN_GROUPS_MAX];
	enum extract_result end = EXTRACT_TOO_MANY;
	bool not_empty_here = false;
	size_t offset = 0, n = 0;

	for (;;) {
		enum regex_result result =
			pattern_match(pattern, scratch, subject, len, offset, not_empty_here);
		struct span whole;

		if (result != REGEX_MATCH) {
			end = ends[result];
			break;
		}
		whole = pattern_whole(scratch);
		/* Or a guest could make this loop endless. */
		assert(whole.end > offset || (whole.end == offset && !not_empty_here));
		if (collect(pattern, scratch, whole, groups)) {
			if (n == EXTRACT_MATCHES_MAX)
				break;
			n++;
			cb(data, &(struct extract_match){ .whole = whole, .groups = groups });
		}
		/*
		 * After an empty match the same place is searched again for one that is not, as Perl
		 * does. Unlike the recipe in pcre2demo(3) the search is not anchored, since that would
		 * switch JIT off: the next match to the right is what comes after in any case.
		 */
		not_empty_here = whole.end == whole.start;
		offset = whole.end;
	}
	if (ret_n)
		*ret_n = n;
	return end;
}
