/* What rtnetlink cannot set of how the host's own IP stack uses a link. Edge. */
#ifndef TW_HOST_STACK_H
#define TW_HOST_STACK_H

#include <stdint.h>

#include "agent/base/parse.h"

/* A socket for the calls below, which the caller closes, or a negative errno. */
int host_stack_socket(void);

/*
 * By the socket `s`: sets disable_ipv6 of link `name`, in the network namespace of the caller. The
 * link stays in the multicast group in which neighbours look for the address that IPv6 makes of
 * `mac`: the host was in it for its own address, the guest's is the same, and a macvlan filters
 * multicast by what the host has joined (macvlan_set_mac_lists()).
 *
 * Returns 0, also when the kernel runs no IPv6 on the link (not built in, or an mtu below 1280) and
 * so has no such sysctl; -ENODEV when `name` is not the link `ifindex`; else another -errno.
 */
int host_stack_ipv6_off(int s, const char *name, uint32_t ifindex, const uint8_t mac[MAC_LEN]);

/* Clears disable_ipv6 of link `name`. 0, also where there is no such sysctl, or -errno. */
int host_stack_ipv6_on(const char *name);

#endif
