/* links: netlink/link_addr.c netlink/netns_msg.c */
/* links: netlink/link_state.c netlink/link_kind.c netlink/link_table.c netlink/nl_ack.c */
/* links: netlink/link_plan.c netlink/link_spec.c agent/base/link_types.c agent/base/parse.c */
/* links: netlink/link_compare.c netlink/link_steps.c netlink/link_marks.c netlink/lower_judge.c */
/* links: netlink/lower_fit.c */
/* links: agent/base/err.c */
/*
 * One netlink message as the kernel sends it: a link, an address, the id of a namespace or an ack;
 * then a plan against that link.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/link_plan.h"
#include "netlink/link_state.h"
#include "netlink/netns_msg.h"
#include "netlink/nl_ack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void plan(const struct link_state *link)
{
	const struct link_spec spec = {
		.name = "m0", .set = "s", .lower = "m0", .mac = { 2, 0, 0, 0, 0, 1 }, .group = 1
	};
	struct link_table table = { 0 };
	struct link_plan_input input = { .specs = &spec, .n_specs = 1, .table = &table };
	struct link_plan made;

	input.group = link->group;
	if (link_table_add(&table, link) == 0 && link_table_index(&table) == 0 &&
	    link_plan_make(&input, &made) == 0)
		link_plan_done(&made);
	link_table_done(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *msg;
	struct link_lists room;
	struct link_state link;
	struct link_addr addr;
	struct nl_ack ack;
	struct link_stats stats;
	uint32_t ifindex;
	int32_t nsid;

	if (size < sizeof(*msg) || size > UINT16_MAX)
		return 0;
	msg = malloc(size);
	if (!msg)
		return 0;
	memcpy(msg, data, size);
	/* The channel hands over only messages of which every byte is there. */
	msg->nlmsg_len = (uint32_t)size;
	if (link_state_parse(msg, &room, &link) == 0)
		plan(&link);
	msg->nlmsg_type = RTM_NEWSTATS;
	link_stats_parse(msg, &ifindex, &stats);
	msg->nlmsg_type = RTM_NEWADDR;
	link_addr_parse(msg, &addr);
	msg->nlmsg_type = RTM_NEWNSID;
	netns_id_parse(msg, &nsid);
	msg->nlmsg_type = NLMSG_ERROR;
	nl_ack_parse(msg, &ack);
	free(msg);
	return 0;
}
