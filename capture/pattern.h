/*
 * A compiled [pattern]: one regular expression with its context, limits and selected groups.
 *
 * Pure: bytes in, spans out. How subjects are taken, regex.h says.
 */
#ifndef TW_PATTERN_H
#define TW_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "capture/literal.h"
#include "capture/regex.h"

#define PATTERN_GROUPS_MAX 64 /* that one pattern may select */

/* Immutable once compiled: several threads may match with it, each with a scratch of its own. */
struct pattern;

/*
 * Compiles regex, preceded-by and followed-by of `conf`, which is not used afterwards, and looks up
 * its groups. The error text says which of the keys is wrong, why, and at which offset.
 * -EINVAL for a faulty pattern, -ENOMEM.
 */
int pattern_compile(const struct pattern_conf *conf, struct pattern **ret, struct err *err);

/*
 * BEGIN or END of a range: `regex`, one of conf->begin and conf->end, with the flags of `conf`. The
 * error text begins with `what`.
 */
int pattern_compile_delimiter(const struct pattern_conf *conf, const char *regex, const char *what,
			      struct pattern **ret, struct err *err);
void pattern_free(struct pattern *pattern);

/* The expression by itself, with its context. */
const struct regex *pattern_regex(const struct pattern *pattern);

/* Its text, as it was compiled. */
const char *pattern_text(const struct pattern *pattern);

/* What its author should know about how it runs, or NULL. */
const char *pattern_note(const struct pattern *pattern);

/* The texts of which one is in every subject that the pattern matches, context and all. */
const struct literal_set *pattern_required(const struct pattern *pattern);

/*
 * How many bytes before the place where it starts a search may look at, one more than it needs:
 * with them there, the place is not mistaken for the beginning of the subject.
 */
size_t pattern_lookback(const struct pattern *pattern);

/*
 * Whether a search may be taken up in the middle. Not with \G, nor with verbs, which remember what
 * was tried before.
 */
bool pattern_may_restart(const struct pattern *pattern);

/*
 * Whether it depends on a newline right at the end of the subject being the last byte: by $ or \Z,
 * or by ^ of lines behind it. PCRE2 takes it so even where REGEX_MORE tells that more is to come.
 */
bool pattern_sees_last_newline(const struct pattern *pattern);

bool pattern_is_utf(const struct pattern *pattern);

/* The selected groups, in the order of the configuration; at least one. */
size_t pattern_n_groups(const struct pattern *pattern);

/* As the configuration names it: "host", "1"; "0" is the whole match. */
const char *pattern_group_name(const struct pattern *pattern, size_t group);

/*
 * The leftmost match that starts at `offset` or after it; `how` are REGEX_ bits. For REGEX_MATCH,
 * the spans are asked from the scratch before its next use. REGEX_ERROR also when spans are out of
 * order.
 */
enum regex_result pattern_match(const struct pattern *pattern, struct regex_scratch *scratch,
				const uint8_t *subject, size_t len, size_t offset,
				unsigned int how);

/* The whole match, after \K; not before the offset, start <= end. */
struct span pattern_whole(const struct regex_scratch *scratch);

/* The span of a selected group; of equally named groups the first that is set. start <= end. */
struct span pattern_group_span(const struct pattern *pattern, const struct regex_scratch *scratch,
			       size_t group);

#endif
