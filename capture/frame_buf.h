/*
 * Frames on their way between a tap and a guest, each behind its length, in one buffer.
 *
 * Pure. The layout is that of a stream socket of qemu-system(1) (`-netdev stream`, net/stream.c):
 * four bytes of length, big-endian, then the frame. So a frame that is read in place goes out
 * without being copied, and many of them by one write(2); what comes in is taken apart where it
 * lies.
 *
 *   frames in:  frame_buf_room() -> read(tap)    -> frame_buf_push()
 *   bytes out:  frame_buf_bytes() -> write(sock) -> frame_buf_sent()
 *   bytes in:   frame_buf_space() -> read(sock)  -> frame_buf_filled()
 *   frames out: frame_buf_front() -> write(tap)  -> frame_buf_pop()
 */
#ifndef TW_FRAME_BUF_H
#define TW_FRAME_BUF_H

#include <stddef.h>
#include <stdint.h>

/*
 * NET_BUFSIZE of QEMU's net/net.h: 64 KiB of data and room for headers. A longer one ends the peer.
 */
#define FRAME_BUF_FRAME_MAX (65536u + 4096u)

#define FRAME_BUF_HEADER 4u

struct frame_buf {
	uint8_t *bytes;
	size_t size;
	size_t begin, end; /* of what is in it */
};

/* `size` bytes, at least one of the longest frames with its header. 0, -EINVAL or -ENOMEM. */
int frame_buf_init(struct frame_buf *buf, size_t size);
void frame_buf_done(struct frame_buf *buf);

/* Forgets what is in it. */
void frame_buf_clear(struct frame_buf *buf);

/*
 * Where the next frame can be put, FRAME_BUF_FRAME_MAX bytes of room; NULL when the buffer is full.
 * Moves what is in it when that makes the room.
 */
uint8_t *frame_buf_room(struct frame_buf *buf);

/* There are `len` bytes of a frame in that room now. */
void frame_buf_push(struct frame_buf *buf, size_t len);

/* All bytes that are to be sent, frames and lengths; sent() takes the first `len` off. */
const uint8_t *frame_buf_bytes(const struct frame_buf *buf, size_t *ret_len);
void frame_buf_sent(struct frame_buf *buf, size_t len);

/* Where received bytes can be put; at least one, as long as complete frames are taken out. */
uint8_t *frame_buf_space(struct frame_buf *buf, size_t *ret_len);
void frame_buf_filled(struct frame_buf *buf, size_t len);

/*
 * The first frame: 1 with `ret` and `ret_len` (which may be 0) set, 0 when it is not complete yet,
 * -EPROTO when its length is more than FRAME_BUF_FRAME_MAX. Valid until the next call but pop.
 */
int frame_buf_front(const struct frame_buf *buf, const uint8_t **ret, size_t *ret_len);
void frame_buf_pop(struct frame_buf *buf);

#endif
