/* A byte buffer that grows up to a bound. */
#ifndef TW_BUF_H
#define TW_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Appending never fails half-way: either all bytes are added or none and `failed` is set, which
 * stays set, so that a writer may append many pieces and ask once. `data` is NUL-terminated
 * whenever it is not NULL; the NUL is not counted in `len`.
 */
struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max; /* bytes; appending beyond it fails */
	bool failed;
};

void buf_init(struct buf *buf, size_t max);
void buf_done(struct buf *buf); /* frees the data; the struct may be used again after buf_init() */
void buf_reset(struct buf *buf); /* length 0 and not failed; keeps the memory */

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_adds(struct buf *buf, const char *s);
void buf_addc(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for `len` more bytes at data + len, or NULL (then `failed`). The caller advances `len`. */
char *buf_reserve(struct buf *buf, size_t len);

/* Hands the data over to the caller, who frees it; NULL if failed or empty. */
char *buf_take(struct buf *buf);

#endif
