/* What the kernel had to drop because the queue of a tap was full. Edge: reads /sys. */
#ifndef TW_TAP_DROPPED_H
#define TW_TAP_DROPPED_H

#include <stdint.h>

/*
 * The file where that is counted, for whoever reads the tap, and what it says now. The count is the
 * link's rx_dropped (macvtap_count_rx_dropped() of drivers/net/macvtap.c). -1 when there is none.
 */
int tap_dropped_open(const char *link, uint64_t *ret);

#endif
