/*
 * The taps that the agent reads itself: opened only where no other process has them. Edge.
 *
 * Every open of a tap is a queue that takes its share of the frames (tap_get_queue() of
 * drivers/net/tap.c), so a guest and the agent never hold one at the same time.
 */
#ifndef TW_TAP_TAKE_H
#define TW_TAP_TAKE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/tap_holder.h"

struct tap_take {
	const char *link;
	uint32_t ifindex;
	int fd; /* in: the tap, when it was taken before, else -1; out: the tap, or -1 */
	struct tap_holder holder; /* out: with a pid, who else holds it */
	struct err err; /* out: why there is no fd */
};

/*
 * Opens those that are free, and closes those that somebody else holds: two walks over /proc for
 * all. An fd is of an Ethernet device without packet information and without vnet header (frames
 * come and go as on a wire, checksums and segments done by the kernel), non-blocking,
 * close-on-exec, and a write never waits for a receiver.
 */
void tap_take_all(struct tap_take *list, size_t n);

#endif
