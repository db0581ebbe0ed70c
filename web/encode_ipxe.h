/*
 * Values into the iPXE script language: the only place that knows what it can carry. Pure.
 *
 * The language has neither quoting nor escapes. A line is split into tokens at blanks; then "||",
 * "&&" and ";" are operators, a token that begins with '#' starts a comment, "${...}" is expanded
 * (again and again, also in what it gave), and a '\' at the end of a line joins the next to it
 * (iPXE, core/exec.c and image/script.c). So a value either fits as it is, or is refused; secrets
 * and other free bytes go as :hexraw settings, which are stored raw and never expanded.
 */
#ifndef TW_ENCODE_IPXE_H
#define TW_ENCODE_IPXE_H

#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

/*
 * Appends `len` bytes that must be exactly one operand. `what` names the value in errors. Returns
 * 0; -EINVAL, with the byte and the reason and nothing appended, for a value that would end its
 * place: empty, blanks, controls, bytes above 0x7e, "${", a leading '-' or '#', an operator, a '\'
 * at its end; -ENOMEM when `out` is full.
 */
int encode_ipxe_token(struct buf *out, const char *what, const void *bytes, size_t len,
		      struct err *err);

/*
 * Appends one or more operands for `echo` and for comments, separated by single blanks. The bytes
 * of each are held to the rules of encode_ipxe_token(), so that an address or a name reads as is.
 */
int encode_ipxe_text(struct buf *out, const char *what, const void *bytes, size_t len,
		     struct err *err);

/*
 * Appends any bytes at all as hexadecimal digits, the value of a setting of type :hexraw. -EINVAL
 * for no bytes, since iPXE takes an empty value as "clear".
 */
int encode_ipxe_hexraw(struct buf *out, const char *what, const void *bytes, size_t len,
		       struct err *err);

#endif
