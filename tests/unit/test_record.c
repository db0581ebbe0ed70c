/* links: capture/record.c capture/record_number.c capture/json_writer.c capture/pattern.c */
/* links: capture/pattern_compose.c */
/* links: capture/regex_match.c */
/* links: capture/regex.c capture/extract.c agent/base/buf.c agent/base/parse.c agent/base/err.c */
/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c agent/base/utf8.c */
#include "capture/record.h"
#include "capture/record_number.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define TIME_NS UINT64_C(1795364401123456789)

static const uint8_t ip4[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };
static const uint8_t ip6[2][16] = { { 0x20, 1, 0xd, 0xb8, [15] = 1 },
				    { 0x20, 1, 0xd, 0xb8, [15] = 2 } };
static const uint8_t macs[2][6] = { { 0x52, 0x54, 0, 0, 0, 1 }, { 0x52, 0x54, 0, 0, 0, 2 } };

static const struct record_head head = {
	.time_ns = TIME_NS,
	.seq = 88123,
	.host = "hv1",
	.link = "web01",
	.set = "web",
	.guest = "vm-web01",
};

static struct frame frame_of(const void *payload, size_t len)
{
	return (struct frame){
		.src_mac = macs[0],
		.dst_mac = macs[1],
		.ether_type = 0x0800,
		.ip_version = 4,
		.src_ip = ip4[0],
		.dst_ip = ip4[1],
		.proto = IPPROTO_TCP,
		.has_ports = true,
		.src_port = 50096,
		.dst_port = 80,
		.payload = payload,
		.payload_len = len,
	};
}

struct job {
	struct buf *out;
	struct record_alert alert;
	int result;
};

static void on_match(void *data, const struct extract_match *match)
{
	struct job *job = data;

	job->alert.match = match;
	job->result = record_alert(job->out, &head, &job->alert);
}

/* The record of the first match of `regex` in the frame's payload, as text in `out`. */
static int alert_of(struct buf *out, const struct frame *frame, const char *regex,
		    const char **groups, size_t n_groups, size_t payload_bytes)
{
	struct pattern_conf conf = {
		.regex = (char *)regex,
		.groups = { (char **)groups, n_groups },
		.match_limit = 100000,
		.dotall = true,
	};
	struct job job = {
		.out = out,
		.alert = {
			.frame = frame,
			.has_direction = true,
			.direction = STATS_FROM_GUEST,
			.rule = "http-host",
			.signature_id = 1001,
			.severity = 3,
			.payload_bytes = payload_bytes,
		},
		.result = -ENOENT,
	};
	struct regex_scratch *scratch;
	struct pattern *pattern;
	struct err err;

	if (pattern_compile(&conf, &pattern, &err))
		fail_msg("%s", err.text);
	assert_int_equal(regex_scratch_new(&scratch), 0);
	job.alert.pattern = pattern;
	extract(pattern, &extract_live, scratch, frame->payload, frame->payload_len, on_match, &job,
		NULL);
	regex_scratch_free(scratch);
	pattern_free(pattern);
	return job.result;
}

/* The parsed record is what `expect` says, both as compact text with sorted keys. */
static void check_json(const struct buf *out, const char *expect)
{
	json_error_t error;
	json_t *got = json_loadb(out->data, out->len, JSON_ALLOW_NUL, &error);
	json_t *want = json_loads(expect, JSON_ALLOW_NUL, &error);
	char *texts[2];

	assert_non_null(want);
	if (!got)
		fail_msg("not JSON: %s: %s", error.text, out->data);
	texts[0] = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);
	texts[1] = json_dumps(want, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(texts[0], texts[1]);
	free(texts[0]);
	free(texts[1]);
	json_decref(got);
	json_decref(want);
	assert_null(memchr(out->data, '\n', out->len));
}

static void alert(void **state)
{
	const char *groups[] = { "host", "port" };
	struct frame frame = frame_of("Host: a.b\r\n", 11);
	struct buf out;

	(void)state;
	buf_init(&out, RECORD_MAX);
	frame.vlan[0] = 20;
	frame.n_vlans = 1;
	assert_int_equal(alert_of(&out, &frame, "Host: (?<host>[^:\r]+)(?::(?<port>\\d+))?", groups,
				  2, 4096),
			 0);
	check_json(&out,
		   "{\"timestamp\":\"2026-11-22T16:20:01.123456789Z\",\"event_type\":\"alert\","
		   "\"host\":\"hv1\",\"in_iface\":\"web01\",\"flow_id\":2884775223619812,"
		   "\"src_ip\":\"192.0.2.1\",\"src_port\":50096,\"dest_ip\":\"192.0.2.2\","
		   "\"dest_port\":80,\"proto\":\"TCP\",\"vlan\":[20],"
		   "\"ether\":{\"src_mac\":\"52:54:00:00:00:01\","
		   "\"dest_mac\":\"52:54:00:00:00:02\",\"ether_type\":2048},"
		   "\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":1001,\"rev\":1,"
		   "\"signature\":\"http-host\",\"category\":\"\",\"severity\":3},"
		   "\"payload\":\"SG9zdDogYS5iDQo=\",\"payload_printable\":\"Host: a.b\\r\\n\","
		   "\"tapwarden\":{\"v\":1,\"seq\":88123,\"set\":\"web\",\"link\":\"web01\","
		   "\"guest\":\"vm-web01\",\"flow_dir\":\"from_guest\",\"rule\":\"http-host\","
		   "\"scope\":\"packet\",\"offset\":0,\"length\":9,"
		   "\"match\":{\"text\":\"Host: a.b\"},"
		   "\"groups\":{\"host\":{\"text\":\"a.b\",\"offset\":6},\"port\":null},"
		   "\"end\":\"match\",\"gap\":false,\"trunc\":false,\"enc\":\"utf-8\"}}");
	buf_done(&out);
}

static json_t *own(const struct buf *out, json_t **ret_root)
{
	json_error_t error;

	*ret_root = json_loadb(out->data, out->len, JSON_ALLOW_NUL, &error);
	assert_non_null(*ret_root);
	return json_object_get(*ret_root, "tapwarden");
}

static struct pattern *bare_pattern(void)
{
	struct pattern_conf conf = { .regex = ".", .match_limit = 1000 };
	struct pattern *pattern = NULL;

	assert_int_equal(pattern_compile(&conf, &pattern, NULL), 0);
	return pattern;
}

/* A frame's payload is in its first record alone: a guest chooses how many there are. */
static void payload_once(void **state)
{
	static char payload[1400];
	struct frame frame = frame_of(payload, sizeof(payload));
	struct span span = { 3, 5 };
	struct record_alert alert = {
		.frame = &frame,
		.rule = "r",
		.match = &(struct extract_match){ .whole = span, .groups = &span },
		.payload_bytes = sizeof(payload),
	};
	size_t first_len;
	struct buf out;
	json_t *root, *tw, *first;

	(void)state;
	alert.pattern = bare_pattern();
	buf_init(&out, RECORD_MAX);
	assert_int_equal(record_alert(&out, &head, &alert), 0);
	first_len = out.len;
	tw = own(&out, &first);
	assert_null(json_object_get(tw, "payload_seq"));
	alert.payload_told = true;
	alert.payload_seq = 88122;
	assert_int_equal(record_alert(&out, &head, &alert), 0);
	assert_true(out.len + 3 * sizeof(payload) / 2 < first_len);
	tw = own(&out, &root);
	assert_int_equal(json_integer_value(json_object_get(tw, "payload_seq")), 88122);
	/* Nothing else is different. */
	json_object_del(tw, "payload_seq");
	assert_int_equal(json_object_del(first, "payload"), 0);
	assert_int_equal(json_object_del(first, "payload_printable"), 0);
	assert_true(json_equal(first, root));
	json_decref(first);
	json_decref(root);
	buf_done(&out);
	pattern_free((struct pattern *)alert.pattern);
}

static void binary(void **state)
{
	const char *groups[] = { "1", "2" };
	struct frame frame = frame_of("k=\xff\x00\xfe;v=\xc3\xa9", 10);
	struct buf out;
	json_t *root, *tw;

	(void)state;
	frame.ip_version = 6;
	frame.src_ip = ip6[0];
	frame.dst_ip = ip6[1];
	frame.proto = IPPROTO_UDP;
	buf_init(&out, RECORD_MAX);
	assert_int_equal(alert_of(&out, &frame, "k=(.*);v=(.*)", groups, 2, 4096), 0);
	tw = own(&out, &root);
	assert_string_equal(json_string_value(json_object_get(root, "src_ip")), "2001:db8::1");
	assert_string_equal(json_string_value(json_object_get(root, "dest_ip")), "2001:db8::2");
	assert_string_equal(json_string_value(json_object_get(root, "proto")), "UDP");
	assert_null(json_object_get(root, "vlan"));
	assert_string_equal(json_string_value(json_object_get(root, "payload_printable")),
			    "k=...;v=..");
	assert_string_equal(json_string_value(json_object_get(tw, "enc")), "binary");
	tw = json_object_get(tw, "groups");
	assert_string_equal(json_string_value(json_object_get(json_object_get(tw, "1"), "b64")),
			    "/wD+");
	assert_string_equal(json_string_value(json_object_get(json_object_get(tw, "2"), "text")),
			    "\xc3\xa9");
	json_decref(root);
	buf_done(&out);
}

struct trunc_case {
	size_t len;
	size_t payload_bytes;
	bool captured_short;
	bool trunc;
	size_t match_len;
};

static void cut(void **state)
{
	static const struct trunc_case cases[] = {
		{ 100, 100, false, false, 100 },
		{ 100, 99, false, true, 100 },
		{ 100, 0, false, true, 100 },
		{ 100, 100, true, true, 100 },
		{ RECORD_TEXT_MAX, 65536, false, false, RECORD_TEXT_MAX },
		{ RECORD_TEXT_MAX + 1, 65536, false, true, RECORD_TEXT_MAX },
		{ 65535, 65536, false, true, RECORD_TEXT_MAX },
	};
	static char payload[65535];

	(void)state;
	memset(payload, 'a', sizeof(payload));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct trunc_case *c = &cases[i];
		struct frame frame = frame_of(payload, c->len);
		size_t kept = c->len < c->payload_bytes ? c->len : c->payload_bytes;
		struct buf out;
		json_t *root, *tw;

		frame.truncated = c->captured_short;
		buf_init(&out, RECORD_MAX);
		assert_int_equal(alert_of(&out, &frame, "a+", NULL, 0, c->payload_bytes), 0);
		tw = own(&out, &root);
		assert_int_equal(json_is_true(json_object_get(tw, "trunc")), c->trunc);
		assert_int_equal(json_integer_value(json_object_get(tw, "length")), c->len);
		assert_int_equal(
			json_string_length(json_object_get(json_object_get(tw, "match"), "text")),
			c->match_len);
		assert_int_equal(json_string_length(json_object_get(root, "payload_printable")),
				 kept);
		assert_int_equal(json_object_size(json_object_get(tw, "groups")), 0);
		json_decref(root);
		buf_done(&out);
	}
}

/* A group may be longer than the match. */
static void cut_group(void **state)
{
	static char payload[RECORD_TEXT_MAX + 1];
	const char *groups[] = { "1" };
	struct frame frame = frame_of(payload, sizeof(payload));
	struct buf out;
	json_t *root, *tw;

	(void)state;
	memset(payload, 'a', sizeof(payload));
	buf_init(&out, RECORD_MAX);
	assert_int_equal(alert_of(&out, &frame, "\\A(?=(.*))a", groups, 1, 65536), 0);
	tw = own(&out, &root);
	assert_true(json_is_true(json_object_get(tw, "trunc")));
	assert_int_equal(json_integer_value(json_object_get(tw, "length")), 1);
	json_decref(root);
	buf_done(&out);
}

/* As many groups as may be, each of the worst bytes: the record is shortened, not lost. */
static void worst(void **state)
{
	static char payload[65535];
	char regex[PATTERN_GROUPS_MAX * 8 + 32] = "", names[PATTERN_GROUPS_MAX][8];
	const char *groups[PATTERN_GROUPS_MAX];
	struct frame frame = frame_of(payload, sizeof(payload));
	struct buf out;
	json_t *root, *tw;

	(void)state;
	/* Valid UTF-8 that is all escapes: six bytes for one. */
	memset(payload, 1, sizeof(payload));
	for (size_t i = 0; i < PATTERN_GROUPS_MAX; i++) {
		strcat(regex, "(?=(.*))");
		snprintf(names[i], sizeof(names[i]), "%zu", i + 1);
		groups[i] = names[i];
	}
	strcat(regex, ".*");
	buf_init(&out, RECORD_MAX);
	assert_int_equal(alert_of(&out, &frame, regex, groups, PATTERN_GROUPS_MAX, 65536), 0);
	tw = own(&out, &root);
	assert_true(json_is_true(json_object_get(tw, "trunc")));
	assert_int_equal(json_integer_value(json_object_get(tw, "length")), 65535);
	assert_int_equal(json_object_size(json_object_get(tw, "groups")), PATTERN_GROUPS_MAX);
	json_decref(root);
	/* With payload and match alone it fits whole. */
	assert_int_equal(alert_of(&out, &frame, ".*", NULL, 0, 65536), 0);
	tw = own(&out, &root);
	assert_int_equal(json_string_length(json_object_get(root, "payload_printable")), 65535);
	json_decref(root);
	buf_done(&out);
}

static void events(void **state)
{
	struct record_head none = {
		.time_ns = 5, .host = "hv1", .link = "", .set = "", .guest = ""
	};
	struct buf out;

	(void)state;
	buf_init(&out, RECORD_MAX);
	assert_int_equal(record_event(&out, &head, IPC_EVENT_LINK, "deleted", "by \"x\"\n"), 0);
	check_json(&out,
		   "{\"timestamp\":\"2026-11-22T16:20:01.123456789Z\",\"event_type\":\"link\","
		   "\"host\":\"hv1\",\"in_iface\":\"web01\","
		   "\"link\":{\"action\":\"deleted\",\"detail\":\"by \\\"x\\\"\\n\"},"
		   "\"tapwarden\":{\"v\":1,\"seq\":88123,\"set\":\"web\",\"link\":\"web01\","
		   "\"guest\":\"vm-web01\"}}");
	assert_int_equal(record_event(&out, &none, IPC_EVENT_SERVICE, "worker-started", ""), 0);
	check_json(&out, "{\"timestamp\":\"1970-01-01T00:00:00.000000005Z\","
			 "\"event_type\":\"service\",\"host\":\"hv1\","
			 "\"service\":{\"action\":\"worker-started\",\"detail\":\"\"},"
			 "\"tapwarden\":{\"v\":1,\"seq\":0}}");
	assert_int_equal(record_gap(&out, &none,
				    &(struct record_gap){ .lost = 7,
							  .unit = RECORD_UNIT_RECORDS,
							  .reason = "reader-slow" }),
			 0);
	check_json(&out, "{\"timestamp\":\"1970-01-01T00:00:00.000000005Z\","
			 "\"event_type\":\"gap\",\"host\":\"hv1\","
			 "\"gap\":{\"lost\":7,\"unit\":\"records\",\"reason\":\"reader-slow\"},"
			 "\"tapwarden\":{\"v\":1,\"seq\":0}}");
	assert_int_equal(record_gap(&out, &none,
				    &(struct record_gap){ .lost = UINT64_MAX, .reason = "x" }),
			 0);
	check_json(&out, "{\"timestamp\":\"1970-01-01T00:00:00.000000005Z\","
			 "\"event_type\":\"gap\",\"host\":\"hv1\","
			 "\"gap\":{\"lost\":9007199254740991,\"unit\":\"frames\",\"reason\":\"x\"},"
			 "\"tapwarden\":{\"v\":1,\"seq\":0}}");
	buf_done(&out);
	buf_init(&out, 20);
	assert_int_equal(record_event(&out, &none, IPC_EVENT_SERVICE, "x", ""), -ENOBUFS);
	buf_done(&out);
}

static void flow_ids(void **state)
{
	struct frame there = frame_of("", 0), back, other;
	uint64_t id = record_flow_id(&there);

	(void)state;
	back = there;
	back.src_ip = there.dst_ip;
	back.dst_ip = there.src_ip;
	back.src_port = there.dst_port;
	back.dst_port = there.src_port;
	assert_int_equal(record_flow_id(&back), id);
	assert_true(id < (UINT64_C(1) << 53));
	other = there;
	other.src_port++;
	assert_int_not_equal(record_flow_id(&other), id);
	/* The ports belong to their addresses. */
	other = there;
	other.src_port = there.dst_port;
	other.dst_port = there.src_port;
	assert_int_not_equal(record_flow_id(&other), id);
	other = there;
	other.proto = IPPROTO_UDP;
	assert_int_not_equal(record_flow_id(&other), id);
}

static void lines(void **state)
{
	const char *text = "{1}\n{22}\n{33";
	uint64_t n = 9;

	(void)state;
	assert_int_equal(record_whole(text, 0, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(record_whole(text, 3, &n), 0);
	assert_int_equal(record_whole(text, 4, &n), 4);
	assert_int_equal(n, 1);
	assert_int_equal(record_whole(text, 12, &n), 9);
	assert_int_equal(n, 2);
	assert_int_equal(record_whole(text, 12, NULL), 9);
}

struct next_case {
	const char *line;
	uint64_t next; /* 0: no record */
};

static void next_seq(void **state)
{
#define BEGIN "{\"timestamp\":\"x\","
#define OWN   "\"tapwarden\":{\"v\":1,\"seq\":"
#define GAP   "\"gap\":{\"lost\":"
	static const struct next_case cases[] = {
		{ BEGIN OWN "0}}", 1 },
		{ BEGIN OWN "41,\"set\":\"x\"}}", 42 },
		{ BEGIN GAP "5,\"unit\":\"records\",\"reason\":\"x\"}," OWN "41}}", 46 },
		{ BEGIN GAP "5,\"unit\":\"frames\",\"reason\":\"x\"}," OWN "41}}", 42 },
		{ BEGIN OWN "9007199254740990}}", 9007199254740991 },
		{ BEGIN OWN "9007199254740991}}", 0 },
		{ BEGIN OWN "99999999999999999999}}", 0 },
		{ BEGIN GAP "0,\"unit\":\"records\",\"reason\":\"x\"}," OWN "1}}", 0 },
		{ BEGIN GAP "9007199254740991,\"unit\":\"records\",\"reason\":\"x\"}," OWN "1}}",
		  0 },
		{ BEGIN OWN "}}", 0 },
		{ BEGIN OWN "x}}", 0 },
		{ BEGIN OWN "1", 0 },
		{ BEGIN OWN "1.5}}", 0 },
		{ BEGIN "\"tapwarden\":{\"v\":2,\"seq\":1}}", 0 },
		{ BEGIN "\"detail\":\",\\\"tapwarden\\\":{\\\"v\\\":1,\\\"seq\\\":7}\"}", 0 },
		{ "{" OWN "1}}", 0 },
		{ "", 0 },
		{ "}", 0 },
	};
	static const char fake[] = "," OWN "7";
	struct record_numbers numbers;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].line);
		char *exact = malloc(len + !len);

		assert_non_null(exact);
		memcpy(exact, cases[i].line, len);
		numbers.next = 0;
		if (record_numbers_read(exact, len, &numbers) != (cases[i].next ? 0 : -EBADMSG) ||
		    numbers.next != cases[i].next)
			fail_msg("%s: %llu", cases[i].line, (unsigned long long)numbers.next);
		free(exact);
	}
	/* What is written is understood, whatever its texts. */
	buf_init(&out, RECORD_MAX);
	assert_int_equal(record_event(&out, &head, IPC_EVENT_LINK, fake, fake), 0);
	assert_int_equal(record_numbers_read(out.data, out.len, &numbers), 0);
	assert_int_equal(numbers.next, 88124);
	assert_int_equal(record_gap(&out, &head,
				    &(struct record_gap){ .lost = 7,
							  .unit = RECORD_UNIT_RECORDS,
							  .reason = fake }),
			 0);
	assert_int_equal(record_numbers_read(out.data, out.len, &numbers), 0);
	assert_int_equal(numbers.next, 88130);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alert),	cmocka_unit_test(binary),
		cmocka_unit_test(cut),		cmocka_unit_test(cut_group),
		cmocka_unit_test(worst),	cmocka_unit_test(events),
		cmocka_unit_test(flow_ids),	cmocka_unit_test(lines),
		cmocka_unit_test(payload_once), cmocka_unit_test(next_seq),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
