/* links: agent/base/pcap_lib.c agent/base/late_lib.c */
/* links: agent/desired.c agent/leases.c agent/state_file.c agent/base/fd_io.c agent/base/buf.c */
/* links: agent/owner.c agent/base/parse.c agent/base/err.c agent/filter_compile.c */
/* links: agent/base/bpf_compile.c agent/base/bpf_code.c netlink/hook_filter.c */
/* links: netlink/tc_filter.c netlink/anti_spoof.c agent/base/hint.c agent/base/link_types.c */
#include "agent/desired.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Stands in for the configuration: what each test wants config_links() to say. */
static struct link_wish wishes[CONFIG_LINKS_MAX];
static size_t n_wishes;

int config_links(const struct config *config, struct link_wish **ret, size_t *ret_n,
		 struct err *err)
{
	struct link_wish *copy = calloc(n_wishes + 1, sizeof(*copy));

	(void)config;
	(void)err;
	assert_non_null(copy);
	memcpy(copy, wishes, n_wishes * sizeof(*copy));
	*ret = copy;
	*ret_n = n_wishes;
	return 0;
}

static struct set_conf web = { .head.name = "web" }, db = { .head.name = "db" };
static const struct config config = { .agent.link_group = 77 };

static char *owner = "0:0";

static struct link_keys keys[CONFIG_LINKS_MAX];

static struct link_wish *wish(const struct set_conf *set, const char *name)
{
	struct link_wish *w = &wishes[n_wishes];

	keys[n_wishes] = (struct link_keys){ .kind = LINK_KIND_MACVLAN,
					     .mode = LINK_MODE_PRIVATE,
					     .lower = "eno1",
					     .flags = 2,
					     .sources = { .n = 1, .macs = { { 2, 3 } } },
					     .mtu = 1400,
					     .owner = owner,
					     .perms = 0640,
					     .txqueuelen = 9,
					     .bcqueuelen = 8,
					     .bccutoff = { true, 7 },
					     .up = true };
	*w = (struct link_wish){ .set = set, .keys = &keys[n_wishes++] };
	snprintf(w->name, sizeof(w->name), "%s", name);
	return w;
}

static int setup(void **state)
{
	(void)state;
	n_wishes = 0;
	owner = "0:0";
	web.has_mac_prefix = false;
	return 0;
}

/* The specs as text, "NAME MAC" each; the caller sees them as the test's whole result. */
static void assert_macs(const char *host_id, const char *expected)
{
	struct link_spec *specs;
	char text[512] = "";
	size_t n;

	assert_int_equal(desired_links(&config, host_id, &specs, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(text);
		char mac[MAC_TEXT_MAX];

		format_mac(mac, specs[i].mac);
		snprintf(text + len, sizeof(text) - len, "%s%s %s", i ? ", " : "", specs[i].name,
			 mac);
	}
	assert_string_equal(text, expected);
	free(specs);
}

static char *names[] = { (char *)"shop", (char *)"db" };
static const struct link_conf named = { .altnames = { names, 2 } };

static void fields(void **state)
{
	struct link_spec *specs;
	size_t n;

	(void)state;
	memcpy(wish(&web, "web01")->mac, "\x52\x54\0\0\0\1", MAC_LEN);
	wishes[0].link = &named;
	assert_int_equal(desired_links(&config, "h", &specs, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_string_equal(specs[0].name, "web01");
	assert_string_equal(specs[0].set, "web");
	assert_string_equal(specs[0].lower, "eno1");
	assert_int_equal(specs[0].kind, LINK_KIND_MACVLAN);
	assert_int_equal(specs[0].mode, LINK_MODE_PRIVATE);
	assert_int_equal(specs[0].flags, 2);
	assert_string_equal(specs[0].altnames[1], "db");
	assert_string_equal(specs[0].altnames[2], "");
	assert_int_equal(specs[0].sources.n, 1);
	assert_int_equal(specs[0].sources.macs[0][1], 3);
	assert_int_equal(specs[0].mtu, 1400);
	assert_int_equal(specs[0].txqueuelen, 9);
	assert_int_equal(specs[0].bcqueuelen, 8);
	assert_true(specs[0].bccutoff.set);
	assert_int_equal(specs[0].bccutoff.value, 7);
	assert_int_equal(specs[0].group, 77);
	assert_true(specs[0].up);
	assert_int_equal(specs[0].tap.uid, 0);
	assert_int_equal(specs[0].tap.gid, 0);
	assert_int_equal(specs[0].tap.perms, 0640);
	assert_memory_equal(specs[0].mac, "\x52\x54\0\0\0\1", MAC_LEN);
	free(specs);
}

static void the_addresses_are_the_host_links(void **state)
{
	struct link_spec *specs;
	size_t n;

	(void)state;
	web.host_addrs = (struct link_addrs){ 1, { { .prefix = 24 } } };
	wish(&web, "web01");
	wish(&web, "host0")->is_host_link = true;
	assert_int_equal(desired_links(&config, "h", &specs, &n, NULL), 0);
	assert_false(specs[0].is_host_link);
	assert_int_equal(specs[0].addrs.n, 0);
	assert_true(specs[1].is_host_link);
	assert_int_equal(specs[1].addrs.list[0].prefix, 24);
	free(specs);
}

static void owners(void **state)
{
	static const struct {
		char *text;
		uint32_t uid, gid;
	} cases[] = {
		{ "0", 0, 0 },
		{ "root", 0, 0 },
		{ "root:root", 0, 0 },
		{ "root:4000000000", 0, 4000000000 },
		{ "4000000000", 4000000000, 4000000000 },
		{ "4000000000:7", 4000000000, 7 },
	};
	struct link_spec *specs;
	struct err err;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		owner = cases[i].text;
		wish(&web, "web01");
	}
	assert_int_equal(desired_links(&config, "h", &specs, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(specs[i].tap.uid, cases[i].uid);
		assert_int_equal(specs[i].tap.gid, cases[i].gid);
	}
	free(specs);
	owner = "root:no-such-group";
	wish(&web, "web09");
	assert_int_equal(desired_links(&config, "h", &specs, &n, &err), -ENOENT);
	assert_string_equal(err.text, "the owner of web09: there is no group \"no-such-group\"");
}

/* A guest's address must not change with a new release: the exact values are a promise. */
static void automatic_macs_are_stable(void **state)
{
	(void)state;
	wish(&web, "web01");
	wish(&web, "web02");
	assert_macs("host-a", "web01 be:d3:19:28:37:c1, web02 3e:d3:44:e8:ed:db");
	assert_macs("host-b", "web01 6e:bd:43:12:86:7d, web02 2a:fd:17:54:29:ee");
}

static void order_and_neighbours_do_not_matter(void **state)
{
	(void)state;
	wish(&db, "db01");
	wish(&web, "web02");
	wish(&web, "web01");
	assert_macs("host-a",
		    "db01 da:15:46:dd:e0:60, web02 3e:d3:44:e8:ed:db, web01 be:d3:19:28:37:c1");
}

static void prefix_is_kept(void **state)
{
	(void)state;
	web.has_mac_prefix = true;
	memcpy(web.mac_prefix, "\x52\x54\x00", 3);
	wish(&web, "web01");
	assert_macs("host-a", "web01 52:54:00:28:37:c1");
}

/* A given MAC wins over an automatic one, wherever it stands; the automatic one moves on. */
static void collisions_are_resolved(void **state)
{
	struct link_spec *specs;
	uint8_t taken[MAC_LEN];
	size_t n;

	(void)state;
	wish(&web, "web01");
	assert_int_equal(desired_links(&config, "host-a", &specs, &n, NULL), 0);
	memcpy(taken, specs[0].mac, MAC_LEN);
	free(specs);

	memcpy(wish(&db, "given")->mac, taken, MAC_LEN);
	assert_int_equal(desired_links(&config, "host-a", &specs, &n, NULL), 0);
	assert_memory_equal(specs[1].mac, taken, MAC_LEN);
	assert_memory_not_equal(specs[0].mac, taken, MAC_LEN);
	assert_true(mac_is_unicast(specs[0].mac));
	free(specs);
}

static int order_macs(const void *a, const void *b)
{
	return memcmp(((const struct link_spec *)a)->mac, ((const struct link_spec *)b)->mac,
		      MAC_LEN);
}

/* As many links as there can be, all in one prefix: about one pair collides by chance. */
static void many_are_all_different(void **state)
{
	struct link_spec *specs;
	char name[IFNAME_SIZE];
	size_t n;

	(void)state;
	web.has_mac_prefix = true;
	memcpy(web.mac_prefix, "\x52\x54\x00", 3);
	for (unsigned int i = 0; i < CONFIG_LINKS_MAX; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		wish(&web, name);
	}
	assert_int_equal(desired_links(&config, "host-a", &specs, &n, NULL), 0);
	assert_int_equal(n, CONFIG_LINKS_MAX);
	qsort(specs, n, sizeof(*specs), order_macs);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(specs[i].mac, web.mac_prefix, 3);
		if (i)
			assert_memory_not_equal(specs[i].mac, specs[i - 1].mac, MAC_LEN);
	}
	free(specs);
}

static void host_id_is_there(void **state)
{
	char id[HOST_ID_MAX];

	(void)state;
	desired_host_id(id);
	assert_true(strlen(id) > 0);
	assert_null(strchr(id, '\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fields, setup),
		cmocka_unit_test_setup(the_addresses_are_the_host_links, setup),
		cmocka_unit_test_setup(owners, setup),
		cmocka_unit_test_setup(automatic_macs_are_stable, setup),
		cmocka_unit_test_setup(order_and_neighbours_do_not_matter, setup),
		cmocka_unit_test_setup(prefix_is_kept, setup),
		cmocka_unit_test_setup(collisions_are_resolved, setup),
		cmocka_unit_test_setup(many_are_all_different, setup),
		cmocka_unit_test_setup(host_id_is_there, setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
