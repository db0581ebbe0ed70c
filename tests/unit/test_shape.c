/* links: capture/shape.c capture/set_reader.c capture/extract.c capture/pattern.c */
/* links: capture/pattern_compose.c */
/* links: capture/regex_match.c */
/* links: capture/regex.c capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: agent/base/parse.c agent/base/buf.c agent/base/err.c */
#include "capture/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buf.h"
#include "capture/extract.h"
#include "capture/set_reader.h"

/* ---- what is read ---------------------------------------------------------------------------- */

/* A set as its first byte, and "+" when there are more. */
static void show(const struct shape *shape, char *ret)
{
	for (uint32_t i = 0; i < shape->len; i++) {
		unsigned int byte = 0;

		while (!set_has(shape->sets[i], (uint8_t)byte))
			byte++;
		*ret++ = (char)(byte < ' ' ? '^' : byte);
	}
	*ret = '\0';
}

static void test_reading(void **state)
{
	static const struct {
		const char *regex, *shape;
	} cases[] = {
		{ "\\d{3}-\\d{2}-\\d{4}", "000-00-0" },
		{ "\\b(?:\\d{1,3}\\.){3}\\d{1,3}\\b", "0.0" },
		{ "(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", "0:00:00:" },
		{ "(?<day>\\d\\d)/(\\d\\d)", "00/00" },
		{ "\\d\\d\\d+\\.x", "0.x" },
		{ "(?<=\\d\\d\\d)a", "" },
		{ "\\d{4}|x", "" },
		{ "(\\d{4}|x)", "" },
		{ "(\\d{4})?x", "" },
		{ "(\\d{4}){0}XYZ", "XYZ" },
		{ "\\d", "" },
		/* Not understood. */
		{ "(?i)\\d{4}", "" },
		{ "\\Q\\d{4}\\E", "" },
		{ "(*ACCEPT)\\d{4}", "" },
		{ "(\\d{4})\\1", "" },
		{ "\\d{4}(?R)?", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shape shape;
		char text[SHAPE_BYTES_MAX + 1];

		shape_read(cases[i].regex, false, false, &shape);
		show(&shape, text);
		if (strcmp(text, cases[i].shape) != 0)
			fail_msg("%s: \"%s\" and not \"%s\"", cases[i].regex, text, cases[i].shape);
	}
}

/* ---- no match without its shape -------------------------------------------------------------- */

static uint32_t random_state = 1;

static uint32_t below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

static void add_random(struct buf *out, unsigned int depth)
{
	static const char *const atoms[] = { "a",      "b", "\\d",   "[0-3]", "[^a]",
					     "\\w",    ".", "\\.",   "\\s",   "[ab1]",
					     "\\W",    "-", "\\x31", "\\b",   "(?=\\d)",
					     "(?<!a)", "^", "$",     "\\K" };
	static const char *const counts[] = { "",    "",    "",	     "",     "+",  "*",	    "?",
					      "{2}", "{3}", "{1,2}", "{2,}", "+?", "{0,1}", "{9}" };
	static const char *const opens[] = {
		"(", "(?:", "(?<n>", "(?>", "(?|", "(?=", "(?<=", "(?!"
	};
	uint32_t n = 1 + below(4);

	while (n--) {
		if (depth && below(4) == 0) {
			buf_adds(out, opens[below(8)]);
			add_random(out, depth - 1);
			if (below(4) == 0) {
				buf_addc(out, '|');
				add_random(out, depth - 1);
			}
			buf_addc(out, ')');
		} else {
			buf_adds(out, atoms[below(19)]);
		}
		buf_adds(out, counts[below(14)]);
	}
}

static size_t random_text(uint8_t *text, size_t max)
{
	static const char bytes[] = "aab1123 .-\r\nAB\xff";
	size_t len = below((uint32_t)max);

	for (size_t i = 0; i < len; i++)
		text[i] = (uint8_t)bytes[below(sizeof(bytes) - 1)];
	return len;
}

struct found {
	const uint8_t *text;
	size_t len;
	const struct shapes *shapes;
	uint32_t rule;
	const char *regex;
	size_t matches;
};

static void on_match(void *data, const struct extract_match *match)
{
	struct found *found = data;
	struct shape_walk walk;
	struct shape_hit hit;
	uint32_t rules[SHAPES_MAX];

	found->matches++;
	shape_walk_begin(&walk, found->shapes, found->text, found->len);
	while (shape_walk_next(&walk, &hit)) {
		size_t n = shape_hit_rules(found->shapes, &hit, rules);

		for (size_t i = 0; i < n; i++) {
			/* \K moves the start, and a match ends behind its shape. */
			if (rules[i] == found->rule && hit.at < found->text + match->whole.end)
				return;
		}
	}
	fail_msg("/%s/ matches at %zu to %zu of %zu bytes, and its shape is not there",
		 found->regex, match->whole.start, match->whole.end, found->len);
}

static void test_no_match_without_shape(void **state)
{
	static const struct extract_policy policy = { .max = SIZE_MAX, .keep_empty = true };
	struct regex_scratch *scratch;
	size_t matches = 0, with_shape = 0;

	(void)state;
	assert_int_equal(regex_scratch_new(&scratch), 0);
	for (int round = 0; round < 3000; round++) {
		struct pattern *patterns[SHAPES_MAX] = { NULL };
		char *texts[SHAPES_MAX] = { NULL };
		struct shapes shapes;
		uint32_t n = 1 + below(SHAPES_MAX);

		shapes_init(&shapes);
		for (uint32_t i = 0; i < n; i++) {
			struct pattern_conf conf = { .match_limit = 10000,
						     .caseless = below(4) == 0,
						     .dotall = below(4) == 0 };
			struct shape shape;
			struct err err;
			struct buf regex;

			buf_init(&regex, 1 << 16);
			add_random(&regex, 3);
			texts[i] = strdup(regex.data);
			buf_done(&regex);
			conf.regex = texts[i];
			/* A lookbehind of no fixed length, and the like. */
			if (pattern_compile(&conf, &patterns[i], &err)) {
				patterns[i] = NULL;
				continue;
			}
			shape_read(pattern_text(patterns[i]), conf.caseless, conf.dotall, &shape);
			if (!shape.len) {
				pattern_free(patterns[i]);
				patterns[i] = NULL;
				continue;
			}
			assert_true(shapes_add(&shapes, &shape, i));
			with_shape++;
		}
		for (int k = 0; k < 4; k++) {
			uint8_t text[200];
			size_t len = random_text(text, sizeof(text));

			for (uint32_t i = 0; i < n; i++) {
				struct found found = { text, len, &shapes, i, texts[i], 0 };

				if (!patterns[i])
					continue;
				(void)extract(patterns[i], &policy, scratch, text, len, on_match,
					      &found, NULL);
				matches += found.matches;
			}
		}
		for (uint32_t i = 0; i < n; i++) {
			pattern_free(patterns[i]);
			free(texts[i]);
		}
	}
	/* Or it proves nothing. */
	assert_true(with_shape > 3000 && matches > 10000);
	regex_scratch_free(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_no_match_without_shape),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
