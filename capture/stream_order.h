/*
 * The bytes of one direction in their order: handed over as they become the next, and a gap told
 * where a hole before them is given up, by the rules of stream.h. Pure.
 */
#ifndef TW_STREAM_ORDER_H
#define TW_STREAM_ORDER_H

#include "capture/stream_pending.h"

/* Takes what a segment brought, which begins inside the window: now, or it waits. */
void stream_order_take(struct stream_side *s, struct stream_part part);

/* Hands over all that has no hole before it any more; `force` gives up the holes too. */
void stream_order_settle(struct stream_side *s, bool force);

/*
 * The direction ends: a gap for what was sent behind all that came, as a FIN or the other end's
 * acknowledgement tells.
 */
void stream_order_end(struct stream_side *s);

#endif
