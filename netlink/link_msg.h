/* Builds the rtnetlink requests about one link (rtnetlink(7)). Pure. */
#ifndef TW_LINK_MSG_H
#define TW_LINK_MSG_H

#include <linux/netlink.h>
#include <stdint.h>

#include "agent/base/parse.h"
#include "netlink/link_spec.h"

#define LINK_MSG_SIZE 512

struct link_msg {
	union {
		struct nlmsghdr header;
		unsigned char bytes[LINK_MSG_SIZE];
	};
};

/*
 * Every builder overwrites `msg` with one request without sequence number; the channel gives it
 * that. They return 0, or -EMSGSIZE when a value does not fit (never with values of these types).
 */

/* Exclusive, echoed, in its group and without ARP, if so, from the first moment, not yet up. */
int link_msg_create(struct link_msg *msg, const struct link_spec *spec, uint32_t lower);
int link_msg_delete(struct link_msg *msg, uint32_t ifindex);

/* Every link of the group, in one request: one RCU wait for all of them. */
int link_msg_delete_group(struct link_msg *msg, uint32_t group);

int link_msg_set_name(struct link_msg *msg, uint32_t ifindex, const char *name);
int link_msg_set_alias(struct link_msg *msg, uint32_t ifindex, const char *alias);
int link_msg_add_altname(struct link_msg *msg, uint32_t ifindex, const char *name);
int link_msg_delete_altname(struct link_msg *msg, uint32_t ifindex, const char *name);
/* Makes the lower device of a link_msg_create() one of the namespace that has this id. */
int link_msg_set_lower_nsid(struct link_msg *msg, int32_t nsid);

/* Into the network namespace of the open file `fd`; the link goes down by it. */
int link_msg_move(struct link_msg *msg, uint32_t ifindex, int fd, const char *name);

/* Port of the bridge with the index `master`. */
int link_msg_set_master(struct link_msg *msg, uint32_t ifindex, uint32_t master);
int link_msg_set_group(struct link_msg *msg, uint32_t ifindex, uint32_t group);
int link_msg_set_mac(struct link_msg *msg, uint32_t ifindex, const uint8_t mac[MAC_LEN]);
int link_msg_set_mtu(struct link_msg *msg, uint32_t ifindex, uint32_t mtu);
int link_msg_set_txqueuelen(struct link_msg *msg, uint32_t ifindex, uint32_t txqueuelen);

/* Of IFLA_INFO_DATA what `what` says, a mask of enum link_data. */
int link_msg_set_data(struct link_msg *msg, uint32_t ifindex, const struct link_spec *spec,
		      unsigned int what);

/* One MAC of a link that is in mode source; what is there, or is not, is added, or deleted, too. */
int link_msg_add_source(struct link_msg *msg, uint32_t ifindex, enum link_kind kind,
			const uint8_t mac[MAC_LEN]);
int link_msg_delete_source(struct link_msg *msg, uint32_t ifindex, enum link_kind kind,
			   const uint8_t mac[MAC_LEN]);
int link_msg_flush_sources(struct link_msg *msg, uint32_t ifindex, enum link_kind kind);

/* `flags` of those in `mask` (IFF_*). */
int link_msg_set_flags(struct link_msg *msg, uint32_t ifindex, uint32_t flags, uint32_t mask);

#endif
