/* links: netlink/link_msg.c netlink/link_kind.c netlink/link_spec.c netlink/link_state.c */
/* links: netlink/nl_ack.c netlink/link_table.c agent/base/link_types.c agent/base/parse.c */
/* links: agent/base/err.c */
#include "netlink/link_msg.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>

#include "netlink/link_kind.h"
#include "netlink/link_state.h"
#include "netlink/nl_ack.h"

static const struct link_spec web01 = {
	.name = "web01",
	.set = "web",
	.kind = LINK_KIND_MACVTAP,
	.mode = LINK_MODE_PRIVATE,
	.lower = "eno1",
	.mac = { 0x52, 0x54, 0x00, 0x00, 0x00, 0x01 },
	.mtu = 1400,
	.group = 0x7477,
	.up = true,
};

static struct link_lists room;

/* A message as the kernel sends it: the same attributes, with an ifindex. */
static void as_from_kernel(struct link_msg *msg, int ifindex)
{
	struct ifinfomsg *info = mnl_nlmsg_get_payload(&msg->header);

	info->ifi_index = ifindex;
}

static void create_reads_back(void **state)
{
	struct link_state link;
	struct link_msg msg;

	(void)state;
	for (size_t kind = 0; kind < LINK_KINDS; kind++) {
		for (size_t mode = 0; mode < LINK_MODES; mode++) {
			struct link_spec spec = web01;

			spec.kind = (enum link_kind)kind;
			spec.mode = (enum link_mode)mode;
			assert_int_equal(link_msg_create(&msg, &spec, 7), 0);
			as_from_kernel(&msg, 9);
			assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
			assert_string_equal(link.name, "web01");
			assert_string_equal(link.kind_text, link_kind_names[kind]);
			assert_true(link.is_macvlan);
			assert_int_equal(link.kind, kind);
			assert_string_equal(link_mode_kernel_name(link.macvlan_mode),
					    link_mode_names[mode]);
			assert_int_equal(link.ifindex, 9);
			assert_int_equal(link.lower, 7);
			assert_false(link.lower_elsewhere);
			assert_memory_equal(link.mac, spec.mac, MAC_LEN);
			assert_int_equal(link.mtu, 1400);
			assert_int_equal(link.group, 0x7477);
			assert_int_equal(link.flags & IFF_UP, 0);
		}
	}
}

static void create_is_exclusive(void **state)
{
	const unsigned int flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL |
				   NLM_F_ECHO;
	struct link_msg msg;

	(void)state;
	assert_int_equal(link_msg_create(&msg, &web01, 7), 0);
	assert_int_equal(msg.header.nlmsg_type, RTM_NEWLINK);
	assert_int_equal(msg.header.nlmsg_flags, flags);
}

static void mtu_0_is_left_alone(void **state)
{
	struct link_spec spec = web01;
	struct link_state link;
	struct link_msg msg;

	(void)state;
	spec.mtu = 0;
	assert_int_equal(link_msg_create(&msg, &spec, 7), 0);
	as_from_kernel(&msg, 9);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.mtu, 0);
}

static void setters_read_back(void **state)
{
	struct link_state link;
	struct link_msg msg;

	(void)state;
	assert_int_equal(link_msg_set_alias(&msg, 9, "tapwarden/web/web01"), 0);
	assert_int_equal(msg.header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.ifindex, 9);
	assert_string_equal(link.alias, "tapwarden/web/web01");

	assert_int_equal(link_msg_set_group(&msg, 9, 5), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.group, 5);

	assert_int_equal(link_msg_set_mac(&msg, 9, web01.mac), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_memory_equal(link.mac, web01.mac, MAC_LEN);

	assert_int_equal(link_msg_set_mtu(&msg, 9, 1280), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.mtu, 1280);

	assert_int_equal(link_msg_set_txqueuelen(&msg, 9, 77), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.txqueuelen, 77);

	assert_int_equal(link_msg_set_flags(&msg, 9, IFF_UP | IFF_ALLMULTI, IFF_UP), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.flags, IFF_UP);
}

static void data_reads_back_in_parts(void **state)
{
	struct link_spec spec = web01;
	struct link_state link;
	struct link_msg msg;

	(void)state;
	spec.flags = 1u << LINK_FLAG_NODST;
	spec.bcqueuelen = 33;
	spec.bccutoff = (struct link_cutoff){ .set = true, .value = LINK_CUTOFF_OFF };
	assert_int_equal(link_msg_set_data(&msg, 9, &spec, LINK_DATA_MODE), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.macvlan_mode, MACVLAN_MODE_PRIVATE);
	assert_int_equal(link.macvlan_flags, MACVLAN_FLAG_NODST);
	assert_int_equal(link.bcqueuelen, 0);
	assert_int_equal(link.bccutoff, LINK_CUTOFF_DEFAULT);

	assert_int_equal(link_msg_set_data(&msg, 9, &spec, LINK_DATA_BCQUEUELEN), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.macvlan_mode, 0);
	assert_int_equal(link.bcqueuelen, 33);
	assert_int_equal(link.bccutoff, LINK_CUTOFF_DEFAULT);

	assert_int_equal(link_msg_set_data(&msg, 9, &spec, LINK_DATA_BCCUTOFF), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.bcqueuelen, 0);
	assert_int_equal(link.bccutoff, -1);

	/* All at once in a create; the flags are sent also when there is none of them. */
	spec.txqueuelen = 9;
	assert_int_equal(link_msg_create(&msg, &spec, 7), 0);
	as_from_kernel(&msg, 9);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_int_equal(link.txqueuelen, 9);
	assert_int_equal(link.macvlan_flags, MACVLAN_FLAG_NODST);
	assert_int_equal(link.bcqueuelen, 33);
	assert_int_equal(link.bccutoff, -1);
	assert_int_equal(link_msg_set_data(&msg, 9, &web01, LINK_DATA_MODE), 0);
	assert_non_null(memmem(msg.bytes, msg.header.nlmsg_len, "\6\0\2\0\0\0", 6));
}

/* Each attribute of IFLA_INFO_DATA with one byte too few. */
static void data_of_wrong_size_is_refused(void **state)
{
	static const struct {
		uint16_t type;
		size_t len;
	} bad[] = { { IFLA_MACVLAN_MODE, 3 },
		    { IFLA_MACVLAN_FLAGS, 1 },
		    { IFLA_MACVLAN_BC_QUEUE_LEN, 3 },
		    { 9, 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct nlattr *info, *data;
		struct link_state link;
		struct link_msg msg;

		for (size_t len = bad[i].len; len < bad[i].len + 3; len++) {
			assert_int_equal(link_msg_set_flags(&msg, 9, 0, 0), 0);
			info = mnl_attr_nest_start(&msg.header, IFLA_LINKINFO);
			mnl_attr_put_strz(&msg.header, IFLA_INFO_KIND, "macvtap");
			data = mnl_attr_nest_start(&msg.header, IFLA_INFO_DATA);
			mnl_attr_put(&msg.header, bad[i].type, len, "abcdefgh");
			mnl_attr_nest_end(&msg.header, data);
			mnl_attr_nest_end(&msg.header, info);
			assert_int_equal(link_state_parse(&msg.header, &room, &link),
					 len == bad[i].len + 1 ? 0 : -EBADMSG);
		}
	}
}

/* As the kernel tells `n` MACs, 02:00:00:00:00:00 and up, the last of them of `last` bytes. */
static void put_source_list(struct link_msg *msg, size_t n, size_t last)
{
	struct nlattr *info, *data, *list;
	uint8_t mac[2 * MAC_LEN] = { 2 };

	assert_int_equal(link_msg_set_flags(msg, 9, 0, 0), 0);
	info = mnl_attr_nest_start(&msg->header, IFLA_LINKINFO);
	mnl_attr_put_strz(&msg->header, IFLA_INFO_KIND, "macvlan");
	data = mnl_attr_nest_start(&msg->header, IFLA_INFO_DATA);
	mnl_attr_put_u32(&msg->header, IFLA_MACVLAN_MACADDR_COUNT, (uint32_t)n);
	list = mnl_attr_nest_start(&msg->header, IFLA_MACVLAN_MACADDR_DATA);
	for (size_t i = 0; i < n; i++) {
		mac[5] = (uint8_t)i;
		mnl_attr_put(&msg->header, IFLA_MACVLAN_MACADDR, i + 1 < n ? MAC_LEN : last, mac);
	}
	mnl_attr_nest_end(&msg->header, list);
	mnl_attr_nest_end(&msg->header, data);
	mnl_attr_nest_end(&msg->header, info);
}

static void sources_are_read(void **state)
{
	union {
		struct link_msg msg;
		unsigned char bytes[4 * LINK_MSG_SIZE];
	} big;
	struct link_state link;

	(void)state;
	for (size_t n = 0; n < LINK_SOURCES_MAX + 3; n++) {
		put_source_list(&big.msg, n, MAC_LEN);
		assert_int_equal(link_state_parse(&big.msg.header, &room, &link), 0);
		assert_int_equal(link_state_lists(&link)->sources.n,
				 n < LINK_SOURCES_MAX ? n : LINK_SOURCES_MAX);
		assert_int_equal(link_state_lists(&link)->sources.more, n > LINK_SOURCES_MAX);
		for (uint32_t i = 0; i < link_state_lists(&link)->sources.n; i++)
			assert_int_equal(link_state_lists(&link)->sources.macs[i][5], i);
		put_source_list(&big.msg, n, n ? MAC_LEN - 1 : MAC_LEN);
		assert_int_equal(link_state_parse(&big.msg.header, &room, &link), n ? -EBADMSG : 0);
	}
	put_source_list(&big.msg, 1, MAC_LEN + 1);
	assert_int_equal(link_state_parse(&big.msg.header, &room, &link), -EBADMSG);
}

/* The attributes of one kind in the request's IFLA_INFO_DATA, header and all. */
static void sources_are_set_one_by_one(void **state)
{
	static const char add[] = "\x08\0\x03\0\0\0\0\0\x0a\0\x04\0\x52\x54\0\0\0\x01";
	static const char delete[] = "\x08\0\x03\0\x01\0\0\0\x0a\0\x04\0\x52\x54\0\0\0\x01";
	static const char flush[] = "\x08\0\x03\0\x02\0\0\0";
	struct link_msg msg;

	(void)state;
	assert_int_equal(link_msg_add_source(&msg, 9, LINK_KIND_MACVTAP, web01.mac), 0);
	assert_non_null(memmem(msg.bytes, msg.header.nlmsg_len, add, sizeof(add) - 1));
	assert_int_equal(link_msg_delete_source(&msg, 9, LINK_KIND_MACVTAP, web01.mac), 0);
	assert_non_null(memmem(msg.bytes, msg.header.nlmsg_len, delete, sizeof(delete) - 1));
	assert_int_equal(link_msg_flush_sources(&msg, 9, LINK_KIND_MACVTAP), 0);
	assert_non_null(memmem(msg.bytes, msg.header.nlmsg_len, flush, sizeof(flush) - 1));
	assert_null(memmem(msg.bytes, msg.header.nlmsg_len, "\x0a\0\x04\0", 4));
}

static void altnames_are_read(void **state)
{
	char name[ALTNAME_SIZE + 1];
	union {
		struct link_msg msg;
		unsigned char bytes[4 * LINK_MSG_SIZE];
	} big;
	struct link_state link;
	struct nlattr *list;

	(void)state;
	assert_int_equal(link_msg_add_altname(&big.msg, 9, "shop"), 0);
	assert_int_equal(big.msg.header.nlmsg_type, RTM_NEWLINKPROP);
	assert_int_equal(big.msg.header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	big.msg.header.nlmsg_type = RTM_NEWLINK;
	assert_int_equal(link_state_parse(&big.msg.header, &room, &link), 0);
	assert_true(link_state_has_altname(&link, "shop"));
	assert_false(link_state_has_altname(&link, "sho"));
	assert_false(link_state_has_altname(&link, "shops"));
	assert_false(link_state_has_altname(&link, ""));

	/* As many of the longest as there is room for, and one more. */
	for (size_t n = 1; n <= LINK_ALTNAMES_MAX + 1; n++) {
		assert_int_equal(link_msg_set_flags(&big.msg, 9, 0, 0), 0);
		list = mnl_attr_nest_start(&big.msg.header, IFLA_PROP_LIST);
		memset(name, 'x', sizeof(name));
		name[ALTNAME_SIZE - 1] = '\0';
		for (size_t i = 0; i < n; i++) {
			name[0] = (char)('a' + i);
			mnl_attr_put_strz(&big.msg.header, IFLA_ALT_IFNAME, name);
		}
		mnl_attr_nest_end(&big.msg.header, list);
		assert_int_equal(link_state_parse(&big.msg.header, &room, &link), 0);
		assert_int_equal(link_state_has_altname(&link, name), n <= LINK_ALTNAMES_MAX);
		assert_int_equal(link_state_lists(&link)->altnames_more, n > LINK_ALTNAMES_MAX);
		name[0] = 'a';
		assert_true(link_state_has_altname(&link, name));
	}

	/* Longer than the kernel's longest. */
	assert_int_equal(link_msg_set_flags(&big.msg, 9, 0, 0), 0);
	list = mnl_attr_nest_start(&big.msg.header, IFLA_PROP_LIST);
	mnl_attr_put(&big.msg.header, IFLA_ALT_IFNAME, sizeof(name),
		     memset(name, 'x', sizeof(name)));
	mnl_attr_nest_end(&big.msg.header, list);
	assert_int_equal(link_state_parse(&big.msg.header, &room, &link), -EBADMSG);
}

static void too_long_is_refused(void **state)
{
	char alias[LINK_MSG_SIZE];
	struct link_msg msg;

	(void)state;
	memset(alias, 'a', sizeof(alias) - 1);
	alias[sizeof(alias) - 1] = '\0';
	assert_int_equal(link_msg_set_alias(&msg, 9, alias), -EMSGSIZE);
}

/* A device that is a port of a bridge or of something else, as the kernel tells of it. */
static void put_port(struct nlmsghdr *h, const char *slave_kind, uint8_t hairpin)
{
	struct ifinfomsg *info;
	struct nlattr *linkinfo, *data;

	mnl_nlmsg_put_header(h);
	h->nlmsg_type = RTM_NEWLINK;
	info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->ifi_index = 9;
	linkinfo = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	mnl_attr_put_strz(h, IFLA_INFO_SLAVE_KIND, slave_kind);
	data = mnl_attr_nest_start(h, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(h, IFLA_BRPORT_STATE, 3);
	mnl_attr_put_u8(h, IFLA_BRPORT_MODE, hairpin);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, linkinfo);
}

static void hairpin_of_a_port(void **state)
{
	struct link_state link;
	struct link_msg msg;

	(void)state;
	put_port(&msg.header, "bridge", 1);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_true(link.is_bridge_port);
	assert_true(link.hairpin);

	put_port(&msg.header, "bridge", 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_true(link.is_bridge_port);
	assert_false(link.hairpin);

	put_port(&msg.header, "bond", 1);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_false(link.is_bridge_port);
	assert_false(link.hairpin);
}

/* In memory of exactly that size, so that the sanitizer sees a read past it. */
static int parse_cut(const struct nlmsghdr *whole, size_t len, struct link_state *ret)
{
	struct nlmsghdr *cut = malloc(len);
	int code;

	assert_non_null(cut);
	memcpy(cut, whole, len);
	cut->nlmsg_len = (uint32_t)len;
	code = link_state_parse(cut, &room, ret);
	free(cut);
	return code;
}

static void cut_anywhere(void **state)
{
	struct link_state link, untouched;
	struct link_msg msg;
	size_t good = 0, len;

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	assert_int_equal(link_msg_create(&msg, &web01, 7), 0);
	as_from_kernel(&msg, 9);
	for (len = sizeof(msg.header); len < msg.header.nlmsg_len; len++) {
		link = untouched;
		if (parse_cut(&msg.header, len, &link) == 0)
			good++;
		else
			assert_memory_equal(&link, &untouched, sizeof(link));
	}
	/* Between attributes a cut leaves a whole message: the header and five of the six. */
	assert_in_range(good, 6, 6 + 2 * 3);
}

/* IFLA_AF_SPEC as the kernel sends it: IPv4 first, and of IPv6 other attributes, too. */
static void put_af_spec(struct link_msg *msg, size_t n_sysctls, int32_t disable_ipv6)
{
	int32_t sysctls[DEVCONF_MAX] = { 0 };
	struct nlattr *spec, *family;

	sysctls[DEVCONF_DISABLE_IPV6] = disable_ipv6;
	assert_int_equal(link_msg_set_flags(msg, 9, 0, 0), 0);
	spec = mnl_attr_nest_start(&msg->header, IFLA_AF_SPEC);
	family = mnl_attr_nest_start(&msg->header, AF_INET);
	mnl_attr_put(&msg->header, IFLA_INET6_CONF, 4, sysctls);
	mnl_attr_nest_end(&msg->header, family);
	family = mnl_attr_nest_start(&msg->header, AF_INET6);
	mnl_attr_put_u32(&msg->header, IFLA_INET6_FLAGS, 0x80000000u);
	mnl_attr_put(&msg->header, IFLA_INET6_CONF, n_sysctls * sizeof(sysctls[0]), sysctls);
	mnl_attr_put_u8(&msg->header, IFLA_INET6_ADDR_GEN_MODE, 0);
	mnl_attr_nest_end(&msg->header, family);
	mnl_attr_nest_end(&msg->header, spec);
}

static void ipv6_of_the_host(void **state)
{
	static const struct {
		int32_t disable_ipv6;
		bool expected;
	} cases[] = { { 0, true }, { 1, false }, { 2, false }, { -1, false } };
	struct link_state link;
	struct link_msg msg;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Older kernels know fewer sysctls; that one is old. */
		for (size_t n = DEVCONF_DISABLE_IPV6 + 1; n <= DEVCONF_MAX; n++) {
			put_af_spec(&msg, n, cases[i].disable_ipv6);
			assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
			assert_int_equal(link.host_ipv6, cases[i].expected);
		}
	}
	put_af_spec(&msg, DEVCONF_DISABLE_IPV6, 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), -EBADMSG);

	/* Without IPv6 the kernel leaves AF_INET6 out. */
	assert_int_equal(link_msg_create(&msg, &web01, 7), 0);
	as_from_kernel(&msg, 9);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_false(link.host_ipv6);
}

/* Every length inside IFLA_AF_SPEC that claims more than there is. */
static void af_spec_that_lies(void **state)
{
	const size_t spec = sizeof(struct nlmsghdr) + sizeof(struct ifinfomsg);
	/* the first family, its attribute, the second family, its first and second attribute */
	const size_t at[] = { spec + 4, spec + 8, spec + 16, spec + 20, spec + 28 };
	struct link_state link;
	struct link_msg msg;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (uint32_t value = 0; value < 4; value++) {
			struct nlattr *attr;

			put_af_spec(&msg, DEVCONF_MAX, 0);
			attr = (struct nlattr *)(void *)(msg.bytes + at[i]);
			attr->nla_len = (uint16_t)(value == 3 ? 0xffff : value);
			/* What is not IPv6 is not looked into. */
			assert_int_equal(parse_cut(&msg.header, msg.header.nlmsg_len, &link),
					 i == 1 ? 0 : -EBADMSG);
		}
	}
}

/* The lengths that attributes claim, each set to every small value and to the largest. */
static void lengths_that_lie(void **state)
{
	struct link_state link;
	struct link_msg msg;
	size_t first = sizeof(struct nlmsghdr) + sizeof(struct ifinfomsg);

	(void)state;
	for (uint32_t value = 0; value < 300; value++) {
		size_t at = first;

		assert_int_equal(link_msg_create(&msg, &web01, 7), 0);
		as_from_kernel(&msg, 9);
		while (at < msg.header.nlmsg_len) {
			struct link_msg bad = msg;
			struct nlattr *attr = (struct nlattr *)(void *)(bad.bytes + at);

			at += (attr->nla_len + 3u) & ~3u;
			attr->nla_len = (uint16_t)(value == 299 ? 0xffff : value);
			parse_cut(&bad.header, bad.header.nlmsg_len, &link);
		}
	}
}

/* What others call their links does not steer the terminal of whoever is told. */
static void texts_are_printable(void **state)
{
	struct link_state link;
	struct nlattr *nest;
	struct link_msg msg;

	(void)state;
	assert_int_equal(link_msg_set_flags(&msg, 9, 0, 0), 0);
	mnl_attr_put_strz(&msg.header, IFLA_IFNAME, "e\x1b[2J\x7f\xc2\x9b~");
	mnl_attr_put_strz(&msg.header, IFLA_IFALIAS, "of\n\xc3\xa9\r mine");
	nest = mnl_attr_nest_start(&msg.header, IFLA_PROP_LIST);
	mnl_attr_put_strz(&msg.header, IFLA_ALT_IFNAME, "\x1b]0;x\a");
	mnl_attr_nest_end(&msg.header, nest);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), 0);
	assert_string_equal(link.name, "e?[2J???~");
	assert_string_equal(link.alias, "of???? mine");
	assert_string_equal(link.lists->altnames, "?]0;x?");
}

static void wrong_sizes_are_refused(void **state)
{
	static const struct {
		uint16_t type;
		size_t len;
	} bad[] = {
		{ IFLA_MTU, 2 },     { IFLA_MTU, 8 },	    { IFLA_LINK, 0 },	 { IFLA_GROUP, 3 },
		{ IFLA_IFNAME, 16 }, { IFLA_IFALIAS, 256 }, { IFLA_STATS64, 8 },
	};
	char data[256];

	(void)state;
	memset(data, 'x', sizeof(data));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct link_state link;
		struct link_msg msg;

		assert_int_equal(link_msg_set_flags(&msg, 9, 0, 0), 0);
		mnl_attr_put(&msg.header, bad[i].type, bad[i].len, data);
		assert_int_equal(link_state_parse(&msg.header, &room, &link), -EBADMSG);
	}
}

/*
 * As if_nlmsg_stats_size() has it: the counters in an order of their own, behind a head of 12
 * bytes.
 */
static void counters_by_themselves(void **state)
{
	const struct rtnl_link_stats64 told = {
		.rx_packets = 1, .tx_packets = 2, .rx_bytes = 3, .tx_bytes = 4, .rx_dropped = 5
	};
	struct link_stats stats = { .tx_dropped = 77 };
	struct if_stats_msg *info;
	uint32_t ifindex = 0;
	struct link_msg msg;

	(void)state;
	memset(&msg, 0, sizeof(msg));
	mnl_nlmsg_put_header(&msg);
	msg.header.nlmsg_type = RTM_NEWSTATS;
	info = mnl_nlmsg_put_extra_header(&msg.header, sizeof(*info));
	info->ifindex = 9;
	for (size_t len = 0; len < offsetof(struct rtnl_link_stats64, multicast); len += 8) {
		struct link_msg cut = msg;

		mnl_attr_put(&cut.header, IFLA_STATS_LINK_64, len, &told);
		assert_int_equal(link_stats_parse(&cut.header, &ifindex, &stats), -EBADMSG);
	}
	mnl_attr_put(&msg.header, IFLA_STATS_LINK_64, sizeof(told), &told);
	for (uint32_t len = sizeof(msg.header); len < msg.header.nlmsg_len; len++) {
		struct link_msg cut = msg;

		cut.header.nlmsg_len = len;
		assert_int_equal(link_stats_parse(&cut.header, &ifindex, &stats),
				 len == sizeof(msg.header) + sizeof(*info) ? 0 : -EBADMSG);
	}
	assert_int_equal(link_stats_parse(&msg.header, &ifindex, &stats), 0);
	assert_int_equal(ifindex, 9);
	assert_int_equal(stats.rx_packets, 1);
	assert_int_equal(stats.tx_packets, 2);
	assert_int_equal(stats.rx_bytes, 3);
	assert_int_equal(stats.tx_bytes, 4);
	assert_int_equal(stats.tx_dropped, 0);
	msg.header.nlmsg_type = RTM_NEWLINK;
	assert_int_equal(link_stats_parse(&msg.header, &ifindex, &stats), -EINVAL);
}

static void other_messages_are_refused(void **state)
{
	struct link_state link;
	struct link_msg msg;

	(void)state;
	assert_int_equal(link_msg_delete(&msg, 9), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), -EINVAL);
	assert_int_equal(link_msg_set_mtu(&msg, 0, 1500), 0);
	assert_int_equal(link_state_parse(&msg.header, &room, &link), -EBADMSG);
}

/* An ack as netlink_ack() builds it. */
static void build_ack(struct link_msg *msg, int error, uint16_t flags, const char *text)
{
	struct nlmsgerr *answer;

	memset(msg, 0, sizeof(*msg));
	mnl_nlmsg_put_header(msg);
	msg->header.nlmsg_type = NLMSG_ERROR;
	msg->header.nlmsg_flags = flags;
	answer = mnl_nlmsg_put_extra_header(&msg->header, sizeof(*answer));
	answer->error = error;
	answer->msg.nlmsg_len = sizeof(answer->msg) + 20;
	if (!(flags & NLM_F_CAPPED))
		mnl_nlmsg_put_extra_header(&msg->header, 20);
	if (text)
		mnl_attr_put_strz(&msg->header, NLMSGERR_ATTR_MSG, text);
}

static void acks(void **state)
{
	struct link_msg msg;
	struct nl_ack ack;

	(void)state;
	build_ack(&msg, 0, NLM_F_CAPPED, NULL);
	assert_int_equal(nl_ack_parse(&msg.header, &ack), 0);
	assert_int_equal(ack.error, 0);
	assert_string_equal(ack.text, "");

	build_ack(&msg, -EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS, "mtu less than device minimum");
	assert_int_equal(nl_ack_parse(&msg.header, &ack), 0);
	assert_int_equal(ack.error, -EINVAL);
	assert_string_equal(ack.text, "mtu less than device minimum");

	build_ack(&msg, -EINVAL, NLM_F_ACK_TLVS, "with the \033[1mrequest");
	assert_int_equal(nl_ack_parse(&msg.header, &ack), 0);
	assert_string_equal(ack.text, "with the ?[1mrequest");

	build_ack(&msg, 17, NLM_F_CAPPED, NULL);
	assert_int_equal(nl_ack_parse(&msg.header, &ack), -EBADMSG);
	assert_int_equal(link_msg_delete(&msg, 1), 0);
	assert_int_equal(nl_ack_parse(&msg.header, &ack), -EINVAL);
}

static void acks_cut_anywhere(void **state)
{
	struct link_msg msg;
	size_t head = sizeof(struct nlmsghdr) + sizeof(struct nlmsgerr);

	(void)state;
	build_ack(&msg, -EBUSY, NLM_F_ACK_TLVS, "why");
	for (size_t len = sizeof(struct nlmsghdr); len < msg.header.nlmsg_len; len++) {
		struct nlmsghdr *cut = malloc(len);
		struct nl_ack ack;

		assert_non_null(cut);
		memcpy(cut, &msg, len);
		cut->nlmsg_len = (uint32_t)len;
		assert_int_equal(nl_ack_parse(cut, &ack), len < head ? -EBADMSG : 0);
		if (len >= head)
			assert_string_equal(ack.text, "");
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_reads_back),
		cmocka_unit_test(create_is_exclusive),
		cmocka_unit_test(mtu_0_is_left_alone),
		cmocka_unit_test(setters_read_back),
		cmocka_unit_test(data_reads_back_in_parts),
		cmocka_unit_test(data_of_wrong_size_is_refused),
		cmocka_unit_test(sources_are_read),
		cmocka_unit_test(sources_are_set_one_by_one),
		cmocka_unit_test(altnames_are_read),
		cmocka_unit_test(too_long_is_refused),
		cmocka_unit_test(hairpin_of_a_port),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(ipv6_of_the_host),
		cmocka_unit_test(af_spec_that_lies),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(wrong_sizes_are_refused),
		cmocka_unit_test(other_messages_are_refused),
		cmocka_unit_test(counters_by_themselves),
		cmocka_unit_test(texts_are_printable),
		cmocka_unit_test(acks),
		cmocka_unit_test(acks_cut_anywhere),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
