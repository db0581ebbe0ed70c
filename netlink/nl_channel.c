#include "netlink/nl_channel_parts.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "netlink/attr_list.h"
#include "netlink/netns_msg.h"

/* Of messages of any size; the kernel takes what the send buffer holds (netlink_sendmsg()). */
#define DATAGRAM_MAX (64 << 10)

#define REQUEST_BUFFER (2 << 20)
#define MONITOR_BUFFER (8 << 20)

/* The kernel answers before sendto() returns; this ends the wait for an answer that was lost. */
#define ANSWER_SECONDS 10

static int set_option(struct mnl_socket *socket, int option)
{
	int on = 1;

	return mnl_socket_setsockopt(socket, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* Beyond rmem_max, which takes CAP_NET_ADMIN; without it the default stays. */
static void set_buffer(const struct mnl_socket *socket, int size)
{
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

static int open_request(struct mnl_socket **ret, struct err *err)
{
	const struct timeval wait = { .tv_sec = ANSWER_SECONDS };
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int code;

	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		code = -errno;
		goto out;
	}
	/* Errors with text; no copy of the request; dumps that refuse what they do not know. */
	code = set_option(s, NETLINK_EXT_ACK);
	if (code == 0)
		code = set_option(s, NETLINK_CAP_ACK);
	if (code == 0)
		code = set_option(s, NETLINK_GET_STRICT_CHK);
	if (code == 0 &&
	    setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		code = -errno;
	if (code < 0)
		goto out;
	set_buffer(s, REQUEST_BUFFER);
	*ret = s;
	return 0;
out:
	if (s)
		mnl_socket_close(s);
	return err_errno(err, code, "could not open rtnetlink");
}

static int open_monitor(struct mnl_socket **ret, struct err *err)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	/* IPv6 that is turned on upon a link is told to the second group alone. */
	int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV6_IFINFO, RTNLGRP_TC };
	int code = 0;

	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		code = -errno;
	for (size_t i = 0; code == 0 && i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (mnl_socket_setsockopt(s, NETLINK_ADD_MEMBERSHIP, &groups[i],
					  sizeof(groups[i])) < 0)
			code = -errno;
	}
	if (code < 0) {
		if (s)
			mnl_socket_close(s);
		return err_errno(err, code, "could not listen to rtnetlink");
	}
	set_buffer(s, MONITOR_BUFFER);
	*ret = s;
	return 0;
}

int nl_channel_open_requests(struct nl_channel **ret, struct err *err)
{
	struct nl_channel *channel = calloc(1, sizeof(*channel));
	int code;

	if (!channel)
		return err_errno(err, -ENOMEM, "could not open rtnetlink");
	code = open_request(&channel->request, err);
	if (code < 0) {
		nl_channel_free(channel);
		return code;
	}
	*ret = channel;
	return 0;
}

int nl_channel_open(struct nl_channel **ret, struct err *err)
{
	struct nl_channel *channel = NULL;
	int code = nl_channel_open_requests(&channel, err);

	if (!channel)
		return code;
	code = open_monitor(&channel->monitor, err);
	if (code < 0) {
		nl_channel_free(channel);
		return code;
	}
	*ret = channel;
	return 0;
}

void nl_channel_free(struct nl_channel *channel)
{
	if (!channel)
		return;
	if (channel->request)
		mnl_socket_close(channel->request);
	if (channel->monitor)
		mnl_socket_close(channel->monitor);
	free(channel);
}

/* One datagram into `received`: its length, or -errno. */
static ssize_t receive(struct nl_channel *channel, struct mnl_socket *from)
{
	ssize_t n;

	do {
		n = mnl_socket_recvfrom(from, channel->received, sizeof(channel->received));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t nl_receive_answer(struct nl_channel *channel)
{
	ssize_t n = receive(channel, channel->request);

	return n == -EAGAIN ? -ETIMEDOUT : n;
}

/*
 * Only the last asks for an ack: the kernel works in order, and tells what fails without being
 * asked (netlink_rcv_skb()). An ack for each would cost a datagram for each.
 */
static int send_batch(struct nl_channel *channel, struct nl_request *requests, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		struct nlmsghdr *h = &requests[i].msg.header;

		h->nlmsg_seq = ++channel->seq;
		if (i + 1 < n)
			h->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		memcpy(channel->sent + len, h, h->nlmsg_len);
		len += attr_align(h->nlmsg_len);
	}
	return mnl_socket_sendto(channel->request, channel->sent, len) < 0 ? -errno : 0;
}

/* 1 for an ack, 0 for an echo or something else, or -EBADMSG. */
static int take_answer(const struct nlmsghdr *h, struct nl_request *request)
{
	struct link_lists room;
	struct link_state link;
	int code;

	if (h->nlmsg_type == NLMSG_ERROR) {
		code = nl_ack_parse(h, &request->ack);
		return code < 0 ? code : 1;
	}
	if (h->nlmsg_type == RTM_NEWLINK && link_state_parse(h, &room, &link) == 0)
		request->ifindex = link.ifindex;
	if (h->nlmsg_type == RTM_NEWNSID)
		netns_id_parse(h, &request->nsid);
	return 0;
}

static int receive_batch(struct nl_channel *channel, struct nl_request *requests, size_t n)
{
	uint32_t first = channel->seq - (uint32_t)n + 1;
	bool done = false;

	while (!done) {
		const struct nlmsghdr *h = (const void *)channel->received;
		ssize_t got = nl_receive_answer(channel);
		int left = (int)got;

		if (got < 0)
			return (int)got;
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			int code;

			/* An answer to a request that was given up has an older number. */
			if (h->nlmsg_seq - first >= n)
				continue;
			code = take_answer(h, &requests[h->nlmsg_seq - first]);
			if (code < 0)
				return code;
			done = done || (code && h->nlmsg_seq == channel->seq);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (requests[i].ack.error == -ENOMSG)
			requests[i].ack.error = 0;
	}
	return 0;
}

int nl_channel_batch(struct nl_channel *channel, struct nl_request *requests, size_t n,
		     struct err *err)
{
	int code = 0;
	size_t at, part;

	for (at = 0; code == 0 && at < n; at += part) {
		part = n - at < BATCH_MAX ? n - at : BATCH_MAX;
		for (size_t i = at; i < at + part; i++)
			requests[i].ack = (struct nl_ack){ .error = -ENOMSG };
		code = send_batch(channel, &requests[at], part);
		if (code == 0)
			code = receive_batch(channel, &requests[at], part);
	}
	if (code == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (i >= at || requests[i].ack.error == -ENOMSG)
			requests[i].ack = (struct nl_ack){ .error = code };
	}
	return err_errno(err, code, "could not talk to rtnetlink");
}

int nl_channel_listen_addrs(struct nl_channel *channel)
{
	int groups[] = { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR };

	for (size_t i = 0; channel->monitor && i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (mnl_socket_setsockopt(channel->monitor, NETLINK_ADD_MEMBERSHIP, &groups[i],
					  sizeof(groups[i])) < 0)
			return -errno;
	}
	return 0;
}

/* Messages from `at` on that go into one datagram; what they take. */
static size_t next_datagram(const struct tc_batch *batch, size_t at, size_t *ret_n)
{
	size_t len = 0;

	for (*ret_n = 0; at + len < batch->len && *ret_n < BATCH_MAX; ++*ret_n) {
		const struct nlmsghdr *h = (const void *)(batch->bytes + at + len);
		size_t size = attr_align(h->nlmsg_len);

		if (*ret_n && len + size > DATAGRAM_MAX)
			break;
		len += size;
	}
	return len;
}

static bool is_last_answer(const struct nlmsghdr *request, const struct nlmsghdr *answer)
{
	if (request->nlmsg_flags & NLM_F_DUMP)
		return answer->nlmsg_type == NLMSG_DONE || answer->nlmsg_type == NLMSG_ERROR;
	return answer->nlmsg_type == NLMSG_ERROR || !(request->nlmsg_flags & NLM_F_ACK);
}

struct exchange {
	const struct nlmsghdr *requests[BATCH_MAX];
	size_t n;
	size_t first; /* place of the first in the batch */
	bool interrupted;
	nl_answer_cb cb;
	void *data;
};

static int take_answers(struct nl_channel *channel, struct exchange *x)
{
	const uint32_t first = channel->seq - (uint32_t)x->n + 1;
	size_t waiting = x->n;

	while (waiting) {
		const struct nlmsghdr *h = (const void *)channel->received;
		ssize_t got = nl_receive_answer(channel);
		int left = (int)got, code;

		if (got < 0)
			return (int)got;
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			const uint32_t i = h->nlmsg_seq - first;

			if (i >= x->n)
				continue;
			x->interrupted = x->interrupted || h->nlmsg_flags & NLM_F_DUMP_INTR;
			waiting -= is_last_answer(x->requests[i], h);
			code = x->cb(x->first + i, h, x->data);
			if (code < 0)
				return code;
		}
	}
	return x->interrupted ? -EAGAIN : 0;
}

int nl_channel_exchange(struct nl_channel *channel, const struct tc_batch *batch, nl_answer_cb cb,
			void *data, struct err *err)
{
	struct exchange x = { .cb = cb, .data = data };
	int code = batch->failed ? -ENOMEM : 0;
	size_t len;

	for (size_t at = 0; code == 0 && at < batch->len; at += len) {
		unsigned char *bytes = batch->bytes + at;

		len = next_datagram(batch, at, &x.n);
		for (size_t i = 0, to = 0; i < x.n; i++) {
			struct nlmsghdr *h = (void *)(bytes + to);

			h->nlmsg_seq = ++channel->seq;
			x.requests[i] = h;
			to += attr_align(h->nlmsg_len);
		}
		if (mnl_socket_sendto(channel->request, bytes, len) < 0)
			code = -errno;
		else
			code = take_answers(channel, &x);
		x.first += x.n;
	}
	return code < 0 ? err_errno(err, code, "could not talk to rtnetlink") : 0;
}

int nl_channel_listen_all(struct nl_channel *channel)
{
	return channel->monitor ? set_option(channel->monitor, NETLINK_LISTEN_ALL_NSID) : 0;
}

int nl_channel_monitor_fd(const struct nl_channel *channel)
{
	return mnl_socket_get_fd(channel->monitor);
}

bool nl_channel_has_news(const struct nl_channel *channel)
{
	struct pollfd fd = { .events = POLLIN };

	if (!channel->monitor)
		return true;
	fd.fd = nl_channel_monitor_fd(channel);
	return poll(&fd, 1, 0) != 0;
}

/* RTM_NEWQDISC to RTM_GETTFILTER lie side by side (linux/rtnetlink.h). */
static int news_of(struct nl_channel *channel, ssize_t n)
{
	const struct nlmsghdr *h = (const void *)channel->received;
	int news = NL_NEWS_CHANGED, left = (int)n;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_type >= RTM_NEWQDISC && h->nlmsg_type <= RTM_GETTFILTER)
			news |= NL_NEWS_FILTERS;
		else if (h->nlmsg_type == RTM_DELLINK)
			news |= NL_NEWS_GONE;
	}
	return news;
}

int nl_channel_drain(struct nl_channel *channel)
{
	const int any = NL_NEWS_CHANGED | NL_NEWS_FILTERS | NL_NEWS_GONE;
	int news = NL_NEWS_NONE;
	ssize_t n;

	while ((n = receive(channel, channel->monitor)) != -EAGAIN) {
		/* ENOBUFS (netlink_overrun()) tells once; what is queued can still be read. */
		if (n == -ENOBUFS)
			news |= NL_NEWS_OVERRUN | any;
		else if (n == -ENOSPC)
			news |= any;
		else if (n < 0)
			return (int)n;
		else
			news |= news_of(channel, n);
	}
	return news;
}
