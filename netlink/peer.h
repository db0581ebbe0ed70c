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
 * The prefix of `address` is of no meaning. Each device has link-local addresses of its own: of
 * those `scope` is the ifindex (sin6_scope_id, RFC 4007 section 6); 0: it is none.
 *
 * 0; -EHOSTUNREACH when the address is the host's own or behind a router, -ENOENT when its hardware
 * address is not known now; or that of the socket.
 */
int peer_find(struct nl_channel *channel, const struct cidr *address, uint32_t scope,
	      struct peer *ret, struct err *err);

/*
 * Whether what is reached like this `peer` is on the device `lower`: by that itself, by a macvlan
 * on it, or by the bridge whose port it is. A device that is gone is none.
 */
bool peer_is_on(struct nl_channel *channel, const struct peer *peer, uint32_t lower);

#endif
