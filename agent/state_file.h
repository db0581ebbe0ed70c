/*
 * A small file of run-dir or state-dir that outlives the agent: read whole, and replaced whole.
 * Edge.
 */
#ifndef TW_STATE_FILE_H
#define TW_STATE_FILE_H

#include <stdbool.h>

#include "agent/base/buf.h"

/* Appends the content. 0, or a negative errno: -ENOENT without a file, -EFBIG beyond the bound. */
int state_file_read(const char *path, const char *name, struct buf *out);

/*
 * Puts another file in its place, for the agent's user alone; it is on the disk before, so that a
 * power cut leaves one of the two. 0 or a negative errno: as it was.
 */
int state_file_write(const char *path, const char *name, const struct buf *text);

/* Whether two paths are of one folder: by a link, or written otherwise. */
bool state_file_dirs_are_one(const char *a, const char *b);

/* 0, also where there was none, or a negative errno. */
int state_file_remove(const char *path, const char *name);

#endif
