/* links: web/ipxe_san.c */
/* links: web/ipxe_run.c web/ipxe_effect.c web/ipxe_reader.c web/ipxe_command.c web/ipxe_call.c */
/* links: web/ipxe_setting.c web/ipxe_type.c agent/base/hint.c agent/base/parse.c */
/* links: agent/base/buf.c agent/base/err.c */
/* What expansion, operators and labels do is compared with a real iPXE in tests/boot/ipxe.bats. */
#include "web/ipxe_run.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/config.h"

#define SAN "iscsi:192.0.2.1:::1:iqn.2026-01.test:d"

static const struct {
	const char *script; /* behind "#!ipxe\n" */
	const char *fails; /* a command, or NULL */
	enum ipxe_end_kind kind;
	int status;
	unsigned int line;
	const char *text;
	unsigned int milliseconds;
} cases[] = {
	{ "", NULL, IPXE_END_EXIT, 0, 0, "ends: the firmware's next device", 0 },
	{ "exit 3\nreboot\n", NULL, IPXE_END_EXIT, 3, 0, "fails: the firmware's next device", 0 },
	{ "goto x", NULL, IPXE_END_EXIT, -ENOENT, 0,
	  "fails: no label :x: the firmware's next device", 0 },
	{ "ecko x", NULL, IPXE_END_EXIT, -ENOEXEC, 0,
	  "fails: command not found: did you mean echo?: the firmware's next device", 0 },
	{ "ping 192.0.2.1", NULL, IPXE_END_EXIT, -ENOEXEC, 0,
	  "fails: command not found: this iPXE was built without it: the firmware's next device",
	  0 },
	{ "sleep 2\nprompt --timeout 1500 Key || exit\n", NULL, IPXE_END_EXIT, 0, 0,
	  "ends: the firmware's next device", 3500 },
	{ "prompt Key", NULL, IPXE_END_WAITS, 0, 2, "waits for a key, for ever", 0 },
	{ "login", NULL, IPXE_END_WAITS, 0, 2, "login waits for somebody at the keyboard, for ever",
	  0 },
	{ "menu x\nitem a A\nchoose t", NULL, IPXE_END_WAITS, 0, 4,
	  "shows a menu and waits for a choice, for ever", 0 },
	{ "reboot", NULL, IPXE_END_POWER, 0, 2, "starts the machine again", 0 },
	{ "sanboot " SAN, NULL, IPXE_END_EXIT, -EINVAL, 0,
	  "fails: no initiator name: initiator-iqn, hostname and uuid are not set: the firmware's "
	  "next device",
	  0 },
	{ "set hostname h\nsanboot " SAN, NULL, IPXE_END_SAN, 0, 3, "boots the SAN disk " SAN, 0 },
	{ "set hostname h\nset root-path " SAN "\nsanboot", NULL, IPXE_END_SAN, 0, 4,
	  "boots the SAN disk " SAN, 0 },
	{ "set hostname h\nset username u\nsanboot " SAN " || reboot", NULL, IPXE_END_POWER, 0, 4,
	  "starts the machine again", 0 },
	{ "set hostname h\nset username u\nset password p\nsanboot " SAN, NULL, IPXE_END_SAN, 0, 5,
	  "boots the SAN disk " SAN, 0 },
	{ "set hostname h\nset reverse-username u\nset reverse-password p\nsanboot " SAN
	  " || goto f\n:f\nexit 9",
	  NULL, IPXE_END_EXIT, 9, 0, "fails: the firmware's next device", 0 },
	{ "sanboot --no-describe --drive 0x80", NULL, IPXE_END_DISK, 0, 2,
	  "boots drive 0x80 of the machine", 0 },
	{ "set hostname h\nsanhook -d 0x81 " SAN "\nsanboot --drive 0x81", NULL, IPXE_END_SAN, 0, 4,
	  "boots the SAN disk attached as drive 0x81", 0 },
	{ "set hostname h\nsanboot " SAN " || goto f\n:f\nsleep 5\nexit 1", "sanboot",
	  IPXE_END_EXIT, 1, 0, "fails: the firmware's next device", 5000 },
	{ "kernel http://s/k a  b\ninitrd http://s/i\nboot", NULL, IPXE_END_KERNEL, 0, 4,
	  "boots the kernel http://s/k a b, with initrd http://s/i", 0 },
	{ "kernel k\nimgfree\nboot || exit 4", NULL, IPXE_END_EXIT, 4, 0,
	  "fails: the firmware's next device", 0 },
	{ "chain http://s/other", NULL, IPXE_END_ELSEWHERE, 0, 2,
	  "runs http://s/other, which is not known here", 0 },
	{ "chain same\nreboot", NULL, IPXE_END_LOOP, 0, 2,
	  "chains to same: 8 scripts are running already", 0 },
	{ "chain --replace same\nreboot", NULL, IPXE_END_LOOP, 0, 2,
	  "has run 100 scripts and would go on", 0 },
	{ ":l\ngoto l", NULL, IPXE_END_LOOP, 0, 3, "has run 10000 commands and would go on", 0 },
	{ "set a:hexraw 247b613a737472696e677d\necho ${a:string}", NULL, IPXE_END_LOOP, 0, 3,
	  "${a:string} expands to itself: iPXE would hang", 0 },
	{ "chain inner && reboot", NULL, IPXE_END_POWER, 0, 2, "starts the machine again", 0 },
	{ "chain inner-fails || exit 2", NULL, IPXE_END_EXIT, 2, 0,
	  "fails: the firmware's next device", 0 },
	{ "chain program", NULL, IPXE_END_ELSEWHERE, 0, 2,
	  "runs program as a program: it is no script, which begins with #!ipxe", 0 },
};

/* The script that runs, by its own name, and a few others. */
static int fetch(void *user, const char *uri, struct buf *out)
{
	static const struct {
		const char *uri, *script;
	} others[] = {
		{ "inner", "#!ipxe\nset x 1\n" },
		{ "inner-fails", "#!ipxe\nexit 5\nreboot\n" },
		{ "program", "\x7f"
			     "ELF" },
	};

	if (strcmp(uri, "same") == 0) {
		buf_adds(out, user);
		return 0;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(uri, others[i].uri) != 0)
			continue;
		buf_adds(out, others[i].script);
		return 0;
	}
	return -ENOENT;
}

static void how_it_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *fails[] = { cases[i].fails, NULL };
		struct ipxe_machine machine = { .fetch = fetch, .fails = fails };
		struct ipxe_end end;
		char script[1024];

		snprintf(script, sizeof(script), "#!ipxe\n%s", cases[i].script);
		machine.user = script;
		assert_int_equal(ipxe_run(&machine, "name", script, strlen(script), &end, NULL), 0);
		assert_string_equal(end.text, cases[i].text);
		assert_int_equal(end.kind, cases[i].kind);
		assert_int_equal(end.status, cases[i].status);
		assert_int_equal(end.line, cases[i].line);
		assert_int_equal(end.milliseconds, cases[i].milliseconds);
		ipxe_settings_done(&machine.settings);
	}
}

static void step(void *user, const struct ipxe_step *done)
{
	buf_addf(user, "%s:%u %s %d %s\n", done->script, done->line, done->text, done->result,
		 done->note);
}

static void every_step_is_told(void **state)
{
	static const char script[] = "#!ipxe\n"
				     "set t:hexraw 2424 && echo [${t:string}]\n"
				     "menu\n"
				     "item --default b\n"
				     "item c\n"
				     "choose --timeout 1 x && goto ${x}\n"
				     ":b\n"
				     "exit 1\n"
				     ":c\n"
				     "kernel k\n"
				     "imgstat || dhcp\n";
	const char *fails[] = { "imgstat", NULL };
	struct ipxe_machine machine = { .choice = "c", .fails = fails, .step = step };
	struct ipxe_end end;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	machine.user = &out;
	assert_int_equal(ipxe_run(&machine, "s", script, strlen(script), &end, NULL), 0);
	assert_string_equal(out.data, "s:2 set t:hexraw 2424 0 \n"
				      "s:2 echo [$$] 0 prints: [$$]\n"
				      "s:3 menu 0 \n"
				      "s:4 item --default b 0 \n"
				      "s:5 item c 0 \n"
				      "s:6 choose --timeout 1 x 0 chooses c\n"
				      "s:6 goto c 0 \n"
				      "s:10 kernel k 2 \n"
				      "s:11 imgstat 3 \n"
				      "s:11 dhcp 2 \n");
	assert_int_equal(end.kind, IPXE_END_EXIT);
	buf_done(&out);
	ipxe_settings_done(&machine.settings);
}

static void a_choice_is_of_a_menu(void **state)
{
	static const struct {
		const char *script, *text;
	} none[] = {
		{ "#!ipxe\nexit 0\n", "there is no menu to choose \"x\" in" },
		{ "#!ipxe\nmenu\nchoose a\n", "there is no menu to choose \"x\" in" },
		{ "#!ipxe\nmenu\nitem xy\nitem a\nitem xy\nchoose --timeout 1 c\n"
		  "menu\nitem a\nitem y\nchoose c\n",
		  "no menu has \"x\": choose one of xy, a, y" },
	};
	static const char second[] = "#!ipxe\nmenu\nitem a\nchoose --timeout 1 c\n"
				     "menu\nitem x\nchoose c\nexit 7\n";
	struct ipxe_machine machine = { .choice = "x" };
	struct ipxe_end end;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(ipxe_run(&machine, "s", none[i].script, strlen(none[i].script),
					  &end, &err),
				 -ENOENT);
		assert_string_equal(err.text, none[i].text);
	}
	assert_int_equal(ipxe_run(&machine, "s", second, strlen(second), &end, &err), 0);
	assert_int_equal(end.status, 7);
	ipxe_settings_done(&machine.settings);
}

static void caps_bring_commands(void **state)
{
	static const char script[] = "#!ipxe\npoweroff";
	struct ipxe_machine machine = { .caps = 0 };
	struct ipxe_end end;

	(void)state;
	assert_int_equal(ipxe_run(&machine, "s", script, strlen(script), &end, NULL), 0);
	assert_int_equal(end.kind, IPXE_END_EXIT);
	machine.caps = 1u << IPXE_CAP_POWEROFF;
	assert_int_equal(ipxe_run(&machine, "s", script, strlen(script), &end, NULL), 0);
	assert_int_equal(end.kind, IPXE_END_POWER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_it_ends),
		cmocka_unit_test(every_step_is_told),
		cmocka_unit_test(a_choice_is_of_a_menu),
		cmocka_unit_test(caps_bring_commands),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
