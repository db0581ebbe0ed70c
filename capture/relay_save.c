#include "capture/relay_parts.h"

#include <errno.h>

#include "agent/base/fd_io.h"

int relay_save(struct relay *relay, int fd, struct relay_rest *ret)
{
	struct relay_rest rest = { 0 };
	const uint8_t *in = NULL, *out;
	int code;

	relay_flush(relay);
	if (relay->peer)
		in = frame_buf_bytes(&relay->peer->in, &rest.in);
	out = frame_buf_bytes(&relay->out, &rest.out);
	code = fd_write_all_at(fd, in, rest.in, 0);
	if (code == 0)
		code = fd_write_all_at(fd, out, rest.out, (off_t)rest.in);
	if (code) {
		relay_drop_unsent(relay);
	} else {
		if (relay->peer)
			frame_buf_clear(&relay->peer->in);
		frame_buf_clear(&relay->out);
		*ret = rest;
	}
	relay_detach(relay);
	uv_poll_stop(&relay->poll);
	return code;
}

/* The buffers are those of a new peer: empty. */
static int read_all(int fd, struct frame_buf *buf, size_t len, size_t at)
{
	size_t space;
	uint8_t *bytes = frame_buf_space(buf, &space);
	int code = len > space ? -EMSGSIZE : fd_read_all_at(fd, bytes, len, (off_t)at);

	if (code == 0)
		frame_buf_filled(buf, len);
	return code;
}

int relay_restore(struct relay *relay, int fd, const struct relay_rest *rest)
{
	int code = relay->peer ? read_all(fd, &relay->peer->in, rest->in, 0) : -ENOTCONN;
	const uint8_t *frame;
	size_t len;

	if (code == 0)
		code = read_all(fd, &relay->out, rest->out, rest->in);
	if (code)
		return code;
	relay_set_left(relay->peer, frame_buf_front(&relay->peer->in, &frame, &len) == 1);
	relay_flush(relay);
	return 0;
}
