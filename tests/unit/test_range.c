/* links: capture/range_text.c capture/range_places.c capture/range.c capture/lines.c */
/* links: capture/regex_match.c */
/* links: capture/literal_find.c capture/pattern.c capture/regex.c capture/literal.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal_reader.c capture/literal_part.c agent/base/parse.c agent/base/buf.c */
/* links: agent/base/err.c */
#include "capture/range_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- ranges of a text, as text --------------------------------------------------------------- */

struct told {
	struct buf shown, closed;
	const char *text; /* whose lines are told; NULL when it comes in pieces */
};

static void on_shown(void *data, const uint8_t *lines, size_t len, uint64_t offset, uint64_t before)
{
	struct told *told = data;

	if (told->text) {
		assert_memory_equal(told->text + offset, lines, len);
		assert_int_equal(lines_count((const uint8_t *)told->text, offset), before);
	}
	buf_add(&told->shown, lines, len);
}

/* "END(LINES/SHOWN)" of each range. */
static void on_closed(void *data, const struct range_closed *closed, uint64_t offset)
{
	struct told *told = data;

	(void)offset;
	buf_addf(&told->closed, "%s%s(%llu/%llu)", told->closed.len ? " " : "",
		 range_reason_name(closed->reason), (unsigned long long)closed->lines,
		 (unsigned long long)closed->shown_lines);
}

static const struct range_text_ops ops = { on_shown, on_closed };

static struct pattern *compile(const char *regex)
{
	struct pattern_conf conf = { .regex = (char *)regex, .match_limit = 100000 };
	struct pattern *pattern = NULL;
	struct err err = { "" };

	if (pattern_compile(&conf, &pattern, &err))
		fail_msg("%s: %s", regex, err.text);
	return pattern;
}

static struct regex_scratch *scratch;

/* In pieces of about `piece` bytes at most, each with a time one second later; 0: at once. */
static void run(struct told *told, const struct range_conf *conf, const char *begin,
		const char *end, const char *text, size_t len, size_t piece)
{
	struct pattern *patterns[2] = { compile(begin), compile(end) };
	struct range_text ranges;
	uint64_t now_ns = 0;

	buf_init(&told->shown, 64u << 20);
	buf_init(&told->closed, 64u << 20);
	told->text = text;
	range_text_init(&ranges, conf, patterns[0], patterns[1], scratch, &ops, told);
	ranges.count_lines = ranges.number_lines = true;
	for (size_t at = 0; at < len;) {
		size_t n = piece && piece < len - at ? piece : len - at;
		const char *newline = memchr(text + at + n - 1, '\n', len - at - (n - 1));

		n = newline ? (size_t)(newline - (text + at)) + 1 : len - at;
		range_text_feed(&ranges, (const uint8_t *)text + at, n, now_ns);
		at += n;
		now_ns += 1000000000;
	}
	range_text_end(&ranges, RANGE_CLOSED_EOF);
	range_text_done(&ranges);
	pattern_free(patterns[0]);
	pattern_free(patterns[1]);
}

static void show_nothing(void *data, const uint8_t *lines, size_t len, uint64_t offset,
			 uint64_t before)
{
	(void)data;
	(void)lines;
	(void)len;
	(void)offset;
	(void)before;
}

static const struct range_text_ops ops_ahead = { .shown = show_nothing };

/* In parts of about `part` bytes, each searched with a guess before it is its turn. */
static uint64_t run_in_parts(struct told *told, const struct range_conf *conf,
			     const struct pattern *const patterns[2], const char *text, size_t len,
			     size_t part, uint32_t (*guess)(uint32_t))
{
	struct range_text ranges, ahead;
	struct range_places guessed = { 0 }, found = { 0 };
	struct range_carry carry = { .depth = 0 };
	uint64_t n_limited = 0;

	told->text = text;
	range_text_init(&ahead, conf, patterns[0], patterns[1], scratch, &ops_ahead, NULL);
	for (size_t at = 0; at < len;) {
		size_t n = part < len - at ? part : len - at;
		const char *newline = memchr(text + at + n - 1, '\n', len - at - (n - 1));
		const uint8_t *piece = (const uint8_t *)text + at;

		n = newline ? (size_t)(newline - (text + at)) + 1 : len - at;
		range_places_reset(&guessed);
		range_places_reset(&found);
		range_text_resume(&ahead, &(struct range_carry){ .depth = guess(2) }, at);
		ahead.found = &guessed;
		range_text_feed(&ahead, piece, n, 0);
		range_text_resume(&ahead, &carry, at);
		ahead.known = &guessed;
		ahead.found = &found;
		ahead.count_lines = ahead.number_lines = true;
		range_text_feed(&ahead, piece, n, 0);
		range_text_init(&ranges, conf, patterns[0], patterns[1], scratch, &ops, told);
		ranges.count_lines = ranges.number_lines = true;
		range_text_resume(&ranges, &carry, at);
		ranges.known = &found;
		range_text_feed(&ranges, piece, n, 0);
		range_text_leave(&ahead, &carry);
		at += n;
		if (at == len)
			range_text_end(&ranges, RANGE_CLOSED_EOF);
		n_limited += ranges.n_limited;
		range_text_done(&ranges);
	}
	range_text_done(&ahead);
	range_places_done(&guessed);
	range_places_done(&found);
	return n_limited;
}

static void told_done(struct told *told)
{
	buf_done(&told->shown);
	buf_done(&told->closed);
}

/* ---- the table: "|" is a newline; B and E are delimiters unless said otherwise --------------- */

struct range_case {
	const char *what;
	const char *begin, *end; /* NULL: B, E */
	const char *text;
	const char *both, *no_end, *no_begin, *none;
	const char *closed; /* with RANGE_BOTH */
	struct range_conf conf;
};

static const struct range_case cases[] = {
	{ .what = "plain",
	  NULL,
	  NULL,
	  "a|B|x|y|E|b|",
	  "B|x|y|E|",
	  "B|x|y|",
	  "x|y|E|",
	  "x|y|",
	  "end(4/4)" },
	{ .what = "END missing",
	  NULL,
	  NULL,
	  "a|B|x|y|",
	  "B|x|y|",
	  "B|x|y|",
	  "x|y|",
	  "x|y|",
	  "eof(3/3)" },
	{ .what = "BEGIN is the last line", NULL, NULL, "a|B|", "B|", "B|", "", "", "eof(1/1)" },
	{ .what = "a whole range, then an open one",
	  NULL,
	  NULL,
	  "B|x|E|a|B|y|",
	  "B|x|E|B|y|",
	  "B|x|B|y|",
	  "x|E|y|",
	  "x|y|",
	  "end(3/3) eof(2/2)" },
	{ .what = "both on one line, END later",
	  NULL,
	  NULL,
	  "a|B x E|y|E|b|",
	  "B x E|y|E|",
	  "B x E|y|",
	  "y|E|",
	  "y|",
	  "end(3/3)" },
	{ .what = "one line, no END later",
	  NULL,
	  NULL,
	  "a|B x E|y|b|",
	  "B x E|y|b|",
	  "B x E|y|b|",
	  "y|b|",
	  "y|b|",
	  "eof(3/3)" },
	{ .what = "END line also has BEGIN",
	  NULL,
	  NULL,
	  "B|x|E B|y|E|z|",
	  "B|x|E B|",
	  "B|x|",
	  "x|E B|",
	  "x|",
	  "end(3/3)" },
	{ .what = "BEGIN inside a range",
	  NULL,
	  NULL,
	  "B|x|B|y|E|z|E|",
	  "B|x|B|y|E|",
	  "B|x|B|y|",
	  "x|B|y|E|",
	  "x|B|y|",
	  "end(5/5)" },
	{ .what = "adjacent ranges",
	  NULL,
	  NULL,
	  "B|x|E|B|y|E|",
	  "B|x|E|B|y|E|",
	  "B|x|B|y|",
	  "x|E|y|E|",
	  "x|y|",
	  "end(3/3) end(3/3)" },
	{ .what = "END right behind BEGIN",
	  NULL,
	  NULL,
	  "a|B|E|b|",
	  "B|E|",
	  "B|",
	  "E|",
	  "",
	  "end(2/2)" },
	{ .what = "empty lines inside",
	  NULL,
	  NULL,
	  "B||x||y|E|",
	  "B||x||y|E|",
	  "B||x||y|",
	  "|x||y|E|",
	  "|x||y|",
	  "end(6/6)" },
	{ .what = "one empty line inside",
	  NULL,
	  NULL,
	  "B||E|",
	  "B||E|",
	  "B||",
	  "|E|",
	  "|",
	  "end(3/3)" },
	{ .what = "two empty lines inside",
	  NULL,
	  NULL,
	  "B|||E|",
	  "B|||E|",
	  "B|||",
	  "||E|",
	  "||",
	  "end(4/4)" },
	{ .what = "anchored END",
	  NULL,
	  "^E$",
	  "B|x|E|y|B|z|E|w|",
	  "B|x|E|B|z|E|",
	  "B|x|B|z|",
	  "x|E|z|E|",
	  "x|z|",
	  "end(3/3) end(3/3)" },
	{ .what = "END spans lines",
	  NULL,
	  "(?s)E.ND",
	  "B|E|ND|z|",
	  "B|E|ND|z|",
	  "B|E|ND|z|",
	  "E|ND|z|",
	  "E|ND|z|",
	  "eof(4/4)" },
	{ .what = "the same at both ends",
	  "---",
	  "---",
	  "---|x|---|y|---|z|---|",
	  "---|x|---|---|z|---|",
	  "---|x|---|z|",
	  "x|---|z|---|",
	  "x|z|",
	  "end(3/3) end(3/3)" },
	{ .what = "no newline at the end",
	  NULL,
	  NULL,
	  "B|x|E",
	  "B|x|E",
	  "B|x|",
	  "x|E",
	  "x|",
	  "end(3/3)" },
	{ .what = "CRLF",
	  "^B$",
	  "^E$",
	  "B\r|x\r|E\r|y\r|",
	  "B\r|x\r|E\r|",
	  "B\r|x\r|",
	  "x\r|E\r|",
	  "x\r|",
	  "end(3/3)" },
	{ .what = "nothing", NULL, NULL, "", "", "", "", "", "" },
	{ .what = "no BEGIN", NULL, NULL, "E|x|E|", "", "", "", "", "" },
	/* end-test rest: also behind BEGIN on its line. A line that is both goes with either. */
	{ .what = "rest",
	  NULL,
	  NULL,
	  "B x E|y|E|b|",
	  "B x E|",
	  "",
	  "",
	  "",
	  "end(1/1)",
	  { .end_test = RANGE_END_REST } },
	{ .what = "rest looks behind BEGIN alone",
	  NULL,
	  NULL,
	  "E B|y|E|b|",
	  "E B|y|E|",
	  "E B|y|",
	  "y|E|",
	  "y|",
	  "end(3/3)",
	  { .end_test = RANGE_END_REST } },
	{ .what = "rest, the same at both ends",
	  "---",
	  "---",
	  "---|x|---|y|",
	  "---|x|---|",
	  "---|x|",
	  "x|---|",
	  "x|",
	  "end(3/3)",
	  { .end_test = RANGE_END_REST } },
	{ .what = "rest, empty line",
	  "^",
	  "$",
	  "|x|",
	  "|x|",
	  "",
	  "",
	  "",
	  "end(1/1) end(1/1)",
	  { .end_test = RANGE_END_REST } },
	{ .what = "same",
	  NULL,
	  NULL,
	  "E B|y|E|b|",
	  "E B|",
	  "",
	  "",
	  "",
	  "end(1/1)",
	  { .end_test = RANGE_END_SAME } },
	{ .what = "same, the same at both ends",
	  "---",
	  "---",
	  "---|x|---|",
	  "---|---|",
	  "",
	  "",
	  "",
	  "end(1/1) end(1/1)",
	  { .end_test = RANGE_END_SAME } },
	/* open-end drop: what END never closed is not shown. */
	{ .what = "drop",
	  NULL,
	  NULL,
	  "B|x|E|a|B|y|",
	  "B|x|E|",
	  "B|x|",
	  "x|E|",
	  "x|",
	  "end(3/3) eof(2/0)",
	  { .open_end = RANGE_DROP } },
	{ .what = "drop over the limit",
	  NULL,
	  NULL,
	  "B|xxxx|E|B|y|E|",
	  "B|y|E|",
	  "B|y|",
	  "y|E|",
	  "y|",
	  "limit(1/0) end(3/3)",
	  { .open_end = RANGE_DROP, .max_bytes = 6 } },
	/* nest */
	{ .what = "restart",
	  NULL,
	  NULL,
	  "B|x|B|y|E|z|E|",
	  "B|x|B|y|E|",
	  "B|x|B|y|",
	  "x|y|E|",
	  "x|y|",
	  "restart(2/2) end(3/3)",
	  { .nest = RANGE_RESTART } },
	{ .what = "restart, dropped",
	  NULL,
	  NULL,
	  "B|x|B|y|E|",
	  "B|y|E|",
	  "B|y|",
	  "y|E|",
	  "y|",
	  "restart(2/0) end(3/3)",
	  { .nest = RANGE_RESTART, .open_end = RANGE_DROP } },
	{ .what = "END before BEGIN on a line closes",
	  NULL,
	  NULL,
	  "B|x|E B|y|",
	  "B|x|E B|",
	  "B|x|",
	  "x|E B|",
	  "x|",
	  "end(3/3)",
	  { .nest = RANGE_RESTART } },
	{ .what = "count",
	  NULL,
	  NULL,
	  "B|x|B|y|E|z|E|w|",
	  "B|x|B|y|E|z|E|",
	  "B|x|B|y|E|z|",
	  "x|B|y|E|z|E|",
	  "x|B|y|E|z|",
	  "end(7/7)",
	  { .nest = RANGE_COUNT } },
	{ .what = "count, END and BEGIN on a line",
	  "[{]",
	  "[}]",
	  "if {|x|if {|} else {|y|}|z|}|w|",
	  "if {|x|if {|} else {|y|}|z|}|",
	  "if {|x|if {|} else {|y|}|z|",
	  "x|if {|} else {|y|}|z|}|",
	  "x|if {|} else {|y|}|z|",
	  "end(8/8)",
	  { .nest = RANGE_COUNT } },
	/* limits */
	{ .what = "lines",
	  NULL,
	  NULL,
	  "B|x|y|z|E|B|E|",
	  "B|x|y|B|E|",
	  "B|x|y|B|",
	  "x|y|E|",
	  "x|y|",
	  "limit(3/3) end(2/2)",
	  { .max_lines = 3 } },
	{ .what = "the line over the limit may begin the next",
	  NULL,
	  NULL,
	  "B|x|B|y|E|",
	  "B|x|B|y|",
	  "B|x|B|y|",
	  "x|y|",
	  "x|y|",
	  "limit(2/2) limit(2/2)",
	  { .max_lines = 2 } },
	{ .what = "bytes",
	  NULL,
	  NULL,
	  "B|xx|yyyy|E|",
	  "B|xx|",
	  "B|xx|",
	  "xx|",
	  "xx|",
	  "limit(2/2)",
	  { .max_bytes = 8 } },
	{ .what = "a BEGIN over the limit",
	  NULL,
	  NULL,
	  "BBBBBBBBB|xx|B|E|",
	  "B|E|",
	  "B|",
	  "E|",
	  "",
	  "limit(1/0) end(2/2)",
	  { .max_bytes = 8 } },
	/* outside: the complement, whatever `include`. */
	{ .what = "outside",
	  NULL,
	  NULL,
	  "a|B|x|E|b|c|B|y|",
	  "a|b|c|",
	  "a|b|c|",
	  "a|b|c|",
	  "a|b|c|",
	  "end(3/0) eof(2/0)",
	  { .outside = true } },
	{ .what = "outside of one line",
	  NULL,
	  NULL,
	  "a|B x E|b|",
	  "a|b|",
	  "a|b|",
	  "a|b|",
	  "a|b|",
	  "end(1/0)",
	  { .outside = true, .end_test = RANGE_END_REST } },
};

/* The text with newlines for "|". */
static char *lines_of(const char *text)
{
	char *lines = strdup(text);

	assert_non_null(lines);
	for (char *p = lines; *p; p++)
		*p = *p == '|' ? '\n' : *p;
	return lines;
}

static void check(const struct range_case *c, enum range_include include, const char *expect,
		  size_t piece, bool slow)
{
	const char *begin = c->begin ? c->begin : "B", *end = c->end ? c->end : "E";
	char *text = lines_of(c->text), *lines = lines_of(expect);
	struct range_conf conf = c->conf;
	struct told told;

	conf.include = include;
	/* Line by line, since something may become idle. */
	conf.idle_ns = slow ? UINT64_MAX : 0;
	run(&told, &conf, begin, end, text, strlen(text), piece);
	if (told.shown.len != strlen(lines) ||
	    (told.shown.len && memcmp(told.shown.data, lines, told.shown.len) != 0))
		fail_msg("%s, include %u: shown is \"%s\" and not \"%s\"", c->what, include,
			 told.shown.data ? told.shown.data : "", lines);
	if (include == RANGE_BOTH &&
	    strcmp(told.closed.data ? told.closed.data : "", c->closed) != 0)
		fail_msg("%s: closed is \"%s\" and not \"%s\"", c->what,
			 told.closed.data ? told.closed.data : "", c->closed);
	told_done(&told);
	free(text);
	free(lines);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct range_case *c = &cases[i];

		for (size_t piece = 0; piece < 12; piece++) {
			for (int slow = 0; slow < 2; slow++) {
				check(c, RANGE_BOTH, c->both, piece, slow);
				check(c, RANGE_BEGIN, c->no_end, piece, slow);
				check(c, RANGE_END, c->no_begin, piece, slow);
				check(c, RANGE_NONE, c->none, piece, slow);
			}
		}
	}
}

static void test_idle(void **state)
{
	const struct range_conf conf = { .include = RANGE_BOTH, .idle_ns = 1000000000 };
	static const char text[] = "B\nx\nE\n";
	struct told told;

	(void)state;
	/* A second between the lines, as `run` has it. */
	run(&told, &conf, "B", "E", text, strlen(text), 1);
	assert_string_equal(told.closed.data, "idle(1/1)");
	assert_string_equal(told.shown.data, "B\n");
	told_done(&told);
	run(&told, &conf, "B", "E", text, strlen(text), 0);
	assert_string_equal(told.closed.data, "end(3/3)");
	told_done(&told);
}

/* What an input lost breaks the range, and inputs have nothing to do with each other. */
static void test_ends(void **state)
{
	static const enum range_reason reasons[] = { RANGE_CLOSED_GAP, RANGE_CLOSED_CLOSED,
						     RANGE_CLOSED_EOF };
	const struct range_conf conf = { .include = RANGE_BOTH };
	struct pattern *begin = compile("B"), *end = compile("E");
	struct range_text ranges;
	struct told told = { .text = NULL };

	(void)state;
	buf_init(&told.shown, 1024);
	buf_init(&told.closed, 1024);
	range_text_init(&ranges, &conf, begin, end, scratch, &ops, &told);
	ranges.count_lines = true;
	for (size_t i = 0; i < 3; i++) {
		range_text_feed(&ranges, (const uint8_t *)"B\nx\n", 4, 0);
		range_text_end(&ranges, reasons[i]);
	}
	range_text_feed(&ranges, (const uint8_t *)"y\nE\n", 4, 0);
	range_text_end(&ranges, RANGE_CLOSED_EOF);
	assert_string_equal(told.closed.data, "gap(2/2) closed(2/2) eof(2/2)");
	range_text_done(&ranges);
	told_done(&told);
	pattern_free(begin);
	pattern_free(end);
}

/* ---- against sed, perl and gawk -------------------------------------------------------------- */

static uint64_t seed = 20260402;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

static void random_text(struct buf *text, uint32_t lines)
{
	static const char *const words[] = { "B",     "E",  "x",  "",	 "BE",	"EB",  "B x E",
					     "E x B", "xB", "Ex", " B ", "---", "B E", "y",
					     "B",     "E",  "zz", "z",	 "x",	"y" };

	for (uint32_t i = 0; i < lines; i++) {
		if (i)
			buf_addc(text, '\n');
		buf_adds(text, words[dice(sizeof(words) / sizeof(words[0]))]);
	}
	if (lines && dice(8))
		buf_addc(text, '\n');
}

static const struct {
	const char *begin, *end;
} pairs[] = {
	{ "B", "E" },	  { "^B$", "^E$" }, { "B", "B" },  { "^B", "E$" }, { "x|B", "E" },
	{ "---", "---" }, { "B x", "E" },   { "E", "B$" }, { "^$", "^$" }, { "[BE]", "[xy]" },
};

#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static char folder[] = "/tmp/test_range.XXXXXX";

static void write_text(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	if (text->len)
		assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
	assert_int_equal(fclose(file), 0);
}

static void read_output(const char *command, struct buf *out)
{
	FILE *pipe = popen(command, "r");
	char block[65536];
	size_t n;

	assert_non_null(pipe);
	buf_init(out, 64u << 20);
	while ((n = fread(block, 1, sizeof(block), pipe)) > 0)
		buf_add(out, block, n);
	assert_int_equal(pclose(pipe), 0);
}

static void assert_same(const struct buf *ours, const struct buf *theirs, const char *what)
{
	size_t len = ours->len;

	/* All of them but sed end the last line themselves. */
	if (theirs->len == len + 1 && theirs->data[len] == '\n')
		len++;
	if (theirs->len != len || (ours->len && memcmp(ours->data, theirs->data, ours->len) != 0))
		fail_msg("%s: ours is \"%s\", theirs \"%s\"", what, ours->data ? ours->data : "",
			 theirs->data ? theirs->data : "");
}

/* One process for many texts: each is a file, and with -s no range of sed's spans files. */
static void test_sed_many(void **state)
{
	enum {
		TEXTS = 2000
	};
	const struct range_conf conf = { .include = RANGE_BOTH };

	(void)state;
	for (size_t pair = 0; pair < PAIRS; pair++) {
		char command[256], path[64];
		struct buf ours, theirs, text;

		buf_init(&ours, 64u << 20);
		buf_init(&text, 1u << 20);
		for (int i = 0; i < TEXTS; i++) {
			struct told told;
			char *line, *rest;

			snprintf(path, sizeof(path), "%s/%04d", folder, i);
			buf_reset(&text);
			random_text(&text, dice(16));
			/* sed -s joins a last line without newline to the next file's. */
			if (text.len && text.data[text.len - 1] != '\n')
				buf_addc(&text, '\n');
			write_text(path, &text);
			run(&told, &conf, pairs[pair].begin, pairs[pair].end, text.data, text.len,
			    dice(2) ? 0 : 1 + dice(20));
			for (rest = told.shown.data; rest && *rest;) {
				line = strsep(&rest, "\n");
				buf_addf(&ours, "%s\n%s\n", path, line);
			}
			told_done(&told);
		}
		snprintf(command, sizeof(command), "cd %s && sed -E -s -n '/%s/,/%s/{F;p}' %s/*",
			 folder, pairs[pair].begin, pairs[pair].end, folder);
		read_output(command, &theirs);
		assert_same(&ours, &theirs, pairs[pair].begin);
		assert_true(ours.len > TEXTS);
		buf_done(&ours);
		buf_done(&theirs);
		buf_done(&text);
	}
}

/* Ranges of the file $F from $B to $E, by another's reckoning. */
static const struct {
	const char *what, *command;
	struct range_conf conf;
} oracles[] = {
	{ "sed", "sed -E -n \"/$B/,/$E/p\" $F", { .include = RANGE_BOTH } },
	{ "sed, outside", "sed -E \"/$B/,/$E/d\" $F", { .outside = true } },
	{ "perl ...", "perl -ne 'print if /$ENV{B}/.../$ENV{E}/' $F", { .include = RANGE_BOTH } },
	{ "perl ..",
	  "perl -ne 'print if /$ENV{B}/../$ENV{E}/' $F",
	  { .include = RANGE_BOTH, .end_test = RANGE_END_SAME } },
	{ "gawk",
	  "gawk '$0 ~ ENVIRON[\"B\"], $0 ~ ENVIRON[\"E\"]' $F",
	  { .include = RANGE_BOTH, .end_test = RANGE_END_SAME } },
	/* The value of the operator is the number of the line in the range, with E0 at the last. */
	{ "perl ..., without either",
	  "perl -ne '$n = /$ENV{B}/.../$ENV{E}/; print if $n && $n ne 1 && $n !~ /E0/' $F",
	  { .include = RANGE_NONE } },
	{ "perl ..., without BEGIN",
	  "perl -ne '$n = /$ENV{B}/.../$ENV{E}/; print if $n && $n ne 1' $F",
	  { .include = RANGE_END } },
	{ "perl ..., without END",
	  "perl -ne '$n = /$ENV{B}/.../$ENV{E}/; print if $n && $n !~ /E0/' $F",
	  { .include = RANGE_BEGIN } },
	{ "perl, rest of the line",
	  "perl -ne 'if ($in) { print; $in = !/$ENV{E}/ } elsif (/$ENV{B}/) { print; "
	  "$in = (pos = $+[0], !/$ENV{E}/g)[1] }' $F",
	  { .include = RANGE_BOTH, .end_test = RANGE_END_REST } },
};

static void test_oracles(void **state)
{
	struct buf text;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/large", folder);
	buf_init(&text, 64u << 20);
	random_text(&text, 20000);
	write_text(path, &text);
	setenv("F", path, 1);
	for (size_t i = 0; i < sizeof(oracles) / sizeof(oracles[0]); i++) {
		for (size_t pair = 0; pair < PAIRS; pair++) {
			struct buf theirs;
			struct told told;

			setenv("B", pairs[pair].begin, 1);
			setenv("E", pairs[pair].end, 1);
			read_output(oracles[i].command, &theirs);
			run(&told, &oracles[i].conf, pairs[pair].begin, pairs[pair].end, text.data,
			    text.len, dice(2) ? 0 : 1 + dice(5000));
			assert_same(&told.shown, &theirs, oracles[i].what);
			told_done(&told);
			buf_done(&theirs);
		}
	}
	buf_done(&text);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void told_init(struct told *told)
{
	buf_init(&told->shown, 64u << 20);
	buf_init(&told->closed, 64u << 20);
}

static uint32_t never(uint32_t n)
{
	(void)n;
	return 0;
}

static struct pattern *compile_limited(const char *regex)
{
	struct pattern_conf conf = { .regex = (char *)regex, .match_limit = 500 };
	struct pattern *pattern = NULL;
	struct err err = { "" };

	if (pattern_compile(&conf, &pattern, &err))
		fail_msg("%s: %s", regex, err.text);
	return pattern;
}

/* Cut anywhere, and whatever is guessed of a part: as in one. */
static void test_parts(void **state)
{
	static const char *const delimiters[] = { "B", "E", "^B", "E$", "[BE]", "^$", "^(x+x+)+B" };
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	for (int i = 0; i < 6000; i++) {
		struct pattern *patterns[2] = { compile_limited(delimiters[dice(7)]),
						compile_limited(delimiters[dice(7)]) };
		const struct pattern *const both[2] = { patterns[0], patterns[1] };
		const struct range_conf conf = {
			.include = (enum range_include)dice(4),
			.end_test = (enum range_end_test)dice(3),
			.outside = dice(4) == 0,
		};
		struct told whole, parts;
		uint64_t n_limited;

		told_init(&whole);
		told_init(&parts);
		buf_reset(&text);
		random_text(&text, dice(40));
		if (dice(4) == 0)
			buf_addf(&text, "xxxxxxxxxxxxxxxxxxxxxxxxyB\nx\nB\n");
		n_limited = run_in_parts(&whole, &conf, both, text.data ? text.data : "", text.len,
					 SIZE_MAX, never);
		assert_int_equal(n_limited,
				 run_in_parts(&parts, &conf, both, text.data ? text.data : "",
					      text.len, 1 + dice(60), dice));
		assert_int_equal(whole.shown.len, parts.shown.len);
		if (whole.shown.len)
			assert_memory_equal(whole.shown.data, parts.shown.data, whole.shown.len);
		assert_int_equal(whole.closed.len, parts.closed.len);
		if (whole.closed.len)
			assert_string_equal(whole.closed.data, parts.closed.data);
		told_done(&whole);
		told_done(&parts);
		pattern_free(patterns[0]);
		pattern_free(patterns[1]);
	}
	buf_done(&text);
}

static int setup(void **state)
{
	(void)state;
	return regex_scratch_new(&scratch) || !mkdtemp(folder);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	regex_scratch_free(scratch);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	cmocka_unit_test(test_idle),
		cmocka_unit_test(test_ends),	cmocka_unit_test(test_sed_many),
		cmocka_unit_test(test_oracles), cmocka_unit_test(test_parts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("range", tests, setup, teardown);
}
