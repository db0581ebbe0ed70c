#include "capture/extract.h"

#include <assert.h>
#include <stdbool.h>

const struct extract_policy extract_live = { .max = EXTRACT_MATCHES_MAX };

/* Fills `groups`; true when one of them is not empty. */
static bool collect(const struct pattern *pattern, const struct regex_scratch *scratch,
		    struct span *groups)
{
	bool any = false;

	for (size_t i = 0; i < pattern_n_groups(pattern); i++) {
		groups[i] = pattern_group_span(pattern, scratch, i);
		any = any || (span_is_set(groups[i]) && groups[i].end > groups[i].start);
	}
	return any;
}

/* One character behind `at`. */
static size_t step(const struct pattern *pattern, const uint8_t *subject, size_t len, size_t at)
{
	at++;
	while (pattern_is_utf(pattern) && at < len && (subject[at] & 0xc0) == 0x80)
		at++;
	return at;
}

/*
 * After an empty match the same place is searched again for one that is not, as Perl does. Unlike
 * the recipe in pcre2demo(3) the search is not anchored, since that would switch JIT off: the next
 * match to the right is what comes after in any case.
 */
static void advance(const struct pattern *pattern, const struct extract_policy *policy,
		    const struct regex_scratch *scratch, const uint8_t *subject, size_t len,
		    struct span whole, struct extract_cursor *cursor)
{
	if (policy->starts) {
		cursor->offset = step(pattern, subject, len, regex_start(scratch));
		cursor->not_empty_here = false;
		cursor->at_end = cursor->offset > len;
		return;
	}
	/* Or a guest could make the loop endless. */
	assert(whole.end > cursor->offset ||
	       (whole.end == cursor->offset && !cursor->not_empty_here));
	cursor->not_empty_here = whole.end == whole.start;
	cursor->offset = whole.end;
}

bool extract_take(const struct pattern *pattern, const struct extract_policy *policy,
		  const struct regex_scratch *scratch, const uint8_t *subject, size_t len,
		  struct extract_cursor *cursor, struct extract_match *ret, struct span *groups)
{
	struct span whole = pattern_whole(scratch);
	bool any = collect(pattern, scratch, groups);

	*ret = (struct extract_match){ .whole = whole, .groups = groups };
	advance(pattern, policy, scratch, subject, len, whole, cursor);
	return any || whole.end > whole.start || policy->keep_empty;
}

static enum extract_result extract_end(enum regex_result result)
{
	switch (result) {
	case REGEX_LIMIT:
		return EXTRACT_LIMIT;
	case REGEX_ERROR:
		return EXTRACT_ERROR;
	case REGEX_MATCH:
	case REGEX_NO_MATCH:
	case REGEX_PARTIAL:
		break;
	}
	return EXTRACT_DONE;
}

enum extract_result extract(const struct pattern *pattern, const struct extract_policy *policy,
			    struct regex_scratch *scratch, const uint8_t *subject, size_t len,
			    extract_cb cb, void *data, size_t *ret_n)
{
	struct span groups[PATTERN_GROUPS_MAX];
	enum extract_result end = EXTRACT_DONE;
	struct extract_cursor cursor = { 0 };
	struct extract_match match;
	size_t n = 0;

	while (!cursor.at_end) {
		enum regex_result result =
			pattern_match(pattern, scratch, subject, len, cursor.offset,
				      cursor.not_empty_here ? REGEX_NOT_EMPTY_HERE : 0);

		if (result != REGEX_MATCH) {
			end = extract_end(result);
			break;
		}
		if (!extract_take(pattern, policy, scratch, subject, len, &cursor, &match, groups))
			continue;
		if (n == policy->max) {
			end = EXTRACT_TOO_MANY;
			break;
		}
		n++;
		cb(data, &match);
	}
	if (ret_n)
		*ret_n = n;
	return end;
}
