/* links: capture/payload_reader.c capture/payload_log.c capture/record.c capture/json_writer.c */
/* links: capture/regex_match.c */
/* links: capture/pattern.c capture/regex.c agent/base/buf.c agent/base/parse.c agent/base/err.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c agent/base/utf8.c */
#include "capture/payload_reader.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/payload_log.h"

#define TIME_NS UINT64_C(1795364401123456789)

static const uint8_t ip4[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };
static const uint8_t ip6[2][16] = { { 0x20, 1, 0xd, 0xb8, [15] = 1 }, { 0xfe, 0x80, [15] = 2 } };

static void round_trip(const struct frame *frame)
{
	struct payload_entry entry;
	size_t used = 0, ip_len = frame->ip_version == 6 ? 16 : 4;
	struct buf out;

	buf_init(&out, PAYLOAD_LOG_ENTRY_MAX);
	assert_int_equal(payload_log_entry(&out, TIME_NS, "web01", STATS_TO_GUEST, frame), 0);
	/* Every part of it wants more. */
	for (size_t len = 0; len < out.len; len++)
		assert_int_equal(payload_read((uint8_t *)out.data, len, &entry, &used),
				 PAYLOAD_MORE);
	assert_int_equal(payload_read((uint8_t *)out.data, out.len, &entry, &used), PAYLOAD_ENTRY);
	assert_int_equal(used, out.len);
	assert_int_equal(entry.time_ns, TIME_NS);
	assert_string_equal(entry.link, "web01");
	assert_int_equal(entry.direction, STATS_TO_GUEST);
	assert_int_equal(entry.frame.ip_version, frame->ip_version);
	assert_memory_equal(entry.frame.src_ip, frame->src_ip, ip_len);
	assert_memory_equal(entry.frame.dst_ip, frame->dst_ip, ip_len);
	assert_int_equal(entry.frame.proto, frame->proto);
	assert_int_equal(entry.frame.has_ports, frame->has_ports);
	assert_int_equal(entry.frame.src_port, frame->src_port);
	assert_int_equal(entry.frame.dst_port, frame->dst_port);
	assert_int_equal(entry.frame.truncated, frame->truncated);
	assert_int_equal(entry.frame.payload_len, frame->payload_len);
	assert_memory_equal(entry.frame.payload, frame->payload, frame->payload_len);
	buf_done(&out);
}

static void what_is_written_is_read(void **state)
{
	static const char payload[] = "@ 2026 \n@ x\n\0\n";
	struct frame frame = {
		.payload = (const uint8_t *)payload,
		.payload_len = sizeof(payload) - 1,
	};

	(void)state;
	for (int i = 0; i < 16; i++) {
		frame.ip_version = i & 1 ? 6 : 4;
		frame.src_ip = i & 1 ? ip6[0] : ip4[0];
		frame.dst_ip = i & 1 ? ip6[1] : ip4[1];
		frame.has_ports = i & 2;
		frame.src_port = i & 2 ? 50096 : 0;
		frame.dst_port = i & 2 ? 80 : 0;
		frame.proto = i & 2 ? (i & 4 ? IPPROTO_TCP : IPPROTO_UDP)
				    : (i & 1 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		frame.truncated = i & 8;
		round_trip(&frame);
	}
}

static void what_is_no_entry(void **state)
{
	static const char *const texts[] = {
		"hello\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from 192.0.2.1:1 > 192.0.2.2:2 TCP x\nab\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from 192.0.2.1:1 > 192.0.2.2:2 TCP 99999\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from 192.0.2.1:1 > 192.0.2.2:2 TCP 2 cu\nab\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from 192.0.2.1:1 > 192.0.2.2:2 TCP 2\nabc\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from 192.0.2.1:1 < 192.0.2.2:2 TCP 2\nab\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 of 192.0.2.1:1 > 192.0.2.2:2 TCP 2\nab\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from 192.0.2.1:1 > 192.0.2:2 TCP 2\nab\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from [::1:1 > [::2]:2 TCP 2\nab\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from [::1]1 > [::2]:2 TCP 2\nab\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from [::1]:1 > [::2]:66000 TCP 2\nab\n",
		"@ 2026-11-22T16:20:01.123456789Z web01 from 192.0.2.1:1 > 192.0.2.2:2 SCTP 2\nab\n",
		"@ 2026-11-22T16:20:01.12345678Z web01 from 192.0.2.1:1 > 192.0.2.2:2 TCP 2\nab\n",
		"@ 2026-11-22T16:20:01.123456789Z a-name-of-16-byt from 192.0.2.1:1 > 192.0.2.2:2 TCP 2\nab\n",
	};
	struct payload_entry entry;
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(payload_read((const uint8_t *)texts[i], strlen(texts[i]), &entry,
					      &used),
				 PAYLOAD_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_no_entry),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
