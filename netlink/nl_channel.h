/*
 * The kernel's rtnetlink, over two sockets: one for requests and their answers, one that only
 * listens (a flood of notifications cannot push an answer out of the request socket's buffer).
 * Edge: owns both sockets, blocks for as long as the kernel works on a request.
 */
#ifndef TW_NL_CHANNEL_H
#define TW_NL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "netlink/link_addr.h"
#include "netlink/link_msg.h"
#include "netlink/link_state.h"
#include "netlink/nl_ack.h"
#include "netlink/tc_filter.h"

struct nl_channel;

/* In the network namespace of the caller. The caller frees it by nl_channel_free(). */
int nl_channel_open(struct nl_channel **ret, struct err *err);

/* Without the listening socket: to listen does nothing, and is no error. */
int nl_channel_open_requests(struct nl_channel **ret, struct err *err);
void nl_channel_free(struct nl_channel *channel);

/*
 * Replaces the content of `table` by all links of the namespace, indexed, with their counters where
 * `stats` says so: it costs the kernel a sum over all processors for each link. A dump that the
 * kernel calls interrupted is done again, at most NL_DUMP_TRIES times, then -EAGAIN. After a
 * failure the table is empty.
 */
#define NL_DUMP_TRIES 8
int nl_channel_dump_links(struct nl_channel *channel, bool stats, struct link_table *table,
			  struct err *err);

/*
 * Fills in the counters alone of the links in the table, which is indexed, for much less than a
 * dump of links costs. 0 or a negative errno; -EAGAIN when links went or came meanwhile.
 */
int nl_channel_dump_stats(struct nl_channel *channel, struct link_table *table, struct err *err);

/* Replaces `ret` by the addresses of the link; as nl_channel_dump_links(). */
int nl_channel_dump_addrs(struct nl_channel *channel, uint32_t ifindex, struct link_addr_list *ret,
			  struct err *err);

/* One request and what the kernel answered. */
struct nl_request {
	struct link_msg msg; /* by link_msg_*() */
	struct nl_ack ack; /* error 0 or -errno, with the kernel's text if it gave one */
	uint32_t ifindex; /* of the link made, echoed by the kernel; 0: not told */
	int32_t nsid; /* of netns_id_get() and the like; means something with error 0 */
};

/*
 * Sends `n` requests, many to a datagram, in order; the kernel goes on after one that fails. Every
 * request's ack is filled in. Returns 0, or a negative errno when the socket itself failed: acks
 * not received then hold that error.
 */
int nl_channel_batch(struct nl_channel *channel, struct nl_request *requests, size_t n,
		     struct err *err);

/* From here on a change of an address is news too. 0 or -errno; as often as wanted. */
int nl_channel_listen_addrs(struct nl_channel *channel);

/* Called for each answer to message `i` of a batch, errors and acks too. Negative: give up. */
typedef int (*nl_answer_cb)(size_t i, const struct nlmsghdr *answer, void *data);

/*
 * Sends messages of any kind and size, many to a datagram, and hands over the answers. A message
 * is answered by one that is neither an error nor an ack when it asks for no ack; one with
 * NLM_F_DUMP must be the only one, and -EAGAIN tells that its dump was interrupted. Returns 0, what
 * `cb` returned, or a negative errno when the socket failed.
 */
int nl_channel_exchange(struct nl_channel *channel, const struct tc_batch *batch, nl_answer_cb cb,
			void *data, struct err *err);

/* From here on the namespaces that have an id in this one are listened to, too. 0 or -errno. */
int nl_channel_listen_all(struct nl_channel *channel);

/* Whether notifications wait to be read: until they are, what was known before them is in doubt. */
bool nl_channel_has_news(const struct nl_channel *channel);

/* The listening socket, for poll(2); it stays the channel's. */
int nl_channel_monitor_fd(const struct nl_channel *channel);

enum nl_news {
	NL_NEWS_NONE = 0,
	NL_NEWS_CHANGED = 1 << 0, /* a link or a filter came, changed or went */
	NL_NEWS_OVERRUN =
		1 << 1, /* notifications were lost (ENOBUFS); counts as each of the others */
	NL_NEWS_FILTERS = 1 << 2, /* qdiscs or filters are among it, or may be */
	NL_NEWS_GONE = 1 << 3, /* a link went, or may have: its number may be another's */
};

/*
 * Reads the notifications that wait and tells what they mean, as a mask of enum nl_news. They are
 * not looked into: only a dump tells what is. Negative errno when the socket is broken.
 */
int nl_channel_drain(struct nl_channel *channel);

#endif
