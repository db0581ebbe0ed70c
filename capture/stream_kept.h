/*
 * The bytes of a stream that its receiver has not acknowledged, for those who stand in its path.
 *
 * Pure. A segment may be sent again, and whoever has seen it once cannot know which copy the
 * receiver will take, or took: only the same bytes may pass again. What is acknowledged is of no
 * account any more.
 */
#ifndef TW_STREAM_KEPT_H
#define TW_STREAM_KEPT_H

#include <stdint.h>

#include "capture/flow.h"

/* The next bytes that `end` sends, its half's offset being behind them already. */
void stream_kept_add(struct flow_table *table, struct flow *flow, unsigned int end,
		     const uint8_t *bytes, size_t len);

/* The other end has acknowledged what it has by now. */
void stream_kept_trim(struct flow_table *table, struct flow *flow, unsigned int end);

enum stream_repeat {
	STREAM_REPEAT_SAME, /* or acknowledged */
	STREAM_REPEAT_OTHER,
	STREAM_REPEAT_UNKNOWN, /* from before the pick-up, or there was no memory */
};

/* Bytes that `end` sends, from `offset` on: those of them that it has sent before. */
enum stream_repeat stream_kept_compare(const struct flow *flow, unsigned int end,
				       const uint8_t *bytes, size_t len, uint64_t offset);

/* Those of `end`, the last ones before its half's offset; NULL, and 0: none. */
const uint8_t *stream_kept_bytes(const struct flow *flow, unsigned int end, size_t *ret_len);

void stream_kept_free(struct flow_table *table, struct flow *flow);

#endif
