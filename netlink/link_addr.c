#include "netlink/link_addr.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink/attr_list.h"

static size_t address_size(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

/*
 * IFA_LOCAL is the interface's own; IPv6 tells it only where IFA_ADDRESS is the other end's
 * (inet6_fill_ifaddr()).
 */
static int take_attrs(struct attr_list list, struct link_addr *ret)
{
	const struct nlattr *attr;
	bool has_local = false;
	int code;

	while ((code = attr_next(&list, &attr)) > 0) {
		const uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);

		if (type == IFA_PROTO && len == sizeof(uint8_t))
			ret->is_ours = mnl_attr_get_u8(attr) == LINK_ADDR_PROTO;
		if (type != IFA_LOCAL && (type != IFA_ADDRESS || has_local))
			continue;
		if (len != address_size(ret->cidr.family))
			return -EBADMSG;
		memcpy(ret->cidr.address, mnl_attr_get_payload(attr), len);
		has_local = type == IFA_LOCAL;
	}
	return code;
}

int link_addr_parse(const struct nlmsghdr *msg, struct link_addr *ret)
{
	struct link_addr addr = { 0 };
	const struct ifaddrmsg *info;
	struct attr_list list;
	int code;

	if (msg->nlmsg_len < sizeof(*msg) + sizeof(*info))
		return -EBADMSG;
	info = mnl_nlmsg_get_payload(msg);
	if (msg->nlmsg_type != RTM_NEWADDR ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return -EINVAL;
	addr.ifindex = info->ifa_index;
	addr.cidr.family = info->ifa_family;
	addr.cidr.prefix = info->ifa_prefixlen;
	list.data = mnl_nlmsg_get_payload_offset(msg, sizeof(*info));
	list.left = msg->nlmsg_len - sizeof(*msg) - sizeof(*info);
	code = take_attrs(list, &addr);
	if (code < 0)
		return code;
	*ret = addr;
	return 0;
}

bool link_addr_list_has(const struct link_addr_list *list, const struct cidr *cidr)
{
	for (size_t i = 0; i < list->n; i++) {
		if (memcmp(&list->list[i].cidr, cidr, sizeof(*cidr)) == 0)
			return true;
	}
	return false;
}

static int build(struct link_msg *msg, uint16_t type, uint16_t flags, uint32_t ifindex,
		 const struct cidr *cidr)
{
	const size_t size = address_size(cidr->family);
	struct ifaddrmsg *info;

	memset(msg, 0, sizeof(*msg));
	mnl_nlmsg_put_header(msg);
	msg->header.nlmsg_type = type;
	msg->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	info = mnl_nlmsg_put_extra_header(&msg->header, sizeof(*info));
	info->ifa_family = cidr->family;
	info->ifa_prefixlen = cidr->prefix;
	info->ifa_index = ifindex;
	mnl_attr_put(&msg->header, IFA_LOCAL, size, cidr->address);
	mnl_attr_put(&msg->header, IFA_ADDRESS, size, cidr->address);
	return 0;
}

int link_msg_add_addr(struct link_msg *msg, uint32_t ifindex, const struct cidr *cidr)
{
	build(msg, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, cidr);
	mnl_attr_put_u8(&msg->header, IFA_PROTO, LINK_ADDR_PROTO);
	return 0;
}

int link_msg_delete_addr(struct link_msg *msg, uint32_t ifindex, const struct cidr *cidr)
{
	return build(msg, RTM_DELADDR, 0, ifindex, cidr);
}
