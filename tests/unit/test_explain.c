/* links: netlink/explain.c netlink/link_kind.c netlink/link_table.c netlink/lower_fit.c */
/* links: agent/base/link_types.c agent/base/parse.c agent/base/err.c */
#include "netlink/explain.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if_arp.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MAC(n)                           \
	{                                \
		0x52, 0x54, 0, 0, 0, (n) \
	}

#define MACVTAP(index, label, on, how, last)                                                     \
	{                                                                                        \
		.ifindex = (index), .name = (label), .kind_text = "macvtap", .is_macvlan = true, \
		.macvlan_mode = (how), .lower = (on), .mac = MAC(last), .mtu = 1500,             \
	}

static const struct link_state links[] = {
	{ .ifindex = 1, .name = "lo", .type = ARPHRD_ETHER, .mtu = 65536, .flags = IFF_LOOPBACK },
	{ .ifindex = 2, .name = "eno1", .type = ARPHRD_ETHER, .mtu = 1500, .mac = MAC(0xe1) },
	{ .ifindex = 3,
	  .name = "eno2",
	  .type = ARPHRD_ETHER,
	  .mtu = 1500,
	  .mac = MAC(0xe2),
	  .master = 5 },
	{ .ifindex = 4, .name = "eno3", .type = ARPHRD_ETHER, .mtu = 1500, .mac = MAC(0xe3) },
	{ .ifindex = 5, .name = "br0", .type = ARPHRD_ETHER, .kind_text = "bridge", .mtu = 1500 },
	{ .ifindex = 6, .name = "eno4", .type = ARPHRD_ETHER, .mtu = 1500, .mac = MAC(0xe4) },
	MACVTAP(10, "web01", 2, MACVLAN_MODE_BRIDGE, 1),
	MACVTAP(11, "web02", 2, MACVLAN_MODE_BRIDGE, 2),
	MACVTAP(12, "solo", 4, MACVLAN_MODE_PASSTHRU, 3),
	{ .ifindex = 13, .name = "iv0", .kind_text = "ipvlan", .lower = 6 },
	{ .ifindex = 14, .name = "other", .kind_text = "veth" },
	{ .ifindex = 15, .name = "tun0", .kind_text = "tun", .type = ARPHRD_NONE, .mtu = 1500 },
};

#define OWN_MAC	    ": each link on a device needs a MAC of its own"
#define OTHER_LOWER ": another lower device is needed"
#define OTHER_NAME  ": another name is needed"
#define LOWER_MTU   ": a smaller one is needed, or that of the device is to be raised first"

static const struct {
	const char *name, *lower;
	uint32_t lower_index;
	enum link_mode mode;
	unsigned char mac;
	uint32_t mtu;
	enum link_action action;
	int error;
	const char *kernel;
	const char *expected;
} cases[] = {
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 2, 0, LINK_ACTION_SET_UP, -EADDRINUSE, "",
	  "could not bring up web01: web02 on eno1 already has the MAC 52:54:00:00:00:02" OWN_MAC },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 0xe1, 0, LINK_ACTION_SET_MAC, -EADDRINUSE, "",
	  "could not set the MAC of web01: the lower device eno1 itself has the MAC "
	  "52:54:00:00:00:e1" OWN_MAC },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 0, LINK_ACTION_SET_UP, -EADDRINUSE, "",
	  "could not bring up web01: a link on eno1 in another network namespace has the MAC "
	  "52:54:00:00:00:01" OWN_MAC },
	{ "web03", "eno3", 4, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EINVAL, "",
	  "could not make web03: solo has eno3 for itself (mode passthru)" OTHER_LOWER },
	{ "web03", "eno1", 2, LINK_MODE_PASSTHRU, 7, 0, LINK_ACTION_CREATE, -EINVAL, "",
	  "could not make web03: a passthru link must be alone on eno1, and web01 is there too" OTHER_LOWER },
	{ "web03", "eno1", 2, LINK_MODE_BRIDGE, 7, 9000, LINK_ACTION_CREATE, -EINVAL, "",
	  "could not make web03: mtu 9000 is above that of the lower device eno1, which is 1500" LOWER_MTU },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 9000, LINK_ACTION_SET_MTU, -EINVAL, "",
	  "could not set the mtu of web01: mtu 9000 is above that of the lower device eno1, which "
	  "is 1500" LOWER_MTU },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 60, LINK_ACTION_SET_MTU, -EINVAL,
	  "mtu less than device minimum",
	  "could not set the mtu of web01: the kernel says \"mtu less than device minimum\": "
	  "Invalid argument" },
	{ "web03", "lo", 1, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EINVAL, "",
	  "could not make web03: the lower device lo is a loopback device, which carries no "
	  "macvtap links" OTHER_LOWER },
	{ "web03", "tun0", 15, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EINVAL, "",
	  "could not make web03: the lower device tun0 is no Ethernet device" OTHER_LOWER },
	{ "web03", "eno2", 3, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EBUSY, "",
	  "could not make web03: the lower device eno2 is a port of the bridge br0: br0 itself can "
	  "be the lower device" },
	{ "web03", "eno4", 6, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EBUSY, "",
	  "could not make web03: the ipvlan iv0 is on eno4, and excludes macvlan" OTHER_LOWER },
	{ "web03", "eno1", 2, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EBUSY, "",
	  "could not make web03: something else receives the frames of eno1" OTHER_LOWER },
	{ "other", "eno1", 2, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EEXIST, "",
	  "could not make other: another veth has that name" OTHER_NAME },
	{ "web03", "eno1", 2, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EEXIST, "",
	  "could not make web03: another link has that name as an altname" OTHER_NAME },
	{ "other", "eno1", 2, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_SET_NAME, -EEXIST, "",
	  "could not rename other: another veth has that name" OTHER_NAME },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 0, LINK_ACTION_SET_NAME, -EBUSY, "",
	  "could not rename web01: it is up, and Linux before 6.2 renames no link that is"
	  ": set it down to have its name back" },
	{ "web03", "eno9", 99, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -ENODEV, "",
	  "could not make web03: the lower device eno9 is gone"
	  ": it is made when the device is back" },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 0, LINK_ACTION_SET_ALIAS, -ENODEV, "",
	  "could not set the alias of web01: it went away meanwhile" },
	{ "web03", "eno1", 2, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EPERM, "",
	  "could not make web03: it takes CAP_NET_ADMIN in this network namespace (run as root)" },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 0, LINK_ACTION_SET_IPV6, -EROFS, "",
	  "could not turn off the host's IPv6 on web01: /proc/sys/net is mounted read-only" },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 0, LINK_ACTION_SET_NODE, -EXDEV, "",
	  "could not set owner and perms of the node of web01: another link's tap has its place in "
	  "/dev: left alone" },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 0, LINK_ACTION_SET_NODE, -ENXIO, "",
	  "could not set owner and perms of the node of web01: it is not in /dev" },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 0, LINK_ACTION_SET_NODE, -ESTALE, "",
	  "could not set owner and perms of the node of web01: /sys shows another network namespace" },
	{ "web01", "eno1", 2, LINK_MODE_BRIDGE, 1, 0, LINK_ACTION_SET_ARP, -ENODEV, "",
	  "could not turn off the host's ARP on web01: it went away meanwhile" },
	{ "web03", "eno1", 2, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EOPNOTSUPP,
	  "Unknown device type",
	  "could not make web03: this kernel has no macvtap links (module macvtap)" },
	{ "web03", "eno1", 2, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -EADDRNOTAVAIL, "",
	  "could not make web03: 52:54:00:00:00:07 is no unicast MAC"
	  ": mac = auto makes one" },
	{ "web03", "eno1", 2, LINK_MODE_BRIDGE, 7, 0, LINK_ACTION_CREATE, -ENOMEM, "",
	  "could not make web03: Cannot allocate memory" },
};

static void causes(void **state)
{
	struct link_table table = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		assert_int_equal(link_table_add(&table, &links[i]), 0);
	assert_int_equal(link_table_index(&table), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_spec spec = {
			.kind = LINK_KIND_MACVTAP,
			.mode = cases[i].mode,
			.mac = MAC(cases[i].mac),
			.mtu = cases[i].mtu,
		};
		const struct link_step step = { .spec = &spec, .lower = cases[i].lower_index };
		const struct explain_input input = {
			.step = &step,
			.action = cases[i].action,
			.error = cases[i].error,
			.kernel_text = cases[i].kernel,
			.table = &table,
		};
		struct err err;

		strcpy(spec.name, cases[i].name);
		strcpy(spec.lower, cases[i].lower);
		assert_int_equal(explain(&input, &err), cases[i].error);
		assert_string_equal(err.text, cases[i].expected);
	}
	link_table_done(&table);
}

/* A link that is to go has no spec. */
static void without_spec(void **state)
{
	const struct link_step step = { .op = LINK_OP_DELETE, .link = &links[6] };
	struct link_table table = { 0 };

	(void)state;
	assert_int_equal(link_table_index(&table), 0);
	for (size_t action = 0; action < LINK_ACTIONS; action++) {
		for (int error = 1; error < 134; error++) {
			const struct explain_input input = {
				.step = &step,
				.action = (enum link_action)action,
				.error = -error,
				.kernel_text = "",
				.table = &table,
			};
			struct err err;

			assert_int_equal(explain(&input, &err), -error);
			assert_non_null(strstr(err.text, "web01: "));
		}
	}
	link_table_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(causes),
		cmocka_unit_test(without_spec),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
