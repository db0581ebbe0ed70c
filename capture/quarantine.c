#include "capture/quarantine.h"

#include <stdlib.h>

#include "agent/base/time_units.h"

struct quarantine_entry {
	size_t rule;
	uint32_t strikes;
	uint64_t since_ns; /* the first of them */
	uint64_t release_ns; /* 0: it is not parked */
};

void quarantine_done(struct quarantine *q)
{
	free(q->entries);
	*q = (struct quarantine){ 0 };
}

static struct quarantine_entry *entry_of(struct quarantine *q, size_t rule)
{
	struct quarantine_entry *grown;

	for (size_t i = 0; i < q->n; i++) {
		if (q->entries[i].rule == rule)
			return &q->entries[i];
	}
	grown = realloc(q->entries, (q->n + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	q->entries = grown;
	grown[q->n] = (struct quarantine_entry){ .rule = rule };
	return &grown[q->n++];
}

static void find_first_release(struct quarantine *q)
{
	q->release_ns = UINT64_MAX;
	for (size_t i = 0; i < q->n; i++) {
		uint64_t at = q->entries[i].release_ns;

		if (at && at < q->release_ns)
			q->release_ns = at;
	}
}

bool quarantine_strike(struct quarantine *q, size_t rule, const struct pattern_conf *conf,
		       uint64_t now_ns)
{
	struct quarantine_entry *entry;

	if (!conf->quarantine_after || mask_has(&q->parked, rule))
		return false;
	entry = entry_of(q, rule);
	if (!entry)
		return false;
	if (!entry->strikes || now_ns - entry->since_ns > QUARANTINE_WINDOW_NS) {
		entry->strikes = 0;
		entry->since_ns = now_ns;
	}
	if (++entry->strikes < conf->quarantine_after)
		return false;
	entry->strikes = 0;
	entry->release_ns = now_ns + NS_PER_S * conf->quarantine_seconds;
	mask_add(&q->parked, rule);
	find_first_release(q);
	return true;
}

bool quarantine_release(struct quarantine *q, uint64_t now_ns, size_t *ret_rule)
{
	if (!q->parked.any || now_ns < q->release_ns)
		return false;
	for (size_t i = 0; i < q->n; i++) {
		struct quarantine_entry *entry = &q->entries[i];

		if (!entry->release_ns || entry->release_ns > now_ns)
			continue;
		entry->release_ns = 0;
		mask_drop(&q->parked, entry->rule);
		find_first_release(q);
		*ret_rule = entry->rule;
		return true;
	}
	return false;
}
