#include "capture/log_ranges.h"

static void put(stat_counter *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_release);
}

static uint64_t get(const stat_counter *counter)
{
	return atomic_load_explicit((stat_counter *)counter, memory_order_acquire);
}

static bool has_ranges(const struct log_rules *group)
{
	return group->rules[0]->range != NULL;
}

static void leave(const struct log_rules *group, const struct range_carry *carry,
		  struct stats_log_range *slot)
{
	put(&slot->rule, group->rules[0]->signature_id);
	put(&slot->depth, carry->depth);
	put(&slot->lines, carry->so_far.lines);
	put(&slot->bytes, carry->so_far.bytes);
	put(&slot->held, group->ranges.range.conf.open_end == RANGE_DROP);
}

void log_ranges_leave_begin(struct log_watch *w)
{
	struct range_carry carry;
	uint64_t n = 0;

	put(&w->stats->ranges_at, 0);
	for (size_t i = 0; i < w->n_groups; i++) {
		if (!has_ranges(&w->groups[i]))
			continue;
		range_text_leave(&w->groups[i].ranges, &carry);
		if (!carry.depth)
			continue;
		if (n < STATS_LOG_RANGES)
			leave(&w->groups[i], &carry, &w->stats->ranges[n]);
		n++;
	}
	put(&w->stats->n_ranges, n);
}

void log_ranges_leave_end(struct log_watch *w, uint64_t position)
{
	put(&w->stats->ranges_at, position + 1);
}

static struct log_rules *find(struct log_watch *w, uint64_t rule)
{
	for (size_t i = 0; i < w->n_groups; i++) {
		if (has_ranges(&w->groups[i]) && w->groups[i].rules[0]->signature_id == rule)
			return &w->groups[i];
	}
	return NULL;
}

/* A rule that the configuration does not have any more wants nothing. */
static void take_up(struct log_watch *w, const struct stats_log_range *slot,
		    struct log_ranges_lost *lost)
{
	struct log_rules *group = find(w, get(&slot->rule));
	const struct range_carry carry = {
		.depth = (uint32_t)get(&slot->depth),
		.so_far = { .lines = get(&slot->lines), .bytes = get(&slot->bytes) },
	};

	if (!group)
		return;
	if (get(&slot->held) || group->ranges.range.conf.open_end == RANGE_DROP)
		lost->rules[lost->n_rules++] = group->rules[0]->conf->head.name;
	else
		range_text_resume(&group->ranges, &carry, 0);
}

void log_ranges_take_up(struct log_watch *w, const struct ipc_log *message,
			struct log_ranges_lost *ret)
{
	uint64_t n = get(&w->stats->n_ranges);

	*ret = (struct log_ranges_lost){ .n_rules = 0 };
	if (get(&w->stats->file) != message->file)
		return;
	/* The worker before died between the one and the other. */
	if (get(&w->stats->ranges_at) != message->offset + 1) {
		ret->unnamed = n;
		return;
	}
	for (size_t i = 0; i < n && i < STATS_LOG_RANGES; i++)
		take_up(w, &w->stats->ranges[i], ret);
	ret->unnamed = n > STATS_LOG_RANGES ? n - STATS_LOG_RANGES : 0;
}
