/*
 * The rules of a link that are left out for a while, because their searches were given up too
 * often.
 *
 * Pure. Time is that of the frames. It is by link, so that a guest whose payloads make a rule give
 * up blinds nobody but itself; and for a time only, so that it does not do so for good.
 */
#ifndef TW_QUARANTINE_H
#define TW_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/time_units.h"
#include "capture/ruleset.h"

/* Strikes further apart do not add up. */
#define QUARANTINE_WINDOW_NS (60 * NS_PER_S)

struct quarantine_entry;

struct quarantine {
	struct rule_mask parked;
	uint64_t release_ns; /* when the first of them is over */
	struct quarantine_entry *entries; /* of rules that had a strike */
	size_t n;
};

/* Frees what it holds. */
void quarantine_done(struct quarantine *quarantine);

/*
 * A search of the rule was given up. True when that parks it: it was its conf->quarantine_after'th
 * in the window. Without memory to remember it by, a strike is not counted.
 */
bool quarantine_strike(struct quarantine *quarantine, size_t rule, const struct pattern_conf *conf,
		       uint64_t now_ns);

/* A rule whose time is over: it is not parked any more. False when there is none. */
bool quarantine_release(struct quarantine *quarantine, uint64_t now_ns, size_t *ret_rule);

#endif
