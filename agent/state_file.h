/*
 * A small file of run-dir or state-dir that outlives the agent: read whole, and replaced whole. Its
 * last line is "end HASH" of what is before it: a file that was cut, even to nothing or between two
 * lines, is not taken for one that has less to say. Edge.
 */
#ifndef TW_STATE_FILE_H
#define TW_STATE_FILE_H

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

/*
 * Appends the content. 0, or a negative errno for which `err` has the reason, but for -ENOENT:
 * there is no file. -EFBIG beyond the bound, -EBADMSG when it is not as it was written.
 */
int state_file_load(const char *path, const char *name, struct buf *out, struct err *err);

/* As NAME.bad, in the place of one that there is: for somebody who can read it. 0 or -errno. */
int state_file_set_aside(const char *path, const char *name);

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
