/*
 * A flow as bytes, for another process that goes on with it: where its ends are, what was not
 * acknowledged, and what waits behind a hole.
 *
 * Pure. Both are the same program on the same machine, so structs are as they lie in memory. What
 * is read was written by a process that a guest may have taken over: it is checked, and what makes
 * no sense is refused.
 */
#ifndef TW_STREAM_SAVE_H
#define TW_STREAM_SAVE_H

#include "agent/base/buf.h"
#include "agent/base/cursor.h"
#include "capture/stream.h"

/* What the reader has of a direction. */
struct stream_save_ops {
	void (*save)(void *data, const struct flow *flow, unsigned int end, struct buf *out);
	/* 0 or a negative errno; it sets half->user. */
	int (*restore)(void *data, struct flow *flow, unsigned int end, struct cursor *in);
};

/* Appends the flow. Without room, `out` is as before and has not failed: false. */
bool stream_save(const struct flow *flow, const struct stream_save_ops *ops, void *data,
		 struct buf *out);

/*
 * The same flow in the table, as one of `link` that is in the path. 0, -EBADMSG, or -ENOMEM when
 * there is no room for it; `ret_key` is its key.
 */
int stream_restore(struct streams *streams, uint32_t link, const struct stream_save_ops *ops,
		   void *data, struct cursor *in, struct flow_key *ret_key);

#endif
