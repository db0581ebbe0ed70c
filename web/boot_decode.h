/*
 * What a text of somebody's boot says: fields, and what is wrong with it. Pure.
 *
 * Knows kernel command lines (Debian's open-iscsi, dracut, ip= of the kernel), iSCSI addresses as
 * iPXE and DHCP's root-path take them, and error numbers of iPXE. By facts of their sources:
 * RFC 4173, README.Debian of open-iscsi, dracut.cmdline(7), nfsroot.rst of the kernel.
 */
#ifndef TW_BOOT_DECODE_H
#define TW_BOOT_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "web/finding.h"

enum decode_kind {
	DECODE_ERROR_NUMBER,
	DECODE_SAN_ADDRESS,
	DECODE_KERNEL_LINE,
};

/* Who reads an address: they differ in how the LUN is written and in what they can do. */
enum san_reader {
	SAN_FOR_IPXE, /* RFC 4173: hexadecimal */
	SAN_FOR_INITRD, /* decimal */
};

struct decoded_field {
	char *name;
	char *value;
};

struct decoded {
	enum decode_kind kind;
	struct decoded_field *v;
	size_t n;
	struct findings findings;
	bool failed; /* no memory: something is missing */
};

/* "error number", "SAN address", "kernel command line" */
const char *decode_kind_name(enum decode_kind kind);

/*
 * Finds out which kind `text` is and takes it apart. Returns 0, or -EINVAL when it is none of them,
 * -ENOMEM. The caller frees `ret` by decoded_done().
 */
int boot_decode(const char *text, struct decoded *ret, struct err *err);
void decoded_done(struct decoded *decoded);

/*
 * The same for texts of a known kind, as parts of something larger: findings get `line`, and are
 * appended to those that there are, as are fields. Zero `decoded` before the first.
 */
void decode_san_address(const char *uri, enum san_reader reader, unsigned int line,
			struct decoded *decoded);
void decode_kernel_line(const char *text, unsigned int line, struct decoded *decoded);

/* Appends a field; what there is no memory for sets `failed`. */
void decoded_add(struct decoded *decoded, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
