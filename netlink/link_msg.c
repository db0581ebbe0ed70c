#include "netlink/link_msg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "netlink/link_kind.h"

static struct ifinfomsg *start(struct link_msg *msg, uint16_t type, uint16_t flags,
			       uint32_t ifindex)
{
	struct ifinfomsg *info;

	memset(msg, 0, sizeof(*msg));
	mnl_nlmsg_put_header(msg);
	msg->header.nlmsg_type = type;
	msg->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	info = mnl_nlmsg_put_extra_header(&msg->header, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	return info;
}

/* Of an existing link. RTM_NEWLINK without NLM_F_CREATE, as RTM_SETLINK takes no IFLA_INFO_DATA. */
static struct ifinfomsg *start_set(struct link_msg *msg, uint32_t ifindex)
{
	return start(msg, RTM_NEWLINK, 0, ifindex);
}

struct nest {
	struct nlattr *info, *data;
};

/* IFLA_INFO_DATA, for attributes of the kind. */
static bool open_data(struct nlmsghdr *msg, enum link_kind kind, struct nest *ret)
{
	ret->info = mnl_attr_nest_start_check(msg, LINK_MSG_SIZE, IFLA_LINKINFO);
	if (!ret->info || !mnl_attr_put_strz_check(msg, LINK_MSG_SIZE, IFLA_INFO_KIND,
						   link_kind_ops[kind]->rtnl_kind))
		return false;
	ret->data = mnl_attr_nest_start_check(msg, LINK_MSG_SIZE, IFLA_INFO_DATA);
	return ret->data;
}

static void close_data(struct nlmsghdr *msg, const struct nest *nest)
{
	mnl_attr_nest_end(msg, nest->data);
	mnl_attr_nest_end(msg, nest->info);
}

static bool put_data(struct nlmsghdr *msg, const struct link_spec *spec, unsigned int what)
{
	struct nest nest;

	if (!open_data(msg, spec->kind, &nest) ||
	    !link_kind_ops[spec->kind]->fill_data(msg, LINK_MSG_SIZE, spec, what))
		return false;
	close_data(msg, &nest);
	return true;
}

/* One MAC a request: a list with one that is refused is half set (macvlan_changelink_sources()). */
static bool put_sources(struct nlmsghdr *msg, enum link_kind kind, uint32_t mode,
			const uint8_t *mac)
{
	struct nest nest;

	if (!open_data(msg, kind, &nest) ||
	    !mnl_attr_put_u32_check(msg, LINK_MSG_SIZE, IFLA_MACVLAN_MACADDR_MODE, mode) ||
	    (mac && !mnl_attr_put_check(msg, LINK_MSG_SIZE, IFLA_MACVLAN_MACADDR, MAC_LEN, mac)))
		return false;
	close_data(msg, &nest);
	return true;
}

static int finished(bool fits)
{
	return fits ? 0 : -EMSGSIZE;
}

int link_msg_create(struct link_msg *msg, const struct link_spec *spec, uint32_t lower)
{
	struct nlmsghdr *h = &msg->header;
	struct ifinfomsg *info;

	/* NLM_F_CREATE without NLM_F_EXCL would edit a link of the same name. */
	info = start(msg, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, 0);
	if (link_kind_ops[spec->kind]->host_is_quiet)
		info->ifi_flags = info->ifi_change = IFF_NOARP;
	return finished(
		mnl_attr_put_strz_check(h, LINK_MSG_SIZE, IFLA_IFNAME, spec->name) &&
		mnl_attr_put_u32_check(h, LINK_MSG_SIZE, IFLA_LINK, lower) &&
		mnl_attr_put_check(h, LINK_MSG_SIZE, IFLA_ADDRESS, MAC_LEN, spec->mac) &&
		mnl_attr_put_u32_check(h, LINK_MSG_SIZE, IFLA_GROUP, spec->group) &&
		(!spec->mtu || mnl_attr_put_u32_check(h, LINK_MSG_SIZE, IFLA_MTU, spec->mtu)) &&
		(!spec->txqueuelen ||
		 mnl_attr_put_u32_check(h, LINK_MSG_SIZE, IFLA_TXQLEN, spec->txqueuelen)) &&
		put_data(h, spec, LINK_DATA_MODE | LINK_DATA_BCQUEUELEN | LINK_DATA_BCCUTOFF));
}

int link_msg_delete(struct link_msg *msg, uint32_t ifindex)
{
	start(msg, RTM_DELLINK, 0, ifindex);
	return 0;
}

int link_msg_delete_group(struct link_msg *msg, uint32_t group)
{
	start(msg, RTM_DELLINK, 0, 0);
	return finished(mnl_attr_put_u32_check(&msg->header, LINK_MSG_SIZE, IFLA_GROUP, group));
}

int link_msg_set_name(struct link_msg *msg, uint32_t ifindex, const char *name)
{
	start_set(msg, ifindex);
	return finished(mnl_attr_put_strz_check(&msg->header, LINK_MSG_SIZE, IFLA_IFNAME, name));
}

int link_msg_set_alias(struct link_msg *msg, uint32_t ifindex, const char *alias)
{
	start_set(msg, ifindex);
	return finished(mnl_attr_put_strz_check(&msg->header, LINK_MSG_SIZE, IFLA_IFALIAS, alias));
}

static int altname(struct link_msg *msg, uint16_t type, uint32_t ifindex, const char *name)
{
	struct nlattr *list;

	start(msg, type, 0, ifindex);
	list = mnl_attr_nest_start(&msg->header, IFLA_PROP_LIST);
	if (!mnl_attr_put_strz_check(&msg->header, LINK_MSG_SIZE, IFLA_ALT_IFNAME, name))
		return -EMSGSIZE;
	mnl_attr_nest_end(&msg->header, list);
	return 0;
}

int link_msg_add_altname(struct link_msg *msg, uint32_t ifindex, const char *name)
{
	return altname(msg, RTM_NEWLINKPROP, ifindex, name);
}

int link_msg_delete_altname(struct link_msg *msg, uint32_t ifindex, const char *name)
{
	return altname(msg, RTM_DELLINKPROP, ifindex, name);
}

int link_msg_set_lower_nsid(struct link_msg *msg, int32_t nsid)
{
	return finished(mnl_attr_put_u32_check(&msg->header, LINK_MSG_SIZE, IFLA_LINK_NETNSID,
					       (uint32_t)nsid));
}

int link_msg_move(struct link_msg *msg, uint32_t ifindex, int fd, const char *name)
{
	start_set(msg, ifindex);
	return finished(
		mnl_attr_put_u32_check(&msg->header, LINK_MSG_SIZE, IFLA_NET_NS_FD, (uint32_t)fd) &&
		mnl_attr_put_strz_check(&msg->header, LINK_MSG_SIZE, IFLA_IFNAME, name));
}

int link_msg_set_master(struct link_msg *msg, uint32_t ifindex, uint32_t master)
{
	start_set(msg, ifindex);
	return finished(mnl_attr_put_u32_check(&msg->header, LINK_MSG_SIZE, IFLA_MASTER, master));
}

int link_msg_set_group(struct link_msg *msg, uint32_t ifindex, uint32_t group)
{
	start_set(msg, ifindex);
	return finished(mnl_attr_put_u32_check(&msg->header, LINK_MSG_SIZE, IFLA_GROUP, group));
}

int link_msg_set_mac(struct link_msg *msg, uint32_t ifindex, const uint8_t mac[MAC_LEN])
{
	start_set(msg, ifindex);
	return finished(
		mnl_attr_put_check(&msg->header, LINK_MSG_SIZE, IFLA_ADDRESS, MAC_LEN, mac));
}

int link_msg_set_mtu(struct link_msg *msg, uint32_t ifindex, uint32_t mtu)
{
	start_set(msg, ifindex);
	return finished(mnl_attr_put_u32_check(&msg->header, LINK_MSG_SIZE, IFLA_MTU, mtu));
}

int link_msg_set_txqueuelen(struct link_msg *msg, uint32_t ifindex, uint32_t txqueuelen)
{
	start_set(msg, ifindex);
	return finished(
		mnl_attr_put_u32_check(&msg->header, LINK_MSG_SIZE, IFLA_TXQLEN, txqueuelen));
}

int link_msg_set_data(struct link_msg *msg, uint32_t ifindex, const struct link_spec *spec,
		      unsigned int what)
{
	start_set(msg, ifindex);
	return finished(put_data(&msg->header, spec, what));
}

int link_msg_add_source(struct link_msg *msg, uint32_t ifindex, enum link_kind kind,
			const uint8_t mac[MAC_LEN])
{
	start_set(msg, ifindex);
	return finished(put_sources(&msg->header, kind, MACVLAN_MACADDR_ADD, mac));
}

int link_msg_delete_source(struct link_msg *msg, uint32_t ifindex, enum link_kind kind,
			   const uint8_t mac[MAC_LEN])
{
	start_set(msg, ifindex);
	return finished(put_sources(&msg->header, kind, MACVLAN_MACADDR_DEL, mac));
}

int link_msg_flush_sources(struct link_msg *msg, uint32_t ifindex, enum link_kind kind)
{
	start_set(msg, ifindex);
	return finished(put_sources(&msg->header, kind, MACVLAN_MACADDR_FLUSH, NULL));
}

int link_msg_set_flags(struct link_msg *msg, uint32_t ifindex, uint32_t flags, uint32_t mask)
{
	struct ifinfomsg *info = start_set(msg, ifindex);

	info->ifi_flags = flags & mask;
	info->ifi_change = mask;
	return 0;
}
