/* What the frames of `reach --probe` have to do, and what they proved. Pure. */
#ifndef TW_REACH_JUDGE_H
#define TW_REACH_JUDGE_H

#include "agent/reach_shots.h"

/* Whether the frame has to arrive, with what is known by now of the switch. */
bool reach_shot_is_due(const struct reach_shots *shots, const struct reach_shot *shot);

/* Whether of `n` frames from `first` on every one that has to arrive has done so. */
bool reach_shots_are_in(const struct reach_shots *shots, size_t first, size_t n);

/* Fills the proofs; returns how many frames differ. */
size_t reach_shots_judge(struct reach_shots *shots);

#endif
