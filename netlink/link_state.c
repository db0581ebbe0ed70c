#include "netlink/link_state.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink/attr_list.h"
#include "netlink/link_kind.h"

static int take_u32(const struct nlattr *attr, struct link_state *ret, size_t offset)
{
	if (mnl_attr_get_payload_len(attr) != sizeof(uint32_t))
		return -EBADMSG;
	memcpy((char *)ret + offset, mnl_attr_get_payload(attr), sizeof(uint32_t));
	return 0;
}

/*
 * Ours are of printable ASCII. What others call a link may be any bytes (dev_valid_name() forbids
 * spaces, '/' and ':'; altnames may be anything), and would steer the terminal that is told of it.
 */
static void copy_printable(char *ret, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ret[i] = s[i] < ' ' || s[i] > '~' ? '?' : s[i];
	ret[len] = '\0';
}

/* A string that may lack its NUL; one that does not fit is no message of this kernel. */
static int take_string(const struct nlattr *attr, char *ret, size_t size)
{
	const char *s = mnl_attr_get_payload(attr);
	size_t len = strnlen(s, mnl_attr_get_payload_len(attr));

	if (len >= size)
		return -EBADMSG;
	copy_printable(ret, s, len);
	return 0;
}

static int take_name(const struct nlattr *attr, struct link_state *ret, size_t offset)
{
	return take_string(attr, (char *)ret + offset, sizeof(ret->name));
}

static int take_alias(const struct nlattr *attr, struct link_state *ret, size_t offset)
{
	const char *s = mnl_attr_get_payload(attr);
	size_t len = strnlen(s, mnl_attr_get_payload_len(attr));

	if (len >= IFALIASZ)
		return -EBADMSG;
	if (len >= sizeof(ret->alias))
		len = sizeof(ret->alias) - 1;
	copy_printable((char *)ret + offset, s, len);
	return 0;
}

/* Tunnels have addresses of other lengths, which no link of ours has: left zero. */
static int take_mac(const struct nlattr *attr, struct link_state *ret, size_t offset)
{
	if (mnl_attr_get_payload_len(attr) == MAC_LEN)
		memcpy((char *)ret + offset, mnl_attr_get_payload(attr), MAC_LEN);
	return 0;
}

static int take_lower_nsid(const struct nlattr *attr, struct link_state *ret, size_t offset)
{
	ret->lower_elsewhere = true;
	return take_u32(attr, ret, offset);
}

/* struct rtnl_link_stats64 has grown over time at its end; the fields wanted are its oldest. */
static int take_counters(const struct nlattr *attr, struct link_stats *ret)
{
	struct rtnl_link_stats64 stats = { 0 };
	size_t len = mnl_attr_get_payload_len(attr);

	if (len < offsetof(struct rtnl_link_stats64, multicast))
		return -EBADMSG;
	memcpy(&stats, mnl_attr_get_payload(attr), len < sizeof(stats) ? len : sizeof(stats));
	*ret = (struct link_stats){
		.rx_packets = stats.rx_packets,
		.tx_packets = stats.tx_packets,
		.rx_bytes = stats.rx_bytes,
		.tx_bytes = stats.tx_bytes,
		.rx_dropped = stats.rx_dropped,
		.tx_dropped = stats.tx_dropped,
	};
	return 0;
}

static int take_stats(const struct nlattr *attr, struct link_state *ret, size_t offset)
{
	return take_counters(attr, (struct link_stats *)((char *)ret + offset));
}

static int take_info_data(const struct nlattr *nest, struct link_state *ret)
{
	const struct link_kind_ops *ops = link_kind_ops[ret->kind];
	struct attr_list list = attr_list_of(nest);
	const struct nlattr *attr;
	int code;

	/* The kernel tells only another value (macvlan_fill_info()). */
	ret->bccutoff = LINK_CUTOFF_DEFAULT;
	while ((code = attr_next(&list, &attr)) > 0) {
		code = ops->parse_data(attr, ret);
		if (code < 0)
			break;
	}
	return code;
}

/* Of IFLA_INFO_SLAVE_DATA of a bridge port (br_port_fill_attrs()). */
static int take_bridge_port(const struct nlattr *nest, struct link_state *ret)
{
	struct attr_list list = attr_list_of(nest);
	const struct nlattr *attr;
	int code;

	while ((code = attr_next(&list, &attr)) > 0) {
		if (mnl_attr_get_type(attr) != IFLA_BRPORT_MODE)
			continue;
		if (mnl_attr_get_payload_len(attr) != sizeof(uint8_t))
			return -EBADMSG;
		ret->hairpin = mnl_attr_get_u8(attr) != 0;
	}
	return code;
}

static int take_slave_data(const char *slave_kind, const struct nlattr *data,
			   struct link_state *ret)
{
	ret->is_bridge_port = strcmp(slave_kind, "bridge") == 0;
	return ret->is_bridge_port && data ? take_bridge_port(data, ret) : 0;
}

static int take_linkinfo(const struct nlattr *nest, struct link_state *ret, size_t offset)
{
	struct attr_list list = attr_list_of(nest);
	const struct nlattr *attr, *data = NULL, *slave_data = NULL;
	char slave_kind[LINK_KIND_TEXT_MAX] = "";
	int code;

	(void)offset;
	while ((code = attr_next(&list, &attr)) > 0) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			code = take_string(attr, ret->kind_text, sizeof(ret->kind_text));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
		else if (mnl_attr_get_type(attr) == IFLA_INFO_SLAVE_KIND)
			code = take_string(attr, slave_kind, sizeof(slave_kind));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_SLAVE_DATA)
			slave_data = attr;
		if (code < 0)
			return code;
	}
	if (code == 0)
		code = take_slave_data(slave_kind, slave_data, ret);
	ret->is_macvlan = link_kind_find(ret->kind_text, &ret->kind);
	if (code == 0 && data && ret->is_macvlan)
		code = take_info_data(data, ret);
	return code;
}

/* The sysctls of the link as int32_t, an array that has grown over time at its end. */
static int take_ipv6_conf(const struct nlattr *attr, bool *ret)
{
	const size_t at = DEVCONF_DISABLE_IPV6 * sizeof(int32_t);
	int32_t disabled;

	if (mnl_attr_get_payload_len(attr) < at + sizeof(disabled))
		return -EBADMSG;
	memcpy(&disabled, (const char *)mnl_attr_get_payload(attr) + at, sizeof(disabled));
	*ret = !disabled;
	return 0;
}

/* Per address family; a link without IPv6 (its mtu is below 1280) has no AF_INET6 in it. */
static int take_af_spec(const struct nlattr *nest, struct link_state *ret, size_t offset)
{
	struct attr_list families = attr_list_of(nest), list;
	const struct nlattr *family, *attr;
	int code;

	while ((code = attr_next(&families, &family)) > 0) {
		if (mnl_attr_get_type(family) != AF_INET6)
			continue;
		list = attr_list_of(family);
		while ((code = attr_next(&list, &attr)) > 0) {
			if (mnl_attr_get_type(attr) == IFLA_INET6_CONF)
				code = take_ipv6_conf(attr, (bool *)((char *)ret + offset));
			if (code < 0)
				return code;
		}
		if (code < 0)
			return code;
	}
	return code;
}

/* What does not fit leaves a mark; the room stays zero behind the last. */
static int add_altname(const struct nlattr *attr, struct link_lists *lists, size_t *at)
{
	char name[ALTNAME_SIZE];
	int code = take_string(attr, name, sizeof(name));
	size_t size = strlen(name) + 1;

	if (code < 0 || size == 1)
		return code;
	if (*at + size >= sizeof(lists->altnames)) {
		lists->altnames_more = true;
		return 0;
	}
	memcpy(lists->altnames + *at, name, size);
	*at += size;
	return 0;
}

static int take_props(const struct nlattr *nest, struct link_state *ret, size_t offset)
{
	struct attr_list list = attr_list_of(nest);
	const struct nlattr *attr;
	size_t at = 0;
	int code;

	(void)offset;
	memset(ret->lists->altnames, 0, sizeof(ret->lists->altnames));
	while ((code = attr_next(&list, &attr)) > 0) {
		if (mnl_attr_get_type(attr) == IFLA_ALT_IFNAME)
			code = add_altname(attr, ret->lists, &at);
		if (code < 0)
			return code;
	}
	return code;
}

/* The attributes that are read, by their type, and where they go. */
static const struct {
	int (*take)(const struct nlattr *attr, struct link_state *ret, size_t offset);
	size_t offset;
} readers[] = {
	[IFLA_IFNAME] = { take_name, offsetof(struct link_state, name) },
	[IFLA_ADDRESS] = { take_mac, offsetof(struct link_state, mac) },
	[IFLA_MTU] = { take_u32, offsetof(struct link_state, mtu) },
	[IFLA_TXQLEN] = { take_u32, offsetof(struct link_state, txqueuelen) },
	[IFLA_LINK] = { take_u32, offsetof(struct link_state, lower) },
	[IFLA_LINK_NETNSID] = { take_lower_nsid, offsetof(struct link_state, lower_nsid) },
	[IFLA_MASTER] = { take_u32, offsetof(struct link_state, master) },
	[IFLA_GROUP] = { take_u32, offsetof(struct link_state, group) },
	[IFLA_IFALIAS] = { take_alias, offsetof(struct link_state, alias) },
	[IFLA_LINKINFO] = { take_linkinfo, 0 },
	[IFLA_PROP_LIST] = { take_props, 0 },
	[IFLA_AF_SPEC] = { take_af_spec, offsetof(struct link_state, host_ipv6) },
	[IFLA_STATS64] = { take_stats, offsetof(struct link_state, stats) },
};

static int take_attr(const struct nlattr *attr, struct link_state *ret)
{
	const uint16_t type = mnl_attr_get_type(attr);

	if (type >= sizeof(readers) / sizeof(readers[0]) || !readers[type].take)
		return 0;
	return readers[type].take(attr, ret, readers[type].offset);
}

/* All but the heads of a room is read only behind them. */
static void empty(struct link_lists *room)
{
	room->altnames[0] = '\0';
	room->altnames_more = false;
	room->sources.n = 0;
	room->sources.more = false;
}

static bool is_empty(const struct link_lists *lists)
{
	return !lists->altnames[0] && !lists->altnames_more && !lists->sources.n;
}

int link_state_parse(const struct nlmsghdr *msg, struct link_lists *room, struct link_state *ret)
{
	struct link_state link = { .lists = room };
	const struct ifinfomsg *info;
	const struct nlattr *attr;
	struct attr_list list;
	int code;

	if (msg->nlmsg_len < sizeof(*msg) + sizeof(*info))
		return -EBADMSG;
	if (msg->nlmsg_type != RTM_NEWLINK)
		return -EINVAL;
	info = mnl_nlmsg_get_payload(msg);
	if (info->ifi_index <= 0)
		return -EBADMSG;
	empty(room);
	link.ifindex = (uint32_t)info->ifi_index;
	link.type = info->ifi_type;
	link.flags = info->ifi_flags;

	list.data = mnl_nlmsg_get_payload_offset(msg, sizeof(*info));
	list.left = msg->nlmsg_len - sizeof(*msg) - sizeof(*info);
	while ((code = attr_next(&list, &attr)) > 0) {
		code = take_attr(attr, &link);
		if (code < 0)
			break;
	}
	if (code < 0)
		return code;
	if (is_empty(room))
		link.lists = NULL;
	*ret = link;
	return 0;
}

int link_stats_parse(const struct nlmsghdr *msg, uint32_t *ret_ifindex, struct link_stats *ret)
{
	const struct if_stats_msg *info;
	struct link_stats stats = { 0 };
	const struct nlattr *attr;
	struct attr_list list;
	int code;

	if (msg->nlmsg_len < sizeof(*msg) + sizeof(*info))
		return -EBADMSG;
	if (msg->nlmsg_type != RTM_NEWSTATS)
		return -EINVAL;
	info = mnl_nlmsg_get_payload(msg);
	list.data = mnl_nlmsg_get_payload_offset(msg, sizeof(*info));
	list.left = msg->nlmsg_len - sizeof(*msg) - sizeof(*info);
	while ((code = attr_next(&list, &attr)) > 0) {
		if (mnl_attr_get_type(attr) == IFLA_STATS_LINK_64)
			code = take_counters(attr, &stats);
		if (code < 0)
			break;
	}
	if (code < 0)
		return code;
	*ret_ifindex = info->ifindex;
	*ret = stats;
	return 0;
}
