/*
 * Bytes of a stream that wait behind a hole: sorted, none twice, bounded. Pure.
 */
#ifndef TW_STREAM_PENDING_H
#define TW_STREAM_PENDING_H

#include "capture/stream.h"

struct stream_segment {
	struct stream_segment *next;
	uint64_t offset;
	uint64_t packet;
	uint32_t len;
	uint32_t missing; /* bytes behind it that the capture cut off */
	uint8_t bytes[];
};

/* One direction of a flow, and who reads it. */
struct stream_side {
	struct streams *streams;
	struct flow *flow;
	struct stream_half *half;
	unsigned int end;
};

/* Bytes of a segment that are not handed over yet. */
struct stream_part {
	const uint8_t *bytes;
	uint64_t offset;
	uint64_t packet;
	uint32_t len;
	uint32_t missing;
};

/* Passes over the first `n` bytes that the part has. */
void stream_part_skip(struct stream_part *part, uint64_t n);

/* Passes over what is before `offset`, which came by another segment first. */
void stream_part_skip_to(struct stream_side *s, struct stream_part *part, uint64_t offset);

/* Whether so many bytes more may wait. */
bool stream_pending_fits(const struct stream_side *s, uint32_t len);

/* Whether any byte that waits is another one than `part` has in its place. */
bool stream_pending_differs(const struct stream_side *s, const struct stream_part *part);

/* Lets `part` wait, but for the bytes that another segment had first. */
void stream_pending_add(struct stream_side *s, struct stream_part part);

/* Of one that was taken out of the list. */
void stream_segment_free(struct stream_side *s, struct stream_segment *segment);

/* Frees what waits without handing it over. */
void stream_pending_drop(struct stream_side *s);

#endif
