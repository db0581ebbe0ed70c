/*
 * A compiled [pattern]: one regular expression with its context, limits and selected groups.
 *
 * Pure: bytes in, spans out. pattern.c is the only file that knows PCRE2. A subject is a pointer
 * and a length, NUL bytes are as good as any; it is taken as bytes unless the pattern says utf, and
 * then invalid UTF-8 is a place that nothing matches (PCRE2_MATCH_INVALID_UTF). Newline is CR, LF
 * or CRLF.
 */
#ifndef TW_PATTERN_H
#define TW_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "capture/literal.h"

/* More would make every match's bookkeeping large; a pattern beyond it is refused. */
#define PATTERN_CAPTURES_MAX 255
#define PATTERN_GROUPS_MAX   64 /* that one pattern may select */
#define PATTERN_REGEX_MAX    65536 /* bytes of regex and context together */

#define PATTERN_UNSET SIZE_MAX

/* Offsets into the subject; both PATTERN_UNSET for a group that took no part in the match. */
struct span {
	size_t start;
	size_t end;
};

static inline bool span_is_set(struct span span)
{
	return span.start != PATTERN_UNSET;
}

enum pattern_result {
	PATTERN_MATCH,
	PATTERN_NO_MATCH,
	PATTERN_LIMIT, /* match, depth, heap or stack limit: the subject was not fully searched */
	PATTERN_ERROR, /* PCRE2 refused for another reason, or found spans out of order */
};

/* Immutable once compiled: several threads may match with it, each with a scratch of its own. */
struct pattern;

/* What a match needs beside the pattern: the JIT stack, match data, limits. One per thread. */
struct pattern_scratch;

/*
 * Compiles regex, preceded-by and followed-by of `conf`, which is not used afterwards, and looks up
 * its groups. The error text says which of the keys is wrong, why, and at which offset.
 * -EINVAL for a faulty pattern, -ENOMEM.
 */
int pattern_compile(const struct pattern_conf *conf, struct pattern **ret, struct err *err);
void pattern_free(struct pattern *pattern);

/* Whether the pattern runs as machine code; if not, `ret_reason` (may be NULL) says why. */
bool pattern_jit(const struct pattern *pattern, const char **ret_reason);

/* What its author should know about how it runs, or NULL. */
const char *pattern_note(const struct pattern *pattern);

/* The texts of which one is in every subject that the pattern matches, context and all. */
const struct literal_set *pattern_required(const struct pattern *pattern);

/* The selected groups, in the order of the configuration; at least one. */
size_t pattern_n_groups(const struct pattern *pattern);

/* As the configuration names it: "host", "1"; "0" is the whole match. */
const char *pattern_group_name(const struct pattern *pattern, size_t group);

int pattern_scratch_new(struct pattern_scratch **ret);
void pattern_scratch_free(struct pattern_scratch *scratch);

/*
 * The leftmost match that starts at `offset` or after it. With `not_empty_here`, an empty match at
 * `offset` itself does not count. For PATTERN_MATCH, the spans are asked from the scratch before
 * its next use.
 */
enum pattern_result pattern_match(const struct pattern *pattern, struct pattern_scratch *scratch,
				  const uint8_t *subject, size_t len, size_t offset,
				  bool not_empty_here);

/* The whole match, after \K; not before the offset, start <= end. */
struct span pattern_whole(const struct pattern_scratch *scratch);

/* The span of a selected group; of equally named groups the first that is set. start <= end. */
struct span pattern_group_span(const struct pattern *pattern, const struct pattern_scratch *scratch,
			       size_t group);

#endif
