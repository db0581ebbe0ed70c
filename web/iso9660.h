/*
 * A small ISO 9660 image with the names of Joliet: one folder, as seeds for cloud-init are. Pure.
 */
#ifndef TW_ISO9660_H
#define TW_ISO9660_H

#include "agent/base/buf.h"
#include "agent/base/err.h"

struct iso_file {
	const char *name; /* at most ISO_NAME_MAX bytes of [a-z0-9._-] */
	const void *data;
	size_t len;
};

#define ISO_NAME_MAX  32
#define ISO_FILES_MAX 16

/*
 * Appends the image: of the beginning of time, so that the same files give the same bytes. `volume`
 * has up to 11 bytes of [A-Z0-9_]. `files` are in the order of their names. Returns 0, -EINVAL for
 * what does not fit, or -ENOMEM.
 */
int iso9660_write(const char *volume, const struct iso_file *files, size_t n, struct buf *out,
		  struct err *err);

#endif
