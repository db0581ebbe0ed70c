/* links: web/encode_ipxe.c agent/base/buf.c agent/base/err.c */
#include "web/encode_ipxe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define VALUE(s) (s), sizeof(s) - 1

#define NOT(what) "x cannot stand in an iPXE script: " what

enum kind {
	TOKEN,
	TEXT,
	HEXRAW
};

static int (*const encoders[])(struct buf *, const char *, const void *, size_t, struct err *) = {
	[TOKEN] = encode_ipxe_token,
	[TEXT] = encode_ipxe_text,
	[HEXRAW] = encode_ipxe_hexraw,
};

/* `out` is NULL where the value is refused with `text`. */
static const struct {
	enum kind kind;
	const char *value;
	size_t len;
	const char *out;
	const char *text;
} cases[] = {
	{ TOKEN, VALUE("web01"), "web01", NULL },
	{ TOKEN, VALUE("ds=nocloud;s=http://x/"), "ds=nocloud;s=http://x/", NULL },
	{ TOKEN, VALUE("a#b"), "a#b", NULL },
	{ TOKEN, VALUE("a-"), "a-", NULL },
	{ TOKEN, VALUE("|||"), "|||", NULL },
	{ TOKEN, VALUE("$x{y}$"), "$x{y}$", NULL },
	{ TOKEN, VALUE("a\\b"), "a\\b", NULL },
	{ TOKEN, VALUE("~!\"'%@"), "~!\"'%@", NULL },
	{ TOKEN, VALUE(""), NULL, NOT("it is empty") },
	{ TOKEN, VALUE("a b"), NULL, NOT("byte 0x20 at offset 1 begins a new argument") },
	{ TOKEN, VALUE(" a"), NULL, NOT("byte 0x20 at offset 0 begins a new argument") },
	{ TOKEN, VALUE("a\tb"), NULL, NOT("byte 0x09 at offset 1 begins a new argument") },
	{ TOKEN, VALUE("a\vb"), NULL, NOT("byte 0x0b at offset 1 begins a new argument") },
	{ TOKEN, VALUE("a\fb"), NULL, NOT("byte 0x0c at offset 1 begins a new argument") },
	{ TOKEN, VALUE("a\nshell"), NULL, NOT("byte 0x0a at offset 1 ends the command") },
	{ TOKEN, VALUE("a\r"), NULL, NOT("byte 0x0d at offset 1 ends the command") },
	{ TOKEN, VALUE("a\0b"), NULL, NOT("byte 0x00 at offset 1 ends the text") },
	{ TOKEN, VALUE("\x1b[2J"), NULL, NOT("byte 0x1b at offset 0 is not printable ASCII") },
	{ TOKEN, VALUE("a\x7f"), NULL, NOT("byte 0x7f at offset 1 is not printable ASCII") },
	{ TOKEN, VALUE("\xc3\xa4"), NULL, NOT("byte 0xc3 at offset 0 is not printable ASCII") },
	{ TOKEN, VALUE("${password}"), NULL, NOT("byte 0x24 at offset 0 begins an expansion") },
	{ TOKEN, VALUE("$${x"), NULL, NOT("byte 0x24 at offset 1 begins an expansion") },
	{ TOKEN, VALUE("#a"), NULL, NOT("byte 0x23 at offset 0 begins a comment") },
	{ TOKEN, VALUE("-k"), NULL, NOT("byte 0x2d at offset 0 begins an option") },
	{ TOKEN, VALUE("||"), NULL, NOT("byte 0x7c at offset 0 is an operator") },
	{ TOKEN, VALUE("&&"), NULL, NOT("byte 0x26 at offset 0 is an operator") },
	{ TOKEN, VALUE(";"), NULL, NOT("byte 0x3b at offset 0 is an operator") },
	{ TOKEN, VALUE("a\\"), NULL, NOT("byte 0x5c at offset 1 joins the next line") },
	{ TEXT, VALUE("guest web01"), "guest web01", NULL },
	{ TEXT, VALUE("a  b"), NULL, NOT("it has two blanks in a row or one at an end") },
	{ TEXT, VALUE("a "), NULL, NOT("it has two blanks in a row or one at an end") },
	{ TEXT, VALUE("a || shell"), NULL, NOT("byte 0x7c at offset 2 is an operator") },
	{ TEXT, VALUE("a #b"), NULL, NOT("byte 0x23 at offset 2 begins a comment") },
	{ TEXT, VALUE("a\nb"), NULL, NOT("byte 0x0a at offset 1 ends the command") },
	{ HEXRAW, VALUE("s3cret!"), "73336372657421", NULL },
	{ HEXRAW, VALUE("${a}\n\0\xff"), "247b617d0a00ff", NULL },
	{ HEXRAW, VALUE(""), NULL, NOT("it is empty") },
};

static void values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { "" };
		struct buf out;
		int code;

		buf_init(&out, 100);
		buf_adds(&out, "set a ");
		code = encoders[cases[i].kind](&out, "x", cases[i].value, cases[i].len, &err);
		if (cases[i].out) {
			assert_string_equal(err.text, "");
			assert_int_equal(code, 0);
			assert_string_equal(out.data + 6, cases[i].out);
		} else {
			assert_int_equal(code, -EINVAL);
			assert_string_equal(err.text, cases[i].text);
			assert_string_equal(out.data, "set a ");
		}
		buf_done(&out);
	}
}

static void no_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(encoders) / sizeof(encoders[0]); i++) {
		struct buf out;

		buf_init(&out, 3);
		assert_int_equal(encoders[i](&out, "x", "abcd", 4, NULL), -ENOMEM);
		buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(no_room),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
