/* Packet sockets with a receive ring, opened by the agent for the capture worker. Edge. */
#ifndef TW_PACKET_SOCKET_H
#define TW_PACKET_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

/*
 * A packet socket on the link `ifindex` that receives everything sent and received there into a
 * TPACKET_V3 ring of `blocks` blocks (packet(7)); the worker maps it. It takes nothing from the
 * guest. Non-blocking, close-on-exec; the caller closes it. A link that is down is no error:
 * frames come once it is up. -ENOMEM, -EPERM, -ENODEV ...
 */
int packet_socket_open(unsigned int ifindex, uint32_t block_size, uint32_t blocks, int *ret_fd,
		       struct err *err);

struct packet_open {
	unsigned int ifindex;
	int fd; /* out: as of packet_socket_open(), or -1 */
	struct err err; /* out: why there is none */
};

/*
 * Opens all `n`, with rings of one size. The kernel waits for all processors with each ring
 * (synchronize_net() of packet_set_ring()), some 15 ms; threads wait for the same moment together.
 */
void packet_sockets_open(struct packet_open *list, size_t n, uint32_t block_size, uint32_t blocks);

/* Closes them all, for which the kernel waits as long (packet_release()). */
void packet_sockets_close(const int *fds, size_t n);

/*
 * Splits `budget` bytes evenly over `links` rings. Pure. -ENOSPC when not even the smallest ring
 * fits; the text names the key to raise.
 */
int packet_ring_size(uint64_t budget, uint32_t links, uint32_t *ret_block_size,
		     uint32_t *ret_blocks, struct err *err);

#endif
