#include "capture/range_stream.h"

#include <stdlib.h>
#include <string.h>

/* Of a delimiter the first match is asked for; it goes on with the other one. */
static const struct extract_policy first_only = { .max = 1 };

static void on_delimiter(void *data, const struct hit *hit)
{
	struct range_stream *rs = data;

	rs->found = true;
	rs->found_start = hit->offset + hit->match->whole.start;
	rs->found_end = hit->offset + hit->match->whole.end;
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	struct range_stream *rs = data;

	if (why != STREAM_LOSS_TOO_MANY)
		rs->ops->loss(rs->data, why, from, to);
}

static const struct stream_match_ops delimiter_ops = { .match = on_delimiter, .loss = on_loss };

int range_stream_init(struct range_stream *rs, const struct range_stream_rule *rule,
		      const struct extract_policy *policy, const struct stream_match_ops *ops,
		      void *data)
{
	int code;

	*rs = (struct range_stream){ .rule = rule, .policy = policy, .ops = ops, .data = data };
	code = stream_match_init(&rs->begin, rule->begin, NULL, &first_only, rule->max,
				 &delimiter_ops, rs);
	if (!code)
		code = stream_match_init(&rs->end, rule->end, NULL, &first_only, rule->max,
					 &delimiter_ops, rs);
	return code;
}

void range_stream_done(struct range_stream *rs)
{
	stream_match_done(&rs->begin);
	stream_match_done(&rs->end);
	free(rs->buf);
	rs->buf = NULL;
	rs->len = rs->cap = 0;
}

void range_stream_begin(struct range_stream *rs, uint64_t offset)
{
	stream_match_begin(&rs->begin, offset);
	rs->len = 0;
	rs->base = rs->fed = offset;
	rs->begun = rs->open = rs->over = rs->found = false;
}

static uint64_t end_of(const struct range_stream *rs)
{
	return rs->base + rs->len;
}

static struct stream_match *wanted(struct range_stream *rs)
{
	return rs->open ? &rs->end : &rs->begin;
}

/* ---- what is in a range --------------------------------------------------------------------- */

struct told {
	struct range_stream *rs;
	const uint8_t *subject;
	bool gap;
};

static void on_match(void *data, const struct extract_match *match)
{
	const struct told *told = data;

	told->rs->ops->match(told->rs->data, &(struct hit){ .match = match,
							    .subject = told->subject,
							    .offset = told->rs->from,
							    .gap = told->gap });
}

/* The range is what was seen up to `to`; `whole` when END closed it. */
static void close_range(struct range_stream *rs, uint64_t to, bool whole, bool gap)
{
	static const enum stream_loss losses[] = {
		[EXTRACT_TOO_MANY] = STREAM_LOSS_TOO_MANY,
		[EXTRACT_LIMIT] = STREAM_LOSS_LIMIT,
		[EXTRACT_ERROR] = STREAM_LOSS_ERROR,
	};
	const struct range_stream_rule *rule = rs->rule;
	struct told told = { .rs = rs, .subject = rs->buf + (rs->from - rs->base), .gap = gap };
	enum extract_result result;

	rs->open = false;
	if (!whole && rule->conf->open_end == RANGE_DROP)
		return;
	result = extract(rule->inner, rs->policy, rs->scratch, told.subject,
			 (size_t)(to - rs->from), on_match, &told, NULL);
	if (result != EXTRACT_DONE)
		rs->ops->loss(rs->data, losses[result], rs->from, to);
}

/* ---- from delimiter to delimiter ------------------------------------------------------------ */

/*
 * The delimiter that is looked for now sees the subject from `at` on, and as far back as it looks.
 */
static void look_from(struct range_stream *rs, uint64_t at)
{
	struct stream_match *sm = wanted(rs);
	size_t before = pattern_lookback(sm->pattern) + 4; /* and the rest of a character */

	if (before > at - rs->base)
		before = (size_t)(at - rs->base);
	rs->fed = at;
	stream_match_resume(sm, rs->buf + (at - rs->base) - before, before, at - before,
			    rs->begun || at - before > rs->base);
}

static void take_delimiter(struct range_stream *rs)
{
	enum range_include include = rs->rule->conf->include;

	rs->found = false;
	if (rs->open) {
		close_range(rs, include & RANGE_END ? rs->found_end : rs->found_start, true, false);
	} else {
		rs->open = true;
		rs->from = include & RANGE_BEGIN ? rs->found_start : rs->found_end;
	}
	look_from(rs, rs->found_end);
}

static void run(struct range_stream *rs)
{
	while (rs->fed < end_of(rs)) {
		const uint8_t *bytes = rs->buf + (rs->fed - rs->base);
		size_t len = (size_t)(end_of(rs) - rs->fed);

		rs->fed += len;
		stream_match_feed(wanted(rs), rs->scratch, bytes, len);
		if (rs->found)
			take_delimiter(rs);
	}
}

/* What no delimiter and no range needs any more goes. */
static void trim(struct range_stream *rs)
{
	uint64_t needs = range_stream_needs(rs);
	size_t back = pattern_lookback(rs->rule->begin) + pattern_lookback(rs->rule->end) + 8, n;

	n = needs > rs->base + back ? (size_t)(needs - rs->base) - back : 0;
	/* Not for a few bytes: each time all the rest is moved. */
	if (n < rs->len / 2)
		return;
	memmove(rs->buf, rs->buf + n, rs->len - n);
	rs->len -= n;
	rs->base += n;
	rs->begun = rs->begun || n;
}

static void bound(struct range_stream *rs)
{
	uint64_t max = rs->rule->conf->max_bytes ? rs->rule->conf->max_bytes : rs->rule->max;

	max = max < rs->rule->max ? max : rs->rule->max;
	if (!rs->open || end_of(rs) - rs->from <= max)
		return;
	close_range(rs, rs->from + max, false, false);
	rs->ops->loss(rs->data, STREAM_LOSS_OVERFLOW, rs->from + max, end_of(rs));
	look_from(rs, end_of(rs));
}

static bool append(struct range_stream *rs, const uint8_t *bytes, size_t len)
{
	size_t cap = rs->cap ? rs->cap : 256;
	uint8_t *buf;

	while (cap < rs->len + len)
		cap *= 2;
	if (cap != rs->cap) {
		buf = realloc(rs->buf, cap);
		if (!buf)
			return false;
		rs->buf = buf;
		rs->cap = cap;
	}
	memcpy(rs->buf + rs->len, bytes, len);
	rs->len += len;
	return true;
}

void range_stream_feed(struct range_stream *rs, struct regex_scratch *scratch, const uint8_t *bytes,
		       size_t len)
{
	rs->scratch = scratch;
	if (!rs->over && !append(rs, bytes, len)) {
		rs->ops->loss(rs->data, STREAM_LOSS_MEMORY, range_stream_needs(rs),
			      end_of(rs) + len);
		rs->over = true;
		rs->open = false;
		rs->base += rs->len;
		rs->len = 0;
	}
	if (rs->over) {
		rs->base += len;
		rs->fed = rs->base;
		return;
	}
	run(rs);
	bound(rs);
	trim(rs);
}

/* Nothing more comes to what was fed; `gap`: because it is missing. */
static void finish(struct range_stream *rs, bool gap)
{
	do {
		run(rs);
		if (!rs->over)
			stream_match_end(wanted(rs), rs->scratch, end_of(rs));
		if (rs->found)
			take_delimiter(rs);
		else
			break;
	} while (!rs->over);
	if (rs->open)
		close_range(rs, end_of(rs), false, gap);
}

void range_stream_end(struct range_stream *rs, struct regex_scratch *scratch)
{
	rs->scratch = scratch;
	finish(rs, false);
	range_stream_begin(rs, 0);
}

void range_stream_gap(struct range_stream *rs, struct regex_scratch *scratch, uint64_t len)
{
	static const uint8_t missing[1];
	uint64_t next = end_of(rs) + len;
	bool over = rs->over;

	if (!len)
		return;
	rs->scratch = scratch;
	finish(rs, true);
	range_stream_begin(rs, next - 1);
	rs->begun = true;
	rs->over = over || !append(rs, missing, 1);
	if (!rs->over)
		look_from(rs, next);
}

void range_stream_stop(struct range_stream *rs)
{
	rs->base = rs->fed = end_of(rs);
	range_stream_done(rs);
	rs->open = false;
	rs->over = true;
}

uint64_t range_stream_needs(const struct range_stream *rs)
{
	if (rs->over)
		return end_of(rs);
	if (rs->open)
		return rs->from;
	return stream_match_needs(&rs->begin);
}

size_t range_stream_memory(const struct range_stream *rs)
{
	return rs->cap + rs->begin.cap + rs->end.cap;
}
