/* links: web/boot_decode.c web/decode_san.c web/decode_line.c web/san_uri.c web/ipxe_error.c */
/* links: web/finding.c agent/base/parse.c agent/base/buf.c agent/base/err.c */
#include "web/boot_decode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buf.h"

#define IQN "iqn.2026-01.test.san:disk1"

/* Fields as "name=value", findings as "level: text", one a line. */
static const struct {
	const char *text;
	enum decode_kind kind;
	const char *said;
} cases[] = {
	/* error numbers that a real iPXE printed */
	/* What Debian's iPXE says of a LUN of zeros. */
	{ "1d852039", DECODE_ERROR_NUMBER,
	  "number=1d852039\nerror=EIO, input/output error\nfrom=INT 13 (disks of the BIOS)\n"
	  "cause=neither a boot sector nor a bootable CD could be read from the LUN\n"
	  "look at=whether a system was installed on it; one of less than 8 MiB cannot be read at "
	  "all\n" },
	/* No target listens on the portal's port. */
	{ "0f0d6039", DECODE_ERROR_NUMBER,
	  "number=0f0d6039\nerror=ECONNRESET, connection reset\nfrom=the iSCSI initiator\n"
	  "cause=the portal's machine is there, and refused or cut the connection\n"
	  "look at=does the target listen on that address and port?\n" },
	{ "410d613c", DECODE_ERROR_NUMBER,
	  "number=410d613c\nerror=EPERM, operation not permitted\nfrom=the iSCSI initiator\n"
	  "cause=the target refused the initiator's CHAP name or secret\n"
	  "look at=chap-user, the secret of chap-secret-file and that of the target\n" },
	{ "(https://ipxe.org/020d623c)", DECODE_ERROR_NUMBER,
	  "number=020d623c\nerror=EACCES, permission denied\nfrom=the iSCSI initiator\n"
	  "cause=the target's own CHAP secret is wrong\n"
	  "look at=the secret of reverse-chap-secret-file and the target's outgoing account\n" },
	{ "0x7f00003c", DECODE_ERROR_NUMBER,
	  "number=7f00003c\nerror=EPLATFORM, an error of the firmware\n"
	  "note: its source file is none of those known here: https://ipxe.org/7f00003c names it\n" },
	{ "60000000", DECODE_ERROR_NUMBER,
	  "number=60000000\nerror: iPXE has no error 0x60: is every digit there?\n" },

	{ "iscsi:192.0.2.1:::1:" IQN, DECODE_SAN_ADDRESS,
	  "server=192.0.2.1\nport=3260\nlun=1\ntarget=" IQN "\n" },
	{ "iscsi:192.0.2.1:6:3261:1f:" IQN, DECODE_SAN_ADDRESS,
	  "server=192.0.2.1\nport=3261\nlun=31\ntarget=" IQN "\n"
	  "note: the LUN is hexadecimal: \"1f\" is 31 for the target and the initrd\n" },
	{ "iscsi:[2001:db8::1]:::2:" IQN, DECODE_SAN_ADDRESS,
	  "server=2001:db8::1\nport=3260\nlun=2\ntarget=" IQN "\n"
	  "warning: the table that iPXE leaves for the system (iBFT) holds IPv4 alone: an initrd "
	  "cannot log in from it\n" },
	{ "iscsi:2001:db8::1:::2:" IQN, DECODE_SAN_ADDRESS,
	  "server=2001\nport=3260\nlun=1\ntarget=::2:" IQN "\n"
	  "error: server: \"2001\" is not an IPv4 address\n"
	  "warning: protocol \"db8\": leave it empty, as Debian's initrd warns of others\n"
	  "warning: target: \"::2:" IQN "\" is not an iSCSI name such as "
	  "iqn.2026-01.org.example:disk1\n" },
	{ "iscsi::::1:" IQN, DECODE_SAN_ADDRESS,
	  "port=3260\nlun=1\ntarget=" IQN "\nerror: no server is named\n" },
	{ "iscsi:192.0.2.1:::1", DECODE_SAN_ADDRESS,
	  "error: the SAN address has 4 parts of 5: iscsi:SERVER:PROTOCOL:PORT:LUN:TARGET\n" },
	{ "iscsi:192.0.2.1::99999:g:", DECODE_SAN_ADDRESS,
	  "server=192.0.2.1\nerror: \"99999\" is no port\nerror: \"g\" is no LUN: hexadecimal digits\n"
	  "error: no target is named\n" },

	{ "root=UUID=11111111-2222-3333-4444-555555555555 ip=dhcp iscsi_auto", DECODE_KERNEL_LINE,
	  "root=UUID=11111111-2222-3333-4444-555555555555\nip=dhcp\n"
	  "login=from the firmware's table (iBFT)\n" },
	{ "iscsi_auto root=LABEL=x quiet", DECODE_KERNEL_LINE,
	  "login=from the firmware's table (iBFT)\nroot=LABEL=x\nother words=1\n"
	  "error: ip= is missing: Debian's initrd has no network then\n" },
	{ "ip=192.0.2.9::192.0.2.1:255.255.255.0:h:eth0:none BOOTIF=52-54-00-11-22-33 root=/dev/sda1",
	  DECODE_KERNEL_LINE,
	  "ip=192.0.2.9::192.0.2.1:255.255.255.0:h:eth0:none\nclient=192.0.2.9\n"
	  "gateway=192.0.2.1\nnetmask=255.255.255.0\nhostname=h\ninterface=eth0\n"
	  "configuration=none\nboot NIC=52-54-00-11-22-33\nroot=/dev/sda1\n"
	  "error: BOOTIF=52-54-00-11-22-33: it is 01- and the MAC address with '-'\n"
	  "warning: root=/dev/sda1: the order of disks may change: root=UUID= does not\n" },
	{ "iscsi_target_ip=san iscsi_username=u iscsi_password=\"a b\" root=x=1 ip=eth0:dhcp",
	  DECODE_KERNEL_LINE,
	  "target address=san\nCHAP user=u\nCHAP secret=3 bytes\nroot=x=1\nip=eth0:dhcp\n"
	  "client=eth0\nserver=dhcp\n"
	  "error: \"san\" is no IPv4 address, which is all that Debian's initrd takes\n"
	  "warning: a CHAP secret on the line: every user of the guest reads it in /proc/cmdline\n"
	  "error: the target's address is there, but not its name\n" },
	{ "netroot=iscsi:u:s@[2001:db8::1]:::10:" IQN " root=LABEL=r", DECODE_KERNEL_LINE,
	  "login=CHAP\nserver=2001:db8::1\nport=3260\nlun=10\ntarget=" IQN "\nroot=LABEL=r\n"
	  "warning: a CHAP secret on the line: every user of the guest reads it in "
	  "/proc/cmdline\n" },
	{ "ds=nocloud;s=http://h/p \"x", DECODE_KERNEL_LINE,
	  "cloud-init=nocloud;s=http://h/p\nother words=1\n"
	  "error: the address of a NoCloud seed ends with '/'\n"
	  "error: a double quote is not closed\n" },
};

static void fields_and_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decoded decoded;
		struct buf said;

		buf_init(&said, 8192);
		assert_int_equal(boot_decode(cases[i].text, &decoded, NULL), 0);
		for (size_t f = 0; f < decoded.n; f++)
			buf_addf(&said, "%s=%s\n", decoded.v[f].name, decoded.v[f].value);
		for (size_t f = 0; f < decoded.findings.n; f++)
			buf_addf(&said, "%s: %s\n", finding_level_name(decoded.findings.v[f].level),
				 decoded.findings.v[f].text);
		assert_string_equal(said.data, cases[i].said);
		assert_int_equal(decoded.kind, cases[i].kind);
		buf_done(&said);
		decoded_done(&decoded);
	}
}

static void what_is_none_of_them(void **state)
{
	static const char *const texts[] = {
		"", "  \n", "hello", "410d613", "410d613cc", "zz0d613c"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct decoded decoded = { .n = 7 };

		assert_int_equal(boot_decode(texts[i], &decoded, NULL), -EINVAL);
		assert_int_equal(decoded.n, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_and_faults),
		cmocka_unit_test(what_is_none_of_them),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
