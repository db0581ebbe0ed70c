/* links: capture/range_text.c capture/range_places.c capture/range.c capture/lines.c */
/* links: capture/regex_match.c */
/* links: capture/literal_find.c capture/pattern.c capture/regex.c capture/literal.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal_reader.c capture/literal_part.c agent/base/parse.c agent/base/buf.c */
/* links: agent/base/err.c */
/*
 * Ranges of a text: "HOW CUTS LIMITS BEGIN\nEND\nTEXT", the text in pieces of whole lines: each bit
 * of CUTS, over and over, says whether a piece ends with a line. What is shown has to be what a
 * plain reading of the lines, one by one, shows.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/range_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHOWN_MAX (1u << 20)

struct text {
	const uint8_t *data;
	size_t len;
};

struct told {
	struct text text;
	struct buf shown, closed;
};

static void on_shown(void *data, const uint8_t *lines, size_t len, uint64_t offset, uint64_t before)
{
	struct told *told = data;

	if (memcmp(told->text.data + offset, lines, len) != 0 ||
	    lines_count(told->text.data, offset) != before)
		abort();
	buf_add(&told->shown, lines, len);
}

static void on_closed(void *data, const struct range_closed *closed, uint64_t offset)
{
	struct told *told = data;

	buf_addf(&told->closed, "%zu+%zu:%s ", (size_t)offset, (size_t)closed->lines,
		 range_reason_name(closed->reason));
}

static const struct range_text_ops ops = { on_shown, on_closed };

/* ---- the plain reading ----------------------------------------------------------------------- */

struct reader {
	const struct range_conf *conf;
	struct regex_scratch *scratch;
	const struct pattern *begin, *end;
	struct told *told;
	struct buf held;
	bool open, limited;
	size_t begun, lines, bytes, depth;
};

static bool matches(struct reader *r, const struct pattern *pattern, struct text line, size_t from,
		    size_t *behind)
{
	enum regex_result result = REGEX_NO_MATCH;

	if (line.len && line.data[line.len - 1] == '\n')
		line.len--;
	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	if (from <= line.len)
		result = pattern_match(pattern, r->scratch, line.data, line.len, from, 0);
	if (result == REGEX_MATCH)
		*behind = pattern_whole(r->scratch).end;
	else if (result != REGEX_NO_MATCH)
		r->limited = true;
	return result == REGEX_MATCH;
}

static void close_range(struct reader *r, const char *why)
{
	bool dropped = r->conf->open_end == RANGE_DROP && !r->conf->outside &&
		       strcmp(why, "end") != 0;

	if (!dropped && r->held.len)
		buf_add(&r->told->shown, r->held.data, r->held.len);
	buf_reset(&r->held);
	buf_addf(&r->told->closed, "%zu+%zu:%s ", r->begun, r->lines, why);
	r->open = false;
}

static void take(struct reader *r, struct text line, unsigned int delimiters)
{
	r->lines++;
	r->bytes += line.len;
	if (!r->conf->outside && (delimiters & ~(unsigned int)r->conf->include) == 0)
		buf_add(&r->held, line.data, line.len);
	if (delimiters & RANGE_END)
		close_range(r, "end");
}

static bool over(const struct reader *r, struct text line)
{
	return (r->conf->max_lines && r->lines + 1 > r->conf->max_lines) ||
	       (r->conf->max_bytes && r->bytes + line.len > r->conf->max_bytes);
}

static void open_range(struct reader *r, struct text line, size_t at, size_t behind)
{
	unsigned int delimiters = RANGE_BEGIN;

	r->open = true;
	r->begun = at;
	r->lines = r->bytes = 0;
	r->depth = 1;
	if (over(r, line)) {
		r->lines = 1;
		close_range(r, "limit");
		return;
	}
	if (r->conf->end_test != RANGE_END_NEXT &&
	    matches(r, r->end, line, r->conf->end_test == RANGE_END_REST ? behind : 0, &behind))
		delimiters |= RANGE_END;
	take(r, line, delimiters);
}

static void read_line(struct reader *r, struct text line, size_t at)
{
	size_t behind;

	if (r->open && over(r, line))
		close_range(r, "limit");
	if (!r->open) {
		if (matches(r, r->begin, line, 0, &behind))
			open_range(r, line, at, behind);
		else if (r->conf->outside)
			buf_add(&r->told->shown, line.data, line.len);
		return;
	}
	if (matches(r, r->end, line, 0, &behind) && --r->depth == 0) {
		take(r, line, RANGE_END);
	} else if (r->conf->nest != RANGE_FLAT && matches(r, r->begin, line, 0, &behind)) {
		r->depth++;
		if (r->conf->nest == RANGE_COUNT) {
			take(r, line, 0);
			return;
		}
		close_range(r, "restart");
		open_range(r, line, at, behind);
	} else {
		take(r, line, 0);
	}
}

static bool read_plainly(struct reader *r)
{
	struct text text = r->told->text;
	size_t at = 0;

	buf_init(&r->held, SHOWN_MAX);
	while (at < text.len) {
		const uint8_t *newline = memchr(text.data + at, '\n', text.len - at);
		size_t len = newline ? (size_t)(newline - text.data) + 1 - at : text.len - at;

		read_line(r, (struct text){ text.data + at, len }, at);
		at += len;
	}
	if (r->open)
		close_range(r, "eof");
	buf_done(&r->held);
	return !r->limited;
}

/* ---- and the other --------------------------------------------------------------------------- */

static void feed(struct range_text *ranges, struct text text, uint8_t cuts)
{
	size_t from = 0, lines = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t *piece;

		if (i + 1 < text.len && (text.data[i] != '\n' || !(cuts >> (lines++ % 8) & 1)))
			continue;
		/* A piece of its own, so that nothing is read behind it. */
		piece = malloc(i + 1 - from);
		if (!piece)
			abort();
		memcpy(piece, text.data + from, i + 1 - from);
		range_text_feed(ranges, piece, i + 1 - from, 0);
		free(piece);
		from = i + 1;
	}
	range_text_end(ranges, RANGE_CLOSED_EOF);
}

static bool equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

static void told_init(struct told *told, struct text text)
{
	told->text = text;
	buf_init(&told->shown, SHOWN_MAX);
	buf_init(&told->closed, SHOWN_MAX);
}

static void told_done(struct told *told)
{
	buf_done(&told->shown);
	buf_done(&told->closed);
}

static void compare(const struct range_conf *conf, const struct pattern *const patterns[2],
		    struct text text, uint8_t cuts)
{
	static struct regex_scratch *scratch; /* as in a worker: one for all */
	struct told plain, pieces;
	struct range_text ranges;

	if (!scratch && regex_scratch_new(&scratch))
		abort();
	told_init(&plain, text);
	told_init(&pieces, text);
	range_text_init(&ranges, conf, patterns[0], patterns[1], scratch, &ops, &pieces);
	ranges.count_lines = ranges.number_lines = true;
	feed(&ranges, text, cuts);
	if (read_plainly(&(struct reader){ .conf = conf,
					   .scratch = scratch,
					   .begin = patterns[0],
					   .end = patterns[1],
					   .told = &plain }) &&
	    !(equal(&plain.shown, &pieces.shown) && equal(&plain.closed, &pieces.closed))) {
		fprintf(stderr, "/%s/ to /%s/: %s and not %s\n", pattern_text(patterns[0]),
			pattern_text(patterns[1]), pieces.closed.data, plain.closed.data);
		abort();
	}
	range_text_done(&ranges);
	told_done(&plain);
	told_done(&pieces);
}

static struct pattern *compile(const uint8_t **data, size_t *size)
{
	const uint8_t *newline = *size ? memchr(*data, '\n', *size) : NULL;
	struct pattern_conf conf = { .match_limit = 10000 };
	struct pattern *pattern = NULL;
	size_t len;

	if (!newline)
		return NULL;
	len = (size_t)(newline - *data);
	conf.regex = strndup((const char *)*data, len);
	*data += len + 1;
	*size -= len + 1;
	if (!conf.regex || pattern_compile(&conf, &pattern, NULL))
		pattern = NULL;
	free(conf.regex);
	return pattern;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pattern *begin, *end;
	struct range_conf conf;
	uint8_t cuts;

	if (size < 5 || size > 2048)
		return 0;
	conf = (struct range_conf){
		.include = (enum range_include)(data[0] & 3),
		.end_test = (enum range_end_test)((data[0] >> 2 & 3) % RANGE_END_TESTS),
		.open_end = (enum range_open_end)(data[0] >> 4 & 1),
		.nest = (enum range_nest)((data[0] >> 5 & 3) % RANGE_NESTS),
		.outside = data[0] >> 7,
		.max_lines = data[2] & 3,
		.max_bytes = data[2] >> 2 & 15,
	};
	cuts = data[1];
	data += 3;
	size -= 3;
	begin = compile(&data, &size);
	end = begin ? compile(&data, &size) : NULL;
	if (end)
		compare(&conf, (const struct pattern *const[]){ begin, end },
			(struct text){ data, size }, cuts);
	pattern_free(begin);
	pattern_free(end);
	return 0;
}
