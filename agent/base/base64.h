/* Base64 of RFC 4648 section 4, read. Pure. */
#ifndef TW_BASE64_H
#define TW_BASE64_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decodes all of `text`, with its padding or, as some write it, without. Returns 0 and the number
 * of bytes; -EINVAL for what is no base64, -ENOSPC for more than `max` bytes.
 */
int base64_decode(const char *text, uint8_t *out, size_t max, size_t *ret_len);

#endif
