/*
 * Values into the languages that guests' files are written in: one encoder a language, a file each.
 * A value either stands in its place unchanged, or is refused with the byte and the reason. Pure.
 *
 * They all have this type: `len` bytes are appended to `out`, with whatever quotes the language
 * needs. `what` names the value in errors. Returns 0; -EINVAL with nothing appended; -ENOMEM when
 * `out` is full. That of iPXE is in encode_ipxe.h.
 */
#ifndef TW_ENCODE_H
#define TW_ENCODE_H

#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

typedef int (*encoder)(struct buf *out, const char *what, const void *bytes, size_t len,
		       struct err *err);

/*
 * One word of the kernel's command line, or what follows NAME= in it. Initrds split the line at
 * blanks whatever the quotes, and let their shell expand patterns in it, so all of that is refused.
 */
int encode_cmdline(struct buf *out, const char *what, const void *bytes, size_t len,
		   struct err *err);

/* One word of a POSIX shell, in single quotes: any byte but NUL. */
int encode_sh(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err);

/* One word of GRUB's script, as in a shell, of one line. */
int encode_grub(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err);

/*
 * What follows KEY= in INI files of systemd, NetworkManager and open-iscsi: no quotes, no escapes.
 */
int encode_ini(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err);

/* A scalar of YAML 1.2 in double quotes; UTF-8. */
int encode_yaml(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err);

/* A string of JSON (RFC 8259) in ASCII alone; UTF-8. */
int encode_json(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err);

/* Text of XML 1.0, also inside of an attribute's quotes of either kind; UTF-8. */
int encode_xml(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err);

/* ---- for encoders ---------------------------------------------------------------------------- */

/* Why bytes cannot be carried: a table of the bytes and reasons ends with NULL. */
struct encode_reason {
	const char *bytes;
	const char *why;
};

/* "WHAT cannot stand in LANGUAGE: byte 0x.. at offset N WHY"; returns -EINVAL. */
int encode_refuse(struct err *err, const char *what, const char *language, const void *bytes,
		  size_t at, const char *why);

/*
 * Refuses controls, bytes above 0x7e and every byte of `reasons` (NULL: none), and no bytes at all.
 */
int encode_check_ascii(const char *what, const char *language, const void *bytes, size_t len,
		       const struct encode_reason *reasons, struct err *err);

/* Refuses what is not UTF-8 (RFC 3629), and NUL. */
int encode_check_utf8(const char *what, const char *language, const void *bytes, size_t len,
		      struct err *err);

/* In single quotes, between which a shell escapes nothing (POSIX, Shell Command Language 2.2.2). */
void encode_single_quoted(struct buf *out, const char *bytes, size_t len);

/* 0, or -ENOMEM when `out` failed; then it has `length` bytes again. */
int encode_end(struct buf *out, size_t length, const char *what, struct err *err);

#endif
