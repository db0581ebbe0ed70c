/* What differs between link kinds: their names and attributes on the wire. Pure. */
#ifndef TW_LINK_KIND_H
#define TW_LINK_KIND_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/link_types.h"
#include "netlink/link_spec.h"
#include "netlink/link_state.h"

/* What IFLA_INFO_DATA tells; what a spec leaves alone is left out. */
enum link_data {
	LINK_DATA_MODE = 1 << 0, /* and flags: a mode without them keeps those there are */
	LINK_DATA_BCQUEUELEN = 1 << 1,
	LINK_DATA_BCCUTOFF = 1 << 2,
};

struct link_kind_ops {
	const char *rtnl_kind; /* IFLA_INFO_KIND */
	bool has_tap; /* a character device, which programs hold open */

	/*
	 * The link is a guest's, so the host's stack must not speak on it: its frames would come
	 * from the guest's MAC. It sends at any time, and answers while no program holds the tap
	 * (tap_handle_frame() then lets frames through to it). With ARP and IPv6 off it does
	 * neither (arp_rcv(), ipv6_rcv()). What stays: IPv4 that is sent to the tap's MAC or to
	 * all while nobody holds it is received, as on any interface without an address: routes,
	 * rp_filter and firewall of the host decide, and no route leads out here.
	 */
	bool host_is_quiet;

	/*
	 * Appends the attributes inside IFLA_INFO_DATA, of which `what` is a mask; false when
	 * `size` bytes are not enough.
	 */
	bool (*fill_data)(struct nlmsghdr *msg, size_t size, const struct link_spec *spec,
			  unsigned int what);

	/* Takes over one attribute of IFLA_INFO_DATA. Returns 0 or -EBADMSG. */
	int (*parse_data)(const struct nlattr *attr, struct link_state *ret);
};

extern const struct link_kind_ops *const link_kind_ops[LINK_KINDS];

/* True and the kind, when IFLA_INFO_KIND names one of ours. */
bool link_kind_find(const char *rtnl_kind, enum link_kind *ret);

/* MACVLAN_MODE_* of linux/if_link.h */
uint32_t link_mode_to_kernel(enum link_mode mode);

/* "bridge" ..., also for the kernel's modes that no configuration can ask for. */
const char *link_mode_kernel_name(uint32_t macvlan_mode);

#endif
