/* links: netlink/netns_msg.c netlink/link_addr.c */
/* links: netlink/nl_channel.c netlink/nl_dump.c netlink/nl_ack.c netlink/link_msg.c */
/* links: netlink/link_kind.c netlink/link_state.c netlink/link_table.c agent/base/link_types.c */
/* links: agent/base/err.c netlink/link_marks.c netlink/link_spec.c agent/base/parse.c */
/*
 * set_group LINK GROUP: puts LINK into the scratch group of GROUP, as a deletion does first. ip(8)
 * knows no group above 2^31 - 1.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/link_marks.h"
#include "netlink/nl_channel.h"

int main(int argc, char **argv)
{
	struct nl_request request = { .ifindex = 0 };
	struct nl_channel *channel;
	struct err err;
	int code;

	if (argc != 3)
		return 2;
	link_msg_set_group(&request.msg, if_nametoindex(argv[1]),
			   link_scratch_group((uint32_t)strtoul(argv[2], NULL, 10)));
	if (nl_channel_open(&channel, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	code = nl_channel_batch(channel, &request, 1, &err);
	if (code == 0 && request.ack.error < 0)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-request.ack.error));
	nl_channel_free(channel);
	return code < 0 || request.ack.error < 0;
}
