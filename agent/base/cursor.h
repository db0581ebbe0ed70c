/* A cursor over bytes that someone else sent: no accessor can read outside [head, tail). */
#ifndef TW_CURSOR_H
#define TW_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Invariant: head <= data <= tail. The bytes belong to the caller and outlive the cursor. */
struct cursor {
	const uint8_t *head;
	const uint8_t *data;
	const uint8_t *tail;
};

static inline struct cursor cursor_init(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct cursor){ .head = p, .data = p, .tail = p + len };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->tail - c->data);
}

static inline size_t cursor_offset(const struct cursor *c)
{
	return (size_t)(c->data - c->head);
}

/* The next `len` bytes, then advances; NULL and no move when fewer are left. */
static inline const uint8_t *cursor_pull(struct cursor *c, size_t len)
{
	const uint8_t *p = c->data;

	if (len > cursor_left(c))
		return NULL;
	c->data += len;
	return p;
}

/* The next `len` bytes into `ret`, which stays as it was when fewer are left: false. */
static inline bool cursor_read(struct cursor *c, void *ret, size_t len)
{
	const uint8_t *p = cursor_pull(c, len);

	if (p)
		memcpy(ret, p, len);
	return p;
}

/* Cuts the tail so that at most `len` bytes are left, as a length field inside the data says. */
static inline void cursor_limit(struct cursor *c, size_t len)
{
	if (len < cursor_left(c))
		c->tail = c->data + len;
}

/* Big-endian reads of bytes that cursor_pull() gave; no alignment is assumed. */
static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

#endif
