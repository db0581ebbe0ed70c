/*
 * A rule on one subject that comes in pieces, be it inside ranges or everywhere. Pure.
 *
 * The functions are those of stream_match.h and range_stream.h of the same names. A rule with
 * ranges neither sleeps nor is late, and is not peeked at: what is in a range is searched once it
 * is closed.
 */
#ifndef TW_RULE_STREAM_H
#define TW_RULE_STREAM_H

#include "capture/ruleset.h"
#include "capture/stream_match.h"

struct rule_stream {
	struct stream_match match; /* of a rule without ranges */
	struct range_stream *ranges; /* NULL: none */
};

/* 0, -E2BIG or -ENOMEM. */
int rule_stream_init(struct rule_stream *rs, const struct rule *rule,
		     const struct extract_policy *policy, size_t max,
		     const struct stream_match_ops *ops, void *data);
void rule_stream_done(struct rule_stream *rs);

void rule_stream_feed(struct rule_stream *rs, struct regex_scratch *scratch, const uint8_t *bytes,
		      size_t len);
void rule_stream_end(struct rule_stream *rs, struct regex_scratch *scratch, uint64_t offset);
void rule_stream_gap(struct rule_stream *rs, struct regex_scratch *scratch, uint64_t len);
void rule_stream_stop(struct rule_stream *rs);
void rule_stream_wake(struct rule_stream *rs, const struct stream_tail *tail);
bool rule_stream_sleep(struct rule_stream *rs, const struct stream_tail *tail);
bool rule_stream_is_late(const struct rule_stream *rs);
void rule_stream_flush(struct rule_stream *rs, struct regex_scratch *scratch);
enum regex_result rule_stream_peek(struct rule_stream *rs, struct regex_scratch *scratch);
uint64_t rule_stream_needs(const struct rule_stream *rs);

/*
 * As stream_match_mark(); false for a rule with ranges: another process does not know of an open
 * one.
 */
bool rule_stream_mark(const struct rule_stream *rs, struct stream_match_mark *ret,
		      struct stream_tail *ret_kept);
void rule_stream_go_on(struct rule_stream *rs, struct regex_scratch *scratch,
		       const struct stream_tail *kept, const struct stream_match_mark *mark);

/* Bytes that it holds. */
size_t rule_stream_memory(const struct rule_stream *rs);

/* What stream_match_tail() says; 0 for a rule with ranges. */
size_t rule_stream_tail(const struct rule *rule);

#endif
