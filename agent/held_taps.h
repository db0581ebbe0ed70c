/* Who holds the taps of a whole table of links, found in one walk over /proc. Edge. */
#ifndef TW_HELD_TAPS_H
#define TW_HELD_TAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/tap_holder.h"
#include "netlink/link_state.h"

/* Zero-initialise; freed by held_taps_done(). */
struct held_taps {
	struct tap_holder *list; /* ordered by ifindex */
	size_t n;
	bool known;
};

/*
 * Does nothing when it is known already. What `agent` (0: none) and its workers hold themselves
 * does not count. Returns 0 or -errno.
 */
int held_taps_find(struct held_taps *held, const struct link_table *table, pid_t agent);

/* NULL for a link whose tap could not be found. One that nobody holds has pid 0. */
const struct tap_holder *held_taps_holder(const struct held_taps *held, uint32_t ifindex);

/* Forgets what is known; the next find looks again. */
void held_taps_done(struct held_taps *held);

#endif
