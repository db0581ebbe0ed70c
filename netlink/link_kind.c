#include "netlink/link_kind.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

static const uint32_t kernel_modes[LINK_MODES] = {
	[LINK_MODE_VEPA] = MACVLAN_MODE_VEPA,
	[LINK_MODE_BRIDGE] = MACVLAN_MODE_BRIDGE,
	[LINK_MODE_PRIVATE] = MACVLAN_MODE_PRIVATE,
	[LINK_MODE_PASSTHRU] = MACVLAN_MODE_PASSTHRU,
};

uint32_t link_mode_to_kernel(enum link_mode mode)
{
	return kernel_modes[mode];
}

const char *link_mode_kernel_name(uint32_t macvlan_mode)
{
	for (size_t i = 0; i < LINK_MODES; i++) {
		if (kernel_modes[i] == macvlan_mode)
			return link_mode_names[i];
	}
	return macvlan_mode == MACVLAN_MODE_SOURCE ? "source" : "unknown";
}

static bool macvlan_fill_data(struct nlmsghdr *msg, size_t size, enum link_mode mode)
{
	return mnl_attr_put_u32_check(msg, size, IFLA_MACVLAN_MODE, kernel_modes[mode]);
}

static int macvlan_parse_data(const struct nlattr *attr, struct link_state *ret)
{
	if (mnl_attr_get_type(attr) != IFLA_MACVLAN_MODE)
		return 0;
	if (mnl_attr_get_payload_len(attr) != sizeof(ret->macvlan_mode))
		return -EBADMSG;
	memcpy(&ret->macvlan_mode, mnl_attr_get_payload(attr), sizeof(ret->macvlan_mode));
	return 0;
}

/* macvtap is a macvlan with a character device: the same attributes (macvtap_newlink()). */
static const struct link_kind_ops macvtap_ops = {
	.rtnl_kind = "macvtap",
	.has_tap = true,
	.host_is_quiet = true,
	.fill_data = macvlan_fill_data,
	.parse_data = macvlan_parse_data,
};

static const struct link_kind_ops macvlan_ops = {
	.rtnl_kind = "macvlan",
	.has_tap = false,
	.host_is_quiet = false,
	.fill_data = macvlan_fill_data,
	.parse_data = macvlan_parse_data,
};

const struct link_kind_ops *const link_kind_ops[LINK_KINDS] = {
	[LINK_KIND_MACVTAP] = &macvtap_ops,
	[LINK_KIND_MACVLAN] = &macvlan_ops,
};

bool link_kind_find(const char *rtnl_kind, enum link_kind *ret)
{
	for (size_t i = 0; i < LINK_KINDS; i++) {
		if (strcmp(link_kind_ops[i]->rtnl_kind, rtnl_kind) == 0) {
			*ret = (enum link_kind)i;
			return true;
		}
	}
	return false;
}
