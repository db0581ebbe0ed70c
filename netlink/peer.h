/*
 * Which machine on the wire an address is: the hardware address that the host's answers to it go
 * to, and the device by which they leave. Edge: asks the kernel.
 */
#ifndef TW_PEER_H
#define TW_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/parse.h"
#include "netlink/nl_channel.h"

struct peer {
	uint8_t mac[MAC_LEN];
	uint32_t ifindex; /* by which it is reached */
	uint32_t lower; /* of that, when it is a macvlan; else 0 */
};

/*
 * The prefix of `address` is of no meaning. 0; -EHOSTUNREACH when the address is the host's own or
 * behind a router, -ENOENT when its hardware address is not known now; or that of the socket.
 */
int peer_find(struct nl_channel *channel, const struct cidr *address, struct peer *ret,
	      struct err *err);

/*
 * Whether what is reached like this `peer` is on the device `lower`: by that itself, by a macvlan
 * on it, or by the bridge whose port it is. A device that is gone is none.
 */
bool peer_is_on(struct nl_channel *channel, const struct peer *peer, uint32_t lower);

#endif
