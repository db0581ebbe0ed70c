/* The checksum of a TCP segment (RFC 9293 section 3.1). Pure. */
#ifndef TW_TCP_SUM_H
#define TW_TCP_SUM_H

#include <stdbool.h>

#include "capture/frame.h"

/*
 * Whether it is right. A receiver drops a segment where it is not, so nothing may be concluded from
 * its bytes. True for a frame that has no whole segment.
 */
bool tcp_sum_is_right(const struct frame *frame);

#endif
