/* The dumps of a channel: all links, all addresses of one. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

#include "netlink/nl_channel_parts.h"

static int send_link_dump(struct nl_channel *channel, bool stats)
{
	_Alignas(4) unsigned char bytes[64] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(bytes);
	struct ifinfomsg *info;

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++channel->seq;
	info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	/*
	 * With a mask, whichever, the kernel makes room for the longest message; without one it
	 * ends the dump, without an error, at a link that 32 KiB do not hold (rtnl_calcit()).
	 * RTEXT_FILTER_MRP adds nothing to what is told.
	 */
	mnl_attr_put_u32(h, IFLA_EXT_MASK, stats ? RTEXT_FILTER_MRP : RTEXT_FILTER_SKIP_STATS);
	return mnl_socket_sendto(channel->request, h, h->nlmsg_len) < 0 ? -errno : 0;
}

static int send_stats_dump(struct nl_channel *channel)
{
	_Alignas(4) unsigned char bytes[64] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(bytes);
	struct if_stats_msg *info;

	h->nlmsg_type = RTM_GETSTATS;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++channel->seq;
	info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
	return mnl_socket_sendto(channel->request, h, h->nlmsg_len) < 0 ? -errno : 0;
}

/*
 * Of one link: NETLINK_GET_STRICT_CHK makes the kernel look at the index (inet_valid_dump_...()).
 */
static int send_addr_dump(struct nl_channel *channel, uint32_t ifindex)
{
	_Alignas(4) unsigned char bytes[64] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(bytes);
	struct ifaddrmsg *info;

	h->nlmsg_type = RTM_GETADDR;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++channel->seq;
	info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->ifa_family = AF_UNSPEC;
	info->ifa_index = ifindex;
	return mnl_socket_sendto(channel->request, h, h->nlmsg_len) < 0 ? -errno : 0;
}

/* The end of a dump carries its error, if it has a payload (netlink_dump_done()). */
static int dump_end(const struct nlmsghdr *h)
{
	int code = 0;

	if (h->nlmsg_len >= sizeof(*h) + sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(h), sizeof(code));
	return code < 0 ? code : 0;
}

struct dump {
	bool done;
	bool interrupted;
	int (*take)(const struct nlmsghdr *h, void *data);
	void *data;
};

static int take_link(const struct nlmsghdr *h, void *data)
{
	struct link_lists room;
	struct link_state link;
	int code = h->nlmsg_type == RTM_NEWLINK ? link_state_parse(h, &room, &link) : -ENOMSG;

	if (code == -ENOMSG)
		return 0;
	return code < 0 ? code : link_table_add(data, &link);
}

struct stats_dump {
	struct link_table *table;
	size_t n; /* of its links that were told of */
};

static int take_stats(const struct nlmsghdr *h, void *data)
{
	struct stats_dump *dump = data;
	const struct link_state *link;
	struct link_stats stats;
	uint32_t ifindex;
	int code = link_stats_parse(h, &ifindex, &stats);

	if (code < 0)
		return code == -EINVAL ? 0 : code;
	link = link_table_find(dump->table, ifindex);
	if (!link)
		return 0;
	dump->table->links[link - dump->table->links].stats = stats;
	dump->n++;
	return 0;
}

/* What has no room cannot be ours: no more than LINK_ADDRS_MAX are. */
static int take_addr(const struct nlmsghdr *h, void *data)
{
	struct link_addr_list *list = data;
	struct link_addr addr;
	int code = link_addr_parse(h, &addr);

	if (code == -EINVAL)
		return 0;
	if (code == 0 && list->n < LINK_ADDR_LIST_MAX)
		list->list[list->n++] = addr;
	return code;
}

static int take_dump_message(const struct nlmsghdr *h, struct dump *dump)
{
	struct nl_ack ack;
	int code;

	/*
	 * The table changed under the dump: links may be missing or doubled (nl_dump_check...()).
	 */
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		dump->interrupted = true;
	if (h->nlmsg_type == NLMSG_DONE) {
		dump->done = true;
		return dump_end(h);
	}
	if (h->nlmsg_type == NLMSG_ERROR) {
		code = nl_ack_parse(h, &ack);
		return code < 0 ? code : ack.error;
	}
	return dump->take(h, dump->data);
}

static int receive_dump(struct nl_channel *channel, struct dump *dump)
{
	int code = 0;

	while (code == 0 && !dump->done) {
		const struct nlmsghdr *h = (const void *)channel->received;
		ssize_t n = nl_receive_answer(channel);
		int left = (int)n;

		if (n < 0)
			return (int)n;
		for (; code == 0 && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			if (h->nlmsg_seq == channel->seq)
				code = take_dump_message(h, dump);
		}
	}
	return code;
}

int nl_channel_dump_links(struct nl_channel *channel, bool stats, struct link_table *table,
			  struct err *err)
{
	int code = -EAGAIN;

	for (int i = 0; i < NL_DUMP_TRIES; i++) {
		struct dump dump = { .take = take_link, .data = table };

		link_table_reset(table);
		code = send_link_dump(channel, stats);
		if (code == 0)
			code = receive_dump(channel, &dump);
		if (code < 0 || !dump.interrupted)
			break;
		code = -EAGAIN;
	}
	if (code == 0)
		code = link_table_index(table);
	if (code < 0) {
		link_table_reset(table);
		return err_errno(err, code, "could not list the network links");
	}
	return 0;
}

int nl_channel_dump_addrs(struct nl_channel *channel, uint32_t ifindex, struct link_addr_list *ret,
			  struct err *err)
{
	int code = -EAGAIN;

	for (int i = 0; i < NL_DUMP_TRIES; i++) {
		struct dump dump = { .take = take_addr, .data = ret };

		ret->n = 0;
		code = send_addr_dump(channel, ifindex);
		if (code == 0)
			code = receive_dump(channel, &dump);
		if (code < 0 || !dump.interrupted)
			break;
		code = -EAGAIN;
	}
	return code < 0 ? err_errno(err, code, "could not list the addresses of a link") : 0;
}

int nl_channel_dump_stats(struct nl_channel *channel, struct link_table *table, struct err *err)
{
	struct stats_dump stats = { .table = table };
	struct dump dump = { .take = take_stats, .data = &stats };
	int code = send_stats_dump(channel);

	if (code == 0)
		code = receive_dump(channel, &dump);
	/* One of them is gone, or perhaps another was told of twice. */
	if (code == 0 && (stats.n < table->n || dump.interrupted))
		code = -EAGAIN;
	return code < 0 ? err_errno(err, code, "could not list the counters of links") : 0;
}
