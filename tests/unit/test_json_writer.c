/* links: capture/json_writer.c agent/base/buf.c agent/base/utf8.c */
#include "capture/json_writer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define BYTES(s) (s), sizeof(s) - 1

struct string_case {
	const char *bytes;
	size_t len;
	const char *json;
};

static const struct string_case strings[] = {
	{ BYTES(""), "\"\"" },
	{ BYTES("plain ~"), "\"plain ~\"" },
	{ BYTES("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"" },
	{ BYTES("\0\x01\x1f"), "\"\\u0000\\u0001\\u001f\"" },
	{ BYTES("\t\n\r\b\x7f"), "\"\\t\\n\\r\\u0008\\u007f\"" },
	/* C1 controls steer some terminals also as UTF-8. */
	{ BYTES("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"), "\"\\u0080\\u009b\\u009f\xc2\xa0\"" },
	{ BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
	  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ BYTES("a\xff"
		"b\xc3"),
	  "\"a\\ufffdb\\ufffd\"" },
	{ BYTES("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"" },
};

static char *written(struct buf *out)
{
	assert_false(out->failed);
	return out->data;
}

static void escaping(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct buf out;
		struct json_writer w = { .out = &out };

		buf_init(&out, 4096);
		jw_string(&w, NULL, strings[i].bytes, strings[i].len);
		assert_string_equal(written(&out), strings[i].json);
		buf_done(&out);
	}
}

/* Every byte, alone and between others: always valid JSON, and back what went in if it was text. */
static void every_byte(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		const char bytes[] = { 'a', (char)c, 'z' };
		struct buf out;
		struct json_writer w = { .out = &out };
		json_error_t error;
		json_t *json;

		buf_init(&out, 4096);
		jw_string(&w, NULL, bytes, sizeof(bytes));
		json = json_loads(written(&out), JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
		if (!json)
			fail_msg("byte %d: %s", c, error.text);
		if (c < 0x80) {
			assert_int_equal(json_string_length(json), sizeof(bytes));
			assert_memory_equal(json_string_value(json), bytes, sizeof(bytes));
		} else {
			assert_string_equal(json_string_value(json), "a\xef\xbf\xbdz");
		}
		for (const char *p = out.data; *p; p++)
			assert_false((unsigned char)*p < 0x20 || *p == 0x7f);
		json_decref(json);
		buf_done(&out);
	}
}

struct base64_case {
	const char *bytes;
	const char *json;
};

static void base64(void **state)
{
	/* RFC 4648 section 10. */
	static const struct base64_case cases[] = {
		{ "", "\"\"" },
		{ "f", "\"Zg==\"" },
		{ "fo", "\"Zm8=\"" },
		{ "foo", "\"Zm9v\"" },
		{ "foob", "\"Zm9vYg==\"" },
		{ "fooba", "\"Zm9vYmE=\"" },
		{ "foobar", "\"Zm9vYmFy\"" },
		{ "\xfb\xff", "\"+/8=\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;
		struct json_writer w = { .out = &out };

		buf_init(&out, 4096);
		jw_base64(&w, NULL, cases[i].bytes, strlen(cases[i].bytes));
		assert_string_equal(written(&out), cases[i].json);
		buf_done(&out);
	}
}

static void printable(void **state)
{
	struct buf out;
	struct json_writer w = { .out = &out };

	(void)state;
	buf_init(&out, 4096);
	jw_printable(&w, NULL, BYTES("A\"\\\r\n\t\0\x1b\x7f\xc3\xa9~ "));
	assert_string_equal(written(&out), "\"A\\\"\\\\\\r\\n......~ \"");
	buf_done(&out);
}

static void structure(void **state)
{
	struct buf out;
	struct json_writer w = { .out = &out };

	(void)state;
	buf_init(&out, 4096);
	jw_object(&w, NULL);
	jw_object(&w, "empty");
	jw_object_end(&w);
	jw_array(&w, "list");
	jw_u64(&w, NULL, 0);
	jw_u64(&w, NULL, UINT64_MAX);
	jw_array(&w, NULL);
	jw_array_end(&w);
	jw_null(&w, NULL);
	jw_i64(&w, NULL, INT64_MIN);
	jw_i64(&w, NULL, -7);
	jw_i64(&w, NULL, INT64_MAX);
	jw_hundredths(&w, NULL, 12.345678);
	jw_hundredths(&w, NULL, 0.004);
	jw_hundredths(&w, NULL, NAN);
	jw_hundredths(&w, NULL, INFINITY);
	jw_hundredths(&w, NULL, -1e300);
	jw_array_end(&w);
	jw_raw(&w, "raw", "{\"a\":1}");
	jw_bool(&w, "yes", true);
	jw_bool(&w, "no", false);
	jw_null(&w, "none");
	jw_text(&w, "text", "t");
	jw_object_end(&w);
	assert_string_equal(
		written(&out),
		"{\"empty\":{},\"list\":[0,18446744073709551615,[],null,"
		"-9223372036854775808,-7,9223372036854775807,12.35,0.00,0.00,0.00,0.00],"
		"\"raw\":{\"a\":1},\"yes\":true,\"no\":false,\"none\":null,\"text\":\"t\"}");
	buf_done(&out);
}

/* Whatever the bound, too long is told and nothing is written past it. */
static void too_long(void **state)
{
	(void)state;
	for (size_t max = 0; max < 40; max++) {
		struct buf out;
		struct json_writer w = { .out = &out };

		buf_init(&out, max);
		jw_object(&w, NULL);
		jw_base64(&w, "b", "0123456789", 10);
		jw_printable(&w, "p", "\n\n", 2);
		jw_object_end(&w);
		assert_int_equal(out.failed, max < 35);
		assert_true(out.len <= max);
		buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escaping),  cmocka_unit_test(every_byte),
		cmocka_unit_test(base64),    cmocka_unit_test(printable),
		cmocka_unit_test(structure), cmocka_unit_test(too_long),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
