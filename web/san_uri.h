/* The address of an iSCSI disk as iPXE's sanboot takes it (RFC 4173). Pure. */
#ifndef TW_SAN_URI_H
#define TW_SAN_URI_H

#include <stdbool.h>

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

/* The five parts as they stand in an address, brackets taken off. */
#define SAN_PART_SIZE 256
#define SAN_PARTS     5

enum san_part {
	SAN_SERVER,
	SAN_PROTOCOL,
	SAN_PORT,
	SAN_LUN,
	SAN_TARGET
};

struct san_parts {
	char v[SAN_PARTS][SAN_PART_SIZE];
	bool brackets; /* around the server */
};

/*
 * Takes an address (or the root-path of DHCP option 17) apart as iPXE does: split at ':' outside
 * of brackets, the last part keeps its own. 0, or -EINVAL when it is no iSCSI address or a part is
 * missing or too long; what the parts say is not judged.
 */
int san_uri_split(const char *uri, struct san_parts *ret, struct err *err);

#endif
