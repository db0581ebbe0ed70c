/*
 * The types of iPXE's settings: how bytes become text and text becomes bytes. Pure.
 *
 * Those of the iPXE of Debian 12, by its core/settings.c.
 */
#ifndef TW_IPXE_TYPE_H
#define TW_IPXE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

struct ipxe_type {
	const char *name;
	/* Appends the bytes that `text` says; 0 or -EINVAL. */
	int (*parse)(const char *text, struct buf *out);
	/* Appends the text of the bytes; false when they are no such value. */
	bool (*format)(const uint8_t *data, size_t len, struct buf *out);
};

/* The type called `name`, or NULL. */
const struct ipxe_type *ipxe_type_find(const char *name);

/* The type of a setting that iPXE itself knows by its name, or NULL. */
const struct ipxe_type *ipxe_type_of_known(const char *name);

/* Whether a script can set one: no text is read as a UUID or as a place on the PCI bus. */
bool ipxe_type_is_settable(const struct ipxe_type *type);

/* The bytes as a big-endian number; false when they are more than a long of i386 holds. */
bool ipxe_number(const uint8_t *data, size_t len, bool is_signed, int64_t *ret);

#endif
