#include "netlink/peer_msg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink/attr_list.h"

static size_t address_size(const struct cidr *address)
{
	return address->family == AF_INET ? 4 : 16;
}

static void *start(struct link_msg *msg, uint16_t type, size_t extra)
{
	memset(msg, 0, sizeof(*msg));
	mnl_nlmsg_put_header(msg);
	msg->header.nlmsg_type = type;
	msg->header.nlmsg_flags = NLM_F_REQUEST;
	return mnl_nlmsg_put_extra_header(&msg->header, extra);
}

int peer_msg_get_route(struct link_msg *msg, const struct cidr *address, uint32_t scope)
{
	struct rtmsg *route = start(msg, RTM_GETROUTE, sizeof(*route));

	route->rtm_family = address->family;
	route->rtm_dst_len = (unsigned char)(8 * address_size(address));
	mnl_attr_put(&msg->header, RTA_DST, address_size(address), address->address);
	if (scope)
		mnl_attr_put_u32(&msg->header, RTA_OIF, scope);
	return 0;
}

int peer_msg_get_neighbour(struct link_msg *msg, const struct cidr *address, uint32_t ifindex)
{
	struct ndmsg *neighbour = start(msg, RTM_GETNEIGH, sizeof(*neighbour));

	neighbour->ndm_family = address->family;
	neighbour->ndm_ifindex = (int)ifindex;
	mnl_attr_put(&msg->header, NDA_DST, address_size(address), address->address);
	return 0;
}

int peer_msg_get_link(struct link_msg *msg, uint32_t ifindex)
{
	struct ifinfomsg *link = start(msg, RTM_GETLINK, sizeof(*link));

	link->ifi_index = (int)ifindex;
	return 0;
}

/* The attributes behind a head of `head` bytes; false when the message is shorter. */
static bool attributes(const struct nlmsghdr *msg, size_t head, struct attr_list *ret)
{
	if (msg->nlmsg_len < sizeof(*msg) + head)
		return false;
	ret->data = (const char *)msg + sizeof(*msg) + head;
	ret->left = msg->nlmsg_len - sizeof(*msg) - head;
	return true;
}

int peer_route_parse(const struct nlmsghdr *msg, uint32_t *ret_ifindex)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr;
	struct attr_list list;
	uint32_t ifindex = 0;
	bool direct = true;
	int code;

	if (!attributes(msg, sizeof(*route), &list))
		return -EBADMSG;
	while ((code = attr_next(&list, &attr)) > 0) {
		const uint16_t type = mnl_attr_get_type(attr);

		if (type == RTA_GATEWAY || type == RTA_VIA || type == RTA_MULTIPATH)
			direct = false;
		if (type != RTA_OIF)
			continue;
		if (mnl_attr_get_payload_len(attr) != sizeof(ifindex))
			return -EBADMSG;
		ifindex = mnl_attr_get_u32(attr);
	}
	if (code < 0)
		return code;
	if (route->rtm_type != RTN_UNICAST || !direct || !ifindex)
		return -EHOSTUNREACH;
	*ret_ifindex = ifindex;
	return 0;
}

/* In these states the kernel sends to the address that it has (linux/neighbour.h). */
#define NUD_KNOWN (NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)

int peer_neighbour_parse(const struct nlmsghdr *msg, uint8_t ret_mac[MAC_LEN])
{
	const struct ndmsg *neighbour = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr;
	struct attr_list list;
	int code;

	if (!attributes(msg, sizeof(*neighbour), &list))
		return -EBADMSG;
	if (!(neighbour->ndm_state & NUD_KNOWN))
		return -ENOENT;
	while ((code = attr_next(&list, &attr)) > 0) {
		if (mnl_attr_get_type(attr) != NDA_LLADDR)
			continue;
		if (mnl_attr_get_payload_len(attr) != MAC_LEN)
			return -ENOENT;
		memcpy(ret_mac, mnl_attr_get_payload(attr), MAC_LEN);
		return 0;
	}
	return code < 0 ? code : -ENOENT;
}
