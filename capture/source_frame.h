/* A frame of a link as its source hands it over, and what sources lose. Pure. */
#ifndef TW_SOURCE_FRAME_H
#define TW_SOURCE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/stats.h"
#include "capture/decode.h"

struct source_frame {
	struct decode_input in;
	uint64_t time_ns; /* CLOCK_REALTIME; of a ring, from the kernel */
	enum stats_direction direction;
	bool checksum_partial; /* left to the hardware that was to send it */
	bool gso; /* larger than what goes on the wire: hardware cuts it */
};

/* What was lost since the last call. */
struct source_losses {
	uint64_t ring_full; /* frames that the kernel had no room for */
	uint64_t tap_full; /* frames that the queue of a tap had no room for */
	uint64_t died; /* frames that a reader before this one died of */
	uint64_t corrupt; /* blocks given back unread */
	uint64_t unread; /* frames that the kernel had not handed over when the link went */
};

/* The bytes are valid during the call. */
typedef void (*source_frame_cb)(void *data, const struct source_frame *frame);

#endif
