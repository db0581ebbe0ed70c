/*
 * Sends the frames of `reach --probe` and sees where they arrive. Edge: packet sockets.
 *
 * A frame that is sent on the network device of a macvtap or macvlan takes the way of one that its
 * guest sends; see reach_frame.h. It has a number that only this run knows: sockets are given
 * nothing else.
 */
#ifndef TW_REACH_PROBE_H
#define TW_REACH_PROBE_H

#include "agent/base/err.h"
#include "agent/reach_shots.h"

/*
 * Sends every shot, those of outsiders by `wire` (wire_tap_open(); -1 where the shots have none),
 * and marks those that arrived. Waits for those that have to arrive at most REACH_PROBE_MAX_MS
 * while it sends and as long after it, then for others until nothing came for REACH_PROBE_QUIET_MS.
 * Returns 0 or -errno, as -EPERM without CAP_NET_RAW.
 */
#define REACH_PROBE_MAX_MS   3000
#define REACH_PROBE_QUIET_MS 300
int reach_probe(struct reach_shots *shots, int wire, struct err *err);

#endif
