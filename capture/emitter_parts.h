/*
 * Between emitter.c, which numbers records and hands them out, and emitter_files.c, which has the
 * files of a worker and accounts for what of payloads and frames did not come into theirs. Edge.
 */
#ifndef TW_EMITTER_PARTS_H
#define TW_EMITTER_PARTS_H

#include "capture/emitter.h"

/* As emitter_init(), of which host, index and counters are set. 0 or -ENOMEM. */
int emitter_files_init(struct emitter *emitter, int dir_fd, const struct record_conf *conf);
void emitter_files_done(struct emitter *emitter);

/*
 * Puts an entry, which is copied, where `more` bytes have to fit behind it too. 0, -ENOBUFS or
 * -ENOMEM: then nothing of it is there.
 */
int emitter_files_put(struct emitter *emitter, enum emitter_file file, const struct buf *entry,
		      size_t more);

/* A record of each file that was damaged, and of what was lost of those that can be written. */
void emitter_files_tell(struct emitter *emitter, uint64_t now_ns);

/* Whether there is some of it left to tell. */
bool emitter_files_untold(const struct emitter *emitter);

#endif
