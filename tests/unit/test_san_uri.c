/* links: web/san_uri.c agent/base/parse.c agent/base/buf.c agent/base/err.c */
#include "web/san_uri.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define IQN "iqn.2026-01.test.san:disk1"

static const struct {
	const char *portal;
	uint32_t lun;
	const char *target;
	const char *uri;
} good[] = {
	{ "192.0.2.1", 1, IQN, "iscsi:192.0.2.1:::1:" IQN },
	{ "192.0.2.1:3260", 0, IQN, "iscsi:192.0.2.1:::0:" IQN },
	{ "192.0.2.1:3261", 16, IQN, "iscsi:192.0.2.1::3261:10:" IQN },
	{ "192.0.2.1:1", 255, IQN, "iscsi:192.0.2.1::1:ff:" IQN },
	{ "[2001:DB8::1]", 0, IQN, "iscsi:[2001:db8::1]:::0:" IQN },
	{ "[2001:db8::1]:65535", 10, IQN, "iscsi:[2001:db8::1]::65535:a:" IQN },
	{ "san.example", 0, "eui.0123456789abcdef", "iscsi:san.example:::0:eui.0123456789abcdef" },
};

static void good_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct host_port portal;
		struct buf out;

		buf_init(&out, 1024);
		assert_int_equal(parse_host_port(good[i].portal, ISCSI_PORT, &portal, NULL), 0);
		assert_int_equal(san_uri(&portal, good[i].lun, good[i].target, &out, NULL), 0);
		assert_string_equal(out.data, good[i].uri);
		buf_done(&out);
	}
}

static const struct {
	const char *host;
	bool ipv6;
	const char *target;
	const char *text;
} bad[] = {
	{ "192.0.2.1", false, "iqn.2026-01.test:a#b",
	  "byte 0x23 at offset 18 of the target name cannot be part of it" },
	{ "192.0.2.1", false, "iqn.2026-01.test:a%41",
	  "byte 0x25 at offset 18 of the target name cannot be part of it" },
	{ "192.0.2.1", false, "iqn.2026-01.test:a b",
	  "byte 0x20 at offset 18 of the target name cannot be part of it" },
	{ "192.0.2.1", false, "iqn.2026-01.test:\n",
	  "byte 0x0a at offset 17 of the target name cannot be part of it" },
	{ "192.0.2.1", false, "iqn.2026-01.test:${x}",
	  "byte 0x24 at offset 17 of the target name cannot be part of it" },
	{ "192.0.2.1", false, "", "the target name of a SAN address is empty" },
	{ "", false, IQN, "the server of a SAN address is empty" },
	{ "a:b", false, IQN, "byte 0x3a at offset 1 of the server cannot be part of it" },
	{ "2001:db8::1%eth0", true, IQN,
	  "byte 0x25 at offset 11 of the server cannot be part of it" },
	{ "fe80::1]", true, IQN, "byte 0x5d at offset 7 of the server cannot be part of it" },
};

static void refused_with_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct host_port portal = { .ipv6 = bad[i].ipv6, .port = ISCSI_PORT };
		struct buf out;
		struct err err;

		buf_init(&out, 1024);
		strcpy(portal.host, bad[i].host);
		assert_int_equal(san_uri(&portal, 0, bad[i].target, &out, &err), -EINVAL);
		assert_string_equal(err.text, bad[i].text);
		assert_int_equal(out.len, 0);
		buf_done(&out);
	}
}

static void no_room(void **state)
{
	struct host_port portal = { .host = "192.0.2.1", .port = ISCSI_PORT };
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(san_uri(&portal, 0, IQN, &out, NULL), -ENOMEM);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_addresses),
		cmocka_unit_test(refused_with_byte),
		cmocka_unit_test(no_room),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
