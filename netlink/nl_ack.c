#include "netlink/nl_ack.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "netlink/attr_list.h"

static void take_text(const struct nlattr *attr, struct nl_ack *ret)
{
	const char *s = mnl_attr_get_payload(attr);
	size_t len = strnlen(s, mnl_attr_get_payload_len(attr));

	if (len >= sizeof(ret->text))
		len = sizeof(ret->text) - 1;
	for (size_t i = 0; i < len; i++)
		ret->text[i] = (char)(s[i] >= ' ' && s[i] <= '~' ? s[i] : '?');
	ret->text[len] = '\0';
}

int nl_ack_parse(const struct nlmsghdr *msg, struct nl_ack *ret)
{
	const struct nlmsgerr *answer;
	const struct nlattr *attr;
	struct attr_list list;
	size_t used = sizeof(*msg) + sizeof(*answer);

	if (msg->nlmsg_type != NLMSG_ERROR)
		return -EINVAL;
	if (msg->nlmsg_len < used)
		return -EBADMSG;
	answer = mnl_nlmsg_get_payload(msg);
	/* The kernel's errno is negative already; anything else breaks the contract. */
	if (answer->error > 0 || answer->error < -4095)
		return -EBADMSG;
	*ret = (struct nl_ack){ .error = answer->error };

	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	/* The attributes come after the request, which is repeated unless capped: netlink_ack(). */
	if (!(msg->nlmsg_flags & NLM_F_CAPPED)) {
		if (answer->msg.nlmsg_len < sizeof(answer->msg))
			return 0;
		used += attr_align(answer->msg.nlmsg_len - sizeof(answer->msg));
	}
	if (used > msg->nlmsg_len)
		return 0;
	list = (struct attr_list){ .data = (const char *)msg + used,
				   .left = msg->nlmsg_len - used };
	while (attr_next(&list, &attr) > 0) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			take_text(attr, ret);
	}
	return 0;
}
