/* links: web/ipxe_lint*.c web/ipxe_reader.c web/ipxe_command.c web/ipxe_setting.c */
/* links: web/ipxe_call.c */
/* links: web/ipxe_type.c web/boot_decode.c web/decode_san.c web/decode_line.c web/san_uri.c */
/* links: web/ipxe_error.c web/finding.c agent/base/hint.c agent/base/parse.c agent/base/buf.c */
/* links: agent/base/err.c */
#include "web/ipxe_lint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buf.h"
#include "agent/base/config.h"

#define SAN "iscsi:192.0.2.1:::1:iqn.2026-01.test:d"
#define ALL ((1u << IPXE_CAPS) - 1)

/* Findings as "LINE level: text", one a line. */
static const struct {
	const char *script; /* behind "#!ipxe\n" */
	const char *said;
} cases[] = {
	{ "echo hello && exit 0\n", "" },
	{ "set initiator-iqn i\nsanboot " SAN " || exit 1\n", "" },
	{ "sanboot " SAN " || exit 1\n",
	  "2 warning: initiator-iqn is not set: the name is made of hostname or UUID, and the "
	  "target's ACL may not know it\n" },
	{ "ecko x", "2 error: ecko: iPXE has no such command: did you mean echo?\n" },
	{ "${cmd} x", "" },
	{ "goto there", "2 error: there is no label :there\n" },
	{ "goto ${x}\n:a\nexit", "" },
	{ "sleep", "2 error: sleep needs 1 more word\n" },
	{ "sleep 1 2", "2 error: \"2\" is a word too many for sleep\n" },
	{ "sanboot --drv 1 || exit", "2 error: sanboot has no option \"--drv\"\n" },
	{ "prompt --timeout || exit", "2 error: option --timeout of prompt lacks its value\n" },
	{ "echo --", "" },
	{ "dhcp", "2 note: when dhcp fails, the script ends here: || says what then\n" },
	{ "poweroff", "2 warning: poweroff: Debian's iPXE has no such command (ipxe-caps)\n" },
	{ "ntp x || exit", "2 warning: ntp: Debian's iPXE has no such command\n" },
	{ "exit\necho x\n", "3 warning: nothing leads here: the line before goes elsewhere, and "
			    "there is no label\n" },
	{ "exit || echo x\necho y\n", "" },
	{ ":a\n:a\ngoto a\n",
	  "3 warning: label :a is there twice: goto always finds the first\n"
	  "4 warning: goes back to :a without a sleep between: a server that is down is asked "
	  "without a rest\n" },
	{ ":b\necho x\n", "2 note: nothing goes to label :b\n" },
	{ "menu\nitem b B\nchoose --timeout 1 x && goto ${x}\n:b\n", "" },
	{ ":r\nchain http://h/x || goto r\n",
	  "3 warning: goes back to :r without a sleep between: a server that is down is asked "
	  "without a rest\n" },
	{ ":r\nsleep 1\nchain http://h/x || goto r\n", "" },
	{ "chain http://h/${hostname} || exit",
	  "2 warning: ${hostname} is what DHCP or the firmware says, and is expanded again: "
	  "${hostname:uristring} is safe\n" },
	{ "chain http://h/${net0/mac:hexhyp}?a=${asset:uristring} || exit", "" },
	{ "echo ${password}", "2 warning: echo shows the secret ${password}\n" },
	{ "isset ${password} || exit", "" },
	{ "set password secret", "2 note: set password:hexraw keeps every byte of a secret as it "
				 "is: blanks, \"${\" and '#' are lost here\n" },
	{ "set password:hexraw 7365", "" },
	{ "echo ${a:nosuch}", "2 error: ${a:nosuch}: Debian's iPXE has no type \"nosuch\" and puts "
			      "nothing there\n" },
	{ "echo ${a b}", "2 warning: \"${a\": \"${\" is not closed in this word, so that it stays "
			 "as it is\n" },
	{ "set a \"x y\"", "2 warning: \"x: iPXE has no quotes: they are part of the word\n"
			   "2 warning: y\": iPXE has no quotes: they are part of the word\n" },
	{ "dhcp||exit", "2 warning: \"dhcp||exit\": || is an operator only between blanks\n"
			"2 error: dhcp||exit: iPXE has no such command\n" },
	{ "imgfree; exit", "2 warning: \"imgfree;\": ; is an operator only between blanks\n"
			   "2 error: imgfree;: iPXE has no such command: did you mean imgfree?\n" },
	{ "|| exit", "2 warning: an operator with no command before it\n" },
	{ "echo ||", "2 warning: an operator with no command behind it\n" },
	{ "kernel k root=/dev/sda1 || exit\nboot || exit",
	  "2 warning: root=/dev/sda1: the order of disks may change: root=UUID= does not\n" },
	{ "boot || exit", "2 error: boot: nothing was fetched to boot\n" },
	{ "kernel https://h/k || exit",
	  "2 error: https://h/k: this iPXE has no https (ipxe-caps)\n" },
	{ "imgfetch http://h/a#b || exit",
	  "2 warning: http://h/a#b: iPXE cuts an address at '#'\n" },
	{ "set initiator-iqn i\nsanboot iscsi:h:::1:x iscsi:h:::1:x || goto f\n:f\n",
	  "3 note: the server is a name: an initrd cannot ask for its address\n"
	  "3 warning: target: \"x\" is not an iSCSI name such as iqn.2026-01.org.example:disk1\n"
	  "3 note: the server is a name: an initrd cannot ask for its address\n"
	  "3 warning: target: \"x\" is not an iSCSI name such as iqn.2026-01.org.example:disk1\n"
	  "3 note: with several addresses iPXE tries them again for ever once one was up: what is "
	  "behind || may never run\n" },
	{ "echo a #b c", "2 note: \"#b c\" begins a comment: it is not read\n" },
	{ "echo a # b c", "" },
	{ "echo \xc3\xa4",
	  "2 note: byte 0xc3: iPXE passes it on as it is, and its console shows none that is not "
	  "ASCII\n" },
	{ "echo x \\", "0 error: the last line ends with '\\': iPXE runs nothing of it\n" },
};

static void expect(const char *script, size_t len, uint32_t caps, const char *expected)
{
	struct findings findings = { 0 };
	struct buf said;

	buf_init(&said, 8192);
	buf_adds(&said, "");
	assert_int_equal(ipxe_lint(script, len, caps, &findings, NULL), 0);
	for (size_t f = 0; f < findings.n; f++)
		buf_addf(&said, "%u %s: %s\n", findings.v[f].line,
			 finding_level_name(findings.v[f].level), findings.v[f].text);
	assert_string_equal(said.data ? said.data : "", expected);
	buf_done(&said);
	findings_done(&findings);
}

static void findings_of_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char script[512];

		snprintf(script, sizeof(script), "#!ipxe\n%s", cases[i].script);
		expect(script, strlen(script), 0, cases[i].said);
	}
}

static void without_the_first_line(void **state)
{
	static const char nul[] = "#!ipxe\necho \0x\n";

	(void)state;
	expect("echo x\n", 7, 0,
	       "1 error: iPXE takes this for no script: its first line is not #!ipxe\n");
	expect("", 0, 0, "1 error: iPXE takes this for no script: its first line is not #!ipxe\n");
	expect(nul, sizeof(nul) - 1, 0,
	       "2 error: a NUL byte: iPXE sees nothing of the line behind it\n");
}

static void caps_are_believed(void **state)
{
	static const char script[] = "#!ipxe\nkernel https://h/k || exit\nimgverify k s || exit\n"
				     "poweroff";

	(void)state;
	expect(script, strlen(script), ALL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_of_scripts),
		cmocka_unit_test(without_the_first_line),
		cmocka_unit_test(caps_are_believed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
