/* links: web/encode.c web/encode_cmdline.c web/encode_sh.c web/encode_grub.c web/encode_ini.c */
/* links: web/encode_yaml.c web/encode_json.c web/encode_xml.c agent/base/buf.c agent/base/err.c */
/* links: web/encode_ipxe.c agent/base/utf8.c */
/*
 * What would break out of its place, in every language: encoded as the table says, or refused.
 * Shells, GRUB and parsers of others say the same in tests/boot/encode.bats.
 */
#include "web/encode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "web/encode_ipxe.h"

enum language {
	IPXE,
	CMDLINE,
	SH,
	GRUB,
	INI,
	YAML,
	JSON,
	XML,
	LANGUAGES
};

static const encoder encoders[LANGUAGES] = {
	[IPXE] = encode_ipxe_token, [CMDLINE] = encode_cmdline, [SH] = encode_sh,
	[GRUB] = encode_grub,	    [INI] = encode_ini,		[YAML] = encode_yaml,
	[JSON] = encode_json,	    [XML] = encode_xml,
};

#define NO NULL

/* What each language makes of a value; NO: it refuses it. */
static const struct {
	const char *value;
	const char *text[LANGUAGES];
} values[] = {
	{ "plain",
	  { "plain", "plain", "'plain'", "'plain'", "plain", "\"plain\"", "\"plain\"", "plain" } },
	{ "a\nb", { NO, NO, "'a\nb'", NO, NO, "\"a\\x0ab\"", "\"a\\nb\"", "a&#10;b" } },
	{ "a\rb", { NO, NO, "'a\rb'", NO, NO, "\"a\\x0db\"", "\"a\\rb\"", "a&#13;b" } },
	{ "end\\", { NO, NO, "'end\\'", "'end\\'", NO, "\"end\\\\\"", "\"end\\\\\"", "end\\" } },
	{ "a b", { NO, NO, "'a b'", "'a b'", "a b", "\"a b\"", "\"a b\"", "a b" } },
	{ "#x", { NO, "#x", "'#x'", "'#x'", NO, "\"#x\"", "\"#x\"", "#x" } },
	{ "||", { NO, "||", "'||'", "'||'", "||", "\"||\"", "\"||\"", "||" } },
	{ "&&", { NO, "&&", "'&&'", "'&&'", "&&", "\"&&\"", "\"&&\"", "&#38;&#38;" } },
	{ ";", { NO, ";", "';'", "';'", NO, "\";\"", "\";\"", ";" } },
	{ "a;b", { "a;b", "a;b", "'a;b'", "'a;b'", NO, "\"a;b\"", "\"a;b\"", "a;b" } },
	{ "${x}", { NO, NO, "'${x}'", "'${x}'", "${x}", "\"${x}\"", "\"${x}\"", "${x}" } },
	{ "$(id)",
	  { "$(id)", NO, "'$(id)'", "'$(id)'", "$(id)", "\"$(id)\"", "\"$(id)\"", "$(id)" } },
	{ "`id`", { "`id`", NO, "'`id`'", "'`id`'", "`id`", "\"`id`\"", "\"`id`\"", "`id`" } },
	{ "-x", { NO, "-x", "'-x'", "'-x'", "-x", "\"-x\"", "\"-x\"", "-x" } },
	{ "a'b", { "a'b", NO, "'a'\\''b'", "'a'\\''b'", "a'b", "\"a'b\"", "\"a'b\"", "a&#39;b" } },
	{ "'b", { "'b", NO, "''\\''b'", "''\\''b'", NO, "\"'b\"", "\"'b\"", "&#39;b" } },
	{ "a\"b",
	  { "a\"b", NO, "'a\"b'", "'a\"b'", "a\"b", "\"a\\\"b\"", "\"a\\\"b\"", "a&#34;b" } },
	{ " a", { NO, NO, "' a'", "' a'", NO, "\" a\"", "\" a\"", " a" } },
	{ "a ", { NO, NO, "'a '", "'a '", NO, "\"a \"", "\"a \"", "a " } },
	{ "", { NO, NO, "''", NO, NO, "\"\"", "\"\"", "" } },
	{ "<b>&",
	  { "<b>&", "<b>&", "'<b>&'", "'<b>&'", "<b>&", "\"<b>&\"", "\"<b>&\"",
	    "&#60;b&#62;&#38;" } },
	{ "\x1b[0m", { NO, NO, "'\x1b[0m'", NO, NO, "\"\\x1b[0m\"", "\"\\u001B[0m\"", NO } },
	{ "\x7f", { NO, NO, "'\x7f'", NO, NO, "\"\\x7f\"", "\"\x7f\"", "\x7f" } },
	{ "\xc3\xa9", { NO, NO, "'\xc3\xa9'", NO, NO, "\"\xc3\xa9\"", "\"\\u00E9\"", "\xc3\xa9" } },
	{ "\xc2\x85", { NO, NO, "'\xc2\x85'", NO, NO, "\"\\x85\"", "\"\\u0085\"", "\xc2\x85" } },
	{ "\xe2\x80\xa8",
	  { NO, NO, "'\xe2\x80\xa8'", NO, NO, "\"\\L\"", "\"\\u2028\"", "\xe2\x80\xa8" } },
	{ "\xef\xbf\xbe", { NO, NO, "'\xef\xbf\xbe'", NO, NO, "\"\\uFFFE\"", "\"\\uFFFE\"", NO } },
	{ "\xff", { NO, NO, "'\xff'", NO, NO, NO, NO, NO } },
	{ "\xed\xa0\x80", { NO, NO, "'\xed\xa0\x80'", NO, NO, NO, NO, NO } },
	{ "\xc0\xaf", { NO, NO, "'\xc0\xaf'", NO, NO, NO, NO, NO } },
	{ "\xf4\x90\x80\x80", { NO, NO, "'\xf4\x90\x80\x80'", NO, NO, NO, NO, NO } },
	{ "*", { "*", NO, "'*'", "'*'", "*", "\"*\"", "\"*\"", "*" } },
};

static void every_value_in_every_language(void **state)
{
	struct err err;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		for (int k = 0; k < LANGUAGES; k++) {
			const char *want = values[i].text[k];
			int code;

			buf_init(&out, 4096);
			buf_adds(&out, "before");
			code = encoders[k](&out, "x", values[i].value, strlen(values[i].value),
					   &err);
			if (code != (want ? 0 : -EINVAL) ||
			    strcmp(out.data + 6, want ? want : "") != 0)
				fail_msg("value %zu \"%s\" in language %d: %d, \"%s\"", i,
					 values[i].value, k, code, out.data);
			buf_done(&out);
		}
	}
}

static const struct {
	encoder encode;
	const char *value;
	size_t len;
	const char *text;
} refusals[] = {
	{ encode_cmdline, "a b", 3,
	  "x cannot stand in a kernel command line: byte 0x20 at offset 1 begins a new argument" },
	{ encode_cmdline, "", 0, "x cannot stand in a kernel command line: it is empty" },
	{ encode_sh, "a\0b", 3,
	  "x cannot stand in a shell script: byte 0x00 at offset 1 ends the text" },
	{ encode_grub, "a\n", 2,
	  "x cannot stand in a GRUB script: byte 0x0a at offset 1 is not printable ASCII" },
	{ encode_ini, "a ", 2,
	  "x cannot stand in an INI file: byte 0x20 at offset 1 is lost at an end" },
	{ encode_ini, "a#b", 3,
	  "x cannot stand in an INI file: byte 0x23 at offset 1 begins a comment" },
	{ encode_yaml, "a\0b", 3, "x cannot stand in YAML: byte 0x00 at offset 1 ends the text" },
	{ encode_json, "ab\xc3", 3, "x cannot stand in JSON: byte 0xc3 at offset 2 is not UTF-8" },
	{ encode_xml, "\x01", 1,
	  "x cannot stand in XML: byte 0x01 at offset 0 has no form, not even an escaped one" },
};

static void refusals_name_the_byte(void **state)
{
	struct err err;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		buf_init(&out, 64);
		assert_int_equal(refusals[i].encode(&out, "x", refusals[i].value, refusals[i].len,
						    &err),
				 -EINVAL);
		assert_string_equal(err.text, refusals[i].text);
		assert_int_equal(out.len, 0);
		buf_done(&out);
	}
}

/* Either all of it is added or nothing. */
static void no_room(void **state)
{
	struct err err;

	(void)state;
	for (int k = SH; k < LANGUAGES; k++) {
		for (size_t max = 2; max < 5; max++) {
			struct buf out;

			buf_init(&out, max);
			buf_adds(&out, "b");
			assert_int_equal(encoders[k](&out, "x", "aaaaa", 5, &err), -ENOMEM);
			assert_string_equal(out.data, "b");
			assert_string_equal(err.text, "x is too long for its file");
			buf_done(&out);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_in_every_language),
		cmocka_unit_test(refusals_name_the_byte),
		cmocka_unit_test(no_room),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
