/*
 * How long the frames of one link may keep a worker from those of others, and those of all links
 * from the agent, which ends a worker that does not answer for six seconds.
 *
 * Edge: it looks at the clock, at that of ticks while a turn lasts: a look costs no more than a
 * frame does.
 */
#ifndef TW_TURN_H
#define TW_TURN_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/time_units.h"

/* Searches that were begun in a turn may go on for so long after it; then they are given up. */
#define TURN_GRACE_NS (3 * NS_PER_S)

struct turn {
	uint64_t frame_ns; /* the longest that one frame may take; 0: nobody knows */
	uint64_t end_ns; /* of CLOCK_MONOTONIC, as all times here */
	unsigned int frames; /* before the clock is looked at */
	bool slow; /* the last turn ended since its time was over */
};

/*
 * False, and nothing is begun, when links have had their time since the loop was last told what
 * there is to do (uv_now(3)): the loop tells again of what is left of a ring, a tap or a socket.
 */
bool turn_begin(struct turn *turn, const uv_loop_t *loop, uint64_t now_ns);

/* How many frames there are before turn_look(), which says whether the time is over. */
unsigned int turn_frames(const struct turn *turn);
bool turn_look(struct turn *turn);

/* The same, for who asks after every frame. */
static inline bool turn_is_over(struct turn *turn)
{
	return --turn->frames == 0 && turn_look(turn);
}

/* A look at a clock that the caller has read already. */
static inline void turn_end(struct turn *turn, uint64_t now_ns)
{
	turn->slow = now_ns > turn->end_ns;
}

#endif
