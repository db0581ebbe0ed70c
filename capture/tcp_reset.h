/*
 * TCP resets that end the connection of a segment which does not pass, as frames for both its ends.
 *
 * Pure. RFC 9293 section 3.10.7.1 says what a reset carries; RFC 5961 section 3.2, that a receiver
 * believes one whose sequence number is exactly the next it expects: the one of the segment that it
 * did not get, and the one that it acknowledged last.
 */
#ifndef TW_TCP_RESET_H
#define TW_TCP_RESET_H

#include <stddef.h>
#include <stdint.h>

#include "capture/frame.h"

/* Ethernet with all tags that a frame may have, IPv6, TCP. */
#define TCP_RESET_MAX (14u + 4u * FRAME_VLANS_MAX + 40u + 20u)

enum tcp_reset_to {
	TCP_RESET_TARGET, /* where the segment was going */
	TCP_RESET_SOURCE,
	TCP_RESET_ENDS
};

/*
 * The reset for one end of the connection of `frame`, whose bytes begin at `bytes`; its length, or
 * 0 when the frame is no TCP segment, or one that carries RST itself: a reset is not answered.
 */
size_t tcp_reset(const struct frame *frame, const uint8_t *bytes, enum tcp_reset_to to,
		 uint8_t ret[TCP_RESET_MAX]);

#endif
