/* links: web/ipxe_reader.c agent/base/err.c */
#include "web/ipxe_reader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Bytes of a script, NULs too, and what was read of it: "LINE[:LABEL] word|word OPERATOR ..." */
#define CASE(text, read)                         \
	{                                        \
		(text), sizeof(text) - 1, (read) \
	}

static const struct {
	const char *text;
	size_t len;
	const char *read;
} cases[] = {
	CASE("", ""),
	CASE("\n", "1\n"),
	CASE("#!ipxe\n", "1\n"),
	CASE("echo  a\tb\v c", "1 echo|a|b|c\n"),
	CASE("echo a\r\n", "1 echo|a\n"),
	CASE("echo a\r\r\n", "1 echo|a\n"), /* a CR is a blank where it is not the line's end */
	CASE("a\nb\n\nc", "1 a\n2 b\n3\n4 c\n"),
	CASE("a \\\n b\nc", "1 a|b\n3 c\n"),
	CASE("a\\\r\nb", "1 ab\n"),
	CASE("a\\\n\\\nb\n", "1 ab\n"),
	CASE("a \\", ""), /* goes on behind the end: nothing of it runs */
	CASE("x\na \\\n", "1 x\n"),
	CASE(":l\n", "1:l\n"),
	CASE("  :l  echo x", "1:l echo|x\n"),
	CASE(":l||x", "1:l||x\n"),
	CASE(": echo", "1: echo\n"),
	CASE("a || b && c ; d", "1 a || b && c ; d\n"),
	CASE("||", "1 || \n"),
	CASE("a ||", "1 a || \n"),
	CASE("a; b", "1 a;|b\n"),
	CASE("a||b", "1 a||b\n"),
	CASE("a #b c", "1 a\n"),
	CASE("a#b c", "1 a#b|c\n"),
	CASE("a || #b", "1 a || \n"),
	CASE("a\0b c\nd", "1 a\n2 d\n"),
	CASE("echo \"a b\" 'c'", "1 echo|\"a|b\"|'c'\n"),
	CASE("echo ${a b}", "1 echo|${a|b}\n"),
};

static void print_command(char **out, const struct ipxe_command *command)
{
	static const char *const operators[] = { "", " || ", " && ", " ; " };

	for (size_t i = 0; i < command->n; i++)
		*out += sprintf(*out, "%s%s", i ? "|" : "", command->words[i]);
	assert_null(command->words[command->n]);
	*out += sprintf(*out, "%s", operators[command->next]);
}

static void lines_and_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ipxe_text text;
		char read[1024] = "", *out = read;

		assert_int_equal(ipxe_read(cases[i].text, cases[i].len, &text, NULL), 0);
		for (size_t l = 0; l < text.n; l++) {
			const struct ipxe_line *line = &text.lines[l];

			out += sprintf(out, "%u", line->number);
			if (line->label)
				out += sprintf(out, ":%s", line->label);
			if (line->n > 1 || line->commands[0].n)
				out += sprintf(out, " ");
			for (size_t c = 0; c < line->n; c++) {
				if (line->n > 1 && !line->commands[c].n && !c)
					out--;
				print_command(&out, &line->commands[c]);
			}
			out += sprintf(out, "\n");
		}
		assert_string_equal(read, cases[i].read);
		ipxe_text_done(&text);
	}
}

static void what_is_said_of_a_script(void **state)
{
	static const char script[] = "#!ipxe\necho a #b\nx\0y\n:l\n:l x\nz \\";
	struct ipxe_text text;

	(void)state;
	assert_int_equal(ipxe_read(script, sizeof(script) - 1, &text, NULL), 0);
	assert_true(text.has_magic);
	assert_true(text.unfinished);
	assert_string_equal(text.lines[1].comment, "#b");
	assert_false(text.lines[1].has_nul);
	assert_true(text.lines[2].has_nul);
	assert_int_equal(ipxe_find_label(&text, "l")->number, 4);
	assert_null(ipxe_find_label(&text, "m"));
	ipxe_text_done(&text);

	assert_int_equal(ipxe_read("#!ipxe", 6, &text, NULL), 0);
	assert_false(text.has_magic);
	ipxe_text_done(&text);
	assert_int_equal(ipxe_read("#!gpxe\r\n", 8, &text, NULL), 0);
	assert_true(text.has_magic);
	assert_false(text.unfinished);
	ipxe_text_done(&text);
}

static void too_long(void **state)
{
	char *text = malloc(IPXE_TEXT_MAX + 1);
	struct ipxe_text ret = { .n = 7 };

	(void)state;
	memset(text, 'a', IPXE_TEXT_MAX + 1);
	assert_int_equal(ipxe_read(text, IPXE_TEXT_MAX + 1, &ret, NULL), -EFBIG);
	assert_int_equal(ret.n, 7);
	memset(text, '\n', IPXE_TEXT_MAX);
	assert_int_equal(ipxe_read(text, IPXE_TEXT_MAX, &ret, NULL), 0);
	assert_int_equal(ret.n, IPXE_TEXT_MAX);
	ipxe_text_done(&ret);
	for (size_t i = 0; i < IPXE_TEXT_MAX; i += 2)
		memcpy(text + i, "; ", 2);
	assert_int_equal(ipxe_read(text, IPXE_TEXT_MAX, &ret, NULL), 0);
	assert_int_equal(ret.lines[0].n, IPXE_TEXT_MAX / 2 + 1);
	ipxe_text_done(&ret);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_words),
		cmocka_unit_test(what_is_said_of_a_script),
		cmocka_unit_test(too_long),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
