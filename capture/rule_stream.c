#include "capture/rule_stream.h"

#include <errno.h>
#include <stdlib.h>

int rule_stream_init(struct rule_stream *rs, const struct rule *rule,
		     const struct extract_policy *policy, size_t max,
		     const struct stream_match_ops *ops, void *data)
{
	int code;

	*rs = (struct rule_stream){ 0 };
	if (!rule->range)
		return stream_match_init(&rs->match, rule->pattern, rule->finder, policy, max, ops,
					 data);
	rs->ranges = malloc(sizeof(*rs->ranges));
	if (!rs->ranges)
		return -ENOMEM;
	code = range_stream_init(rs->ranges, rule->range, policy, ops, data);
	if (!code)
		return 0;
	free(rs->ranges);
	rs->ranges = NULL;
	return code;
}

void rule_stream_done(struct rule_stream *rs)
{
	stream_match_done(&rs->match);
	if (rs->ranges)
		range_stream_done(rs->ranges);
	free(rs->ranges);
	rs->ranges = NULL;
}

void rule_stream_feed(struct rule_stream *rs, struct regex_scratch *scratch, const uint8_t *bytes,
		      size_t len)
{
	if (rs->ranges)
		range_stream_feed(rs->ranges, scratch, bytes, len);
	else
		stream_match_feed(&rs->match, scratch, bytes, len);
}

void rule_stream_end(struct rule_stream *rs, struct regex_scratch *scratch, uint64_t offset)
{
	if (rs->ranges)
		range_stream_end(rs->ranges, scratch);
	else
		stream_match_end(&rs->match, scratch, offset);
}

void rule_stream_gap(struct rule_stream *rs, struct regex_scratch *scratch, uint64_t len)
{
	if (rs->ranges)
		range_stream_gap(rs->ranges, scratch, len);
	else
		stream_match_gap(&rs->match, scratch, len);
}

void rule_stream_stop(struct rule_stream *rs)
{
	if (rs->ranges)
		range_stream_stop(rs->ranges);
	else
		stream_match_stop(&rs->match);
}

void rule_stream_wake(struct rule_stream *rs, const struct stream_tail *tail)
{
	/* It is begun once, and looks back at nothing that was before. */
	if (rs->ranges)
		range_stream_begin(rs->ranges, tail->offset + tail->len);
	else
		stream_match_wake(&rs->match, tail);
}

bool rule_stream_sleep(struct rule_stream *rs, const struct stream_tail *tail)
{
	return !rs->ranges && stream_match_sleep(&rs->match, tail);
}

bool rule_stream_is_late(const struct rule_stream *rs)
{
	return !rs->ranges && stream_match_is_late(&rs->match);
}

void rule_stream_flush(struct rule_stream *rs, struct regex_scratch *scratch)
{
	if (!rs->ranges)
		stream_match_flush(&rs->match, scratch);
}

enum regex_result rule_stream_peek(struct rule_stream *rs, struct regex_scratch *scratch)
{
	return rs->ranges ? REGEX_NO_MATCH : stream_match_peek(&rs->match, scratch);
}

uint64_t rule_stream_needs(const struct rule_stream *rs)
{
	return rs->ranges ? range_stream_needs(rs->ranges) : stream_match_needs(&rs->match);
}

bool rule_stream_mark(const struct rule_stream *rs, struct stream_match_mark *ret,
		      struct stream_tail *ret_kept)
{
	if (!rs->ranges)
		stream_match_mark(&rs->match, ret, ret_kept);
	return !rs->ranges;
}

void rule_stream_go_on(struct rule_stream *rs, struct regex_scratch *scratch,
		       const struct stream_tail *kept, const struct stream_match_mark *mark)
{
	if (!rs->ranges)
		stream_match_go_on(&rs->match, scratch, kept, mark);
}

size_t rule_stream_memory(const struct rule_stream *rs)
{
	if (!rs->ranges)
		return rs->match.cap;
	return sizeof(*rs->ranges) + range_stream_memory(rs->ranges);
}

size_t rule_stream_tail(const struct rule *rule)
{
	return rule->range ? 0 : stream_match_tail(rule->pattern);
}
