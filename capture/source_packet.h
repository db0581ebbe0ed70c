/*
 * Frames from a packet socket's TPACKET_V3 ring, which the agent opened and this process maps.
 *
 * Edge. The ring is written by the kernel (packet(7), Documentation/networking/packet_mmap.rst):
 * blocks are filled in order, handed over when full or after a few milliseconds, and given back
 * when read. How far a block was read is noted in the block's private area, which the kernel leaves
 * alone, so whoever maps the ring next goes on with the very next frame.
 */
#ifndef TW_SOURCE_PACKET_H
#define TW_SOURCE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "capture/source_frame.h"

/* In every block's private area (tp_sizeof_priv): makes a ring outlive its reader. */
struct source_packet_mark {
	uint64_t seq_num; /* of the block's filling that the counts are about */
	uint32_t begun; /* frames handed to a reader */
	uint32_t done; /* frames that the reader came back from */
};

/*
 * A block that is not full is handed over after so long: the delay of a lone frame. The kernel
 * looks so often, and hands over what it saw before (prb_retire_rx_blk_timer_expired()).
 */
#define SOURCE_PACKET_RETIRE_MS 20

struct source_packet {
	int fd;
	uint8_t *ring;
	uint32_t block_size;
	uint32_t blocks;
	uint32_t block; /* the one that is read, or the next to become ready */
	uint32_t frames_left; /* in that block; 0: not begun */
	size_t frame_offset; /* of the next frame in the block */
	uint64_t died; /* frames that a reader died of */
	uint64_t corrupt; /* blocks whose offsets made no sense */
};

/*
 * Maps the ring of `fd`, which the source owns from here on (also when this fails), and finds the
 * oldest block that was not given back; what a reader before died of is a loss from here on.
 * -EINVAL for sizes that are not those of the ring.
 */
int source_packet_open(struct source_packet *source, int fd, uint32_t block_size, uint32_t blocks,
		       struct err *err);
void source_packet_close(struct source_packet *source);

/* Hands over at most `max` frames that are there; returns how many. Never waits. */
size_t source_packet_read(struct source_packet *source, size_t max, source_frame_cb cb, void *data);

/*
 * Waits until what came before is there to be read, at the longest until `until_ns` of
 * CLOCK_MONOTONIC; all that is there was read. Returns how many frames are not, and never will be
 * when the source is closed now.
 */
size_t source_packet_settle(struct source_packet *source, uint64_t until_ns);

int source_packet_losses(struct source_packet *source, struct source_losses *ret);

/*
 * Takes the pending error off the socket and returns it, negative: -ENETDOWN when the link went
 * down or away. 0 when there is none.
 */
int source_packet_error(struct source_packet *source);

#endif
