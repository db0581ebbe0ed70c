#include "capture/extract_source.h"

/* A smaller file is not worth a mapping. */
#define MAP_MIN ((uint64_t)1 << 20)

bool extract_by_line(const struct extract_plan *plan)
{
	return !plan->whole && !plan->separator;
}

/*
 * The text of a mapped file may change while it is looked at. To PCRE2 that is the same as any
 * other text, but not where it has found it to be valid UTF-8. What ranges and whole texts keep
 * cannot be taken back.
 */
bool extract_source_may_map(const struct extract_source *source)
{
	const struct extract_plan *plan = &source->job->plan;

	for (size_t i = 0; i < plan->search->n; i++) {
		if (pattern_is_utf(plan->search->rules[i].pattern))
			return false;
	}
	return source->seekable && source->size >= MAP_MIN && extract_by_line(plan) && !plan->range;
}

void extract_source_fail(struct extract_source *source, int code)
{
	pthread_mutex_lock(&source->lock);
	if (!source->error)
		source->error = -code;
	pthread_mutex_unlock(&source->lock);
}

void extract_source_settle(struct extract_source *source, struct extract_worker *worker)
{
	struct extract_totals *totals = &source->job->totals;

	pthread_mutex_lock(&source->lock);
	totals->bytes += worker->bytes;
	totals->gaps += worker->gaps;
	source->full = source->full || worker->outlet.full;
	totals->ranges += worker->ranges;
	totals->dropped += worker->dropped;
	source->range_losses.limited += worker->range_limited;
	source->range_losses.overrun += worker->range_overrun;
	totals->records += worker->records;
	totals->rests += worker->rests;
	source->hits += worker->scan.hits;
	for (size_t i = 0; i < source->job->plan.search->n; i++)
		search_count_add(&totals->counts[i], &worker->scan.counts[i]);
	pthread_mutex_unlock(&source->lock);
}
