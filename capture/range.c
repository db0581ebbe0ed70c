#include "capture/range.h"

static const char *const reason_names[RANGE_REASONS] = {
	[RANGE_CLOSED_END] = "end",	    [RANGE_CLOSED_EOF] = "eof",
	[RANGE_CLOSED_LIMIT] = "limit",	    [RANGE_CLOSED_IDLE] = "idle",
	[RANGE_CLOSED_GAP] = "gap",	    [RANGE_CLOSED_CLOSED] = "closed",
	[RANGE_CLOSED_RESTART] = "restart",
};

const char *range_reason_name(enum range_reason reason)
{
	return reason_names[reason];
}

void range_init(struct range *range, const struct range_conf *conf)
{
	*range = (struct range){ .conf = *conf };
}

bool range_close(struct range *range, enum range_reason reason, struct range_closed *ret)
{
	if (!range->open)
		return false;
	*ret = range->so_far;
	ret->reason = reason;
	range->open = false;
	return true;
}

bool range_tick(struct range *range, uint64_t now_ns, struct range_closed *ret)
{
	if (!range->conf.idle_ns || now_ns - range->last_ns < range->conf.idle_ns)
		return false;
	return range_close(range, RANGE_CLOSED_IDLE, ret);
}

static bool over_limit(const struct range *range, size_t bytes)
{
	const struct range_conf *conf = &range->conf;

	return (conf->max_lines && range->so_far.lines + 1 > conf->max_lines) ||
	       (conf->max_bytes && range->so_far.bytes + bytes > conf->max_bytes);
}

static void count(struct range *range, uint64_t lines, uint64_t bytes, bool shown)
{
	struct range_closed *so_far = &range->so_far;

	so_far->lines += lines;
	so_far->bytes += bytes;
	so_far->shown_lines += shown ? lines : 0;
	so_far->shown_bytes += shown ? bytes : 0;
}

/* A line of an open range, which is the delimiters in the mask. */
static void take_line(struct range *range, size_t bytes, unsigned int delimiters,
		      struct range_step *ret)
{
	bool kept = (delimiters & ~(unsigned int)range->conf.include) == 0;

	ret->shown = kept && !range->conf.outside;
	count(range, 1, bytes, ret->shown);
	if (delimiters & RANGE_END)
		ret->closed = range_close(range, RANGE_CLOSED_END, &ret->range);
}

/* Whether the line that begins a range ends it as well. */
static bool ends_too(const struct range *range, const struct range_test *test, size_t behind)
{
	switch (range->conf.end_test) {
	case RANGE_END_NEXT:
		return false;
	case RANGE_END_REST:
		return test->ends(test->data, behind);
	case RANGE_END_SAME:
		return test->ends(test->data, 0);
	case RANGE_END_TESTS:
		break;
	}
	return false;
}

static void open_range(struct range *range, size_t bytes, size_t behind,
		       const struct range_test *test, struct range_step *ret)
{
	unsigned int delimiters = RANGE_BEGIN;

	range->open = true;
	range->depth = 1;
	range->so_far = (struct range_closed){ 0 };
	ret->opened = true;
	if (over_limit(range, bytes)) {
		count(range, 1, bytes, false);
		ret->closed = range_close(range, RANGE_CLOSED_LIMIT, &ret->range);
		return;
	}
	if (ends_too(range, test, behind))
		delimiters |= RANGE_END;
	take_line(range, bytes, delimiters, ret);
}

static void line_outside(struct range *range, size_t bytes, const struct range_test *test,
			 struct range_step *ret)
{
	size_t behind = 0;

	if (test->begins(test->data, &behind))
		open_range(range, bytes, behind, test, ret);
	else
		ret->shown = range->conf.outside;
}

static void line_inside(struct range *range, size_t bytes, const struct range_test *test,
			struct range_step *ret)
{
	bool ends = test->ends(test->data, 0);
	size_t behind = 0;

	if (ends && --range->depth == 0) {
		take_line(range, bytes, RANGE_END, ret);
		return;
	}
	if (range->conf.nest != RANGE_FLAT && test->begins(test->data, &behind)) {
		if (range->conf.nest == RANGE_RESTART) {
			ret->closed_before = range_close(range, RANGE_CLOSED_RESTART, &ret->before);
			open_range(range, bytes, behind, test, ret);
			return;
		}
		range->depth++;
	}
	take_line(range, bytes, 0, ret);
}

void range_line(struct range *range, size_t bytes, uint64_t now_ns, const struct range_test *test,
		struct range_step *ret)
{
	*ret = (struct range_step){ 0 };
	ret->closed_before = range_tick(range, now_ns, &ret->before);
	range->last_ns = now_ns;
	if (range->open && over_limit(range, bytes))
		ret->closed_before = range_close(range, RANGE_CLOSED_LIMIT, &ret->before);
	if (range->open)
		line_inside(range, bytes, test, ret);
	else
		line_outside(range, bytes, test, ret);
}

bool range_takes_runs(const struct range *range)
{
	const struct range_conf *conf = &range->conf;

	return conf->nest == RANGE_FLAT && !conf->max_lines && !conf->max_bytes && !conf->idle_ns;
}

bool range_run(struct range *range, uint64_t lines, uint64_t bytes)
{
	bool shown = range->open != range->conf.outside;

	if (range->open)
		count(range, lines, bytes, shown);
	return shown;
}
