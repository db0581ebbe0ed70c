/* links: capture/inspect.c capture/sift_record.c capture/guests.c capture/neighbours.c */
/* links: capture/neighbours_dhcp.c capture/talkers.c capture/dhcp.c capture/sift.c */
/* links: capture/sift_judge.c capture/condemned.c capture/tcp_sum.c capture/sift_stream.c */
/* links: capture/sift_half.c capture/stream.c agent/base/stats.c agent/base/stats_guest.c */
/* links: agent/base/stats_traffic.c agent/base/log.c capture/stream_pending.c */
/* links: capture/stream_order.c */
/* links: capture/stream_piece.c capture/stream_kept.c capture/stream_save.c capture/sift_save.c */
/* links: capture/search_time.c capture/flow.c capture/defrag.c capture/stream_match.c */
/* links: capture/stream_sleep.c capture/stream_window.c */
/* links: capture/flashback.c capture/keeper.c capture/decode.c capture/ruleset.c capture/shape.c */
/* links: capture/decode_link.c */
/* links: capture/set_reader.c capture/range_stream.c capture/rule_stream.c capture/extract.c */
/* links: capture/regex_match.c */
/* links: capture/pattern.c capture/regex.c capture/emitter.c capture/record.c */
/* links: capture/pattern_compose.c */
/* links: capture/emitter_files.c */
/* links: capture/record_number.c capture/json_writer.c capture/payload_log.c capture/sink_file.c */
/* links: capture/sink_pcapng.c capture/pcapng.c capture/sink_feed.c agent/base/config.c */
/* links: agent/base/config_cross.c agent/base/config_range.c agent/base/config_lowers.c */
/* links: agent/base/config_wishes.c */
/* links: agent/base/config_boot.c agent/base/config_schema*.c agent/base/range_types.c */
/* links: agent/base/fault.c agent/base/hint.c agent/base/ini.c agent/base/ini_load.c */
/* links: agent/base/ini_scan.c agent/base/link_types.c agent/base/name_template.c */
/* links: agent/base/schema.c agent/base/schema_print.c agent/base/schema_type.c */
/* links: agent/base/schema_walk.c */
/* links: agent/base/schema_fill.c */
/* links: agent/base/schema_text.c */
/* links: agent/base/parse_boot.c agent/base/schema_list.c agent/base/buf.c agent/base/err.c */
/* links: agent/base/parse.c capture/literal.c capture/literal_find.c capture/literal_reader.c */
/* links: capture/literal_part.c capture/prefilter.c capture/gram_index.c capture/quarantine.c */
/* links: agent/base/utf8.c */
/* links: capture/rotated.c */
#include "capture/inspect.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define HEADERS 42 /* Ethernet, IPv4, UDP */
#define SLOT	3

struct fixture {
	char dir[64];
	int dir_fd;
	int feed; /* our end */
	struct stats_page *stats;
	struct pattern_conf patterns[2];
	struct config config;
	struct ruleset rules;
	struct emitter emitter;
	struct ipc_link link;
	struct inspector inspector;
	struct inspected_link inspected;
};

static void begin_inspecting(struct fixture *f)
{
	char *all[] = { "all" };
	struct rule_mask mask;

	ruleset_select(&f->rules, &(struct strv){ all, 1 }, &mask);
	assert_int_equal(inspector_init(&f->inspector, &f->rules, &f->config, f->stats, &f->emitter,
					1, 1),
			 0);
	assert_int_equal(inspect_begin(&f->inspected, &f->inspector, &f->link, &mask), 0);
}

static void end_inspecting(struct fixture *f)
{
	inspect_end(&f->inspected);
	inspector_done(&f->inspector);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int feed[2];

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_inspect.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->dir_fd = open(f->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	f->stats = calloc(1, sizeof(*f->stats));
	assert_non_null(f->stats);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, feed), 0);
	f->feed = feed[1];
	f->patterns[0] = (struct pattern_conf){ .head.name = "digits",
						.regex = "\\d+",
						.match_limit = 10000 };
	f->patterns[1] =
		(struct pattern_conf){ .head.name = "x", .regex = "x", .match_limit = 10000 };
	f->config = (struct config){ .patterns = f->patterns, .n_patterns = 2 };
	f->config.record.payload_bytes = 4096;
	f->config.stream =
		(struct stream_options){ .memory = 1 << 20, .pending = 4096, .fragments = 1 << 17 };
	assert_int_equal(ruleset_init(&f->rules, &f->config, NULL), 0);
	assert_int_equal(emitter_init(&f->emitter, 0, f->dir_fd, "hv1", &f->config.record,
				      f->stats->capture),
			 0);
	emitter_set_feed(&f->emitter, feed[0]);
	f->link = (struct ipc_link){ .slot = SLOT, .name = "web01", .set = "web", .guest = "vm" };
	begin_inspecting(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	end_inspecting(f);
	emitter_done(&f->emitter);
	ruleset_done(&f->rules);
	unlinkat(f->dir_fd, EMITTER_RECORDS_NAME, 0);
	unlinkat(f->dir_fd, EMITTER_PAYLOADS_NAME, 0);
	close(f->feed);
	close(f->dir_fd);
	assert_int_equal(rmdir(f->dir), 0);
	free(f->stats);
	free(f);
	return 0;
}

/* A datagram of `text`; `wire_more` bytes of the frame were not captured. */
static void inspect(struct fixture *f, enum stats_direction direction, const char *text,
		    size_t wire_more)
{
	static const uint8_t head[HEADERS] = {
		0x52, 0x54, 0,	 0, 0, 2, 0x52, 0x54, 0,  0,  0, 1, 0x08, 0,
		0x45, 0,    0,	 0, 0, 0, 0,	0,    64, 17, 0, 0, 192,  0,
		2,    1,    192, 0, 2, 2, 0x12, 0x34, 0,  80, 0, 0, 0,	  0,
	};
	uint8_t bytes[HEADERS + 1500];
	size_t len = strlen(text), all = len + wire_more;
	struct source_frame frame = {
		.in = { .bytes = bytes, .len = HEADERS + len, .wire_len = HEADERS + all },
		.time_ns = 1,
		.direction = direction,
	};

	memcpy(bytes, head, HEADERS);
	memcpy(bytes + HEADERS, text, len);
	bytes[16] = (uint8_t)((28 + all) >> 8);
	bytes[17] = (uint8_t)(28 + all);
	bytes[38] = (uint8_t)((8 + all) >> 8);
	bytes[39] = (uint8_t)(8 + all);
	inspect_frame(&f->inspected, &frame);
}

/* The next record of the feed; NULL: there is none. */
static json_t *next_record(const struct fixture *f)
{
	static char line[RECORD_MAX];
	ssize_t len = recv(f->feed, line, sizeof(line), MSG_DONTWAIT);
	json_t *json;

	if (len < 0)
		return NULL;
	json = json_loadb(line, (size_t)len, 0, NULL);
	assert_non_null(json);
	return json;
}

/* "SEQ RULE TEXT" and "payload" or "of SEQ"; a gap as "SEQ LOST UNIT REASON". */
static void check_record(const struct fixture *f, const char *expect)
{
	json_t *json = next_record(f), *own, *gap;
	char text[256];

	if (!json || !expect) {
		assert_null(json);
		assert_null(expect);
		return;
	}
	own = json_object_get(json, "tapwarden");
	gap = json_object_get(json, "gap");
	assert_string_equal(json_string_value(json_object_get(own, "link")), "web01");
	assert_string_equal(json_string_value(json_object_get(own, "guest")), "vm");
	if (gap)
		snprintf(text, sizeof(text), "%lld %lld %s %s",
			 json_integer_value(json_object_get(own, "seq")),
			 json_integer_value(json_object_get(gap, "lost")),
			 json_string_value(json_object_get(gap, "unit")),
			 json_string_value(json_object_get(gap, "reason")));
	else if (json_object_get(json, "payload") && json_object_get(json, "payload_printable"))
		snprintf(text, sizeof(text), "%lld %s %s payload",
			 json_integer_value(json_object_get(own, "seq")),
			 json_string_value(json_object_get(own, "rule")),
			 json_string_value(json_object_get(json_object_get(own, "match"), "text")));
	else
		snprintf(text, sizeof(text), "%lld %s %s of %lld",
			 json_integer_value(json_object_get(own, "seq")),
			 json_string_value(json_object_get(own, "rule")),
			 json_string_value(json_object_get(json_object_get(own, "match"), "text")),
			 json_integer_value(json_object_get(own, "payload_seq")));
	assert_string_equal(text, expect);
	json_decref(json);
}

/* Each frame's payload is in its first record alone, whichever rules it matches. */
static void records(void **state)
{
	struct fixture *f = *state;

	inspect(f, STATS_FROM_GUEST, "a1b22x", 0);
	inspect(f, STATS_FROM_GUEST, "nothing", 0);
	inspect(f, STATS_TO_GUEST, "x3", 0);
	check_record(f, "0 digits 1 payload");
	check_record(f, "1 digits 22 of 0");
	check_record(f, "2 x x of 0");
	check_record(f, "3 digits 3 payload");
	check_record(f, "4 x x of 3");
	check_record(f, NULL);
}

static void counters(void **state)
{
	struct fixture *f = *state;
	const struct stats_link *stats = &f->stats->links[SLOT];
	const struct stats_pattern *patterns = f->stats->patterns[0];
	struct source_frame runt = { .in = { .bytes = (const uint8_t *)"", .wire_len = 60 } };

	inspect(f, STATS_FROM_GUEST, "1 2", 0);
	inspect(f, STATS_TO_GUEST, "none", 100);
	/* Without a payload no rule is tried. */
	inspect(f, STATS_TO_GUEST, "", 0);
	inspect_frame(&f->inspected, &runt);
	assert_int_equal(stat_get(&stats->frames[STATS_FROM_GUEST]), 2);
	assert_int_equal(stat_get(&stats->frames[STATS_TO_GUEST]), 2);
	assert_int_equal(stat_get(&stats->bytes[STATS_FROM_GUEST]), HEADERS + 3 + 60);
	assert_int_equal(stat_get(&stats->bytes[STATS_TO_GUEST]), 2 * HEADERS + 4 + 100);
	assert_int_equal(stat_get(&stats->truncated), 2);
	assert_int_equal(stat_get(&stats->malformed), 1);
	assert_int_equal(stat_get(&f->stats->capture[0].malformed[DECODE_ETHERNET_SHORT]), 1);
	assert_int_equal(stat_get(&stats->payloads), 2);
	assert_int_equal(stat_get(&stats->matches), 2);
	assert_int_equal(stat_get(&patterns[0].tried), 2);
	assert_int_equal(stat_get(&patterns[0].matches), 2);
	assert_int_equal(stat_get(&patterns[1].matches), 0);
	assert_int_equal(stat_get(&f->stats->capture[0].seq_next), 2);
}

/* A link without rules is counted, and not matched. */
static void no_rules(void **state)
{
	struct fixture *f = *state;
	const struct stats_link *stats = &f->stats->links[SLOT];

	inspect_end(&f->inspected);
	assert_int_equal(inspect_begin(&f->inspected, &f->inspector, &f->link,
				       &(struct rule_mask){ .any = false }),
			 0);
	inspect(f, STATS_FROM_GUEST, "1", 0);
	assert_int_equal(stat_get(&stats->frames[STATS_FROM_GUEST]), 1);
	assert_int_equal(stat_get(&stats->payloads), 0);
	assert_int_equal(stat_get(&f->stats->patterns[0][0].tried), 0);
	check_record(f, NULL);
}

struct mode_case {
	enum payload_log_mode mode;
	uint64_t entries;
};

static void payload_log(void **state)
{
	static const struct mode_case cases[] = {
		{ PAYLOAD_LOG_OFF, 0 },
		{ PAYLOAD_LOG_MATCHES, 1 },
		{ PAYLOAD_LOG_ALL, 2 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->config.record.payload_log = cases[i].mode;
		inspect(f, STATS_FROM_GUEST, "none", 0);
		inspect(f, STATS_FROM_GUEST, "x x", 0);
		inspect(f, STATS_FROM_GUEST, "", 0);
		assert_int_equal(f->emitter.payloads.n_pending, cases[i].entries);
		emitter_flush(&f->emitter);
	}
}

static void losses(void **state)
{
	struct fixture *f = *state;
	const struct source_losses none = { 0 };
	const struct source_losses some = { .ring_full = 7, .died = 1, .corrupt = 2, .unread = 3 };

	inspect_losses(&f->inspected, &none, 1);
	check_record(f, NULL);
	inspect_losses(&f->inspected, &some, 1);
	check_record(f, "0 7 frames ring-full");
	check_record(f, "1 1 frames worker-died");
	check_record(f, "2 2 frames ring-corrupt");
	check_record(f, "3 3 frames ring-closed");
	check_record(f, NULL);
	assert_int_equal(stat_get(&f->stats->links[SLOT].drops), 13);
	inspect(f, STATS_TO_GUEST, "none", 100);
	inspect(f, STATS_TO_GUEST, "none", 0);
	inspect_losses(&f->inspected, &none, 1);
	check_record(f, "4 1 frames cut");
	inspect_losses(&f->inspected, &none, 1);
	check_record(f, NULL);
	assert_int_equal(stat_get(&f->stats->links[SLOT].drops), 13);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records), TEST(counters), TEST(no_rules), TEST(payload_log), TEST(losses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
