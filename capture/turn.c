#include "capture/turn.h"

#include "agent/base/clock.h"

#define TURN_NS		(100 * NS_PER_MS)
#define FRAMES_PER_LOOK 4u

/* Of all links, before what the agent sent is looked at again. */
#define ROUND_NS (500 * NS_PER_MS)

bool turn_begin(struct turn *turn, const uv_loop_t *loop, uint64_t now_ns)
{
	if (now_ns > uv_now(loop) * NS_PER_MS + ROUND_NS)
		return false;
	turn->end_ns = now_ns + TURN_NS;
	turn->frames = turn_frames(turn);
	return true;
}

unsigned int turn_frames(const struct turn *turn)
{
	return turn->slow || turn->frame_ns > TURN_NS / FRAMES_PER_LOOK ? 1 : FRAMES_PER_LOOK;
}

bool turn_look(struct turn *turn)
{
	turn_end(turn, clock_ns(CLOCK_MONOTONIC_COARSE));
	turn->frames = turn_frames(turn);
	return turn->slow;
}
