/* links: agent/base/parse.c agent/base/hint.c agent/base/err.c */
#include "agent/base/parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/hint.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In the tables below, a NULL text of an error means that the value is good. */

static void check_error(int code, const struct err *err, const char *expected)
{
	assert_string_equal(code ? err->text : "", expected ? expected : "");
	assert_int_equal(code, expected ? -EINVAL : 0);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max, value;
		const char *error;
	} cases[] = {
		{ "0", 0, 0, 0, NULL },
		{ "42", 0, 100, 42, NULL },
		{ "007", 0, 100, 7, NULL },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX, NULL },
		{ "18446744073709551616", 0, UINT64_MAX, 0, "18446744073709551616 is too large" },
		{ "99999999999999999999999", 0, 9, 0, "99999999999999999999999 is too large" },
		{ "101", 0, 100, 0, "101 is out of range (0 to 100)" },
		{ "4", 5, 100, 0, "4 is out of range (5 to 100)" },
		{ "", 0, 9, 0, "a number is missing" },
		{ " 1", 0, 9, 0, "\" 1\" is not a number" },
		{ "1 ", 0, 9, 0, "\"1 \" is not a number" },
		{ "-1", 0, 9, 0, "\"-1\" is not a number" },
		{ "+1", 0, 9, 0, "\"+1\" is not a number" },
		{ "0x1", 0, 9, 0, "\"0x1\" is not a number" },
		{ "1.5", 0, 9, 0, "\"1.5\" is not a number" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t n = 77;
		struct err err;
		int code = parse_u64(cases[i].text, cases[i].min, cases[i].max, &n, &err);

		check_error(code, &err, cases[i].error);
		assert_true(n == (code ? 77 : cases[i].value));
	}
	assert_int_equal(parse_u64("x", 0, 1, &(uint64_t){ 0 }, NULL), -EINVAL);
}

static void bools(void **state)
{
	static const struct {
		const char *text;
		int value;
	} cases[] = {
		{ "yes", 1 }, { "no", 0 },    { "TRUE", 1 },  { "false", 0 }, { "On", 1 },
		{ "off", 0 }, { "1", 1 },     { "0", 0 },     { "", -1 },     { "y", -1 },
		{ "2", -1 },  { "yes ", -1 }, { "nope", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool value = i % 2;
		int code = parse_bool(cases[i].text, &value, NULL);

		assert_int_equal(code, cases[i].value < 0 ? -EINVAL : 0);
		assert_int_equal(value, cases[i].value < 0 ? (int)(i % 2) : cases[i].value);
	}
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
		const char *error;
	} cases[] = {
		{ "0", 0, NULL },
		{ "4096", 4096, NULL },
		{ "64K", 65536, NULL },
		{ "64k", 65536, NULL },
		{ "2M", 2 << 20, NULL },
		{ "3G", UINT64_C(3) << 30, NULL },
		{ "17179869183G", UINT64_C(17179869183) << 30, NULL },
		{ "17179869184G", 0, "\"17179869184G\" is not a size such as 64M" },
		{ "", 0, "\"\" is not a size such as 64M" },
		{ "K", 0, "\"K\" is not a size such as 64M" },
		{ "1T", 0, "\"1T\" is not a size such as 64M" },
		{ "1KB", 0, "\"1KB\" is not a size such as 64M" },
		{ "1 K", 0, "\"1 K\" is not a size such as 64M" },
		{ "-1K", 0, "\"-1K\" is not a size such as 64M" },
		{ "000000000000000000000000001", 0,
		  "\"000000000000000000000000001\" is not a size such as 64M" },
	};
	uint64_t size = 5;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int code = parse_size(cases[i].text, 0, UINT64_MAX, &size, &err);

		check_error(code, &err, cases[i].error);
		if (!code)
			assert_true(size == cases[i].value);
	}
	check_error(parse_size("1K", 2048, 4096, &size, &err), &err,
		    "1K is out of range (2048 to 4096 bytes)");
	check_error(parse_size("5K", 2048, 4096, &size, &err), &err,
		    "5K is out of range (2048 to 4096 bytes)");
}

static void macs(void **state)
{
	static const uint8_t mac[MAC_LEN] = { 0x52, 0x54, 0x00, 0xab, 0xcd, 0xef };
	static const char *const good[] = { "52:54:00:ab:cd:ef", "52-54-00-AB-CD-EF",
					    "525400aBcDeF" };
	static const char *const bad[] = { "",
					   "52:54:00:ab:cd",
					   "52:54:00:ab:cd:ef:01",
					   "52:54:00-ab:cd:ef",
					   "52:54:00:ab:cd:eg",
					   "5:254:00:ab:cd:ef",
					   "52.54.00.ab.cd.ef",
					   "5254.00ab.cdef",
					   "525400abcde",
					   "525400abcdeff",
					   "52 54 00 ab cd ef",
					   "@@:@@:@@:@@:@@:@@",
					   "GG:00:00:00:00:00" };
	char text[MAC_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		uint8_t out[MAC_LEN] = { 0 };

		assert_int_equal(parse_mac(good[i], out, NULL), 0);
		assert_memory_equal(out, mac, MAC_LEN);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		uint8_t out[MAC_LEN] = { 1, 2, 3, 4, 5, 6 };

		assert_int_equal(parse_mac(bad[i], out, NULL), -EINVAL);
		assert_memory_equal(out, "\1\2\3\4\5\6", MAC_LEN);
	}
	format_mac(text, mac);
	assert_string_equal(text, good[0]);
	assert_true(mac_is_unicast(mac));
	assert_false(mac_is_unicast((const uint8_t *)"\x01\0\x5e\0\0\1"));
	assert_false(mac_is_unicast((const uint8_t *)"\xff\xff\xff\xff\xff\xff"));
	assert_false(mac_is_unicast((const uint8_t *)"\0\0\0\0\0\0"));
	assert_true(mac_is_unicast((const uint8_t *)"\0\0\0\0\0\1"));
}

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10

static void names(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "web", NULL },
		{ "0", NULL },
		{ "a.b_c-9", NULL },
		{ X60 "xxx", NULL },
		{ X60 "xxxx", "a name has at most 63 characters" },
		{ "", "a name is missing" },
		{ "Web", "\"Web\": a name is of a-z, 0-9, '.', '_' and '-'" },
		{ "a b", "\"a b\": a name is of a-z, 0-9, '.', '_' and '-'" },
		{ "a\xc3\xa4", "\"a\xc3\xa4\": a name is of a-z, 0-9, '.', '_' and '-'" },
		{ "-a", "\"-a\": a name begins with a letter or digit" },
		{ "..", "\"..\": a name begins with a letter or digit" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err;

		check_error(parse_name(cases[i].text, &err), &err, cases[i].error);
	}
}

static void ifnames(void **state)
{
	static const char *const good[] = { "eth0", "a",   "abcdefghijklmno", "Eno1", "x.10",
					    "a\"b", "all0" };
	static const char *const bad[] = { "",	     "abcdefghijklmnop",
					   ".",	     "..",
					   "a/b",    "a:b",
					   "a b",    "a\tb",
					   "a%d",    "a\x7f",
					   "a\x80",  "all",
					   "default" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(parse_ifname(good[i], NULL), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(parse_ifname(bad[i], NULL), -EINVAL);
}

static void hostnames(void **state)
{
	static const char *const good[] = { "a", "A-1.b", "1.2", X60 "xxx.x",
					    X60 ".x." X60 ".x." X60 ".x." X60 ".x" };
	static const char *const bad[] = { "",
					   ".",
					   "a.",
					   ".a",
					   "a..b",
					   "-a",
					   "a-",
					   "a-.b",
					   "a_b",
					   "a b",
					   "a\x80",
					   X60 "xxxx",
					   X60 "." X60 "." X60 "." X60 "." X60 };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(parse_hostname(good[i], NULL), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(parse_hostname(bad[i], NULL), -EINVAL);
}

static void cidrs(void **state)
{
	static const struct {
		const char *text, *printed; /* NULL: refused as no such text; "": no such address */
	} cases[] = {
		{ "192.0.2.1/24", "192.0.2.1/24" },
		{ "10.0.0.0/31", "10.0.0.0/31" },
		{ "192.0.2.1/32", "192.0.2.1/32" },
		{ "2001:DB8:0::1/64", "2001:db8::1/64" },
		{ "fe80::1/128", "fe80::1/128" },
		{ "192.0.2.1", NULL },
		{ "192.0.2.1/", NULL },
		{ "192.0.2.1/0", NULL },
		{ "192.0.2.1/33", NULL },
		{ "192.0.2.1/24x", NULL },
		{ "192.0.2.1/+4", NULL },
		{ "192.0.2/24", NULL },
		{ "/24", NULL },
		{ "", NULL },
		{ "2001:db8::1/129", NULL },
		{ "2001:db8::1::2/64", NULL },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/1", NULL },
		{ "0.0.0.0/8", "" },
		{ "127.0.0.1/8", "" },
		{ "224.0.0.1/4", "" },
		{ "255.255.255.255/32", "" },
		{ "::/64", "" },
		{ "::1/128", "" },
		{ "ff02::1/16", "" },
		{ "::ffff:192.0.2.1/96", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cidr cidr = { .prefix = 77 };
		char text[128];
		struct err err;
		int code = parse_cidr(cases[i].text, &cidr, &err);

		print_message("# %s\n", cases[i].text);
		if (cases[i].printed && *cases[i].printed) {
			assert_int_equal(code, 0);
			format_cidr(text, &cidr);
			assert_string_equal(text, cases[i].printed);
			continue;
		}
		assert_int_equal(code, -EINVAL);
		assert_int_equal(cidr.prefix, 77);
		snprintf(text, sizeof(text), "\"%s\" is %s", cases[i].text,
			 cases[i].printed ? "no address that an interface can have"
					  : "not an address with its prefix, such as 192.0.2.1/24");
		assert_string_equal(err.text, text);
	}
}

static void host_ports(void **state)
{
	static const struct {
		const char *text;
		uint16_t port; /* the default */
		const char *host;
		uint16_t expected;
		char kind; /* 4, 6, n: name */
		const char *error;
	} cases[] = {
		{ "192.0.2.1", 3260, "192.0.2.1", 3260, '4', NULL },
		{ "192.0.2.1:80", 3260, "192.0.2.1", 80, '4', NULL },
		{ "2001:DB8:0::1", 7, "2001:db8::1", 7, '6', NULL },
		{ "[2001:db8::1]", 7, "2001:db8::1", 7, '6', NULL },
		{ "[::]:65535", 0, "::", 65535, '6', NULL },
		{ "::ffff:192.0.2.1", 7, "::ffff:192.0.2.1", 7, '6', NULL },
		{ "san.example:860", 7, "san.example", 860, 'n', NULL },
		{ "san", 7, "san", 7, 'n', NULL },
		{ "", 7, NULL, 0, 0, "\"\" is not ADDRESS or ADDRESS:PORT" },
		{ ":80", 7, NULL, 0, 0, "\":80\" is not ADDRESS or ADDRESS:PORT" },
		{ "[::1", 7, NULL, 0, 0, "\"[::1\" is not ADDRESS or ADDRESS:PORT" },
		{ "[::1]80", 7, NULL, 0, 0, "\"[::1]80\" is not ADDRESS or ADDRESS:PORT" },
		{ "[]:80", 7, NULL, 0, 0, "\"[]:80\" is not ADDRESS or ADDRESS:PORT" },
		{ "[192.0.2.1]:80", 7, NULL, 0, 0, "\"192.0.2.1\" is not an IPv6 address" },
		{ "[::g]:80", 7, NULL, 0, 0, "\"::g\" is not an IPv6 address" },
		{ "fe80::1%eth0", 7, NULL, 0, 0, "\"fe80::1%eth0\" is not a host name (RFC 1123)" },
		{ "192.0.2.256", 7, NULL, 0, 0, "\"192.0.2.256\" is not an IPv4 address" },
		{ "192.0.2", 7, NULL, 0, 0, "\"192.0.2\" is not an IPv4 address" },
		{ "192.0.2.1:", 7, NULL, 0, 0, "port of \"192.0.2.1:\": a number is missing" },
		{ "192.0.2.1:0", 7, NULL, 0, 0,
		  "port of \"192.0.2.1:0\": 0 is out of range (1 to 65535)" },
		{ "192.0.2.1:65536", 7, NULL, 0, 0,
		  "port of \"192.0.2.1:65536\": 65536 is out of range (1 to 65535)" },
		{ "192.0.2.1", 0, NULL, 0, 0, "\"192.0.2.1\" names no port" },
		{ "a_b:80", 7, NULL, 0, 0, "\"a_b\" is not a host name (RFC 1123)" },
		{ "a b", 7, NULL, 0, 0, "\"a b\" is not a host name (RFC 1123)" },
	};
	char big[600];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host_port hp = { .port = 1 };
		struct err err;

		check_error(parse_host_port(cases[i].text, cases[i].port, &hp, &err), &err,
			    cases[i].error);
		assert_string_equal(hp.host, cases[i].host ? cases[i].host : "");
		assert_int_equal(hp.port, cases[i].error ? 1 : cases[i].expected);
		assert_int_equal(hp.ipv6, cases[i].kind == '6');
		assert_int_equal(hp.name, cases[i].kind == 'n');
	}
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(parse_host_port(big, 7, &(struct host_port){ 0 }, NULL), -EINVAL);
}

static void iscsi_names(void **state)
{
	static const char *const good[] = { "iqn.2026-01.org.example",
					    "iqn.2026-12.org.example:disk1",
					    "iqn.2001-04.com.example:a:b.c-d",
					    "eui.0123456789abcdef",
					    "naa.0123456789abcdef",
					    "naa.0123456789abcdef0123456789abcdef" };
	static const char *const bad[] = { "",
					   "iqn.",
					   "disk1",
					   "iqn.2026-13.org.example",
					   "iqn.2026-00.org.example",
					   "iqn.26-01.org.example",
					   "iqn.2026-01",
					   "iqn.2026-01.",
					   "iqn.2026-01.org..example",
					   "iqn.2026-01.-org",
					   "iqn.2026-01.org.",
					   "iqn.2026-01.org:",
					   "iqn.2026-01.org:a b",
					   "iqn.2026-01.org:a/b",
					   "iqn.2026-01.org:A",
					   "iqn.2026-01.org:iqn.2026-01.org",
					   "iqn.2026-01.org:a:eui.0123456789abcdef",
					   "eui.0123456789abcde",
					   "eui.0123456789abcdeg",
					   "eui.0123456789abcdef0123456789abcdef",
					   "naa.0123" };
	char big[ISCSI_NAME_MAX + 2] = "iqn.2026-01.org:";

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(parse_iscsi_name(good[i], NULL), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(parse_iscsi_name(bad[i], NULL), -EINVAL);
	memset(big + 16, 'x', ISCSI_NAME_MAX - 16);
	assert_int_equal(parse_iscsi_name(big, NULL), 0);
	big[ISCSI_NAME_MAX] = 'x';
	assert_int_equal(parse_iscsi_name(big, NULL), -EINVAL);
}

static void distances(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned int distance;
	} cases[] = {
		{ "", "", 0 },
		{ "a", "", 1 },
		{ "mode", "mode", 0 },
		{ "mdoe", "mode", 1 },
		{ "brigde", "bridge", 1 },
		{ "kitten", "sitting", 3 },
		{ "ca", "abc", 3 },
		{ "a", "b", 1 },
		{ "lowe", "lower", 1 },
		{ X60 "xxxx", X60, 4 },
		{ X60 "xxxxx", X60, 64 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(edit_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(edit_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),    cmocka_unit_test(bools),
		cmocka_unit_test(sizes),      cmocka_unit_test(macs),
		cmocka_unit_test(names),      cmocka_unit_test(ifnames),
		cmocka_unit_test(hostnames),  cmocka_unit_test(cidrs),
		cmocka_unit_test(host_ports), cmocka_unit_test(iscsi_names),
		cmocka_unit_test(distances),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
