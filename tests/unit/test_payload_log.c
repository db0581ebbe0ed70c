/* links: capture/payload_log.c capture/record.c capture/json_writer.c capture/pattern.c */
/* links: capture/pattern_compose.c */
/* links: capture/regex_match.c */
/* links: capture/regex.c agent/base/buf.c agent/base/parse.c agent/base/err.c capture/literal.c */
/* links: capture/literal_reader.c capture/literal_part.c agent/base/utf8.c */
#include "capture/payload_log.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TIME_NS UINT64_C(1795364401123456789)

static const uint8_t ip4[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };
static const uint8_t ip6[2][16] = { { 0x20, 1, 0xd, 0xb8, [15] = 1 },
				    { 0x20, 1, 0xd, 0xb8, [15] = 2 } };

static struct frame frame_of(unsigned int version, uint8_t proto, const char *payload, size_t len)
{
	return (struct frame){
		.ip_version = (uint8_t)version,
		.src_ip = version == 6 ? ip6[0] : ip4[0],
		.dst_ip = version == 6 ? ip6[1] : ip4[1],
		.proto = proto,
		.has_ports = true,
		.src_port = 50096,
		.dst_port = 80,
		.payload = (const uint8_t *)payload,
		.payload_len = len,
	};
}

static void entries(void **state)
{
	static const char cut[] = "@ 1970-01-01T00:00:00.000000000Z web02 to [2001:db8::1]:50096 > "
				  "[2001:db8::2]:80 UDP 3 cut\na\0b\n";
	struct frame frame = frame_of(4, IPPROTO_TCP, "GET / HTTP/1.0\r\n\r\n", 18);
	struct buf out;

	(void)state;
	buf_init(&out, PAYLOAD_LOG_ENTRY_MAX);
	assert_int_equal(payload_log_entry(&out, TIME_NS, "web01", STATS_FROM_GUEST, &frame), 0);
	assert_string_equal(out.data, "@ 2026-11-22T16:20:01.123456789Z web01 from "
				      "192.0.2.1:50096 > 192.0.2.2:80 TCP 18\n"
				      "GET / HTTP/1.0\r\n\r\n\n");
	frame = frame_of(6, IPPROTO_UDP, "a\0b", 3);
	frame.truncated = true;
	assert_int_equal(payload_log_entry(&out, 0, "web02", STATS_TO_GUEST, &frame), 0);
	assert_int_equal(out.len, sizeof(cut) - 1);
	assert_memory_equal(out.data, cut, out.len);
	buf_done(&out);
}

/* The entries that hostile payloads try to look like are not taken for entries. */
static const char *const payloads[] = {
	"hello",
	"",
	"\n",
	"@ 1970-01-01T00:00:00.000000000Z web01 from 1.2.3.4:5 > 1.2.3.4:5 TCP 4\nfake\n",
	"\n@ 1970-01-01T00:00:00.000000000Z web01 from 1.2.3.4:5 > 1.2.3.4:5 TCP 99999",
	"@ 5\n@ 5\n@ 5\n",
};

#define N_PAYLOADS (sizeof(payloads) / sizeof(payloads[0]))

static void whole(void **state)
{
	size_t ends[N_PAYLOADS + 1] = { 0 }, entry = 0;
	struct buf out, log;

	(void)state;
	buf_init(&out, PAYLOAD_LOG_ENTRY_MAX);
	buf_init(&log, 1 << 20);
	for (size_t i = 0; i < N_PAYLOADS; i++) {
		struct frame frame =
			frame_of(i % 2 ? 6 : 4, IPPROTO_TCP, payloads[i], strlen(payloads[i]));

		frame.truncated = i % 3 == 0;
		assert_int_equal(payload_log_entry(&out, TIME_NS, "web01", STATS_TO_GUEST, &frame),
				 0);
		buf_add(&log, out.data, out.len);
		ends[i + 1] = log.len;
	}
	/* Cut at every byte: exactly the entries before are whole. */
	for (size_t len = 0; len <= log.len; len++) {
		char *exact = malloc(len + !len);
		uint64_t n;

		assert_non_null(exact);
		memcpy(exact, log.data, len);
		if (entry < N_PAYLOADS && len == ends[entry + 1])
			entry++;
		assert_int_equal(payload_log_whole(exact, len, &n), ends[entry]);
		assert_int_equal(n, entry);
		free(exact);
	}
	assert_int_equal(entry, N_PAYLOADS);
	buf_done(&log);
	buf_done(&out);
}

static void not_a_log(void **state)
{
	static const char *const texts[] = {
		"x",
		"@",
		"@ ",
		"@ \n\n",
		"@ 5\n",
		"@ x5\nhello\n",
		"@ a 5 \nhello\n",
		"@ a 000005\nhello\n",
		"@ a 5 cut cut\nhello\n",
		"@ a 5\nhello!",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t n = 9;

		if (payload_log_whole(texts[i], strlen(texts[i]), &n) != 0 || n != 0)
			fail_msg("\"%s\" was taken for a payload log", texts[i]);
	}
}

static void largest(void **state)
{
	static char payload[65535];
	struct frame frame = frame_of(6, IPPROTO_TCP, payload, sizeof(payload));
	struct buf out;
	uint64_t n;

	(void)state;
	buf_init(&out, PAYLOAD_LOG_ENTRY_MAX);
	assert_int_equal(
		payload_log_entry(&out, TIME_NS, "fifteen-bytes-x", STATS_FROM_GUEST, &frame), 0);
	assert_int_equal(payload_log_whole(out.data, out.len, &n), out.len);
	assert_int_equal(n, 1);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(whole),
		cmocka_unit_test(not_a_log),
		cmocka_unit_test(largest),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
