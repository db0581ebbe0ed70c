/* links: netlink/link_addr.c */
/* links: netlink/link_plan.c netlink/link_kind.c netlink/link_spec.c netlink/link_table.c */
/* links: netlink/link_compare.c netlink/link_steps.c netlink/link_marks.c netlink/lower_judge.c */
/* links: netlink/lower_fit.c */
/* links: agent/base/link_types.c agent/base/parse.c agent/base/err.c */
#include "netlink/link_plan.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "netlink/link_kind.h"
#include "netlink/link_marks.h"

#define GROUP 0x7477
#define MAC(n)                           \
	{                                \
		0x52, 0x54, 0, 0, 0, (n) \
	}

/* The kernel of these tests: eno1 (2), eno2 (3), and links that each case adds or changes. */
static struct link_table table;

static void add(const struct link_state *link)
{
	assert_int_equal(link_table_add(&table, link), 0);
	assert_int_equal(link_table_index(&table), 0);
}

static int setup(void **state)
{
	(void)state;
	link_table_reset(&table);
	add(&(struct link_state){ .ifindex = 2,
				  .name = "eno1",
				  .type = ARPHRD_ETHER,
				  .mtu = 1500,
				  .mac = MAC(0xe1) });
	add(&(struct link_state){ .ifindex = 3,
				  .name = "eno2",
				  .type = ARPHRD_ETHER,
				  .mtu = 1500,
				  .mac = MAC(0xe2) });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	link_table_done(&table);
	return 0;
}

static struct link_spec wanted(void)
{
	return (struct link_spec){
		.name = "web01",
		.set = "web",
		.kind = LINK_KIND_MACVTAP,
		.mode = LINK_MODE_BRIDGE,
		.lower = "eno1",
		.mac = MAC(1),
		.group = GROUP,
		.up = true,
	};
}

/* What the kernel has after wanted() was applied. */
static struct link_state made(void)
{
	return (struct link_state){
		.ifindex = 10,
		.name = "web01",
		.kind_text = "macvtap",
		.is_macvlan = true,
		.kind = LINK_KIND_MACVTAP,
		.macvlan_mode = MACVLAN_MODE_BRIDGE,
		.lower = 2,
		.mac = MAC(1),
		.mtu = 1500,
		.txqueuelen = 500,
		.bcqueuelen = 1000,
		.bccutoff = LINK_CUTOFF_DEFAULT,
		.flags = IFF_UP | IFF_NOARP,
		.group = GROUP,
		.alias = "tapwarden/web/web01",
	};
}

static bool qemu_holds(const struct link_state *link, char *who, size_t size, void *data)
{
	(void)data;
	snprintf(who, size, "qemu 4711");
	return link->ifindex == 10;
}

static bool must_not_be_asked(const struct link_state *link, char *who, size_t size, void *data)
{
	(void)data;
	(void)who;
	(void)size;
	fail_msg("asked whether %s is held", link->name);
	return true;
}

/* All steps as text: "OP NAME REASON; ...". */
static void assert_plan(const struct link_plan_input *input, const char *expected)
{
	struct link_plan plan;
	char text[4096] = "";
	size_t count = 0;

	assert_int_equal(link_plan_make(input, &plan), 0);
	for (size_t i = 0; i < plan.n; i++) {
		const struct link_step *step = &plan.steps[i];
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s %s %s", i ? "; " : "",
			 link_op_names[step->op], step->spec ? step->spec->name : step->link->name,
			 step->reason);
	}
	for (size_t op = 0; op < LINK_OPS; op++)
		count += plan.count[op];
	assert_string_equal(text, expected);
	assert_int_equal(count, plan.n);
	link_plan_done(&plan);
}

static void assert_plan_of(const struct link_spec *spec, link_held_cb held, const char *expected)
{
	const struct link_plan_input input = {
		.specs = spec,
		.n_specs = spec ? 1 : 0,
		.table = &table,
		.group = GROUP,
		.held = held,
	};

	assert_plan(&input, expected);
}

static void missing_is_created(void **state)
{
	struct link_spec spec = wanted();

	(void)state;
	assert_plan_of(&spec, must_not_be_asked, "create web01 macvtap bridge on eno1");
}

static void as_wanted_is_kept(void **state)
{
	struct link_spec spec = wanted();
	struct link_state link = made();

	(void)state;
	add(&link);
	assert_plan_of(&spec, must_not_be_asked, "");
}

/* A passthru link that lacks nopromisc. */
static void passthru(struct link_spec *spec, struct link_state *link)
{
	spec->mode = LINK_MODE_PASSTHRU;
	spec->flags = 1u << LINK_FLAG_NOPROMISC;
	link->macvlan_mode = MACVLAN_MODE_PASSTHRU;
}

/* A link of mode source that takes frames of :01 and :02. */
static void source(struct link_spec *spec, struct link_state *link)
{
	const struct link_sources two = { .n = 2, .macs = { MAC(1), MAC(2) } };

	spec->mode = LINK_MODE_SOURCE;
	spec->sources = two;
	link->macvlan_mode = MACVLAN_MODE_SOURCE;
	link->lists->sources = two;
}

/* Each case changes the wanted link that is there, or what is wanted, in one way. */
static void one_difference(void **state)
{
	struct difference {
		const char *what;
		struct link_spec spec;
		struct link_state link;
		const char *free, *held; /* the plan when nobody, and when qemu holds the tap */
		struct link_lists lists;
	} cases[60];
	size_t n = 0;
	struct difference *c;

	(void)state;
#define CASE(text, when_free, when_held)               \
	c = &cases[n++];                               \
	*c = (struct difference){ .what = text,        \
				  .spec = wanted(),    \
				  .link = made(),      \
				  .free = when_free,   \
				  .held = when_held }; \
	c->link.lists = &c->lists;

	CASE("live mode change", "change web01 mode bridge -> vepa", NULL)
	c->spec.mode = LINK_MODE_VEPA;
	CASE("from source mode", "change web01 mode source -> bridge", NULL)
	c->link.macvlan_mode = MACVLAN_MODE_SOURCE;
	CASE("into passthru", "replace web01 mode bridge -> passthru",
	     "blocked web01 mode bridge -> passthru needs another link, but this one is held by "
	     "qemu 4711: left alone")
	c->spec.mode = LINK_MODE_PASSTHRU;
	CASE("out of passthru", "replace web01 mode passthru -> bridge",
	     "blocked web01 mode passthru -> bridge needs another link, but this one is held by "
	     "qemu 4711: left alone")
	c->link.macvlan_mode = MACVLAN_MODE_PASSTHRU;
	CASE("another kind", "replace web01 kind macvtap -> macvlan",
	     "blocked web01 kind macvtap -> macvlan needs another link, but this one is held by "
	     "qemu 4711: left alone")
	c->spec.kind = LINK_KIND_MACVLAN;
	CASE("another lower", "replace web01 lower eno1 -> eno2",
	     "blocked web01 lower eno1 -> eno2 needs another link, but this one is held by "
	     "qemu 4711: left alone")
	snprintf(c->spec.lower, sizeof(c->spec.lower), "eno2");
	CASE("the lower moved away and another came",
	     "replace web01 lower one in another network namespace -> eno1",
	     "blocked web01 lower one in another network namespace -> eno1 needs another link, but "
	     "this one is held by qemu 4711: left alone")
	c->link.lower_elsewhere = true;
	CASE("the MAC", "change web01 mac 52:54:00:00:00:09 -> 52:54:00:00:00:01", NULL)
	c->link.mac[5] = 9;
	CASE("the mtu", "change web01 mtu 1500 -> 1400", NULL)
	c->spec.mtu = 1400;
	CASE("an mtu that is not asked for is that of the lower", "change web01 mtu 1280 -> 1500",
	     NULL)
	c->link.mtu = 1280;
	CASE("all queues",
	     "change web01 txqueuelen 500 -> 9, bcqueuelen 1000 -> 8, bccutoff 1 -> off", NULL)
	c->spec.txqueuelen = 9;
	c->spec.bcqueuelen = 8;
	c->spec.bccutoff = (struct link_cutoff){ true, LINK_CUTOFF_OFF };
	CASE("queues that are not asked for", "", NULL)
	c->link.txqueuelen = 9;
	c->link.bcqueuelen = 8;
	c->link.bccutoff = 7;
	CASE("queues as they should be", "", NULL)
	c->spec.txqueuelen = 500;
	c->spec.bcqueuelen = 1000;
	c->spec.bccutoff = (struct link_cutoff){ true, LINK_CUTOFF_DEFAULT };
	CASE("a cutoff that is 0", "change web01 bccutoff off -> 0", NULL)
	c->spec.bccutoff = (struct link_cutoff){ true, 0 };
	c->link.bccutoff = LINK_CUTOFF_OFF;
	CASE("flags that nobody asked for", "change web01 flags nopromisc nodst -> none", NULL)
	c->link.macvlan_flags = MACVLAN_FLAG_NOPROMISC | MACVLAN_FLAG_NODST;
	CASE("source MACs as they should be, in another order", "", NULL)
	source(&c->spec, &c->link);
	c->lists.sources = (struct link_sources){ .n = 2, .macs = { MAC(2), MAC(1) } };
	CASE("source MACs", "change web01 source MACs +2 -1", NULL)
	source(&c->spec, &c->link);
	c->spec.sources = (struct link_sources){ .n = 3, .macs = { MAC(3), MAC(4), MAC(2) } };
	CASE("no source MAC any more", "change web01 source MACs +0 -2", NULL)
	source(&c->spec, &c->link);
	c->spec.sources.n = 0;
	CASE("more source MACs than are known",
	     "change web01 flags nodst -> none, source MACs more than 2 -> 2", NULL)
	source(&c->spec, &c->link);
	c->lists.sources.more = true;
	c->link.macvlan_flags = MACVLAN_FLAG_NODST;
	CASE("into source mode", "change web01 mode bridge -> source, source MACs +2 -0", NULL)
	source(&c->spec, &c->link);
	c->link.macvlan_mode = MACVLAN_MODE_BRIDGE;
	c->lists.sources.n = 0;
	CASE("out of source mode", "change web01 mode source -> bridge", NULL)
	source(&c->spec, &c->link);
	c->spec.mode = LINK_MODE_BRIDGE;
	CASE("altnames that are missing", "change web01 altname +shop, altname +db", NULL)
	snprintf(c->spec.altnames[0], ALTNAME_SIZE, "shop");
	snprintf(c->spec.altnames[1], ALTNAME_SIZE, "web");
	snprintf(c->spec.altnames[2], ALTNAME_SIZE, "db");
	memcpy(c->lists.altnames, "web\0other\0", 11);
	CASE("altnames that nobody asked for", "", NULL)
	memcpy(c->lists.altnames, "web\0other\0", 11);
	CASE("more altnames than can be known", "", NULL)
	snprintf(c->spec.altnames[0], ALTNAME_SIZE, "shop");
	c->lists.altnames_more = true;
	CASE("flags of a passthru link", "change web01 flags none -> nopromisc", NULL)
	passthru(&c->spec, &c->link);
	CASE("flags of a passthru link on its way up",
	     "change web01 flags none -> nopromisc, up no -> yes", NULL)
	passthru(&c->spec, &c->link);
	c->link.flags = IFF_NOARP;
	CASE("flags of a passthru link on its way down",
	     "change web01 flags none -> nopromisc, up yes -> no", NULL)
	passthru(&c->spec, &c->link);
	c->spec.up = false;
	CASE("flags of a passthru link that stays down", "", NULL)
	passthru(&c->spec, &c->link);
	c->spec.up = false;
	c->link.flags = IFF_NOARP;
	CASE("down", "change web01 up no -> yes", NULL)
	c->link.flags = IFF_NOARP;
	CASE("up against the wish", "change web01 up yes -> no", NULL)
	c->spec.up = false;
	CASE("the host answers ARP on it", "change web01 host ARP on -> off", NULL)
	c->link.flags = IFF_UP;
	CASE("the host has IPv6 on it", "change web01 host IPv6 on -> off", NULL)
	c->link.host_ipv6 = true;
	CASE("just made, as its maker died",
	     "change web01 alias \"\" -> tapwarden/web/web01, host ARP on -> off, "
	     "host IPv6 on -> off, up no -> yes",
	     NULL)
	c->link.alias[0] = '\0';
	c->link.flags = 0;
	c->link.host_ipv6 = true;
	CASE("of another set before",
	     "change web01 alias \"tapwarden/old/web01\" -> tapwarden/web/web01", NULL)
	snprintf(c->link.alias, sizeof(c->link.alias), "tapwarden/old/web01");
	CASE("its maker died before the alias", "change web01 alias \"\" -> tapwarden/web/web01",
	     NULL)
	c->link.alias[0] = '\0';
	CASE("left in the scratch group", "change web01 group 2147513463 -> 29815", NULL)
	c->link.group = link_scratch_group(GROUP);
	CASE("two at once", "change web01 mode bridge -> private, mtu 1500 -> 1400", NULL)
	c->spec.mode = LINK_MODE_PRIVATE;
	c->spec.mtu = 1400;
	CASE("lower renamed", "blocked web01 the lower device eno9 does not exist: left on eno1",
	     NULL)
	snprintf(c->spec.lower, sizeof(c->spec.lower), "eno9");
	c->link.mtu = 1280;
	CASE("lower renamed, and more",
	     "change web01 the lower device eno9 does not exist: left on eno1, "
	     "mac 52:54:00:00:00:09 -> 52:54:00:00:00:01",
	     NULL)
	snprintf(c->spec.lower, sizeof(c->spec.lower), "eno9");
	c->link.mac[5] = 9;
	CASE("lower moved away",
	     "blocked web01 the lower device eno9 does not exist: left on one in another network "
	     "namespace",
	     NULL)
	snprintf(c->spec.lower, sizeof(c->spec.lower), "eno9");
	c->link.lower_elsewhere = true;
	CASE("renamed by somebody", "change web01 name gone7 -> web01", NULL)
	snprintf(c->link.name, sizeof(c->link.name), "gone7");
	CASE("renamed, and of another set",
	     "delete gone7 not wanted any more; create web01 macvtap bridge on eno1",
	     "blocked gone7 held by qemu 4711: not wanted any more, but left alone; "
	     "create web01 macvtap bridge on eno1")
	snprintf(c->link.name, sizeof(c->link.name), "gone7");
	snprintf(c->link.alias, sizeof(c->link.alias), "tapwarden/old/web01");
#undef CASE

	for (size_t i = 0; i < n; i++) {
		print_message("# %s\n", cases[i].what);
		setup(NULL);
		add(&cases[i].link);
		assert_plan_of(&cases[i].spec, NULL, cases[i].free);
		assert_plan_of(&cases[i].spec, cases[i].held ? qemu_holds : must_not_be_asked,
			       cases[i].held ? cases[i].held : cases[i].free);
	}
}

/* A macvlan is the host's own leg. */
static void the_host_may_speak_on_a_macvlan(void **state)
{
	struct link_spec spec = wanted();
	struct link_state link = made();

	(void)state;
	spec.kind = LINK_KIND_MACVLAN;
	link.kind = LINK_KIND_MACVLAN;
	link.flags = IFF_UP;
	link.host_ipv6 = true;
	add(&link);
	assert_plan_of(&spec, must_not_be_asked, "");
}

static void foreign_links_are_left_alone(void **state)
{
	static const struct {
		const char *kind, *alias;
		uint32_t group;
		uint32_t lower;
		const char *expected;
	} cases[] = {
		{ "macvtap", "tapwarden/web/web01", 0, 2,
		  "blocked web01 the name is taken by a link in group 0 with the alias "
		  "\"tapwarden/web/web01\": left alone" },
		{ "macvtap", "mine", GROUP, 2,
		  "blocked web01 the name is taken by a link in group 29815 with the alias "
		  "\"mine\": left alone" },
		{ "macvtap", "", GROUP, 3,
		  "blocked web01 the name is taken by a macvtap that is not ours: left alone" },
		{ "macvlan", "", GROUP, 2,
		  "blocked web01 the name is taken by a macvlan that is not ours: left alone" },
		{ "macvtap", "", 0, 2,
		  "blocked web01 the name is taken by a macvtap that is not ours: left alone" },
		{ "veth", "tapwarden/web/web01", GROUP, 2,
		  "blocked web01 the name is taken by a veth that is not ours: left alone" },
		{ "", "tapwarden/web/web01", GROUP, 0,
		  "blocked web01 the name is taken by a device that is not ours: left alone" },
	};
	struct link_spec spec = wanted();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_state link = made();

		setup(NULL);
		snprintf(link.kind_text, sizeof(link.kind_text), "%s", cases[i].kind);
		link.is_macvlan = link_kind_find(link.kind_text, &link.kind);
		snprintf(link.alias, sizeof(link.alias), "%s", cases[i].alias);
		link.group = cases[i].group;
		link.lower = cases[i].lower;
		add(&link);
		assert_plan_of(&spec, must_not_be_asked, cases[i].expected);
		/* Nor is any of them deleted when its name is not wanted. */
		assert_plan_of(NULL, must_not_be_asked, "");
	}
}

static void unwanted_is_deleted(void **state)
{
	struct link_state link = made();

	(void)state;
	add(&link);
	assert_plan_of(NULL, NULL, "delete web01 not wanted any more");
	assert_plan_of(NULL, qemu_holds,
		       "blocked web01 held by qemu 4711: not wanted any more, but left alone");
}

static void a_macvlan_has_no_tap_to_hold(void **state)
{
	struct link_state link = made();

	(void)state;
	link.kind = LINK_KIND_MACVLAN;
	snprintf(link.kind_text, sizeof(link.kind_text), "macvlan");
	add(&link);
	assert_plan_of(NULL, must_not_be_asked, "delete web01 not wanted any more");
}

/* Somebody took its name for a device of his own: it is neither deleted nor forgotten. */
static void renamed_and_its_name_is_taken(void **state)
{
	struct link_spec spec = wanted();
	struct link_state link = made();

	(void)state;
	snprintf(link.name, sizeof(link.name), "gone7");
	add(&link);
	add(&(struct link_state){ .ifindex = 11, .name = "web01", .kind_text = "dummy" });
	assert_plan_of(&spec, must_not_be_asked, "change web01 name gone7 -> web01");
}

static const struct link_addr_list *addrs_there(const struct link_spec *spec,
						const struct link_state *link, void *data)
{
	assert_true(spec->is_host_link);
	assert_string_equal(link->name, "web01");
	return data;
}

#define V4(n, bits)                                                                \
	{                                                                          \
		.family = AF_INET, .prefix = (bits), .address = { 192, 0, 2, (n) } \
	}

static void addresses_of_a_host_link(void **state)
{
	const struct {
		struct link_addr_list there;
		const char *expected;
	} cases[] = {
		{ { 1, { { .cidr = V4(1, 24), .is_ours = true } } }, "" },
		/*
		 * Whoever gave it what is wanted; and what nobody asked us for is not ours to take.
		 */
		{ { 2, { { .cidr = V4(1, 24) }, { .cidr = V4(9, 24) } } }, "" },
		{ { 0 }, "change web01 address +192.0.2.1/24" },
		{ { 1, { { .cidr = V4(1, 25), .is_ours = true } } },
		  "change web01 address -192.0.2.1/25, address +192.0.2.1/24" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_spec spec = wanted();
		struct link_state link = made();
		const struct link_plan_input input = {
			.specs = &spec,
			.n_specs = 1,
			.table = &table,
			.group = GROUP,
			.addrs = addrs_there,
			.data = (void *)&cases[i].there,
		};

		setup(state);
		link.kind = LINK_KIND_MACVLAN;
		add(&link);
		spec.kind = LINK_KIND_MACVLAN;
		spec.is_host_link = true;
		spec.addrs = (struct link_addrs){ 1, { V4(1, 24) } };
		assert_plan(&input, cases[i].expected);
	}
}

/* box1 lives in namespace "box", where that of the lower devices has the id 4. */
static void another_namespace(void **state)
{
	static const struct {
		const char *netns; /* of the spec */
		const char *absent;
		bool there;
		int32_t nsid; /* of its lower's namespace */
		bool home; /* another is where the lower devices are */
		const char *expected;
	} cases[] = {
		{ "box", NULL, false, 4, false, "create web01 macvtap bridge on eno1" },
		{ "box", NULL, true, 4, false, "" },
		{ "box", NULL, true, 5, false,
		  "replace web01 lower one in another network namespace -> eno1" },
		{ "box", "there is no box: waiting for it", false, 4, false,
		  "blocked web01 there is no box: waiting for it" },
		{ "other", NULL, false, 4, false, "" },
		{ "other", NULL, true, 4, false, "delete web01 not wanted any more" },
		{ "", NULL, true, 4, false, "change web01 network namespace box -> of the agent" },
		{ "", NULL, true, 4, true, "delete web01 another is in its place" },
		{ "box", NULL, true, 4, true, "" },
	};
	struct link_table box = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_spec spec = wanted();
		struct link_state link = made(), home = made();
		const struct link_plan_input input = {
			.specs = &spec,
			.n_specs = 1,
			.netns = "box",
			.absent = cases[i].absent,
			.table = &box,
			.lowers = &table,
			.lower_nsid = 4,
			.group = GROUP,
		};

		setup(state);
		if (cases[i].home)
			add(&home);
		link_table_reset(&box);
		snprintf(spec.netns, sizeof(spec.netns), "%s", cases[i].netns);
		link.lower_elsewhere = true;
		link.lower_nsid = cases[i].nsid;
		if (cases[i].there)
			assert_int_equal(link_table_add(&box, &link), 0);
		assert_int_equal(link_table_index(&box), 0);
		assert_plan(&input, cases[i].expected);
	}
	link_table_done(&box);
}

/* A link that is to come back is not made anew where it belongs. */
static void a_move_takes_the_place_of_a_create(void **state)
{
	struct link_spec spec = wanted();
	struct link_state link = made();
	struct link_table box = { 0 };
	struct link_plan_input input = {
		.specs = &spec, .n_specs = 1, .table = &table, .group = GROUP, .lower_nsid = -1
	};
	struct link_plan plan, more;

	(void)state;
	link.lower_elsewhere = true;
	assert_int_equal(link_table_add(&box, &link), 0);
	assert_int_equal(link_table_index(&box), 0);
	assert_int_equal(link_plan_make(&input, &plan), 0);
	assert_int_equal(plan.count[LINK_OP_CREATE], 1);
	input.netns = "box";
	input.lowers = &table;
	input.table = &box;
	input.lower_nsid = 0;
	assert_int_equal(link_plan_make(&input, &more), 0);
	assert_int_equal(link_plan_append(&plan, &more, 7), 0);
	assert_int_equal(plan.n, 1);
	assert_int_equal(plan.count[LINK_OP_CREATE], 0);
	assert_int_equal(plan.count[LINK_OP_CHANGE], 1);
	assert_int_equal(plan.steps[0].place, 7);
	assert_int_equal(plan.steps[0].attrs, 1u << LINK_ATTR_NETNS);
	link_plan_done(&plan);
	link_table_done(&box);
}

static void the_bridge_of_a_macvlan(void **state)
{
	struct link_spec spec = wanted();
	struct link_state link = made();

	(void)state;
	spec.kind = LINK_KIND_MACVLAN;
	link.kind = LINK_KIND_MACVLAN;
	snprintf(spec.master, sizeof(spec.master), "br0");
	add(&link);
	assert_plan_of(&spec, NULL, "blocked web01 the bridge br0 does not exist: waiting for it");
	spec.mtu = 1400;
	assert_plan_of(
		&spec, NULL,
		"change web01 mtu 1500 -> 1400, the bridge br0 does not exist: waiting for it");
	spec.mtu = 0;
	add(&(struct link_state){ .ifindex = 7, .name = "br0", .kind_text = "bridge" });
	assert_plan_of(&spec, NULL, "change web01 master none -> br0");
	setup(state);
	link.master = 7;
	add(&link);
	add(&(struct link_state){ .ifindex = 7, .name = "br0", .kind_text = "bridge" });
	assert_plan_of(&spec, NULL, "");
	/* Without the key it may be where it is. */
	spec.master[0] = '\0';
	assert_plan_of(&spec, NULL, "");
}

/* Where the kernel would refuse the link the plan says so, for each kind in its word. */
static void a_lower_that_carries_none_is_refused(void **state)
{
	static const struct {
		struct link_state lower;
		const char *reason;
	} cases[] = {
		{ { .name = "lo", .type = ARPHRD_LOOPBACK, .flags = IFF_LOOPBACK },
		  "the lower device lo is a loopback device, which carries no macvtap links: another "
		  "lower device is needed" },
		{ { .name = "tun0", .type = ARPHRD_NONE },
		  "the lower device tun0 is no Ethernet device: another lower device is needed" },
		{ { .name = "eno5", .type = ARPHRD_ETHER, .master = 7 },
		  "the lower device eno5 is a port of the bridge br0: br0 itself can be the lower "
		  "device" },
		{ { .name = "eno5", .type = ARPHRD_ETHER, .master = 8 },
		  "the lower device eno5 is a port of another device: another lower device is "
		  "needed" },
	};
	struct link_spec specs[] = { wanted(), wanted() };
	struct link_state link = made();
	char expected[512];

	(void)state;
	snprintf(specs[1].name, sizeof(specs[1].name), "web02");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct link_plan_input input = {
			.specs = specs,
			.n_specs = 2,
			.table = &table,
			.group = GROUP,
		};
		struct link_state lower = cases[i].lower;

		setup(NULL);
		lower.ifindex = 20;
		add(&lower);
		add(&(struct link_state){ .ifindex = 7, .name = "br0", .kind_text = "bridge" });
		for (size_t k = 0; k < 2; k++)
			snprintf(specs[k].lower, sizeof(specs[k].lower), "%s", lower.name);
		snprintf(expected, sizeof(expected), "blocked web01 %s; blocked web02 %s",
			 cases[i].reason, cases[i].reason);
		assert_plan(&input, expected);
		/* One that is elsewhere, and works there, does not go for it. */
		link.lower = 3;
		add(&link);
		snprintf(expected, sizeof(expected),
			 "blocked web01 lower eno2 -> %s: %s; blocked web02 %s", lower.name,
			 cases[i].reason, cases[i].reason);
		assert_plan(&input, expected);
		/* One that is there stays. */
		setup(NULL);
		add(&lower);
		add(&(struct link_state){ .ifindex = 7, .name = "br0", .kind_text = "bridge" });
		link.lower = 20;
		add(&link);
		snprintf(expected, sizeof(expected), "blocked web02 %s", cases[i].reason);
		assert_plan(&input, expected);
	}
}

/* Passthru is alone: what works does not go where links of others keep the new one from being. */
static void others_keep_passthru_away(void **state)
{
	struct link_spec spec = wanted();
	struct link_state link = made(), theirs = made();

	snprintf(theirs.name, sizeof(theirs.name), "theirs");
	theirs.alias[0] = '\0';
	theirs.ifindex = 11;
	theirs.group = 0;
	add(&link);
	add(&theirs);
	spec.mode = LINK_MODE_PASSTHRU;
	assert_plan_of(&spec, NULL,
		       "blocked web01 mode bridge -> passthru: a passthru link must be alone on "
		       "eno1, and theirs is there: another lower device is needed");
	/* One of ours goes at the same time. */
	setup(state);
	theirs.group = GROUP;
	snprintf(theirs.alias, sizeof(theirs.alias), "tapwarden/web/theirs");
	add(&link);
	add(&theirs);
	assert_plan_of(&spec, NULL,
		       "delete theirs not wanted any more; replace web01 mode bridge -> passthru");
	/* Theirs is on another device, which the link is to go to. */
	setup(state);
	theirs.group = 0;
	theirs.alias[0] = '\0';
	theirs.lower = 3;
	add(&link);
	add(&theirs);
	assert_plan_of(&spec, NULL, "replace web01 mode bridge -> passthru");
	spec.mode = LINK_MODE_BRIDGE;
	snprintf(spec.lower, sizeof(spec.lower), "eno2");
	assert_plan_of(&spec, NULL, "replace web01 lower eno1 -> eno2");
	setup(state);
	theirs.macvlan_mode = MACVLAN_MODE_PASSTHRU;
	add(&link);
	add(&theirs);
	assert_plan_of(&spec, NULL,
		       "blocked web01 lower eno1 -> eno2: a passthru link must be alone on eno2, "
		       "and theirs is there: another lower device is needed");
}

static void what_is_in_a_vrf_carries_links(void **state)
{
	struct link_spec spec = wanted();

	(void)state;
	snprintf(spec.lower, sizeof(spec.lower), "eno5");
	add(&(struct link_state){
		.ifindex = 20, .name = "eno5", .type = ARPHRD_ETHER, .mtu = 1500, .master = 7 });
	add(&(struct link_state){ .ifindex = 7, .name = "blue", .kind_text = "vrf" });
	assert_plan_of(&spec, NULL, "create web01 macvtap bridge on eno5");
}

static bool eno1_is_wireless(const struct link_state *lower, void *data)
{
	(void)data;
	return lower->ifindex == 2;
}

static void a_wireless_lower_is_refused(void **state)
{
	struct link_spec spec = wanted();
	struct link_state link = made();
	const struct link_plan_input input = {
		.specs = &spec,
		.n_specs = 1,
		.table = &table,
		.group = GROUP,
		.wireless = eno1_is_wireless,
	};

	assert_plan(&input, "blocked web01 the lower device eno1 is wireless, and an access point "
			    "takes frames of its own MAC alone: a wired one is needed");
	/* One that is there stays. */
	add(&link);
	assert_plan(&input, "");
	/* And one that is elsewhere does not go for it. */
	setup(state);
	link.lower = 3;
	add(&link);
	assert_plan(&input, "blocked web01 lower eno2 -> eno1: the lower device eno1 is wireless, "
			    "and an access point takes frames of its own MAC alone: a wired one is "
			    "needed");
	setup(state);
	snprintf(spec.lower, sizeof(spec.lower), "eno2");
	assert_plan(&input, "create web01 macvtap bridge on eno2");
}

static void remove_takes_ours_only(void **state)
{
	struct link_spec specs[2] = { wanted(), wanted() };
	struct link_state ours = made(), half_made = made(), old_set = made(), foreign = made();
	const struct link_plan_input input = {
		.specs = specs,
		.n_specs = 2,
		.table = &table,
		.group = GROUP,
		.remove = true,
	};

	(void)state;
	snprintf(specs[1].name, sizeof(specs[1].name), "web02");
	half_made.ifindex = 11;
	snprintf(half_made.name, sizeof(half_made.name), "web02");
	half_made.alias[0] = '\0';
	old_set.ifindex = 12;
	snprintf(old_set.name, sizeof(old_set.name), "old01");
	snprintf(old_set.alias, sizeof(old_set.alias), "tapwarden/old/old01");
	foreign.ifindex = 13;
	snprintf(foreign.name, sizeof(foreign.name), "foreign");
	foreign.group = 0;
	add(&ours);
	add(&half_made);
	add(&old_set);
	add(&foreign);
	assert_plan(&input, "delete web01 ; delete web02 ; delete old01 ");
}

static void waits_for_its_lower(void **state)
{
	struct link_spec spec = wanted();

	(void)state;
	snprintf(spec.lower, sizeof(spec.lower), "eno9");
	assert_plan_of(&spec, NULL,
		       "blocked web01 the lower device eno9 does not exist: waiting for it");
}

/* The kernel puts a macvlan on a macvlan beside it: that must not look like another lower. */
static void lower_that_is_a_macvlan(void **state)
{
	struct link_spec spec = wanted();
	struct link_state other = made(), link = made();

	(void)state;
	other.ifindex = 9;
	snprintf(other.name, sizeof(other.name), "x0");
	other.group = 0;
	snprintf(spec.lower, sizeof(spec.lower), "x0");
	add(&other);
	add(&link);
	assert_plan_of(&spec, NULL, "");
}

static void deletes_come_first(void **state)
{
	struct link_spec specs[2] = { wanted(), wanted() };
	struct link_state old = made();
	const struct link_plan_input input = {
		.specs = specs,
		.n_specs = 2,
		.table = &table,
		.group = GROUP,
	};

	(void)state;
	/* Specs are not in the order of their names, the table is not in that of its ifindexes. */
	snprintf(specs[0].name, sizeof(specs[0].name), "zzz");
	snprintf(old.name, sizeof(old.name), "old01");
	snprintf(old.alias, sizeof(old.alias), "tapwarden/web/old01");
	add(&old);
	assert_plan(&input, "delete old01 not wanted any more; "
			    "create zzz macvtap bridge on eno1; "
			    "create web01 macvtap bridge on eno1");
}

static const struct tap_node *node_in_dev(const struct link_spec *spec,
					  const struct link_state *link, void *data)
{
	assert_string_equal(spec->name, link->name);
	return data;
}

static void the_node_of_the_tap(void **state)
{
	static const struct tap_node theirs = { .state = TAP_NODE_FOREIGN };
	static const struct tap_node absent = { .state = TAP_NODE_ABSENT };
	static const struct tap_node new = { TAP_NODE_OURS, "/dev/tap10", { 0, 0, 0600 } };
	static const struct tap_node given = { TAP_NODE_OURS, "/dev/tap10", { 7, 8, 0640 } };
	const struct tap_rights kernels = { 0, 0, 0600 }, asked = { 7, 8, 0640 };
	const struct {
		struct tap_rights wanted;
		const struct tap_node *node;
		uint32_t mtu;
		const char *expected;
	} cases[] = {
		{ kernels, &new, 0, "" },
		{ asked, &given, 0, "" },
		{ asked, &new, 0, "change web01 owner 0:0 -> 7:8, perms 0600 -> 0640" },
		{ kernels, &given, 0, "change web01 owner 7:8 -> 0:0, perms 0640 -> 0600" },
		{ { 7, 9, 0640 }, &given, 0, "change web01 owner 7:8 -> 7:9" },
		{ { 7, 8, 0600 }, &given, 0, "change web01 perms 0640 -> 0600" },
		{ asked, NULL, 0, "" },
		{ kernels, &theirs, 0, "" },
		{ kernels, &absent, 0, "" },
		{ asked, &theirs, 0,
		  "blocked web01 owner and perms cannot be set: /dev/tap10 is another link's tap: "
		  "left alone" },
		{ asked, &absent, 0,
		  "blocked web01 owner and perms cannot be set: /dev/tap10 is not there" },
		{ asked, &absent, 1400,
		  "change web01 mtu 1500 -> 1400, owner and perms cannot be set: /dev/tap10 is not "
		  "there" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_spec spec = wanted();
		struct link_state link = made();
		const struct link_plan_input input = {
			.specs = &spec,
			.n_specs = 1,
			.table = &table,
			.group = GROUP,
			.node = node_in_dev,
			.data = (void *)cases[i].node,
		};

		setup(state);
		add(&link);
		spec.tap = cases[i].wanted;
		spec.mtu = cases[i].mtu;
		assert_plan(&input, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(missing_is_created, setup),
		cmocka_unit_test_setup(as_wanted_is_kept, setup),
		cmocka_unit_test_setup(one_difference, setup),
		cmocka_unit_test_setup(the_node_of_the_tap, setup),
		cmocka_unit_test_setup(the_host_may_speak_on_a_macvlan, setup),
		cmocka_unit_test_setup(foreign_links_are_left_alone, setup),
		cmocka_unit_test_setup(unwanted_is_deleted, setup),
		cmocka_unit_test_setup(a_macvlan_has_no_tap_to_hold, setup),
		cmocka_unit_test_setup(renamed_and_its_name_is_taken, setup),
		cmocka_unit_test_setup(addresses_of_a_host_link, setup),
		cmocka_unit_test_setup(another_namespace, setup),
		cmocka_unit_test_setup(a_move_takes_the_place_of_a_create, setup),
		cmocka_unit_test_setup(the_bridge_of_a_macvlan, setup),
		cmocka_unit_test_setup(a_lower_that_carries_none_is_refused, setup),
		cmocka_unit_test_setup(what_is_in_a_vrf_carries_links, setup),
		cmocka_unit_test_setup(others_keep_passthru_away, setup),
		cmocka_unit_test_setup(a_wireless_lower_is_refused, setup),
		cmocka_unit_test_setup(remove_takes_ours_only, setup),
		cmocka_unit_test_setup(waits_for_its_lower, setup),
		cmocka_unit_test_setup(lower_that_is_a_macvlan, setup),
		cmocka_unit_test_setup(deletes_come_first, setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, teardown);
}
