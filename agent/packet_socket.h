/* Packet sockets with a receive ring, opened by the agent for the capture worker. Edge. */
#ifndef TW_PACKET_SOCKET_H
#define TW_PACKET_SOCKET_H

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

/*
 * Splits `budget` bytes evenly over `links` rings. Pure. -ENOSPC when not even the smallest ring
 * fits; the text names the key to raise.
 */
int packet_ring_size(uint64_t budget, uint32_t links, uint32_t *ret_block_size,
		     uint32_t *ret_blocks, struct err *err);

#endif
