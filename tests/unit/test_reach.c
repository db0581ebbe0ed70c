/* links: agent/base/pcap_lib.c agent/base/late_lib.c */
/* links: netlink/link_addr.c netlink/bridge_port.c */
/* links: netlink/reach.c netlink/reach_rules.c netlink/link_marks.c netlink/link_kind.c */
/* links: netlink/lower_fit.c netlink/reach_filter.c netlink/bpf_bound.c */
/* links: netlink/link_spec.c netlink/link_table.c agent/base/link_types.c agent/base/parse.c */
/* links: agent/base/err.c agent/base/bpf_compile.c agent/base/bpf_code.c agent/base/hint.c */
#include "netlink/reach.h"

#include <linux/if_link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/bpf_compile.h"
#include "netlink/link_kind.h"

#define GROUP 0x7477

/*
 * What arrives, from the row to the column: unicast and broadcast, 1 or 0. Columns as the rows:
 * vepa, bridge, private, passthru, source, host, outside.
 */
static const struct {
	enum reach_reflection reflection;
	const char *rows[REACH_ENDS];
} grids[] = {
	{ REACH_REFLECTS_NO,
	  {
		  "00 00 00 00 00 00 11", /* vepa */
		  "00 11 00 00 00 00 11", /* bridge */
		  "00 00 00 00 00 00 11", /* private */
		  "00 00 00 00 00 00 11", /* passthru */
		  "00 00 00 00 00 00 11", /* source */
		  "00 00 00 00 00 -- 11", /* host */
		  "11 11 11 11 11 11 --", /* outside */
	  } },
	{ REACH_REFLECTS_YES,
	  {
		  "11 11 10 00 11 11 11", /* vepa */
		  "11 11 10 00 11 11 11", /* bridge */
		  "10 10 10 00 11 10 11", /* private */
		  "00 00 00 00 00 00 11", /* passthru */
		  "10 10 10 00 11 10 11", /* source */
		  "11 11 11 11 11 -- 11", /* host */
		  "11 11 11 11 11 11 --", /* outside */
	  } },
};

static char bit(enum reach_end from, enum reach_end to, enum reach_cast cast,
		enum reach_reflection reflection)
{
	return reach_answer(reach_path(from, to, cast), reflection) == REACH_NO ? '0' : '1';
}

static void every_pair_with_and_without_reflection(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(grids) / sizeof(grids[0]); i++) {
		for (size_t from = 0; from < REACH_ENDS; from++) {
			char row[3 * REACH_ENDS + 1] = "";

			for (size_t to = 0; to < REACH_ENDS; to++) {
				const enum reach_end a = (enum reach_end)from,
						     b = (enum reach_end)to;
				bool none = from == to && from >= REACH_MODES;

				row[3 * to] = none ? '-' : bit(a, b, 0, grids[i].reflection);
				row[3 * to + 1] = none ? '-' : bit(a, b, 1, grids[i].reflection);
				row[3 * to + 2] = to + 1 < REACH_ENDS ? ' ' : '\0';
				if (!none)
					assert_string_not_equal(reach_why(a, b), "");
			}
			assert_string_equal(row, grids[i].rows[from]);
		}
	}
}

static void answers(void **state)
{
	(void)state;
	assert_int_equal(reach_answer(REACH_DIRECT, REACH_REFLECTS_NO), REACH_YES);
	assert_int_equal(reach_answer(REACH_DIRECT, REACH_REFLECTS_YES), REACH_YES);
	assert_int_equal(reach_answer(REACH_REFLECTED, REACH_REFLECTS_YES), REACH_YES_REFLECTED);
	assert_int_equal(reach_answer(REACH_REFLECTED, REACH_REFLECTS_UNKNOWN), REACH_IF_REFLECTED);
	assert_int_equal(reach_answer(REACH_REFLECTED, REACH_REFLECTS_NO), REACH_NO);
	assert_int_equal(reach_answer(REACH_NONE, REACH_REFLECTS_UNKNOWN), REACH_NO);
}

static void modes_of_the_kernel(void **state)
{
	enum reach_end end = REACH_OUTSIDE;

	(void)state;
	assert_true(reach_end_of_mode(MACVLAN_MODE_SOURCE, &end));
	assert_int_equal(end, REACH_SOURCE);
	for (size_t mode = 0; mode < LINK_MODES; mode++) {
		assert_true(reach_end_of_mode(link_mode_to_kernel((enum link_mode)mode), &end));
		assert_string_equal(reach_end_names[end], link_mode_names[mode]);
	}
	end = REACH_OUTSIDE;
	assert_false(reach_end_of_mode(0, &end));
	assert_int_equal(end, REACH_OUTSIDE);
}

/* ---- the report ---- */

static struct link_table table;

static void add(const struct link_state *link)
{
	assert_int_equal(link_table_add(&table, link), 0);
	assert_int_equal(link_table_index(&table), 0);
}

/* A macvlan on `lower`; one with a set is ours. */
static void add_macvlan(uint32_t ifindex, const char *name, enum link_kind kind, uint32_t mode,
			uint32_t lower, const char *set)
{
	struct link_state link = {
		.ifindex = ifindex,
		.is_macvlan = true,
		.kind = kind,
		.macvlan_mode = mode,
		.lower = lower,
		.group = set ? GROUP : 0,
	};

	snprintf(link.name, sizeof(link.name), "%s", name);
	snprintf(link.kind_text, sizeof(link.kind_text), "%s", link_kind_names[kind]);
	if (set)
		snprintf(link.alias, sizeof(link.alias), LINK_ALIAS_PREFIX "%s/%s", set, name);
	add(&link);
}

static int setup(void **state)
{
	(void)state;
	link_table_reset(&table);
	add(&(struct link_state){ .ifindex = 2, .name = "eno1" });
	add(&(struct link_state){ .ifindex = 3, .name = "eno2" });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	link_table_done(&table);
	return 0;
}

static struct link_spec spec(const char *name, enum link_kind kind, enum link_mode mode,
			     const char *lower)
{
	struct link_spec s = { .set = "web", .kind = kind, .mode = mode, .group = GROUP };

	snprintf(s.name, sizeof(s.name), "%s", name);
	snprintf(s.lower, sizeof(s.lower), "%s", lower);
	return s;
}

/* "eno1 unknown: macvtap bridge 2 (1 planned, 0 foreign) web1 web2; cells 5" and a line each. */
static void assert_reach(const struct link_spec *specs, size_t n, const char *expected)
{
	char text[2048] = "";
	struct reach reach;
	size_t len = 0;

	assert_int_equal(reach_make(specs, n, &table, GROUP, &reach), 0);
	for (size_t i = 0; i < reach.n; i++) {
		const struct reach_lower *lower = &reach.lowers[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s%s %s%s%s:", i ? "\n" : "", lower->name,
					reach_reflection_names[lower->reflection],
					lower->is_mixed ? " mixed" : "",
					lower->is_refused ? " refused" : "");
		for (size_t k = 0; k < lower->n_classes; k++) {
			const struct reach_class *class = &lower->classes[k];

			len += (size_t)snprintf(text + len, sizeof(text) - len,
						" %s %s %zu planned %zu foreign %zu",
						link_kind_names[class->kind],
						reach_end_names[class->end], class->n,
						class->planned, class->foreign);
			for (size_t m = 0; m < class->n; m++)
				len += (size_t)snprintf(text + len, sizeof(text) - len, " %s",
							class->members[m].name);
			len += (size_t)snprintf(text + len, sizeof(text) - len, ";");
		}
		len += (size_t)snprintf(text + len, sizeof(text) - len, " cells %zu",
					lower->n_cells);
	}
	assert_string_equal(text, expected);
	reach_done(&reach);
}

static void nothing_yet(void **state)
{
	const struct link_spec specs[] = {
		spec("web2", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1"),
		spec("web1", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1"),
		spec("gone", LINK_KIND_MACVTAP, LINK_MODE_VEPA, "eno9"),
	};

	(void)state;
	assert_reach(specs, 0, "");
	assert_reach(specs, 3,
		     "eno1 unknown: macvtap bridge 2 planned 2 foreign 0 web2 web1; cells 5\n"
		     "eno9 unknown: macvtap vepa 1 planned 1 foreign 0 gone; cells 4");
}

static void what_the_kernel_has_otherwise_is_planned(void **state)
{
	const struct link_spec specs[] = {
		spec("as", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1"),
		spec("mode", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1"),
		spec("kind", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1"),
		spec("lower", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1"),
	};

	(void)state;
	add_macvlan(10, "as", LINK_KIND_MACVTAP, MACVLAN_MODE_BRIDGE, 2, "web");
	assert_reach(specs, 1, "eno1 unknown: macvtap bridge 1 planned 0 foreign 0 as; cells 4");
	add_macvlan(11, "mode", LINK_KIND_MACVTAP, MACVLAN_MODE_VEPA, 2, "web");
	add_macvlan(12, "kind", LINK_KIND_MACVLAN, MACVLAN_MODE_BRIDGE, 2, "web");
	add_macvlan(13, "lower", LINK_KIND_MACVTAP, MACVLAN_MODE_BRIDGE, 3, "web");
	add_macvlan(14, "stray", LINK_KIND_MACVTAP, MACVLAN_MODE_BRIDGE, 2, "web");
	assert_reach(specs, 4,
		     "eno1 unknown: macvtap bridge 4 planned 3 foreign 0 as mode kind lower; "
		     "cells 5");
}

static void links_of_others_on_the_same_device(void **state)
{
	const struct link_spec specs[] = {
		spec("web1", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1"),
		spec("leg", LINK_KIND_MACVLAN, LINK_MODE_BRIDGE, "eno1"),
	};

	(void)state;
	add_macvlan(10, "vm", LINK_KIND_MACVTAP, MACVLAN_MODE_BRIDGE, 2, NULL);
	add_macvlan(11, "listed", LINK_KIND_MACVTAP, MACVLAN_MODE_SOURCE, 2, NULL);
	add_macvlan(12, "far", LINK_KIND_MACVTAP, MACVLAN_MODE_BRIDGE, 3, NULL);
	add(&(struct link_state){ .ifindex = 13,
				  .name = "elsewhere",
				  .is_macvlan = true,
				  .macvlan_mode = MACVLAN_MODE_VEPA,
				  .lower = 2,
				  .lower_elsewhere = true });
	assert_reach(specs, 2,
		     "eno1 unknown mixed: macvtap bridge 2 planned 1 foreign 1 web1 vm; "
		     "macvtap source 1 planned 0 foreign 1 listed; "
		     "macvlan bridge 1 planned 1 foreign 0 leg; cells 19");
}

/* The kernel puts a macvlan asked for on another one beside it. */
static void the_real_device_counts(void **state)
{
	const struct link_spec specs[] = {
		spec("web1", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1"),
		spec("web2", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "upper"),
	};

	(void)state;
	add_macvlan(10, "upper", LINK_KIND_MACVLAN, MACVLAN_MODE_VEPA, 2, NULL);
	assert_reach(specs, 2,
		     "eno1 unknown mixed: macvtap bridge 2 planned 2 foreign 0 web1 web2; "
		     "macvlan vepa 1 planned 0 foreign 1 upper; cells 11");
}

static void passthru_beside_others(void **state)
{
	const struct link_spec specs[] = {
		spec("p", LINK_KIND_MACVTAP, LINK_MODE_PASSTHRU, "eno1"),
		spec("web1", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1"),
	};

	(void)state;
	assert_reach(specs, 1, "eno1 unknown: macvtap passthru 1 planned 1 foreign 0 p; cells 4");
	assert_reach(specs, 2,
		     "eno1 unknown mixed refused: macvtap bridge 1 planned 1 foreign 0 web1; "
		     "macvtap passthru 1 planned 1 foreign 0 p; cells 10");
}

static void what_the_device_is_plugged_into(void **state)
{
	static const struct {
		struct link_state device, peer;
		enum reach_reflection reflection;
		const char *why;
	} cases[] = {
		{ { .kind_text = "", .lower = 9 },
		  { .is_bridge_port = true, .hairpin = true },
		  REACH_REFLECTS_UNKNOWN,
		  "what it is plugged into is not to be seen from here" },
		{ { .kind_text = "veth", .lower = 9 },
		  { .is_bridge_port = true, .hairpin = true, .master = 8 },
		  REACH_REFLECTS_YES,
		  "its other end port is a bridge port with hairpin on" },
		{ { .kind_text = "veth", .lower = 9 },
		  { .is_bridge_port = true, .master = 8 },
		  REACH_REFLECTS_NO,
		  "its other end port is a bridge port with hairpin off" },
		{ { .kind_text = "veth", .lower = 9 },
		  { .master = 8 },
		  REACH_REFLECTS_UNKNOWN,
		  "what it is plugged into is not to be seen from here" },
		{ { .kind_text = "veth", .lower = 9 },
		  { .ifindex = 9 },
		  REACH_REFLECTS_NO,
		  "its other end port is a port of nothing" },
		{ { .kind_text = "veth", .lower = 9, .lower_elsewhere = true },
		  { .is_bridge_port = true, .hairpin = true, .master = 8 },
		  REACH_REFLECTS_UNKNOWN,
		  "what it is plugged into is not to be seen from here" },
		{ { .kind_text = "dummy" },
		  { .ifindex = 9 },
		  REACH_REFLECTS_NO,
		  "a dummy device has no wire" },
	};
	const struct link_spec one = spec("a", LINK_KIND_MACVTAP, LINK_MODE_VEPA, "dev");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_state device = cases[i].device, peer = cases[i].peer;
		struct reach reach;

		link_table_reset(&table);
		device.ifindex = 7;
		strcpy(device.name, "dev");
		add(&device);
		peer.ifindex = 9;
		strcpy(peer.name, "port");
		add(&peer);
		assert_int_equal(reach_make(&one, 1, &table, GROUP, &reach), 0);
		assert_string_equal(reach.lowers[0].reflection_why, cases[i].why);
		assert_int_equal(reach.lowers[0].reflection, cases[i].reflection);
		reach_done(&reach);
	}
}

static void a_thousand_links_are_one_class(void **state)
{
	struct link_spec *specs = calloc(1000, sizeof(*specs));
	struct reach reach;

	(void)state;
	assert_non_null(specs);
	for (unsigned int i = 0; i < 1000; i++) {
		specs[i] = spec("", LINK_KIND_MACVTAP, LINK_MODE_PRIVATE, "eno1");
		snprintf(specs[i].name, sizeof(specs[i].name), "web%u", i);
	}
	assert_int_equal(reach_make(specs, 1000, &table, GROUP, &reach), 0);
	assert_int_equal(reach.n, 1);
	assert_int_equal(reach.lowers[0].n_classes, 1);
	assert_int_equal(reach.lowers[0].classes[0].n, 1000);
	assert_int_equal(reach.lowers[0].n_cells, 5);
	assert_string_equal(reach.lowers[0].classes[0].members[999].name, "web999");
	reach_done(&reach);
	free(specs);
}

/* ---- filters ---- */

/* Two taps of mode bridge on eno1, and a leg of the host beside them; the first tap has filters. */
static const struct {
	const char *from, *to; /* at the hooks of web01; NULL: none */
	enum anti_spoof anti_spoof;
	const char *expected; /* unicast and broadcast of each cell: All, Some, None */
} filtered[] = {
	/* tap > tap, tap > leg, tap > host, host > tap, tap > out, out > tap, leg > tap */
	{ NULL, NULL, ANTI_SPOOF_OFF, "AA AA AA AA AA AA AA" },
	{ NULL, NULL, ANTI_SPOOF_MAC, "AA AA AA AA AA AA AA" },
	{ NULL, NULL, ANTI_SPOOF_MAC_IP, "SS SS SS AA SS AA AA" },
	/* The other tap has none: what only one of two drops is some. */
	{ "ether broadcast", NULL, ANTI_SPOOF_OFF, "SA SA SA AA SA AA AA" },
	{ "tcp port 80", NULL, ANTI_SPOOF_MAC, "SS SS SS AA SS AA AA" },
	{ NULL, "not ether broadcast", ANTI_SPOOF_OFF, "AS AA AA AS AA AS AS" },
	{ NULL, "ether src 02:00:00:00:00:03", ANTI_SPOOF_OFF, "SS AA AA SS AA SS AA" },
	{ NULL, "ether src 02:00:00:00:00:99", ANTI_SPOOF_OFF, "SS AA AA SS AA SS SS" },
};

static void format_passes(const struct reach_lower *lower, char *text, size_t size)
{
	static const char letters[REACH_PASSES] = { 'A', 'S', 'N' };
	size_t len = 0;

	for (size_t i = 0; i < lower->n_cells; i++) {
		const struct reach_cell *cell = &lower->cells[i];
		const bool of_leg = (cell->from_class && cell->from_class->n == 1) ||
				    (cell->to_class && cell->to_class->n == 1);

		if (of_leg && (cell->from == REACH_HOST || cell->to == REACH_HOST ||
			       cell->from == REACH_OUTSIDE || cell->to == REACH_OUTSIDE))
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%c%c", len ? " " : "",
					letters[cell->pass[REACH_UNICAST]],
					letters[cell->pass[REACH_BROADCAST]]);
	}
}

static void set_filter(struct link_spec *spec, enum link_hook hook, const char *expression,
		       struct bpf_code *code)
{
	if (!expression)
		return;
	assert_int_equal(bpf_compile(expression, code, NULL), 0);
	spec->filters[hook] = (struct link_filter){ code->ops, code->n };
}

static void what_filters_let_through(void **state)
{
	struct bpf_code from = { 0 }, to = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(filtered) / sizeof(filtered[0]); i++) {
		struct link_spec specs[3];
		struct reach reach;
		char text[64] = "";

		for (uint8_t k = 0; k < 3; k++) {
			specs[k] = spec(k == 2	 ? "leg"
					: k == 1 ? "web02"
						 : "web01",
					k == 2 ? LINK_KIND_MACVLAN : LINK_KIND_MACVTAP,
					LINK_MODE_BRIDGE, "eno1");
			specs[k].mac[0] = 2;
			specs[k].mac[5] = (uint8_t)(k + 1);
			specs[k].anti_spoof = ANTI_SPOOF_OFF;
		}
		specs[0].anti_spoof = filtered[i].anti_spoof;
		set_filter(&specs[0], LINK_HOOK_FROM_GUEST, filtered[i].from, &from);
		set_filter(&specs[0], LINK_HOOK_TO_GUEST, filtered[i].to, &to);
		assert_int_equal(reach_make(specs, 3, &table, GROUP, &reach), 0);
		format_passes(&reach.lowers[0], text, sizeof(text));
		assert_string_equal(text, filtered[i].expected);
		reach_done(&reach);
	}
	bpf_code_done(&from);
	bpf_code_done(&to);
}

static void answers_that_filters_leave(void **state)
{
	(void)state;
	assert_int_equal(reach_filtered(REACH_YES, REACH_PASS_ALL), REACH_YES);
	assert_int_equal(reach_filtered(REACH_YES, REACH_PASS_SOME), REACH_FILTERED);
	assert_int_equal(reach_filtered(REACH_IF_REFLECTED, REACH_PASS_SOME),
			 REACH_FILTERED_IF_REFLECTED);
	assert_int_equal(reach_filtered(REACH_YES_REFLECTED, REACH_PASS_SOME),
			 REACH_FILTERED_REFLECTED);
	for (int answer = 0; answer < REACH_ANSWERS; answer++)
		assert_int_equal(reach_filtered((enum reach_answer)answer, REACH_PASS_NONE),
				 REACH_NO);
	assert_int_equal(reach_filtered(REACH_NO, REACH_PASS_SOME), REACH_NO);
}

static void filters_that_forget_arp(void **state)
{
	static const struct {
		const char *expression;
		bool hides;
	} cases[] = {
		{ "ip", true },		{ "tcp port 80", true },      { "not arp", true },
		{ "ip or arp", false }, { "not tcp port 25", false }, { "ip6", false },
		{ "arp", false },	{ "host 192.0.2.1", false },
	};
	struct link_spec one = spec("web01", LINK_KIND_MACVTAP, LINK_MODE_BRIDGE, "eno1");
	struct bpf_code code = { 0 };

	(void)state;
	assert_false(reach_hides_from_arp(&one));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int hook = 0; hook < LINK_HOOKS; hook++) {
			memset(one.filters, 0, sizeof(one.filters));
			set_filter(&one, (enum link_hook)hook, cases[i].expression, &code);
			if (reach_hides_from_arp(&one) != cases[i].hides)
				fail_msg("%s", cases[i].expression);
		}
	}
	bpf_code_done(&code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_with_and_without_reflection),
		cmocka_unit_test(answers),
		cmocka_unit_test(modes_of_the_kernel),
		cmocka_unit_test_setup_teardown(what_filters_let_through, setup, teardown),
		cmocka_unit_test(answers_that_filters_leave),
		cmocka_unit_test(filters_that_forget_arp),
		cmocka_unit_test_setup_teardown(nothing_yet, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_kernel_has_otherwise_is_planned, setup,
						teardown),
		cmocka_unit_test_setup_teardown(links_of_others_on_the_same_device, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_real_device_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(passthru_beside_others, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_device_is_plugged_into, setup, teardown),
		cmocka_unit_test_setup_teardown(a_thousand_links_are_one_class, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
