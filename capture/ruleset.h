/*
 * The patterns of a configuration, compiled, and run together over a payload.
 *
 * Pure. The number of a rule is its place in the configuration and in the counters page. A rule is
 * tried only where the prefilter leaves it to be: so most payloads run no regular expression.
 */
#ifndef TW_RULESET_H
#define TW_RULESET_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/base/stats.h"
#include "capture/extract.h"
#include "capture/literal_find.h"
#include "capture/prefilter.h"
#include "capture/range_stream.h"
#include "capture/shape.h"

/* What of a range of bytes is kept until it is closed. */
#define RULE_MATCH_MAX ((size_t)256 << 10)

struct rule {
	const struct pattern_conf *conf;
	struct pattern *pattern;
	uint32_t signature_id; /* the configuration's, or derived from the name and so stable */
	struct range_stream_rule *range; /* it is tried inside ranges of bytes; NULL: everywhere */
	struct literal_finder *finder; /* of texts that each match has one of; NULL: none */
};

struct ruleset {
	struct rule *rules;
	size_t n;
	size_t n_jit; /* that run as machine code */
	struct regex_scratch *scratch;
	const struct extract_policy *policy; /* extract_live, unless the caller sets another */
	struct prefilter *prefilter;
	struct shapes shapes; /* of those that the prefilter has no text of */
	struct prefilter_choice choice; /* of the payload in hand */
	bool try_all; /* the prefilter is not asked: for tests, since it changes no match */
};

/* Which rules a link wants. */
struct rule_mask {
	uint64_t bits[STATS_PATTERNS_MAX / 64];
	bool any;
};

static inline bool mask_has(const struct rule_mask *mask, size_t rule)
{
	return mask->bits[rule / 64] >> (rule % 64) & 1;
}

static inline void mask_add(struct rule_mask *mask, size_t rule)
{
	mask->bits[rule / 64] |= UINT64_C(1) << (rule % 64);
	mask->any = true;
}

static inline void mask_drop(struct rule_mask *mask, size_t rule)
{
	mask->bits[rule / 64] &= ~(UINT64_C(1) << (rule % 64));
	mask->any = false;
	for (size_t i = 0; i < sizeof(mask->bits) / sizeof(mask->bits[0]); i++)
		mask->any = mask->any || mask->bits[i];
}

/*
 * Compiles every pattern of `config`, which must outlive the set. The error text names the pattern:
 * "[pattern NAME] KEY: why". -EINVAL, -E2BIG for more than STATS_PATTERNS_MAX, -ENOMEM.
 */
int ruleset_init(struct ruleset *set, const struct config *config, struct err *err);
void ruleset_done(struct ruleset *set);

/* The rules that a link's `patterns` names. */
void ruleset_select(const struct ruleset *set, const struct strv *patterns, struct rule_mask *ret);

/* What becomes of a payload; rule and match are valid during the call. */
struct ruleset_ops {
	void (*match)(void *data, const struct rule *rule, const struct extract_match *match);
	/* The rule did not fully search it: any but EXTRACT_DONE. */
	void (*gave_up)(void *data, const struct rule *rule, enum extract_result why);
};

/*
 * Runs the rules in `mask`, in order, over a payload and counts into stats[rule]. A rule that gives
 * up, or has more matches than the policy allows, is counted as limited; the others go on. Those in
 * `parked` are not tried, and counted as skipped where they would have been.
 * Returns the number of matches told.
 */
size_t ruleset_run(const struct ruleset *set, const struct rule_mask *mask,
		   const struct rule_mask *parked, struct stats_pattern *stats,
		   const uint8_t *payload, size_t len, const struct ruleset_ops *ops, void *data);

#endif
