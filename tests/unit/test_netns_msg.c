/* links: netlink/netns_msg.c */
#include "netlink/netns_msg.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>

static void the_question(void **state)
{
	struct link_msg msg;
	int32_t id = 77;

	(void)state;
	netns_msg_get_id(&msg, 9);
	assert_int_equal(msg.header.nlmsg_type, RTM_GETNSID);
	/* It carries an fd and no id. */
	assert_int_equal(netns_id_parse(&msg.header, &id), -EBADMSG);
	netns_msg_new_id(&msg, 9);
	assert_int_equal(msg.header.nlmsg_type, RTM_NEWNSID);
	assert_int_equal(netns_id_parse(&msg.header, &id), 0);
	assert_int_equal(id, NETNSA_NSID_NOT_ASSIGNED);
}

static void answers_that_are_wrong(void **state)
{
	struct link_msg msg;
	int32_t id = 77;

	(void)state;
	netns_msg_get_id(&msg, 9);
	mnl_attr_put_u16(&msg.header, NETNSA_NSID, 5);
	assert_int_equal(netns_id_parse(&msg.header, &id), -EBADMSG);
	netns_msg_new_id(&msg, 9);
	msg.header.nlmsg_len -= 1;
	assert_int_equal(netns_id_parse(&msg.header, &id), -EBADMSG);
	msg.header.nlmsg_len = sizeof(msg.header) + 1;
	assert_int_equal(netns_id_parse(&msg.header, &id), -EBADMSG);
	assert_int_equal(id, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_question),
		cmocka_unit_test(answers_that_are_wrong),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
