/* links: capture/tcp_reset.c capture/decode.c capture/decode_link.c */
#include "capture/tcp_reset.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture/decode.h"

/* 192.0.2.10:40000 > 192.0.2.2:80, seq 0x01020304, ack 0x0a0b0c0d, PSH ACK, "hello"; VLAN 5. */
static const uint8_t segment4[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 5, 8, 0,
				    /* IPv4 with an option */
				    0x46, 0, 0, 49, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 10, 192,
				    0, 2, 2, 1, 1, 1, 0,
				    /* TCP */
				    0x9c, 0x40, 0, 80, 1, 2, 3, 4, 10, 11, 12, 13, 0x50, 0x18, 1, 0,
				    0, 0, 0, 0,
				    /* data */
				    'h', 'e', 'l', 'l', 'o' };

/* 2001:db8::1:1024 > 2001:db8::2:443, SYN, seq 0xffffffff. */
static const uint8_t segment6[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd,
				    /* IPv6 */
				    0x60, 0, 0, 0, 0, 20, 6, 64, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0,
				    0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0,
				    0, 0, 0, 0, 2,
				    /* TCP */
				    4, 0, 1, 0xbb, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x50, 2, 1,
				    0, 0, 0, 0, 0 };

static struct frame decode(const uint8_t *bytes, size_t len)
{
	struct decode_input in = { .bytes = bytes, .len = len, .wire_len = len };
	struct frame frame;

	assert_int_equal(decode_ethernet(&in, &frame), DECODE_OK);
	return frame;
}

/* What a receiver's sum over all 16-bit words, checksum included, has to be (RFC 1071). */
static uint32_t sum(const uint8_t *bytes, size_t len, uint32_t start)
{
	for (size_t i = 0; i < len; i += 2)
		start += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

static void assert_sums(const struct frame *frame, const uint8_t *reset, size_t len)
{
	size_t address = frame->ip_version == 4 ? 4 : 16;
	uint32_t pseudo = IPPROTO_TCP + 20;

	pseudo = sum(frame->src_ip, address, pseudo);
	pseudo = sum(frame->dst_ip, address, pseudo);
	assert_int_equal(sum(reset + len - 20, 20, pseudo), 0xffff);
	if (frame->ip_version == 4)
		assert_int_equal(sum(reset + len - 40, 20, 0), 0xffff);
}

static void the_target_is_told_at_what_it_expects(void **state)
{
	struct frame frame = decode(segment4, sizeof(segment4)), got;
	uint8_t reset[TCP_RESET_MAX];
	size_t len = tcp_reset(&frame, segment4, TCP_RESET_TARGET, reset);

	(void)state;
	got = decode(reset, len);
	assert_int_equal(len, 14 + 4 + 20 + 20);
	assert_memory_equal(reset, segment4, 18);
	assert_int_equal(got.n_vlans, 1);
	assert_memory_equal(got.src_ip, ((uint8_t[]){ 192, 0, 2, 10 }), 4);
	assert_memory_equal(got.dst_ip, ((uint8_t[]){ 192, 0, 2, 2 }), 4);
	assert_int_equal(got.src_port, 40000);
	assert_int_equal(got.dst_port, 80);
	assert_int_equal(got.tcp_seq, 0x01020304);
	assert_int_equal(got.tcp_ack, 0x0a0b0c0d);
	assert_int_equal(got.tcp_flags, TH_RST | TH_ACK);
	assert_sums(&got, reset, len);
}

static void the_source_is_told_at_what_it_had_acknowledged(void **state)
{
	struct frame frame = decode(segment4, sizeof(segment4)), got;
	uint8_t reset[TCP_RESET_MAX];
	size_t len = tcp_reset(&frame, segment4, TCP_RESET_SOURCE, reset);

	(void)state;
	got = decode(reset, len);
	assert_memory_equal(got.dst_mac, segment4 + 6, 6);
	assert_memory_equal(got.src_mac, segment4, 6);
	assert_memory_equal(got.src_ip, ((uint8_t[]){ 192, 0, 2, 2 }), 4);
	assert_int_equal(got.src_port, 80);
	assert_int_equal(got.dst_port, 40000);
	assert_int_equal(got.tcp_seq, 0x0a0b0c0d);
	assert_int_equal(got.tcp_ack, 0x01020304 + 5);
	assert_int_equal(got.tcp_flags, TH_RST | TH_ACK);
	assert_sums(&got, reset, len);
}

/* RFC 9293: to a segment without ACK the reset has sequence number 0 and acknowledges it. */
static void a_syn_is_refused(void **state)
{
	struct frame frame = decode(segment6, sizeof(segment6)), got;
	uint8_t reset[TCP_RESET_MAX];
	size_t len = tcp_reset(&frame, segment6, TCP_RESET_SOURCE, reset);

	(void)state;
	got = decode(reset, len);
	assert_int_equal(len, 14 + 40 + 20);
	assert_int_equal(got.ip_version, 6);
	assert_memory_equal(got.src_ip, frame.dst_ip, 16);
	assert_int_equal(got.tcp_seq, 0);
	assert_int_equal(got.tcp_ack, 0);
	assert_int_equal(got.tcp_flags, TH_RST | TH_ACK);
	assert_sums(&got, reset, len);
	len = tcp_reset(&frame, segment6, TCP_RESET_TARGET, reset);
	got = decode(reset, len);
	assert_int_equal(got.tcp_seq, 0xffffffff);
	assert_int_equal(got.tcp_flags, TH_RST);
	assert_sums(&got, reset, len);
}

static void a_reset_is_not_answered(void **state)
{
	uint8_t bytes[sizeof(segment4)], reset[TCP_RESET_MAX];
	struct frame frame;

	(void)state;
	memcpy(bytes, segment4, sizeof(bytes));
	bytes[18 + 24 + 13] = TH_RST;
	frame = decode(bytes, sizeof(bytes));
	assert_int_equal(tcp_reset(&frame, bytes, TCP_RESET_TARGET, reset), 0);
	bytes[18 + 9] = IPPROTO_ICMP;
	frame = decode(bytes, sizeof(bytes));
	assert_int_equal(tcp_reset(&frame, bytes, TCP_RESET_SOURCE, reset), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_target_is_told_at_what_it_expects),
		cmocka_unit_test(the_source_is_told_at_what_it_had_acknowledged),
		cmocka_unit_test(a_syn_is_refused),
		cmocka_unit_test(a_reset_is_not_answered),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
