/* links: agent/status.c agent/status_text.c agent/status_links.c agent/status_seen.c */
/* links: agent/status_relay.c agent/status_logs.c agent/status_traffic.c */
/* links: agent/base/stats_traffic.c agent/base/stats.c agent/base/stats_guest.c agent/version.c */
/* links: agent/base/buf.c agent/base/link_types.c agent/base/parse.c agent/base/err.c */
/* links: capture/json_writer.c agent/base/utf8.c */
#include "agent/status.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "capture/decode.h"

/* What status.c asks of its neighbours, here as the test wants it. */

const char *const reconcile_state_names[RECONCILE_STATES] = {
	[RECONCILE_UP] = "up",
	[RECONCILE_DOWN] = "down",
	[RECONCILE_LOWER_DOWN] = "lower-down",
	[RECONCILE_MISSING] = "missing",
	[RECONCILE_WAITING] = "waiting",
	[RECONCILE_BLOCKED] = "blocked",
	[RECONCILE_FAILED] = "failed",
};

static struct source_counters given = {
	.frames = { 3, 4 },
	.bytes = { 300, 400 },
	.payloads = 5,
	.matches = 2,
	.drops = 7,
};

bool source_peer_attached(const struct source_peer *peer)
{
	return peer;
}

const struct source *sources_find(const struct sources *sources, size_t near, const char *link)
{
	(void)near;
	return strcmp(link, "web01") == 0 ? sources->list : NULL;
}

void sources_counters(const struct sources *sources, const struct source *source,
		      struct source_counters *ret)
{
	(void)sources;
	(void)source;
	*ret = given;
}

pid_t worker_pid(const struct worker *worker)
{
	return worker->role == WORKER_CAPTURE ? 42 : 0;
}

const char *worker_state(const struct worker *worker, struct ipc_ready *ret_ready)
{
	if (worker->role == WORKER_WEB)
		return "waiting";
	*ret_ready = (struct ipc_ready){ .patterns = 9,
					 .jit = 8,
					 .sandbox = { .seccomp = 1, .landlock = 7 } };
	return "ready";
}

const struct guest_conf *config_guest_of_link(const struct config *config, const char *link)
{
	return strcmp(link, config->guests[0].link) == 0 ? &config->guests[0] : NULL;
}

const char *decode_reason_name(enum decode_reason reason)
{
	return reason == 1 ? "some-reason" : "?";
}

static struct set_conf set = {
	.head.name = "web",
	.keys = { .lower = "eno1", .kind = LINK_KIND_MACVTAP, .mode = LINK_MODE_VEPA },
};
static struct guest_conf guest = { .head.name = "shop", .link = "web01" };
static struct pattern_conf pattern = { .head.name = "order" };
static struct config config = {
	.sets = &set,
	.n_sets = 1,
	.guests = &guest,
	.n_guests = 1,
	.patterns = &pattern,
	.n_patterns = 1,
};

static struct status_text made;

static json_t *make(struct reconcile_link *links, size_t n)
{
	static struct stats_page stats;
	static struct source source = { .fd = 0, .known = true, .message.name = "web01" };
	const struct sources sources = { .list = &source, .n = 1 };
	const struct worker captures[] = { { .name = "capture", .role = WORKER_CAPTURE } };
	const struct worker web = {
		.name = "web", .role = WORKER_WEB, .restarts = 3, .last_death = "killed \xff"
	};
	const struct status_input in = {
		.config = &config,
		.config_path = "/etc/\xe4.ini",
		.links = links,
		.n_links = n,
		.sources = &sources,
		.stats = &stats,
		.captures = captures,
		.n_captures = 1,
		.web = &web,
		.generation = 6,
		.started = 1000,
		.reload_error = "",
		.pid = 77,
		.now_ns = 10000000000,
	};

	atomic_store(&stats.capture[0].malformed[1], 11);
	atomic_store(&stats.capture[0].log_error, ENOSPC);
	atomic_store(&stats.patterns[0][0].matches, 12);
	atomic_store(&stats.links[0].tag, stats_tag("web01", source.message.mac));
	atomic_store(&stats.links[0].addresses, 2);
	atomic_store(&stats.links[0].claims_dropped, 8);
	stats.guests[0] = (struct stats_guest){
		.n = 3,
		.hostname = "sh\x1bop",
		.addresses = { { .ip = { 192, 0, 2, 9 }, .version = 4, .seen_ns = 5000000000 },
			       { .ip = { 0x20, 1 },
				 .version = 6,
				 .learned = STATS_BY_DHCP6,
				 .flags = STATS_ADDRESS_TENTATIVE,
				 .vlan = 8,
				 .conflict = 1,
				 .first_ns = 6000000000,
				 .seen_ns = 9000000000,
				 .until_ns = 70000000000 },
			       { .version = 7 } },
	};
	assert_int_equal(status_make(&in, &made), 0);
	return json_loadb(made.buf.data, made.buf.len, JSON_REJECT_DUPLICATES, NULL);
}

static const struct link_spec web01 = {
	.name = "web01",
	.set = "web",
	.lower = "eno1",
	.mac = { 2 },
	.up = true,
	.kind = LINK_KIND_MACVTAP,
	.mode = LINK_MODE_VEPA,
};

static struct reconcile_link held_link(void)
{
	struct reconcile_link link = {
		.spec = &web01,
		.state = RECONCILE_UP,
		.present = true,
		.holder = { .dev = makedev(246, 7),
			    .pid = 4711,
			    .comm = "qemu\xc3",
			    .vm = "shop",
			    .processes = 1,
			    .fds = 2 },
	};

	link.link.ifindex = 5;
	link.link.mtu = 1500;
	link.link.mac[0] = 6;
	link.link.stats.tx_packets = 21;
	link.link.stats.rx_bytes = 2200;
	return link;
}

/* The text at a path such as "links/0/tap/node"; integers as text, too. */
static const char *at(const json_t *json, const char *path)
{
	static char number[32];
	char step[64];

	while (*path) {
		size_t len = strcspn(path, "/");

		snprintf(step, sizeof(step), "%.*s", (int)len, path);
		json = json_is_array(json) ? json_array_get(json, (size_t)atoi(step))
					   : json_object_get(json, step);
		path += len + (path[len] == '/');
	}
	if (json_is_null(json))
		return "null";
	if (json_is_string(json))
		return json_string_value(json);
	snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(json));
	return json_is_integer(json) ? number : "absent";
}

static void says_what_is(void **state)
{
	static const struct {
		const char *path, *value;
	} cases[] = {
		{ "agent/pid", "77" },
		{ "agent/generation", "6" },
		/* A byte that is no UTF-8 must not cost the whole answer. */
		{ "agent/config", "/etc/\\xe4.ini" },
		{ "workers/0/name", "capture" },
		{ "workers/0/pid", "42" },
		{ "workers/0/jit", "8" },
		{ "workers/0/sandbox/landlock", "7" },
		{ "workers/1/state", "waiting" },
		{ "workers/1/restarts", "3" },
		{ "workers/1/last_death", "killed \\xff" },
		{ "sets/0/links", "1" },
		{ "sets/0/held", "1" },
		{ "sets/0/state", "ok" },
		{ "links/0/name", "web01" },
		{ "links/0/mode", "vepa" },
		{ "links/0/mac", "06:00:00:00:00:00" },
		{ "links/0/guest", "shop" },
		{ "links/0/state", "up" },
		{ "links/0/detail", "" },
		{ "links/0/monitor", "passive" },
		{ "links/0/tap/node", "" },
		{ "links/0/tap/major", "246" },
		{ "links/0/tap/minor", "7" },
		{ "links/0/tap/holder/pid", "4711" },
		{ "links/0/tap/holder/comm", "qemu\\xc3" },
		{ "links/0/tap/holder/vm", "shop" },
		{ "links/0/tap/holder/fds", "2" },
		{ "links/0/from_guest/frames", "21" },
		{ "links/0/to_guest/bytes", "2200" },
		{ "links/0/captured/to_guest/frames", "4" },
		{ "links/0/captured/drops", "7" },
		{ "links/0/matches", "2" },
		{ "patterns/0/name", "order" },
		{ "patterns/0/matches", "12" },
		{ "capture/malformed/some-reason", "11" },
		{ "capture/drops", "7" },
		{ "capture/log_error", "No space left on device" },
	};
	struct reconcile_link link = held_link();
	json_t *json = make(&link, 1);

	(void)state;
	assert_non_null(json);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(at(json, cases[i].path), cases[i].value);
	json_decref(json);
}

static void names_the_first_that_is_not_as_wanted(void **state)
{
	struct reconcile_link links[2] = { held_link(), held_link() };
	struct link_spec web02 = web01;
	json_t *json;

	(void)state;
	strcpy(web02.name, "web02");
	links[1].spec = &web02;
	links[1].error = "no room";
	links[1].state = RECONCILE_MISSING;
	links[1].present = false;
	links[1].holder.dev = 0;
	links[1].holder.pid = 0;
	json = make(links, 2);
	assert_string_equal(at(json, "sets/0/state"), "degraded: web02 missing");
	assert_string_equal(at(json, "sets/0/links"), "2");
	assert_string_equal(at(json, "sets/0/up"), "1");
	assert_string_equal(at(json, "links/1/detail"), "no room");
	assert_string_equal(at(json, "links/1/mac"), "02:00:00:00:00:00");
	assert_string_equal(at(json, "links/1/tap"), "null");
	assert_string_equal(at(json, "links/1/captured"), "null");
	assert_string_equal(at(json, "links/1/monitor"), "off");
	json_decref(json);
}

/* A link that is wanted down and is down is as wanted. */
static void down_can_be_right(void **state)
{
	struct reconcile_link link = held_link();
	struct link_spec stays_down = web01;
	json_t *json;

	(void)state;
	link.state = RECONCILE_DOWN;
	stays_down.up = false;
	link.spec = &stays_down;
	json = make(&link, 1);
	assert_string_equal(at(json, "sets/0/state"), "ok");
	json_decref(json);
}

static void what_is_seen_of_a_guest(void **state)
{
	static const struct link_spec specs[] = {
		{ .name = "web01", .set = "web" },
		{ .name = "web02", .set = "web" },
	};
	struct reconcile_link links[] = { { .spec = &specs[0] }, { .spec = &specs[1] } };
	json_t *json = make(links, 2), *seen;
	char *text;

	(void)state;
	seen = json_object_get(json_array_get(json_object_get(json, "links"), 0), "seen");
	text = json_dumps(seen, JSON_COMPACT);
	/* The latest first; what no worker of ours writes is left out. */
	assert_string_equal(text, "{\"hostname\":\"sh?op\",\"addresses\":["
				  "{\"address\":\"2001::\",\"vlan\":7,\"by\":\"dhcp6\","
				  "\"tentative\":true,\"conflict\":\"web01\",\"since\":6,\"age\":1,"
				  "\"lease\":60},"
				  "{\"address\":\"192.0.2.9\",\"vlan\":null,\"by\":\"arp\","
				  "\"tentative\":false,\"conflict\":null,\"since\":0,\"age\":5,"
				  "\"lease\":null}],\"refused\":8,\"foreign_macs\":0}");
	assert_string_equal(at(json, "links/1/seen"), "null");
	free(text);
	json_decref(json);
}

static void a_host_links_addresses(void **state)
{
	struct link_addr_list addrs = {
		1, { { .cidr = { .family = 2, .prefix = 24, .address = { 192, 0, 2, 1 } } } }
	};
	struct reconcile_link links[] = {
		{ .spec = &(struct link_spec){ .name = "web02", .set = "web" } },
		{ .spec = &(struct link_spec){ .name = "host0",
					       .set = "web",
					       .is_host_link = true } },
		{ .spec = &(
			  struct link_spec){ .name = "host1", .set = "web", .is_host_link = true },
		  .present = true,
		  .addrs = &addrs },
	};
	json_t *json = make(links, 3);

	(void)state;
	assert_string_equal(at(json, "links/0/addresses"), "null");
	assert_int_equal(json_array_size(json_object_get(
				 json_array_get(json_object_get(json, "links"), 1), "addresses")),
			 0);
	assert_string_equal(at(json, "links/2/addresses/0"), "192.0.2.1/24");
	json_decref(json);
}

/* The kernel has one counter for both hooks of a link. */
static void what_filters_dropped(void **state)
{
	static const struct {
		uint32_t hooks;
		const char *direction, *frames;
	} cases[] = {
		{ 0, "absent", "absent" },
		{ 1u << LINK_HOOK_FROM_GUEST, "from_guest", "12" },
		{ 1u << LINK_HOOK_TO_GUEST, "to_guest", "12" },
		{ 1u << LINK_HOOK_FROM_GUEST | 1u << LINK_HOOK_TO_GUEST, "both", "12" },
	};
	struct reconcile_link link = held_link();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json;

		link.drops = (struct reconcile_drops){ 5, 12, cases[i].hooks };
		json = make(&link, 1);
		assert_string_equal(at(json, "links/0/filtered/direction"), cases[i].direction);
		assert_string_equal(at(json, "links/0/filtered/frames"), cases[i].frames);
		json_decref(json);
	}
}

static json_t *part(struct status_part part)
{
	return json_loadb(made.buf.data + part.at, part.len, JSON_REJECT_DUPLICATES, NULL);
}

/* What is asked for by its name is what the whole has of it. */
static void parts_are_found(void **state)
{
	struct reconcile_link links[] = { held_link(), held_link(), held_link() };
	struct link_spec specs[] = { web01, web01, web01 };
	struct status_part found;
	json_t *json, *one;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(specs[i].name, sizeof(specs[i].name), "web%zu", i + 9);
		links[i].spec = &specs[i];
	}
	json = make(links, 3);
	one = part(made.lists[STATUS_LINKS]);
	assert_true(json_equal(one, json_object_get(json, "links")));
	json_decref(one);
	for (size_t i = 0; i < 3; i++) {
		assert_true(status_text_find(&made, STATUS_LINKS, specs[i].name, &found));
		one = part(found);
		assert_true(json_equal(one, json_array_get(json_object_get(json, "links"), i)));
		json_decref(one);
	}
	assert_true(status_text_find(&made, STATUS_SETS, "web", &found));
	assert_true(status_text_find(&made, STATUS_PATTERNS, "order", &found));
	assert_false(status_text_find(&made, STATUS_LINKS, "web1", &found));
	assert_false(status_text_find(&made, STATUS_LINKS, "web10\",\"set\":\"web", &found));
	assert_false(status_text_find(&made, STATUS_LINKS, "", &found));
	json_decref(json);
	status_text_done(&made);
	assert_false(status_text_find(&made, STATUS_LINKS, "web10", &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_links_addresses),
		cmocka_unit_test(what_is_seen_of_a_guest),
		cmocka_unit_test(says_what_is),
		cmocka_unit_test(what_filters_dropped),
		cmocka_unit_test(names_the_first_that_is_not_as_wanted),
		cmocka_unit_test(down_can_be_right),
		cmocka_unit_test(parts_are_found),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
