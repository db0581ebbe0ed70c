/*
 * What is known of the streams and fragments of a link, as bytes for another process that goes on
 * with them: so a reload cuts no match that it has the beginning of.
 *
 * Pure. Rules are known again by what they say. One that is new, or says something else, sees what
 * comes from then on, and of what was before as much as was kept for others. Where a range of a
 * rule was open is not passed on. See stream_save.h for what is asked of the bytes.
 */
#ifndef TW_SIFT_SAVE_H
#define TW_SIFT_SAVE_H

#include "agent/base/buf.h"
#include "capture/sift.h"

/*
 * Appends all, and lets go of it. For flows without room it is as if their memory had been needed,
 * for packets in fragments as if they had been given up.
 */
void sift_save_link(struct sift *sift, const struct sift_link *link, struct buf *out);

/* Before the link's first frame. 0, or -EBADMSG: what was before the fault is there. */
int sift_restore_link(struct sift *sift, const struct sift_link *link, const void *bytes,
		      size_t len, uint64_t now_ns);

#endif
