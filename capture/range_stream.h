/*
 * The matches of a pattern inside ranges of bytes: from a match of BEGIN to the next match of END.
 *
 * Pure. The subject comes in pieces, and what is told does not depend on the cuts. END is searched
 * from where the match of BEGIN ends, and BEGIN again from where that of END does; both may look
 * back at what is before. What is in a range, with its delimiters if `include` says so, is a
 * subject of its own, searched when the range is closed. So much of it is kept as `max` allows: a
 * longer range is closed there, which is told as a loss.
 */
#ifndef TW_RANGE_STREAM_H
#define TW_RANGE_STREAM_H

#include "agent/base/range_types.h"
#include "capture/stream_match.h"

/* What is shared by all subjects; the caller's. */
struct range_stream_rule {
	const struct range_conf *conf; /* include and open_end */
	struct pattern *begin, *end, *inner;
	size_t max;
};

struct range_stream {
	const struct range_stream_rule *rule;
	const struct extract_policy *policy; /* of the matches in ranges */
	const struct stream_match_ops *ops;
	void *data;
	struct regex_scratch *scratch; /* of the call in hand */
	struct stream_match begin, end; /* `end` while the range is open */
	uint8_t *buf; /* what may still be needed */
	size_t len, cap;
	uint64_t base; /* offset of buf[0] */
	uint64_t fed; /* the delimiter that is looked for has seen what is before */
	bool begun; /* buf[0] is not the subject's first byte */
	bool open;
	bool over; /* there was no memory: nothing is searched any more */
	uint64_t from; /* of the open range: what is shown of it */
	bool found; /* a delimiter: where its match is */
	uint64_t found_start, found_end;
};

/* As stream_match_init(); -E2BIG also for END. */
int range_stream_init(struct range_stream *rs, const struct range_stream_rule *rule,
		      const struct extract_policy *policy, const struct stream_match_ops *ops,
		      void *data);
void range_stream_done(struct range_stream *rs);

/* These four as those of stream_match.h; a subject begins by itself at offset 0. */
void range_stream_begin(struct range_stream *rs, uint64_t offset);
void range_stream_feed(struct range_stream *rs, struct regex_scratch *scratch, const uint8_t *bytes,
		       size_t len);
void range_stream_end(struct range_stream *rs, struct regex_scratch *scratch);
void range_stream_gap(struct range_stream *rs, struct regex_scratch *scratch, uint64_t len);

void range_stream_stop(struct range_stream *rs);

uint64_t range_stream_needs(const struct range_stream *rs);

/* Bytes that it holds. */
size_t range_stream_memory(const struct range_stream *rs);

#endif
