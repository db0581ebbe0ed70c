/*
 * Other network namespaces. Edge: the calling thread enters one and comes back.
 *
 * A socket keeps the namespace that it was made in, and keeps it alive; so none is kept for longer
 * than a look, or `ip netns del` would not be the end of it.
 */
#ifndef TW_NETNS_H
#define TW_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "netlink/nl_channel.h"

#define NETNS_DIR "/run/netns"

/* The namespace called so by parse_netns(); "" is the caller's. An fd to close(2), or -errno. */
int netns_open(const char *name);

/* Whether two open namespaces are one. */
bool netns_is_same(int a, int b);

/*
 * A channel for requests in the namespace of the open file `fd`. It takes CAP_SYS_ADMIN, which is
 * made effective for the moment where it is only permitted.
 */
int netns_channel(int fd, struct nl_channel **ret, struct err *err);

/* The id of the namespace `fd` in that of `channel`, given one if it must; -1: it has none. */
int netns_id(struct nl_channel *channel, int fd, bool give, int32_t *ret, struct err *err);

#endif
