/* links: netlink/link_addr.c */
#include "netlink/link_addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>

static const struct cidr v4 = { .family = AF_INET, .prefix = 24, .address = { 192, 0, 2, 1 } };
static const struct cidr v6 = { .family = AF_INET6,
				.prefix = 64,
				.address = { 0x20, 1, 0xd, 0xb8 } };

static void what_is_added_reads_back_as_ours(void **state)
{
	const struct cidr *cases[] = { &v4, &v6 };
	struct link_addr addr;
	struct link_msg msg;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(link_msg_add_addr(&msg, 9, cases[i]), 0);
		assert_int_equal(msg.header.nlmsg_flags,
				 NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
		assert_int_equal(link_addr_parse(&msg.header, &addr), 0);
		assert_int_equal(addr.ifindex, 9);
		assert_true(addr.is_ours);
		assert_memory_equal(&addr.cidr, cases[i], sizeof(addr.cidr));

		assert_int_equal(link_msg_delete_addr(&msg, 9, cases[i]), 0);
		assert_int_equal(msg.header.nlmsg_type, RTM_DELADDR);
		assert_int_equal(link_addr_parse(&msg.header, &addr), -EINVAL);
		msg.header.nlmsg_type = RTM_NEWADDR;
		assert_int_equal(link_addr_parse(&msg.header, &addr), 0);
		assert_false(addr.is_ours);
	}
}

/* On a point-to-point link IFA_ADDRESS is the other end's, whichever comes first. */
static void the_local_address_is_taken(void **state)
{
	static const uint8_t other[4] = { 192, 0, 2, 99 };
	struct link_addr addr;
	struct link_msg msg;

	(void)state;
	for (int first = 0; first < 2; first++) {
		link_msg_add_addr(&msg, 9, &v4);
		msg.header.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg));
		if (first)
			mnl_attr_put(&msg.header, IFA_ADDRESS, 4, other);
		mnl_attr_put(&msg.header, IFA_LOCAL, 4, v4.address);
		if (!first)
			mnl_attr_put(&msg.header, IFA_ADDRESS, 4, other);
		assert_int_equal(link_addr_parse(&msg.header, &addr), 0);
		assert_memory_equal(&addr.cidr, &v4, sizeof(v4));
	}
}

/* Each byte less, in memory that ends there. */
static void cut_messages_are_refused(void **state)
{
	struct link_addr addr = { .ifindex = 77 };
	struct link_msg msg;

	(void)state;
	link_msg_add_addr(&msg, 9, &v6);
	for (uint32_t len = sizeof(msg.header); len < msg.header.nlmsg_len; len++) {
		struct nlmsghdr *cut = malloc(len);

		assert_non_null(cut);
		memcpy(cut, &msg, len);
		cut->nlmsg_len = len;
		/* Only a cut between two attributes leaves a message that is whole. */
		if (link_addr_parse(cut, &addr) == 0)
			assert_true(len % 4 == 0 || len > msg.header.nlmsg_len - 4);
		free(cut);
	}
	link_msg_add_addr(&msg, 9, &v4);
	((struct ifaddrmsg *)mnl_nlmsg_get_payload(&msg.header))->ifa_family = AF_INET6;
	assert_int_equal(link_addr_parse(&msg.header, &addr), -EBADMSG);
	((struct ifaddrmsg *)mnl_nlmsg_get_payload(&msg.header))->ifa_family = AF_PACKET;
	assert_int_equal(link_addr_parse(&msg.header, &addr), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_reads_back_as_ours),
		cmocka_unit_test(the_local_address_is_taken),
		cmocka_unit_test(cut_messages_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
