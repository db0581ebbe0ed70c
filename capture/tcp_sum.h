/*
 * The checksums of an IPv4 header (RFC 791 section 3.1) and a TCP segment (RFC 9293 section 3.1).
 * Pure.
 */
#ifndef TW_TCP_SUM_H
#define TW_TCP_SUM_H

#include <stdbool.h>

#include "capture/frame.h"

/*
 * Whether it is right. A receiver drops a segment where it is not, so nothing may be concluded from
 * its bytes. True for a frame that has no whole segment.
 */
bool tcp_sum_is_right(const struct frame *frame);

/* The same of the header of a frame as it came, of which the whole header is there. */
bool ip_sum_is_right(const struct frame *frame);

#endif
