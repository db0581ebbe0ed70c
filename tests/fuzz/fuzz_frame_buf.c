/* links: capture/frame_buf.c */
/*
 * What a peer sends on a stream socket, in the pieces that the first bytes say: the frames that
 * come out are those of the whole, taken apart by the rule alone.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/frame_buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct plain {
	const uint8_t *at, *end;
};

/* 1: a frame, 0: none, -1: a length that cannot be. */
static int plain_next(struct plain *plain, const uint8_t **ret, size_t *ret_len)
{
	const uint8_t *p = plain->at;
	size_t left = (size_t)(plain->end - p), len;

	if (left < 4)
		return 0;
	len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (len > FRAME_BUF_FRAME_MAX)
		return -1;
	if (left - 4 < len)
		return 0;
	*ret = p + 4;
	*ret_len = len;
	plain->at += 4 + len;
	return 1;
}

/* Takes out what is complete; false when the peer is at fault, as it has to be in both. */
static bool take(struct frame_buf *buf, struct plain *plain)
{
	const uint8_t *got, *expected;
	size_t got_len, expected_len;
	int code;

	while ((code = frame_buf_front(buf, &got, &got_len)) == 1) {
		if (plain_next(plain, &expected, &expected_len) != 1 || got_len != expected_len ||
		    memcmp(got, expected, got_len) != 0)
			abort();
		frame_buf_pop(buf);
	}
	if (code < 0 && plain_next(plain, &expected, &expected_len) != -1)
		abort();
	return code == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plain plain;
	struct frame_buf buf;
	const uint8_t *expected;
	size_t step, space, len;

	if (size < 2 || frame_buf_init(&buf, FRAME_BUF_HEADER + FRAME_BUF_FRAME_MAX))
		return 0;
	step = (size_t)(data[0] << 8 | data[1]) + 1;
	data += 2;
	size -= 2;
	plain = (struct plain){ data, data + size };
	while (size) {
		uint8_t *at = frame_buf_space(&buf, &space);

		if (!space)
			abort();
		len = step < space ? step : space;
		len = len < size ? len : size;
		memcpy(at, data, len);
		frame_buf_filled(&buf, len);
		data += len;
		size -= len;
		if (!take(&buf, &plain))
			break;
	}
	if (!size && plain_next(&plain, &expected, &len) == 1)
		abort();
	frame_buf_done(&buf);
	return 0;
}
