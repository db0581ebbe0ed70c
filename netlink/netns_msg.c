#include "netlink/netns_msg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink/attr_list.h"

static void start(struct link_msg *msg, uint16_t type, int fd)
{
	struct rtgenmsg *info;

	memset(msg, 0, sizeof(*msg));
	mnl_nlmsg_put_header(msg);
	msg->header.nlmsg_type = type;
	msg->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	info = mnl_nlmsg_put_extra_header(&msg->header, sizeof(*info));
	info->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(&msg->header, NETNSA_FD, (uint32_t)fd);
}

int netns_msg_new_id(struct link_msg *msg, int fd)
{
	start(msg, RTM_NEWNSID, fd);
	mnl_attr_put_u32(&msg->header, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
	return 0;
}

int netns_msg_get_id(struct link_msg *msg, int fd)
{
	start(msg, RTM_GETNSID, fd);
	return 0;
}

int netns_id_parse(const struct nlmsghdr *msg, int32_t *ret)
{
	const size_t head = attr_align(sizeof(struct rtgenmsg));
	const struct nlattr *attr;
	struct attr_list list;
	int code;

	if (msg->nlmsg_len < sizeof(*msg) + head)
		return -EBADMSG;
	list.data = (const char *)msg + sizeof(*msg) + head;
	list.left = msg->nlmsg_len - sizeof(*msg) - head;
	while ((code = attr_next(&list, &attr)) > 0) {
		if (mnl_attr_get_type(attr) != NETNSA_NSID)
			continue;
		if (mnl_attr_get_payload_len(attr) != sizeof(*ret))
			return -EBADMSG;
		memcpy(ret, mnl_attr_get_payload(attr), sizeof(*ret));
		return 0;
	}
	return code < 0 ? code : -EBADMSG;
}
