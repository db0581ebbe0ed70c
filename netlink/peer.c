#include "netlink/peer.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink/peer_msg.h"

/* The one answer to one question. */
struct answer {
	int error; /* of the kernel, or of the parser */
	uint32_t ifindex;
	uint8_t mac[MAC_LEN];
	struct link_state link;
};

static int take(size_t i, const struct nlmsghdr *msg, void *data)
{
	struct answer *answer = data;
	struct link_lists lists;
	struct nl_ack ack;
	int code;

	(void)i;
	switch (msg->nlmsg_type) {
	case RTM_NEWROUTE:
		answer->error = peer_route_parse(msg, &answer->ifindex);
		break;
	case RTM_NEWNEIGH:
		answer->error = peer_neighbour_parse(msg, answer->mac);
		break;
	case RTM_NEWLINK:
		answer->error = link_state_parse(msg, &lists, &answer->link);
		answer->link.lists = NULL;
		break;
	case NLMSG_ERROR:
		code = nl_ack_parse(msg, &ack);
		answer->error = code < 0 ? code : ack.error;
		break;
	default:
		break;
	}
	return 0;
}

static int ask(struct nl_channel *channel, struct link_msg *msg, struct answer *ret,
	       struct err *err)
{
	const struct tc_batch batch = { .bytes = msg->bytes, .len = msg->header.nlmsg_len, .n = 1 };
	int code;

	*ret = (struct answer){ .error = -ENOENT };
	code = nl_channel_exchange(channel, &batch, take, ret, err);
	return code ? code : ret->error;
}

int peer_find(struct nl_channel *channel, const struct cidr *address, uint32_t scope,
	      struct peer *ret, struct err *err)
{
	struct peer peer = { .lower = 0 };
	struct answer answer;
	struct link_msg msg;
	int code;

	peer_msg_get_route(&msg, address, scope);
	code = ask(channel, &msg, &answer, err);
	if (code)
		return err_errno(err, code, "the host does not reach this address directly");
	peer.ifindex = answer.ifindex;
	peer_msg_get_neighbour(&msg, address, peer.ifindex);
	code = ask(channel, &msg, &answer, err);
	if (code)
		return err_errno(err, code, "its hardware address is not known");
	memcpy(peer.mac, answer.mac, MAC_LEN);
	peer_msg_get_link(&msg, peer.ifindex);
	code = ask(channel, &msg, &answer, err);
	if (code)
		return err_errno(err, code, "the device towards it is gone");
	peer.lower = answer.link.is_macvlan ? answer.link.lower : 0;
	*ret = peer;
	return 0;
}

bool peer_is_on(struct nl_channel *channel, const struct peer *peer, uint32_t lower)
{
	struct answer answer;
	struct link_msg msg;

	if (!lower)
		return false;
	if (peer->ifindex == lower || peer->lower == lower)
		return true;
	peer_msg_get_link(&msg, lower);
	return ask(channel, &msg, &answer, NULL) == 0 && answer.link.master == peer->ifindex;
}
