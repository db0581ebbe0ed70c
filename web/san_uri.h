/* The address of an iSCSI disk as iPXE's sanboot takes it (RFC 4173). Pure. */
#ifndef TW_SAN_URI_H
#define TW_SAN_URI_H

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/parse.h"

/*
 * Appends "iscsi:SERVER::PORT:LUN:TARGET". The protocol is left empty, since initrds warn about
 * most other values; so is the port when it is 3260. The LUN is hexadecimal. Returns 0, or -EINVAL
 * naming the byte: what would need percent-encoding is refused, since names that need it are none
 * that RFC 3720 allows, and then nothing is appended. -ENOMEM when `out` is full.
 */
int san_uri(const struct host_port *portal, uint32_t lun, const char *target, struct buf *out,
	    struct err *err);

#endif
