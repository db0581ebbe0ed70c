/* links: agent/base/pcap_lib.c agent/base/late_lib.c */
/* links: netlink/link_addr.c netlink/bridge_port.c */
/* links: agent/reach_judge.c agent/reach_shots.c agent/reach_view.c agent/table.c */
/* links: netlink/reach.c netlink/reach_rules.c netlink/link_marks.c netlink/link_kind.c */
/* links: netlink/link_spec.c netlink/lower_fit.c netlink/reach_filter.c */
/* links: netlink/bpf_bound.c agent/base/bpf_run.c netlink/tc_filter.c netlink/anti_spoof.c */
/* links: netlink/hook_filter.c agent/reach_frame.c agent/reach_witness.c agent/reach_notes.c */
/* links: netlink/link_table.c agent/base/link_types.c agent/base/parse.c agent/base/buf.c */
/* links: agent/base/err.c agent/base/bpf_compile.c agent/base/bpf_code.c agent/base/hint.c */
#include "agent/reach_shots.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/bpf_compile.h"
#include "agent/reach_judge.h"
#include "agent/reach_view.h"
#include "agent/base/bpf_run.h"
#include "netlink/link_kind.h"

#define GROUP 0x7477
#define UP    (IFF_UP | IFF_LOWER_UP)

#define ETHERTYPE 0x88b5

static const uint32_t RUN[2] = { 0x01020304, 0x05060708 };

/* The links of a test: wanted, and there with these flags; all on eno1. */
static struct link_table table;
static struct link_spec specs[256];
static size_t n_specs;
static struct reach reach;
static struct reach_shots shots;

static int setup(void **state)
{
	const struct link_state eno1 = { .ifindex = 2, .name = "eno1", .mac = { 2, 0xe1 } };

	(void)state;
	link_table_reset(&table);
	assert_int_equal(link_table_add(&table, &eno1), 0);
	n_specs = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reach_shots_done(&shots);
	reach_done(&reach);
	link_table_done(&table);
	return 0;
}

/* Its MAC ends in its number, from 1. `lists`: such a number, 0 for none. */
static void add(const char *name, enum link_kind kind, enum link_mode mode, uint32_t flags,
		uint8_t lists, bool nodst)
{
	const uint8_t number = (uint8_t)(n_specs + 1);
	struct link_spec *spec = &specs[n_specs++];
	struct link_lists room = {
		.sources = { .n = lists ? 1 : 0, .macs = { { 2, lists } } },
	};
	struct link_state link = {
		.ifindex = 10u + number,
		.is_macvlan = true,
		.kind = kind,
		.macvlan_mode = link_mode_to_kernel(mode),
		.macvlan_flags = nodst ? MACVLAN_FLAG_NODST : 0,
		.lower = 2,
		.flags = flags,
		.group = GROUP,
		.mac = { 2, number },
		.lists = &room,
	};

	*spec = (struct link_spec){ .set = "web", .kind = kind, .mode = mode, .group = GROUP };
	memcpy(spec->mac, link.mac, MAC_LEN);
	spec->flags = nodst ? 1u << LINK_FLAG_NODST : 0;
	snprintf(spec->name, sizeof(spec->name), "%s", name);
	strcpy(spec->lower, "eno1");
	snprintf(link.name, sizeof(link.name), "%s", name);
	snprintf(link.alias, sizeof(link.alias), LINK_ALIAS_PREFIX "web/%s", name);
	if (flags)
		assert_int_equal(link_table_add(&table, &link), 0);
}

static void add_tap(const char *name, enum link_mode mode, uint32_t flags)
{
	add(name, LINK_KIND_MACVTAP, mode, flags, 0, false);
}

static const char *no_outside;

static void plan(bool all)
{
	const struct reach_wish wish = {
		.all = all,
		.no_outside = no_outside,
		.run = { RUN[0], RUN[1] },
	};

	assert_int_equal(link_table_index(&table), 0);
	assert_int_equal(reach_make(specs, n_specs, &table, GROUP, &reach), 0);
	assert_int_equal(reach.n, 1);
	assert_int_equal(reach_shots_plan(&reach.lowers[0], &wish, &shots, NULL), 0);
}

/* The unicasts that are sent, as "a > b", and "!" after those that have to arrive. */
static void assert_shots(const char *expected)
{
	char text[1024] = "";
	size_t len = 0;

	for (size_t i = 0; i < shots.n; i++) {
		const struct reach_shot *shot = &shots.shots[i];
		const char *from =
			shot->from == REACH_PORT_WIRE ? "wire" : shots.ports[shot->from].link->name;
		const char *to = shot->to == REACH_PORT_WIRE ? "wire"
							     : shots.ports[shot->to].link->name;

		if (shot->cast == REACH_UNICAST)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s > %s%s",
						len ? ", " : "", from, to,
						reach_shot_is_due(&shots, shot) ? "!" : "");
	}
	assert_string_equal(text, expected);
}

static void one_pair_of_those_that_are_up(void **state)
{
	(void)state;
	add_tap("planned", LINK_MODE_BRIDGE, 0);
	add_tap("down", LINK_MODE_BRIDGE, IFF_LOWER_UP);
	add_tap("a", LINK_MODE_BRIDGE, UP);
	add_tap("b", LINK_MODE_BRIDGE, UP);
	add_tap("c", LINK_MODE_BRIDGE, UP);
	add_tap("v", LINK_MODE_VEPA, UP);
	plan(false);
	assert_shots("v > a, v > eno1, eno1 > v, v > wire!, wire > v!, "
		     "a > v, a > b!, a > eno1, eno1 > a, a > wire!, wire > a!");
}

static void all_pairs(void **state)
{
	(void)state;
	add_tap("a", LINK_MODE_BRIDGE, UP);
	add_tap("b", LINK_MODE_BRIDGE, UP);
	add_tap("c", LINK_MODE_BRIDGE, UP);
	plan(true);
	assert_shots("a > b!, a > c!, b > a!, b > c!, c > a!, c > b!, a > eno1, b > eno1, "
		     "c > eno1, eno1 > a, eno1 > b, eno1 > c, a > wire!, b > wire!, c > wire!, "
		     "wire > a!, wire > b!, wire > c!");
	assert_int_equal(shots.proofs[0].pairs, 6);
}

static void too_many_pairs(void **state)
{
	const struct reach_wish wish = { .all = true };
	struct reach_shots none = { 0 };
	struct err err;
	char name[8];

	(void)state;
	for (unsigned int i = 0; i < 120; i++) {
		snprintf(name, sizeof(name), "w%u", i);
		add_tap(name, LINK_MODE_BRIDGE, UP);
		if (i == 99) {
			plan(true);
			reach_shots_done(&shots);
			reach_done(&reach);
		}
	}
	plan(false);
	assert_int_equal(reach_shots_plan(&reach.lowers[0], &wish, &none, &err), -E2BIG);
	assert_string_equal(err.text,
			    "could not probe eno1: all pairs of its links take more than 21000 "
			    "frames: one pair of each kind is tried without --all");
	assert_null(none.shots);
}

static void what_is_due_follows_what_is_seen(void **state)
{
	(void)state;
	add_tap("v", LINK_MODE_VEPA, UP);
	add_tap("w", LINK_MODE_VEPA, UP);
	plan(false);
	assert_shots("v > w, v > eno1, eno1 > v, v > wire!, wire > v!");
	shots.came_back = true;
	assert_shots("v > w!, v > eno1!, eno1 > v!, v > wire!, wire > v!");
	/* What is in sight is believed: then the frames that differ are told. */
	reach.lowers[0].reflection = REACH_REFLECTS_NO;
	assert_shots("v > w, v > eno1, eno1 > v, v > wire!, wire > v!");
	shots.came_back = false;
	reach.lowers[0].reflection = REACH_REFLECTS_YES;
	assert_shots("v > w!, v > eno1!, eno1 > v!, v > wire!, wire > v!");
}

static void lists_of_mode_source(void **state)
{
	(void)state;
	add_tap("a", LINK_MODE_BRIDGE, UP);
	add_tap("b", LINK_MODE_BRIDGE, UP);
	add("s", LINK_KIND_MACVTAP, LINK_MODE_SOURCE, UP, 2, false);
	plan(false);
	shots.came_back = true;
	/* Nobody who is outside is on the list. */
	assert_shots("a > b!, b > s!, a > eno1!, eno1 > a!, a > wire!, wire > a!, s > a!, "
		     "s > eno1!, eno1 > s, s > wire!, wire > s");
}

/* An outsider is one of those on the list. */
static void lists_of_outsiders(void **state)
{
	const uint8_t listed[MAC_LEN] = { 2, 200 };
	uint8_t bytes[REACH_FRAME_LEN];

	(void)state;
	add_tap("a", LINK_MODE_BRIDGE, UP);
	add("s", LINK_KIND_MACVTAP, LINK_MODE_SOURCE, UP, 200, true);
	plan(false);
	assert_shots("a > s, a > eno1, eno1 > a, a > wire!, wire > a!, s > a, s > eno1, eno1 > s, "
		     "s > wire!, wire > s!");
	reach_shots_frame(&shots, shots.n - 1, bytes);
	assert_memory_equal(bytes + MAC_LEN, listed, MAC_LEN);
}

static void no_outsiders(void **state)
{
	struct buf out;

	(void)state;
	no_outside = "there is no /dev/net/tun";
	add_tap("a", LINK_MODE_BRIDGE, UP);
	plan(false);
	no_outside = NULL;
	assert_shots("a > eno1, eno1 > a, a > wire!");
	reach_shots_judge(&shots);
	buf_init(&out, 1 << 16);
	reach_view_text(&reach, &shots, &out);
	assert_non_null(strstr(out.data, "\noutside         macvtap bridge  yes           yes"
					 "           -  "));
	assert_non_null(strstr(out.data, "! eno1: what comes from outside was not tried: there is "
					 "no /dev/net/tun\n"));
	buf_done(&out);
}

static void nodst_takes_from_the_others(void **state)
{
	(void)state;
	add_tap("a", LINK_MODE_BRIDGE, UP);
	add_tap("b", LINK_MODE_BRIDGE, UP);
	add("s", LINK_KIND_MACVTAP, LINK_MODE_SOURCE, UP, 1, true);
	plan(false);
	shots.came_back = true;
	assert_shots("a > b, a > s!, a > eno1, eno1 > a!, a > wire!, wire > a!, s > a!, s > eno1!, "
		     "eno1 > s, s > wire!, wire > s");
	/* Between bridge mode links a broadcast does not come by the lower device. */
	assert_int_equal(shots.shots[1].cast, REACH_BROADCAST);
	assert_true(reach_shot_is_due(&shots, &shots.shots[1]));
}

static void judged(void **state)
{
	(void)state;
	add_tap("a", LINK_MODE_BRIDGE, UP);
	add_tap("b", LINK_MODE_BRIDGE, UP);
	add_tap("c", LINK_MODE_BRIDGE, UP);
	plan(true);
	for (size_t i = 0; i < shots.n; i++)
		shots.shots[i].arrived = reach_shot_is_due(&shots, &shots.shots[i]);
	assert_true(reach_shots_are_in(&shots, 0, shots.n));
	assert_int_equal(reach_shots_judge(&shots), 0);
	assert_string_equal(shots.proofs[0].from, "a");

	memset(shots.proofs, 0, reach.lowers[0].n_cells * sizeof(*shots.proofs));
	shots.shots[7].arrived = false; /* the broadcast b > c */
	assert_false(reach_shots_are_in(&shots, 0, shots.n));
	shots.shots[12].arrived = true; /* the unicast a > eno1, which must not */
	assert_int_equal(reach_shots_judge(&shots), 2);
	assert_string_equal(shots.proofs[0].from, "b");
	assert_string_equal(shots.proofs[0].to, "c");
	assert_int_equal(shots.proofs[0].arrived[REACH_BROADCAST], 5);
	assert_int_equal(shots.proofs[0].differ[REACH_UNICAST], 0);
	assert_int_equal(shots.proofs[0].differ[REACH_BROADCAST], 1);
	assert_int_equal(shots.proofs[1].differ[REACH_UNICAST], 1);
}

static void as_text(void **state)
{
	struct buf out;

	(void)state;
	add_tap("a", LINK_MODE_PRIVATE, UP);
	add_tap("b", LINK_MODE_PRIVATE, UP);
	plan(false);
	for (size_t i = 0; i < shots.n; i++)
		shots.shots[i].arrived = reach_shot_is_due(&shots, &shots.shots[i]);
	shots.shots[1].arrived = true;
	reach_shots_judge(&shots);
	buf_init(&out, 1 << 16);
	reach_view_text(&reach, &shots, &out);
	assert_string_equal(
		out.data,
		"LOWER  KIND     MODE     LINKS  STATE  NAMES\n"
		"eno1   macvtap  private  2      there  a b\n"
		"\n"
		"eno1: does its switch reflect? unknown: what it is plugged into is not to be seen "
		"from here\n"
		"FROM             TO               UNICAST       BROADCAST     PROBE                 "
		"                         WHY\n"
		"macvtap private  macvtap private  if reflected  no            ! DIFFERS: a > b: "
		"broadcast arrived at 1 of 1  needs a reflecting switch; a broadcast comes back to "
		"its sender alone\n"
		"macvtap private  host             if reflected  no            agrees                "
		"                         never inside the host; a broadcast comes back to its sender "
		"alone\n"
		"host             macvtap private  if reflected  if reflected  agrees                "
		"                         never inside the host; needs a reflecting switch\n"
		"macvtap private  outside          yes           yes           agrees                "
		"                         sent on the wire\n"
		"outside          macvtap private  yes           yes           agrees                "
		"                         received from the wire by its MAC\n"
		"! eno1: private does not isolate behind a reflecting switch\n"
		"! eno1: the probe's frames did not come back: the switch does not reflect\n");
	buf_done(&out);
}

#define ALL_PASS "\"passes\":{\"unicast\":\"all\",\"broadcast\":\"all\"},"

static void as_json(void **state)
{
	char *text;
	json_t *json;

	(void)state;
	add_tap("p", LINK_MODE_PASSTHRU, 0);
	plan(false);
	json = reach_view_json(&reach, NULL);
	text = json_dumps(json, JSON_COMPACT);
	assert_string_equal(
		text,
		"{\"lowers\":[{\"name\":\"eno1\",\"present\":true,\"reflects\":\"unknown\","
		"\"reflects_why\":\"what it is plugged into is not to be seen from here\","
		"\"classes\":[{\"kind\":\"macvtap\",\"mode\":\"passthru\",\"links\":1,"
		"\"planned\":1,\"foreign\":0,\"elsewhere\":0,\"names\":[\"p\"]}],\"cells\":["
		"{\"from\":\"macvtap passthru\",\"to\":\"host\",\"unicast\":\"no\","
		"\"broadcast\":\"no\"," ALL_PASS
		"\"why\":\"what comes back comes back to the guest\","
		"\"probe\":null},"
		"{\"from\":\"host\",\"to\":\"macvtap passthru\",\"unicast\":\"if reflected\","
		"\"broadcast\":\"if reflected\"," ALL_PASS
		"\"why\":\"what a reflecting switch sends back is the guest's\",\"probe\":null},"
		"{\"from\":\"macvtap passthru\",\"to\":\"outside\",\"unicast\":\"yes\","
		"\"broadcast\":\"yes\"," ALL_PASS "\"why\":\"sent on the wire\",\"probe\":null},"
		"{\"from\":\"outside\",\"to\":\"macvtap passthru\",\"unicast\":\"yes\","
		"\"broadcast\":\"yes\"," ALL_PASS "\"why\":\"all that comes in is the guest's\","
		"\"probe\":null}],\"notes\":[],\"probe\":null}]}");
	free(text);
	json_decref(json);
}

/* ---- filters ---- */

static struct bpf_code filters[2];

/* Of the spec added last. */
static void filter_last(enum link_hook hook, const char *expression)
{
	struct bpf_code *code = &filters[hook];

	assert_int_equal(bpf_compile(expression, code, NULL), 0);
	specs[n_specs - 1].filters[hook] = (struct link_filter){ code->ops, code->n };
}

static void free_filters(void)
{
	bpf_code_done(&filters[0]);
	bpf_code_done(&filters[1]);
}

static void what_filters_drop_is_not_due(void **state)
{
	(void)state;
	add_tap("a", LINK_MODE_BRIDGE, UP);
	filter_last(LINK_HOOK_FROM_GUEST, "tcp port 80");
	add_tap("b", LINK_MODE_BRIDGE, UP);
	filter_last(LINK_HOOK_TO_GUEST, "not udp dst port 53");
	plan(true);
	/* Each with the one that passes beside it, or those that do not. */
	assert_shots("a > b, a > b!, b > a!, a > eno1, a > eno1, b > eno1, eno1 > a, eno1 > b, "
		     "eno1 > b, a > wire, a > wire!, b > wire!, wire > a!, wire > b!, wire > b");
	assert_int_equal(shots.shots[1].kind, REACH_KIND_TCP);
	assert_int_equal(shots.shots[1].number, 80);
	assert_true(shots.shots[1].is_witness);
	/* Somebody reads the tap of b: what its filter does is not seen. */
	for (size_t i = REACH_PORT_LINKS; i < shots.n_ports; i++)
		shots.ports[i].is_held = true;
	for (size_t i = 0; i < shots.n; i++)
		shots.shots[i].arrived = reach_shot_is_due(&shots, &shots.shots[i]);
	assert_int_equal(reach_shots_judge(&shots), 0);
	assert_int_equal(shots.proofs[0].unproven, 4);
	assert_string_equal(shots.proofs[0].held, "b");
	/* None of them arrived at a tap: what did is told. */
	shots.shots[1].arrived = false;
	memset(shots.proofs, 0, reach.lowers[0].n_cells * sizeof(*shots.proofs));
	assert_int_equal(reach_shots_judge(&shots), 1);
	assert_ptr_equal(shots.proofs[0].witness, &shots.shots[1]);
	free_filters();
}

/* Where its MAC is looked at a guest tries another one, to the wire. */
static void a_false_mac(void **state)
{
	const size_t last = 6; /* of those of a */
	uint8_t bytes[REACH_FRAME_LEN];

	(void)state;
	add_tap("a", LINK_MODE_BRIDGE, UP);
	plan(false);
	assert_shots("a > eno1, eno1 > a, a > wire!, wire > a!");
	reach_shots_done(&shots);
	reach_done(&reach);
	specs[0].anti_spoof = ANTI_SPOOF_MAC;
	plan(false);
	assert_shots("a > eno1, eno1 > a, a > wire!, a > wire, wire > a!");
	assert_true(last < shots.n);
	assert_int_equal(shots.shots[last].kind, REACH_KIND_FALSE);
	reach_shots_frame(&shots, last, bytes);
	assert_memory_not_equal(bytes + MAC_LEN, specs[0].mac, MAC_LEN);
	assert_int_equal(bytes[MAC_LEN] & 3, 2); /* local, of one */
	/* One that comes is told. */
	for (size_t i = 0; i < shots.n; i++)
		shots.shots[i].arrived = reach_shot_is_due(&shots, &shots.shots[i]);
	assert_int_equal(reach_shots_judge(&shots), 0);
	shots.shots[last].arrived = true;
	memset(shots.proofs, 0, reach.lowers[0].n_cells * sizeof(*shots.proofs));
	assert_int_equal(reach_shots_judge(&shots), 1);
}

/* Each kind is what it is called, by libpcap's word for it. */
static void kinds_of_frames(void **state)
{
	static const char *const expressions[REACH_KINDS] = {
		"ether proto 0x88b5",
		"ether proto 0x88b5",
		"ether proto 0x88b6",
		"arp and arp[6:2] = 24",
		"ip and tcp port 443",
		"ip and udp dst port 443",
		"icmp and host 255.255.255.255",
		"ip6 and tcp port 443",
		"ip6 and udp src port 443 and dst ff02::1",
	};
	const uint8_t from[MAC_LEN] = { 2, 1 }, to[MAC_LEN] = { 2, 2 };
	uint8_t bytes[REACH_FRAME_LEN];
	struct bpf_code code = { 0 };

	(void)state;
	for (int kind = 0; kind < REACH_KINDS; kind++) {
		const struct reach_frame frame = {
			.from = from,
			.to = to,
			.kind = (enum reach_kind)kind,
			.port = 443,
			.mark = { .run = { 1, 2 }, .shot = 3 },
		};
		const struct bpf_frame seen = { .data = bytes, .len = sizeof(bytes) };

		reach_frame_write(&frame, bytes);
		assert_memory_equal(bytes + REACH_FRAME_MARK, &frame.mark, sizeof(frame.mark));
		for (int other = 0; other < REACH_KINDS; other++) {
			assert_int_equal(bpf_compile(expressions[other], &code, NULL), 0);
			assert_int_equal(bpf_run(code.ops, code.n, &seen) != 0,
					 reach_kind_types[kind] == ETHERTYPE
						 ? reach_kind_types[other] == ETHERTYPE
						 : kind == other);
		}
	}
	bpf_code_done(&code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_pair_of_those_that_are_up, setup, teardown),
		cmocka_unit_test_setup_teardown(all_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_due_follows_what_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_of_mode_source, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_of_outsiders, setup, teardown),
		cmocka_unit_test_setup_teardown(no_outsiders, setup, teardown),
		cmocka_unit_test_setup_teardown(nodst_takes_from_the_others, setup, teardown),
		cmocka_unit_test_setup_teardown(judged, setup, teardown),
		cmocka_unit_test_setup_teardown(what_filters_drop_is_not_due, setup, teardown),
		cmocka_unit_test_setup_teardown(a_false_mac, setup, teardown),
		cmocka_unit_test(kinds_of_frames),
		cmocka_unit_test_setup_teardown(as_text, setup, teardown),
		cmocka_unit_test_setup_teardown(as_json, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
