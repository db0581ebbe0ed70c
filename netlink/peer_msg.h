/*
 * Where the host's answer to an address goes: the requests that ask the kernel for the route and
 * for the neighbour's hardware address, and what it says (rtnetlink(7)). Pure.
 */
#ifndef TW_PEER_MSG_H
#define TW_PEER_MSG_H

#include "agent/base/link_types.h"
#include "netlink/link_msg.h"

/* `scope` as of peer_find(). */
int peer_msg_get_route(struct link_msg *msg, const struct cidr *address, uint32_t scope);
int peer_msg_get_neighbour(struct link_msg *msg, const struct cidr *address, uint32_t ifindex);
int peer_msg_get_link(struct link_msg *msg, uint32_t ifindex);

/*
 * Of RTM_NEWROUTE: the device by which a directly attached address is reached. 0; -EHOSTUNREACH
 * when it is the host's own, behind a router or not reached at all; -EBADMSG. `ret` is untouched
 * then.
 */
int peer_route_parse(const struct nlmsghdr *msg, uint32_t *ret_ifindex);

/* Of RTM_NEWNEIGH: its hardware address. 0; -ENOENT when none is known now; -EBADMSG. */
int peer_neighbour_parse(const struct nlmsghdr *msg, uint8_t ret_mac[MAC_LEN]);

#endif
