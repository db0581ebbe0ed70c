/* links: agent/base/parse_boot.c agent/base/parse.c agent/base/err.c */
#include "agent/base/parse_boot.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int check_net_address(const char *s, struct err *err)
{
	struct net_address address;

	return parse_net_address(s, &address, err);
}

static const struct {
	int (*parse)(const char *s, struct err *err);
	const char *text;
	const char *refusal; /* NULL: it is taken */
} cases[] = {
	{ parse_uuid, "6c816f51-0613-45e7-a15b-bc2d5cd00f88", NULL },
	{ parse_uuid, "6C816F51-0613-45E7-A15B-BC2D5CD00F88", "is not a UUID" },
	{ parse_uuid, "6c816f51-0613-45e7-a15b-bc2d5cd00f8", "is not a UUID" },
	{ parse_uuid, "6c816f51-0613-45e7-a15b-bc2d5cd00f889", "is not a UUID" },
	{ parse_uuid, "6c816f5100613-45e7-a15b-bc2d5cd00f88", "is not a UUID" },
	{ parse_uuid, "", "is not a UUID" },
	{ check_net_address, "dhcp", NULL },
	{ check_net_address, "192.0.2.10/24", NULL },
	{ check_net_address, "192.0.2.1/31", NULL },
	{ check_net_address, "2001:db8::10/64", NULL },
	{ check_net_address, "192.0.2.10", "is neither dhcp nor an address" },
	{ check_net_address, "192.0.2.10/33", "is neither dhcp nor an address" },
	{ check_net_address, "192.0.2.10/24 ", "is neither dhcp nor an address" },
	{ check_net_address, "192.0.2.010/24", "is neither dhcp nor an address" },
	{ check_net_address, "192.0.2.0/24", "not an address that a host can have" },
	{ check_net_address, "192.0.2.255/24", "not an address that a host can have" },
	{ check_net_address, "127.0.0.1/8", "not an address that a host can have" },
	{ check_net_address, "224.0.0.1/8", "not an address that a host can have" },
	{ check_net_address, "fe80::1/64", "not an address that a host can have" },
	{ check_net_address, "ff02::1/64", "not an address that a host can have" },
	{ check_net_address, "fe80::1%eth0/64", "is neither dhcp nor an address" },
	{ parse_ip, "192.0.2.1", NULL },
	{ parse_ip, "2001:db8::1", NULL },
	{ parse_ip, "router", "is not an IP address" },
	{ parse_crypt_hash, "$5$sOmEsAlT$pKHkGjoFXUgvUv.UYQuekdpjoZx7mqXlIlKJj6abik7", NULL },
	{ parse_crypt_hash, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0", NULL },
	{ parse_crypt_hash, "abJnggxhB/yWI", "no crypt(5) hash" },
	{ parse_crypt_hash, "!$6$sOmEsAlT$F3DN61SEKPH", "byte 0x21 at offset 0" },
	{ parse_crypt_hash, "$6$sOmEsAlT$F3DN61SEKPH:0:0", "byte 0x3a at offset 23" },
	{ parse_crypt_hash, "$6$sOmEsAlT$F3DN61SEKPH\n", "byte 0x0a at offset 23" },
	{ parse_boot_source, "/srv/boot/vmlinuz-6.1.0", NULL },
	{ parse_boot_source, "http://[2001:db8::1]:8080/vmlinuz?a=b&c", "byte 0x26 at offset 37" },
	{ parse_boot_source, "http://192.0.2.1/vmlinuz", NULL },
	{ parse_boot_source, "tftp://192.0.2.1/vmlinuz", NULL },
	{ parse_boot_source, "ftp://192.0.2.1/vmlinuz", "neither a path" },
	{ parse_boot_source, "vmlinuz", "neither a path" },
	{ parse_boot_source, "http://", "neither a path" },
	{ parse_boot_source, "https://san.example:8443", NULL },
	{ parse_boot_source, "http://[2001:db8::1]:8080/vmlinuz?a=b", NULL },
	{ parse_boot_source, "http:///h/k", "its host: \"\" is not" },
	{ parse_boot_source, "http://?/k", "its host: \"\" is not" },
	{ parse_boot_source, "http://a..b/k", "its host: \"a..b\" is not a host name" },
	{ parse_boot_source, "http://u:p@h/k", "its host: port of \"u:p@h\"" },
	{ parse_boot_source, "http://-x/k", "its host: \"-x\" is not a host name" },
	{ parse_boot_source, "tftp://192.0.2.300/k", "its host: \"192.0.2.300\" is not an IPv4" },
	{ parse_boot_source, "http://h:0/k", "its host: port of \"h:0\"" },
	{ parse_boot_source, "/srv/a b", "byte 0x20 at offset 6" },
	{ parse_boot_source, "http://h/${password}", "byte 0x24 at offset 9" },
	{ parse_boot_source, "http://h/a#b", "byte 0x23 at offset 10" },
	{ parse_cmdline, "", NULL },
	{ parse_cmdline, "console=ttyS0 foo=\"a b\"", NULL },
	{ parse_cmdline, "a  b", "two blanks in a row" },
	{ parse_cmdline, " a", "two blanks in a row" },
	{ parse_cmdline, "a ", "two blanks in a row" },
	{ parse_cmdline, "a=\"b", "a quote does not end" },
	{ parse_cmdline, "a\tb", "byte 0x09 at offset 1" },
	{ parse_cmdline, "a\nb", "byte 0x0a at offset 1" },
	{ parse_chap_user, "alice", NULL },
	{ parse_chap_user, "a b${c}", NULL },
	{ parse_chap_user, "", "0 bytes long" },
	{ parse_chap_user, "a\x7f", "byte 0x7f at offset 1" },
	{ parse_suite, "bookworm", NULL },
	{ parse_suite, "-x", "is not a release" },
	{ parse_suite, "a;b", "is not a release" },
	{ parse_suite, "", "is not a release" },
};

static void values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { "" };
		int code = cases[i].parse(cases[i].text, &err);

		if (cases[i].refusal ? code != -EINVAL || !strstr(err.text, cases[i].refusal)
				     : code)
			fail_msg("\"%s\": %d, \"%s\" and not \"%s\"", cases[i].text, code, err.text,
				 cases[i].refusal ? cases[i].refusal : "taken");
	}
}

static void lengths(void **state)
{
	char text[CMDLINE_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[CMDLINE_MAX + 1] = '\0';
	assert_int_equal(parse_cmdline(text, NULL), -EINVAL);
	text[CMDLINE_MAX] = '\0';
	assert_int_equal(parse_cmdline(text, NULL), 0);
	text[0] = '/';
	text[513] = '\0';
	assert_int_equal(parse_boot_source(text, NULL), -EINVAL);
	text[512] = '\0';
	assert_int_equal(parse_boot_source(text, NULL), 0);
	text[224] = '\0';
	assert_int_equal(parse_chap_user(text, NULL), -EINVAL);
	text[223] = '\0';
	assert_int_equal(parse_chap_user(text, NULL), 0);
}

static void addresses(void **state)
{
	struct net_address address = { .text = "before", .bits = 9 };

	(void)state;
	assert_int_equal(parse_net_address("2001:db8:0::10/64", &address, NULL), 0);
	assert_string_equal(address.text, "2001:db8::10");
	assert_int_equal(address.bits, 64);
	assert_true(address.ipv6);
	assert_int_equal(parse_net_address("x/64", &address, NULL), -EINVAL);
	assert_string_equal(address.text, "2001:db8::10");
	assert_int_equal(parse_net_address("dhcp", &address, NULL), 0);
	assert_string_equal(address.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(lengths),
		cmocka_unit_test(addresses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
