/*
 * What all captures of one extraction have in common: the rules, their counters, the file of the
 * frames that match, and the numbers of the records.
 *
 * Edge. Rules are compiled when the first capture is met: texts have their own (search.h).
 */
#ifndef TW_CAPTURE_SEARCH_H
#define TW_CAPTURE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/base/stats.h"
#include "capture/pcapng_file.h"
#include "capture/ruleset.h"

/* Nothing of it is copied. */
struct capture_conf {
	struct pattern_conf *patterns; /* none: every frame is wanted */
	size_t n_patterns;
	const struct extract_policy *policy;
	struct stream_options stream;
	const char *host; /* as in the agent's records */
	const char *bpf; /* frames that do not match it are passed over; NULL: all are looked at */
	struct pcapng_file *file; /* NULL: none is written */
};

/* What was met in all captures. */
struct capture_totals {
	uint64_t frames; /* that the filter let through */
	uint64_t payloads; /* that rules were tried on */
	uint64_t bytes; /* of these */
	uint64_t malformed;
};

struct capture_search {
	struct capture_conf conf;
	struct config config; /* the patterns alone */
	struct ruleset rules;
	struct rule_mask mask; /* all rules */
	struct stats_pattern *stats;
	uint64_t seed;
	uint64_t seq; /* of the next record */
	bool ready;
	struct capture_totals totals;
};

void capture_search_init(struct capture_search *search, const struct capture_conf *conf);
void capture_search_done(struct capture_search *search);

/* Before each capture: the first one compiles. 0, or a negative errno with the pattern's fault. */
int capture_search_ready(struct capture_search *search, struct err *err);

#endif
