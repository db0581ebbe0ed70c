/* links: netlink/bridge_port.c netlink/link_table.c agent/base/link_types.c */
#include "netlink/bridge_port.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>

#define GROUP 7477

/*
 * eno1 (2) is a veth whose other end is peer1 (3), a bridge port; eno2 (4) is a NIC; sw1 (5) a
 * port.
 */
static struct link_table table;

static struct link_state peer1(bool hairpin, const char *altname)
{
	static struct link_lists lists;
	struct link_state link = {
		.ifindex = 3,
		.name = "peer1",
		.kind_text = "veth",
		.lower = 2,
		.is_bridge_port = true,
		.hairpin = hairpin,
		.lists = &lists,
	};

	lists = (struct link_lists){ .altnames_more = false };
	snprintf(lists.altnames, sizeof(lists.altnames), "%s", altname);
	return link;
}

static void fill(const struct link_state *peer)
{
	const struct link_state others[] = {
		{ .ifindex = 2, .name = "eno1", .kind_text = "veth", .lower = 3 },
		{ .ifindex = 4, .name = "eno2" },
		{ .ifindex = 5, .name = "sw1", .is_bridge_port = true },
	};

	link_table_reset(&table);
	assert_int_equal(link_table_add(&table, peer), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(link_table_add(&table, &others[i]), 0);
	assert_int_equal(link_table_index(&table), 0);
}

static struct link_spec wish(const char *lower, enum link_hairpin hairpin, const char *port)
{
	struct link_spec spec = { .name = "web1", .set = "web", .hairpin = hairpin };

	snprintf(spec.lower, sizeof(spec.lower), "%s", lower);
	snprintf(spec.hairpin_port, sizeof(spec.hairpin_port), "%s", port);
	return spec;
}

/* All steps as text: "OP NAME REASON; ...". */
static void assert_plan(const struct link_spec *specs, size_t n, bool remove, const char *expected)
{
	struct port_plan plan;
	char text[1024] = "";

	assert_int_equal(port_plan_make(specs, n, &table, GROUP, remove, &plan), 0);
	for (size_t i = 0; i < plan.n; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s %s %s", i ? "; " : "",
			 port_op_names[plan.steps[i].op], plan.steps[i].name, plan.steps[i].reason);
	}
	assert_string_equal(text, expected);
	assert_int_equal(plan.count[0] + plan.count[1] + plan.count[2], plan.n);
	port_plan_done(&plan);
}

#define WAS_OFF "tapwarden-7477-hairpin-was-off-3"
#define WAS_ON	"tapwarden-7477-hairpin-was-on-3"

static void one_port(void **state)
{
	static const struct {
		bool hairpin;
		const char *altname;
		enum link_hairpin wanted;
		const char *expected, *removed;
	} cases[] = {
		{ false, "", LINK_HAIRPIN_KEEP, "", "" },
		{ true, "", LINK_HAIRPIN_KEEP, "", "" },
		{ false, "", LINK_HAIRPIN_ON, "set peer1 hairpin off -> on, for set web", "" },
		{ true, "", LINK_HAIRPIN_ON, "", "" },
		{ true, "", LINK_HAIRPIN_OFF, "set peer1 hairpin on -> off, for set web", "" },
		{ false, "", LINK_HAIRPIN_OFF, "", "" },
		/* Ours, and as wanted. */
		{ true, WAS_OFF, LINK_HAIRPIN_ON, "",
		  "restore peer1 hairpin on -> off, as before" },
		{ false, WAS_ON, LINK_HAIRPIN_OFF, "",
		  "restore peer1 hairpin off -> on, as before" },
		/* The agent died between mark and change; or somebody changed it. */
		{ false, WAS_OFF, LINK_HAIRPIN_ON, "set peer1 hairpin off -> on, for set web",
		  "restore peer1 hairpin is off as before: the mark of ours goes" },
		/* Another wish than before. */
		{ true, WAS_OFF, LINK_HAIRPIN_OFF, "restore peer1 hairpin on -> off, for set web",
		  "restore peer1 hairpin on -> off, as before" },
		{ true, WAS_OFF, LINK_HAIRPIN_KEEP, "restore peer1 hairpin on -> off, as before",
		  "restore peer1 hairpin on -> off, as before" },
		/* It was moved here from another namespace, where it had another index. */
		{ true, "tapwarden-7477-hairpin-was-off-99", LINK_HAIRPIN_KEEP,
		  "restore peer1 hairpin on -> off, as before",
		  "restore peer1 hairpin on -> off, as before" },
		/* Another configuration's, or no mark. */
		{ true, "tapwarden-747-hairpin-was-off-3", LINK_HAIRPIN_KEEP, "", "" },
		{ true, "tapwarden-7477-hairpin-was-of", LINK_HAIRPIN_KEEP, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct link_state peer = peer1(cases[i].hairpin, cases[i].altname);
		struct link_spec specs[2] = { wish("eno1", cases[i].wanted, ""),
					      wish("eno1", cases[i].wanted, "") };

		print_message("# %zu\n", i);
		fill(&peer);
		assert_plan(specs, 2, false, cases[i].expected);
		assert_plan(specs, 2, true, cases[i].removed);
		assert_plan(NULL, 0, false, cases[i].removed);
	}
}

static void where_the_port_is(void **state)
{
	static const struct {
		const char *lower, *named, *expected;
	} cases[] = {
		{ "eno2", "",
		  "blocked eno2 hairpin cannot be set: the bridge port that eno2 is "
		  "plugged into is not to be seen from here: hairpin-port would name it" },
		{ "eno9", "",
		  "blocked eno9 hairpin cannot be set: the bridge port that eno9 is "
		  "plugged into is not to be seen from here: hairpin-port would name it" },
		{ "eno2", "sw1", "set sw1 hairpin off -> on, for set web" },
		{ "eno1", "sw1", "set sw1 hairpin off -> on, for set web" },
		{ "eno2", "sw9",
		  "blocked sw9 hairpin cannot be set: there is no sw9: waiting for it" },
		{ "eno2", "eno2",
		  "blocked eno2 hairpin cannot be set: eno2 is no port of a bridge" },
	};
	struct link_state peer = peer1(false, "");

	(void)state;
	fill(&peer);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_spec spec = wish(cases[i].lower, LINK_HAIRPIN_ON, cases[i].named);

		assert_plan(&spec, 1, false, cases[i].expected);
	}
}

static void what_is_no_port_any_more_loses_the_mark(void **state)
{
	struct link_state peer = peer1(false, WAS_OFF);

	(void)state;
	peer.is_bridge_port = false;
	fill(&peer);
	assert_plan(NULL, 0, false, "restore peer1 no bridge port any more: the mark of ours goes");
}

static void a_port_that_cannot_be_marked_is_left_alone(void **state)
{
	struct link_state peer = peer1(false, "x");
	struct link_spec spec = wish("eno1", LINK_HAIRPIN_ON, "");

	(void)state;
	peer.lists->altnames_more = true;
	fill(&peer);
	assert_plan(&spec, 1, false,
		    "blocked peer1 hairpin cannot be set: it has too many altnames to be marked");
}

static void marks(void **state)
{
	const struct link_state peer = peer1(false, "");
	char mark[ALTNAME_SIZE];

	(void)state;
	port_mark(mark, GROUP, &peer, false);
	assert_string_equal(mark, WAS_OFF);
	assert_true(port_is_mark(mark, GROUP));
	assert_false(port_is_mark(mark, 747));
}

static void the_message(void **state)
{
	struct link_msg msg;
	struct nlattr *attr;

	(void)state;
	link_msg_set_hairpin(&msg, 3, true);
	assert_int_equal(msg.header.nlmsg_type, RTM_SETLINK);
	assert_int_equal(((struct ifinfomsg *)mnl_nlmsg_get_payload(&msg.header))->ifi_family,
			 AF_BRIDGE);
	attr = mnl_nlmsg_get_payload_offset(&msg.header, sizeof(struct ifinfomsg));
	assert_int_equal(mnl_attr_get_type(attr), IFLA_PROTINFO);
	attr = mnl_attr_get_payload(attr);
	assert_int_equal(mnl_attr_get_type(attr), IFLA_BRPORT_MODE);
	assert_int_equal(mnl_attr_get_u8(attr), 1);
}

static int teardown(void **state)
{
	(void)state;
	link_table_done(&table);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_port),
		cmocka_unit_test(where_the_port_is),
		cmocka_unit_test(what_is_no_port_any_more_loses_the_mark),
		cmocka_unit_test(a_port_that_cannot_be_marked_is_left_alone),
		cmocka_unit_test(marks),
		cmocka_unit_test(the_message),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, teardown);
}
