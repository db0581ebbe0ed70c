#include "netlink/link_kind.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

#include "netlink/attr_list.h"

/* Since Linux 6.3; the headers of Debian 12 are older. */
#define MACVLAN_BC_CUTOFF 9 /* IFLA_MACVLAN_BC_CUTOFF, int32_t */

_Static_assert(MACVLAN_FLAG_NOPROMISC == 1 << LINK_FLAG_NOPROMISC, "the mask is the kernel's");
_Static_assert(MACVLAN_FLAG_NODST == 1 << LINK_FLAG_NODST, "the mask is the kernel's");

static const uint32_t kernel_modes[LINK_MODES] = {
	[LINK_MODE_VEPA] = MACVLAN_MODE_VEPA,	    [LINK_MODE_BRIDGE] = MACVLAN_MODE_BRIDGE,
	[LINK_MODE_PRIVATE] = MACVLAN_MODE_PRIVATE, [LINK_MODE_PASSTHRU] = MACVLAN_MODE_PASSTHRU,
	[LINK_MODE_SOURCE] = MACVLAN_MODE_SOURCE,
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
	return "unknown";
}

static bool macvlan_fill_data(struct nlmsghdr *msg, size_t size, const struct link_spec *spec,
			      unsigned int what)
{
	uint16_t flags = (uint16_t)spec->flags;
	bool fits = true;

	if (what & LINK_DATA_MODE)
		fits = mnl_attr_put_u32_check(msg, size, IFLA_MACVLAN_MODE,
					      kernel_modes[spec->mode]) &&
		       mnl_attr_put_u16_check(msg, size, IFLA_MACVLAN_FLAGS, flags);
	if (fits && what & LINK_DATA_BCQUEUELEN && spec->bcqueuelen)
		fits = mnl_attr_put_u32_check(msg, size, IFLA_MACVLAN_BC_QUEUE_LEN,
					      spec->bcqueuelen);
	if (fits && what & LINK_DATA_BCCUTOFF && spec->bccutoff.set)
		fits = mnl_attr_put_check(msg, size, MACVLAN_BC_CUTOFF,
					  sizeof(spec->bccutoff.value), &spec->bccutoff.value);
	return fits;
}

static int take(const struct nlattr *attr, void *ret, size_t size)
{
	if (mnl_attr_get_payload_len(attr) != size)
		return -EBADMSG;
	memcpy(ret, mnl_attr_get_payload(attr), size);
	return 0;
}

static int take_sources(const struct nlattr *nest, struct link_sources *ret)
{
	struct attr_list list = attr_list_of(nest);
	const struct nlattr *attr;
	uint8_t mac[MAC_LEN];
	int code;

	*ret = (struct link_sources){ .n = 0 };
	while ((code = attr_next(&list, &attr)) > 0) {
		code = take(attr, mac, sizeof(mac));
		if (code < 0)
			return code;
		if (ret->n < LINK_SOURCES_MAX)
			memcpy(ret->macs[ret->n++], mac, sizeof(mac));
		else
			ret->more = true;
	}
	return code;
}

static int macvlan_parse_data(const struct nlattr *attr, struct link_state *ret)
{
	uint16_t flags;
	int code;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_MACVLAN_MODE:
		return take(attr, &ret->macvlan_mode, sizeof(ret->macvlan_mode));
	case IFLA_MACVLAN_FLAGS:
		code = take(attr, &flags, sizeof(flags));
		if (code == 0)
			ret->macvlan_flags = flags;
		return code;
	case IFLA_MACVLAN_MACADDR_DATA:
		return take_sources(attr, &ret->lists->sources);
	case IFLA_MACVLAN_BC_QUEUE_LEN:
		return take(attr, &ret->bcqueuelen, sizeof(ret->bcqueuelen));
	case MACVLAN_BC_CUTOFF:
		return take(attr, &ret->bccutoff, sizeof(ret->bccutoff));
	}
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
