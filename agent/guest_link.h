/*
 * A link as whoever starts a guest on it must know it: of a configuration, and of the kernel. Edge.
 */
#ifndef TW_GUEST_LINK_H
#define TW_GUEST_LINK_H

#include <stdint.h>
#include <sys/types.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/base/parse.h"
#include "agent/tap_holder.h"

struct guest_link_query {
	const struct config *config;
	const char *path; /* of the configuration, for messages */
	const char *name; /* of the link */
};

struct guest_link {
	char name[IFNAME_SIZE];
	uint32_t ifindex;
	uint8_t mac[MAC_LEN];
	uint32_t queues; /* that a guest may open */
};

/* What the configuration says. -ENOENT, or -EINVAL for a link without a tap. */
int guest_link_keys(const struct guest_link_query *query, struct link_keys *ret, struct err *err);

/*
 * What the kernel says. -ENODEV when it is not there, -EPERM when it is not ours, -ENETDOWN when it
 * is down; a lower device without carrier is told on stderr and is no error.
 */
int guest_link_find(const struct guest_link_query *query, const struct link_keys *keys,
		    struct guest_link *ret, struct err *err);

/* Who else holds its tap; `agent` (0: none) and its workers do not count. 0 or a negative errno. */
int guest_link_holder(const char *name, uint32_t ifindex, pid_t agent, struct tap_holder *ret,
		      struct err *err);

#endif
