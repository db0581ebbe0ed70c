/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Pure. */
#ifndef TW_UTF8_H
#define TW_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/buf.h"

/* Bytes of the character that begins at `p`, of `left` bytes (not 0); 0 when it is none. */
size_t utf8_length(const unsigned char *p, size_t left);

bool utf8_valid(const void *data, size_t len);

/* The length of `data` cut to at most `max` bytes without cutting a character in two. */
size_t utf8_cut(const void *data, size_t len, size_t max);

/* The same, and 0 for a control too: of C0 and C1, or DEL. What is left may go to a terminal. */
size_t utf8_printable(const unsigned char *p, size_t left);

/* Text that goes to a terminal: what is no UTF-8, and its controls, become \xNN. */
void utf8_add_printable(struct buf *out, const char *s);

#endif
