/*
 * Whom a guest exchanges most bytes with: the Space-Saving sketch of stats_traffic.h. Pure.
 *
 * A frame of somebody in the list costs a comparison or a few; one of somebody new takes the place
 * of the least, whose bytes become the newcomer's possible error.
 */
#ifndef TW_TALKERS_H
#define TW_TALKERS_H

#include <stdint.h>

#include "agent/base/stats.h"
#include "agent/base/time_units.h"
#include "capture/frame.h"

/* After this the list begins anew: what was long ago hides what is now. */
#define TALKERS_NS (3600 * NS_PER_S)

struct talkers {
	struct stats_talkers *list; /* in the counters pages */
	struct stats_link *counters;
	uint32_t prints[STATS_TALKERS_MAX]; /* of the keys, to find them fast */
	uint32_t last; /* the one that was found */
};

/* Goes on with what `list` holds. Both are the caller's and outlive the talkers. */
void talkers_init(struct talkers *talkers, struct stats_talkers *list, struct stats_link *counters);

void talkers_clear(struct stats_talkers *list, struct stats_link *counters);

/*
 * `bytes` is the frame's length on the wire. Frames of no IP, and to a group of hosts, are not
 * counted.
 */
void talkers_frame(struct talkers *talkers, const struct frame *frame,
		   enum stats_direction direction, size_t bytes, uint64_t time_ns);

/* Once in a while: begins anew when it is time. */
void talkers_tick(struct talkers *talkers, uint64_t now_ns);

#endif
