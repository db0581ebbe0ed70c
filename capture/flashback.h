/*
 * The last frames of all flows, in a ring of bytes, so that a match can have what came before it.
 *
 * Pure. One ring for all: whoever sends most pushes out the others' frames, but never more than the
 * ring holds. Frames of one flow are linked backwards; a flow whose place in the index another one
 * took has no frames before that any more.
 */
#ifndef TW_FLASHBACK_H
#define TW_FLASHBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flashback_frame {
	uint64_t flow; /* 0: of no flow */
	uint64_t number;
	uint64_t time_ns;
	uint32_t link;
	uint32_t flags; /* the caller's */
	uint32_t len;
	uint32_t wire_len;
	const uint8_t *bytes;
};

struct flashback_flow {
	uint64_t flow;
	uint64_t last; /* position of its last frame, plus 1; 0: none */
	uint32_t after; /* frames that are still wanted */
};

struct flashback {
	uint8_t *ring;
	size_t size; /* a power of two */
	uint64_t head, tail; /* positions, ever growing: a frame lies at position % size */
	uint64_t newest; /* position of the last frame */
	struct flashback_flow *flows;
	size_t n_flows; /* a power of two */
};

/* Rounds both up to powers of two. 0 or -ENOMEM. */
int flashback_init(struct flashback *flashback, size_t bytes, size_t flows);
void flashback_done(struct flashback *flashback);

/*
 * Takes a copy of a frame, if it fits at all. True when it is wanted, as one of those after a
 * match; it counts as taken then.
 */
bool flashback_add(struct flashback *flashback, const struct flashback_frame *frame);

/* False: the frame was not wanted, and may be handed over again. */
typedef bool (*flashback_cb)(void *data, const struct flashback_frame *frame);

/*
 * Hands over the flow's frames that were not handed over before, the oldest first: all whose number
 * is `first` or higher, and the `before` last ones before that at most. The next `after` will be
 * wanted. False when the ring does not reach back to the frame `first` any more.
 */
bool flashback_match(struct flashback *flashback, uint64_t flow, uint64_t first, uint32_t before,
		     uint32_t after, flashback_cb cb, void *data);

#endif
