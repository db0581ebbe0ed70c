/* links: agent/watch_line.c agent/base/buf.c */
#include "agent/watch_line.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define STAMP "\"timestamp\":\"2026-11-22T16:20:01.123456789Z\""
#define TIME  "2026-11-22T16:20:01.123Z"
#define FLOW                                                                \
	"\"in_iface\":\"web01\",\"src_ip\":\"192.0.2.10\",\"src_port\":80," \
	"\"dest_ip\":\"192.0.2.1\",\"dest_port\":50096,\"proto\":\"TCP\","
#define FLOW6                                                                \
	"\"in_iface\":\"web01\",\"src_ip\":\"2001:db8::1\",\"src_port\":80," \
	"\"dest_ip\":\"2001:db8::2\",\"dest_port\":5,\"proto\":\"UDP\","
#define TEN   "xxxxxxxxxx"
#define FIFTY TEN TEN TEN TEN TEN

static const struct {
	const char *record;
	const char *line;
} good[] = {
	{ "{" STAMP ",\"event_type\":\"alert\"," FLOW
	  "\"tapwarden\":{\"v\":1,\"seq\":5,\"flow_dir\":\"from_guest\",\"rule\":\"host\","
	  "\"match\":{\"text\":\"Host: a.b\"},\"groups\":{\"host\":{\"text\":\"a.b\",\"offset\":6},"
	  "\"port\":null,\"raw\":{\"b64\":\"/w==\",\"offset\":1}}}}",
	  TIME " web01 host from_guest 192.0.2.10:80 > 192.0.2.1:50096 TCP \"Host: a.b\" "
	       "host=\"a.b\" port=- raw=base64:\"/w==\"" },
	{ "{" STAMP ",\"event_type\":\"alert\"," FLOW6
	  "\"tapwarden\":{\"flow_dir\":\"to_guest\",\"rule\":\"r\",\"match\":{\"b64\":\"AA==\"}}}",
	  TIME " web01 r to_guest [2001:db8::1]:80 > [2001:db8::2]:5 UDP base64:\"AA==\"" },
	/* A terminal must not be steered by what a guest sends. */
	{ "{" STAMP ",\"event_type\":\"alert\"," FLOW
	  "\"tapwarden\":{\"flow_dir\":\"from_guest\",\"rule\":\"r\","
	  "\"match\":{\"text\":\"\\u001b[2J\\r\\n\\\"\\\\\\u0000\\u00e4\\u007f\"}}}",
	  TIME " web01 r from_guest 192.0.2.10:80 > 192.0.2.1:50096 TCP "
	       "\"\\x1b[2J\\x0d\\x0a\\\"\\\\\\x00\\xc3\\xa4\\x7f\"" },
	{ "{" STAMP ",\"event_type\":\"alert\"," FLOW
	  "\"tapwarden\":{\"flow_dir\":\"from_guest\",\"rule\":\"r\",\"match\":{\"text\":\"" FIFTY
		  FIFTY FIFTY FIFTY "y\"}}}",
	  TIME " web01 r from_guest 192.0.2.10:80 > 192.0.2.1:50096 TCP \"" FIFTY FIFTY FIFTY FIFTY
	       "\"..." },
	{ "{" STAMP ",\"event_type\":\"alert\",\"tapwarden\":{\"seq\":9,\"log\":\"app\","
	  "\"file\":\"/var/log/a b\",\"rule\":\"word\",\"match\":{\"text\":\"x\"},\"groups\":{}}}",
	  TIME " - word app /var/log/a b \"x\"" },
	{ "{" STAMP ",\"event_type\":\"link\",\"in_iface\":\"web01\","
	  "\"link\":{\"action\":\"created\",\"detail\":\"it was deleted\"}}",
	  TIME " web01 link created: it was deleted" },
	{ "{" STAMP ",\"event_type\":\"service\",\"service\":{\"action\":\"worker-started\","
	  "\"detail\":\"\"}}",
	  TIME " - service worker-started" },
	{ "{" STAMP ",\"event_type\":\"gap\",\"in_iface\":\"web01\","
	  "\"gap\":{\"lost\":12,\"unit\":\"frames\",\"reason\":\"ring-full\"}}",
	  TIME " web01 gap: 12 frames lost: ring-full" },
	{ "{" STAMP ",\"event_type\":\"gap\","
	  "\"gap\":{\"lost\":1,\"unit\":\"records\",\"reason\":\"no-reader\"}}",
	  TIME " - gap: 1 record lost: no-reader" },
	{ "{\"event_type\":\"\\u001b\",\"in_iface\":5}", "Z - \\x1b -" },
};

static void records(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct watch_seq seq;
		struct buf out;

		buf_init(&out, 65536);
		assert_int_equal(watch_line(good[i].record, strlen(good[i].record), &out, &seq), 0);
		assert_string_equal(out.data, good[i].line);
		buf_done(&out);
	}
}

static void no_records(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "5", "{}", "{\"event_type\":1}", "{\"a\":\"\xff\"}"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct watch_seq seq = { .known = true };
		struct buf out;

		buf_init(&out, 65536);
		assert_int_equal(watch_line(bad[i], strlen(bad[i]), &out, &seq), -EBADMSG);
		assert_int_equal(out.len, 0);
		assert_false(seq.known);
		buf_done(&out);
	}
}

static void sequence(void **state)
{
	static const struct {
		const char *record;
		bool known;
		uint64_t seq, next;
	} cases[] = {
		{ "{\"event_type\":\"x\",\"tapwarden\":{\"seq\":0}}", true, 0, 1 },
		{ "{\"event_type\":\"gap\",\"gap\":{\"lost\":7,\"unit\":\"records\"},"
		  "\"tapwarden\":{\"seq\":10}}",
		  true, 10, 17 },
		{ "{\"event_type\":\"gap\",\"gap\":{\"lost\":7,\"unit\":\"frames\"},"
		  "\"tapwarden\":{\"seq\":10}}",
		  true, 10, 11 },
		{ "{\"event_type\":\"gap\",\"gap\":{\"lost\":0,\"unit\":\"records\"},"
		  "\"tapwarden\":{\"seq\":10}}",
		  false, 0, 0 },
		{ "{\"event_type\":\"x\",\"tapwarden\":{\"seq\":-1}}", false, 0, 0 },
		{ "{\"event_type\":\"x\",\"tapwarden\":{\"v\":1}}", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct watch_seq seq;
		struct buf out;

		buf_init(&out, 65536);
		assert_int_equal(watch_line(cases[i].record, strlen(cases[i].record), &out, &seq),
				 0);
		assert_int_equal(seq.known, cases[i].known);
		assert_int_equal(seq.seq, cases[i].seq);
		assert_int_equal(seq.next, cases[i].next);
		buf_done(&out);
	}
}

static void which_are_of_a_name(void **state)
{
	static const char alert[] =
		"{\"event_type\":\"alert\",\"in_iface\":\"web01\",\"tapwarden\":"
		"{\"set\":\"web\",\"rule\":\"order\",\"match\":{\"text\":\"db\"}}}";
	static const char of_log[] = "{\"event_type\":\"alert\",\"tapwarden\":{\"log\":\"shop\"}}";
	static const char gap[] = "{\"event_type\":\"gap\",\"tapwarden\":{}}";
	static const char event[] = "{\"event_type\":\"link\",\"in_iface\":\"web02\"}";
	static const struct {
		const char *name;
		bool alert, of_log, event;
	} names[] = {
		{ "web01", true, false, false }, { "web", true, false, false },
		{ "order", true, false, false }, { "shop", false, true, false },
		{ "web02", false, false, true }, { "db", false, false, false },
		{ "", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *two[] = { "nobody", (char *)names[i].name };

		assert_int_equal(watch_is_of(alert, strlen(alert), two, 2), names[i].alert);
		assert_int_equal(watch_is_of(of_log, strlen(of_log), two, 2), names[i].of_log);
		assert_int_equal(watch_is_of(event, strlen(event), two, 2), names[i].event);
		assert_true(watch_is_of(gap, strlen(gap), two, 2));
		assert_false(watch_is_of(alert, strlen(alert), two, 1));
	}
	assert_false(watch_is_of("{", 1, (char *[]){ "web" }, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(no_records),
		cmocka_unit_test(sequence),
		cmocka_unit_test(which_are_of_a_name),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
