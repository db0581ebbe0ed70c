/* What the files of nl_channel.h share: the channel itself. Edge. */
#ifndef TW_NL_CHANNEL_PARTS_H
#define TW_NL_CHANNEL_PARTS_H

#include <sys/types.h>

#include "netlink/nl_channel.h"

struct mnl_socket;

/*
 * The largest datagram: netlink_dump() fills 32 KiB, or what one link takes if that is more. Its
 * lists, as that of source MACs, are attributes of at most 64 KiB each.
 */
#define RECEIVE_SIZE (256 << 10)

/* Requests in one datagram: their acks and echoes, some KiB each, must fit the receive buffer. */
#define BATCH_MAX 64

struct nl_channel {
	struct mnl_socket *request;
	struct mnl_socket *monitor;
	uint32_t seq;
	_Alignas(8) unsigned char received[RECEIVE_SIZE];
	_Alignas(8) unsigned char sent[BATCH_MAX * LINK_MSG_SIZE];
};

/*
 * One datagram of answers into `received`: its length, or -errno. One that does not come is
 * -ETIMEDOUT.
 */
ssize_t nl_receive_answer(struct nl_channel *channel);

#endif
