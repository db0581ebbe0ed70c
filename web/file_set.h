/* Files in memory: path, mode and content, in the order of their paths. Pure. */
#ifndef TW_FILE_SET_H
#define TW_FILE_SET_H

#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

/* A path in a ustar header has a place of 100 bytes with its NUL. */
#define FILE_PATH_MAX 100
#define FILE_SIZE_MAX (4u << 20)

struct file {
	char path[FILE_PATH_MAX]; /* relative, without ".." */
	unsigned int mode; /* permission bits */
	struct buf content;
};

struct file_set {
	struct file **files;
	size_t n;
};

/* Adds an empty file; NULL when memory is short. The set owns it. */
struct file *file_set_add(struct file_set *set, const char *path, unsigned int mode);

/* Takes back the last that was added. */
void file_set_drop(struct file_set *set);
void file_set_sort(struct file_set *set);
void file_set_done(struct file_set *set);

/*
 * Appends the set as a tar archive (POSIX.1-2017 pax, "ustar Interchange Format"): root's, of the
 * beginning of time, so that the same files give the same bytes. 0, or -ENOMEM.
 */
int file_set_tar(const struct file_set *set, struct buf *out, struct err *err);

#endif
