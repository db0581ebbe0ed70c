#include "capture/frame_buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int frame_buf_init(struct frame_buf *buf, size_t size)
{
	uint8_t *bytes;

	if (size < FRAME_BUF_HEADER + FRAME_BUF_FRAME_MAX)
		return -EINVAL;
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	*buf = (struct frame_buf){ .bytes = bytes, .size = size };
	return 0;
}

void frame_buf_done(struct frame_buf *buf)
{
	free(buf->bytes);
	*buf = (struct frame_buf){ 0 };
}

void frame_buf_clear(struct frame_buf *buf)
{
	buf->begin = buf->end = 0;
}

static void move_to_start(struct frame_buf *buf)
{
	memmove(buf->bytes, buf->bytes + buf->begin, buf->end - buf->begin);
	buf->end -= buf->begin;
	buf->begin = 0;
}

/* Takes `len` bytes off the front. An empty buffer starts over, so that it is seldom moved. */
static void drop_front(struct frame_buf *buf, size_t len)
{
	buf->begin += len;
	if (buf->begin == buf->end)
		frame_buf_clear(buf);
}

uint8_t *frame_buf_room(struct frame_buf *buf)
{
	const size_t need = FRAME_BUF_HEADER + FRAME_BUF_FRAME_MAX;

	if (buf->size - buf->end < need) {
		if (buf->size - (buf->end - buf->begin) < need)
			return NULL;
		move_to_start(buf);
	}
	return buf->bytes + buf->end + FRAME_BUF_HEADER;
}

void frame_buf_push(struct frame_buf *buf, size_t len)
{
	uint8_t *header = buf->bytes + buf->end;

	header[0] = (uint8_t)(len >> 24);
	header[1] = (uint8_t)(len >> 16);
	header[2] = (uint8_t)(len >> 8);
	header[3] = (uint8_t)len;
	buf->end += FRAME_BUF_HEADER + len;
}

const uint8_t *frame_buf_bytes(const struct frame_buf *buf, size_t *ret_len)
{
	*ret_len = buf->end - buf->begin;
	return buf->bytes + buf->begin;
}

void frame_buf_sent(struct frame_buf *buf, size_t len)
{
	drop_front(buf, len);
}

uint8_t *frame_buf_space(struct frame_buf *buf, size_t *ret_len)
{
	/* The rest of a frame must have room behind its beginning. */
	if (buf->size - buf->begin < FRAME_BUF_HEADER + FRAME_BUF_FRAME_MAX)
		move_to_start(buf);
	*ret_len = buf->size - buf->end;
	return buf->bytes + buf->end;
}

void frame_buf_filled(struct frame_buf *buf, size_t len)
{
	buf->end += len;
}

static size_t front_length(const struct frame_buf *buf)
{
	const uint8_t *header = buf->bytes + buf->begin;

	return (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 |
	       header[3];
}

int frame_buf_front(const struct frame_buf *buf, const uint8_t **ret, size_t *ret_len)
{
	size_t held = buf->end - buf->begin, len;

	if (held < FRAME_BUF_HEADER)
		return 0;
	len = front_length(buf);
	if (len > FRAME_BUF_FRAME_MAX)
		return -EPROTO;
	if (held - FRAME_BUF_HEADER < len)
		return 0;
	*ret = buf->bytes + buf->begin + FRAME_BUF_HEADER;
	*ret_len = len;
	return 1;
}

void frame_buf_pop(struct frame_buf *buf)
{
	drop_front(buf, FRAME_BUF_HEADER + front_length(buf));
}
