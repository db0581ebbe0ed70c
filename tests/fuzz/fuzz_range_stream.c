/* links: capture/range_stream.c capture/stream_match.c capture/extract.c capture/pattern.c */
/* links: capture/pattern_compose.c */
/* links: capture/stream_sleep.c capture/stream_window.c */
/* links: capture/regex_match.c */
/* links: capture/regex.c capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: capture/literal_find.c agent/base/buf.c agent/base/parse.c agent/base/err.c */
/*
 * A range of bytes and a subject in pieces: "FLAGS CUTS BEGIN\nEND\nREGEX\nSUBJECT". What is told
 * has to be what the subject gives in one piece; each bit of CUTS, over and over, says whether it
 * is cut behind a byte.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "capture/range_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOLD_MAX (1u << 20)

struct told {
	const uint8_t *subject;
	struct buf text;
	bool lost;
};

static void on_hit(void *data, const struct hit *hit)
{
	struct span span = hit->match->whole;
	struct told *told = data;

	buf_addf(&told->text, "%zu-%zu ", (size_t)hit->offset + span.start,
		 (size_t)hit->offset + span.end);
	if (memcmp(hit->subject + span.start, told->subject + hit->offset + span.start,
		   span.end - span.start) != 0)
		abort();
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	struct told *told = data;

	(void)why;
	if (from > to)
		abort();
	told->lost = true;
}

static const struct stream_match_ops ops = { .match = on_hit, .loss = on_loss };

static void run(const struct range_stream_rule *rule, struct regex_scratch *scratch,
		const uint8_t *subject, size_t size, uint8_t cuts, struct told *told)
{
	struct range_stream rs;
	size_t from = 0;

	if (range_stream_init(&rs, rule, &extract_live, &ops, told))
		return;
	for (size_t i = 0; i < size; i++) {
		uint8_t *piece;

		if (!(cuts >> (i % 8) & 1) && i + 1 < size)
			continue;
		/* A piece of its own, so that nothing is read behind it. */
		piece = malloc(i + 1 - from);
		if (!piece)
			abort();
		memcpy(piece, subject + from, i + 1 - from);
		range_stream_feed(&rs, scratch, piece, i + 1 - from);
		free(piece);
		from = i + 1;
		if (range_stream_needs(&rs) > from)
			abort();
	}
	range_stream_end(&rs, scratch);
	range_stream_done(&rs);
}

static void compare(const struct range_stream_rule *rule, const uint8_t *subject, size_t size,
		    uint8_t cuts)
{
	static struct regex_scratch *scratch; /* as in a worker: one for all */
	struct told whole = { .subject = subject }, pieces = { .subject = subject };

	if (!scratch && regex_scratch_new(&scratch))
		return;
	buf_init(&whole.text, TOLD_MAX);
	buf_init(&pieces.text, TOLD_MAX);
	buf_adds(&whole.text, "");
	buf_adds(&pieces.text, "");
	run(rule, scratch, subject, size, 0, &whole);
	run(rule, scratch, subject, size, cuts, &pieces);
	if (!whole.lost && !pieces.lost && strcmp(whole.text.data, pieces.text.data) != 0) {
		fprintf(stderr, "/%s/ to /%s/ for /%s/ cuts %02x: whole\n%s\nin pieces\n%s\n",
			pattern_text(rule->begin), pattern_text(rule->end),
			pattern_text(rule->inner), cuts, whole.text.data, pieces.text.data);
		abort();
	}
	buf_done(&whole.text);
	buf_done(&pieces.text);
}

/* The text up to the next newline, compiled; `at` moves behind it. NULL: that is not to be had. */
static struct pattern *next_pattern(uint8_t flags, const uint8_t **at, const uint8_t *end)
{
	const uint8_t *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
	struct pattern_conf conf = { .match_limit = 10000 };
	struct pattern *pattern = NULL;

	if (!newline)
		return NULL;
	conf.utf = flags & 1;
	conf.caseless = flags & 2;
	conf.multiline = flags & 4;
	conf.dotall = flags & 8;
	conf.regex = strndup((const char *)*at, (size_t)(newline - *at));
	*at = newline + 1;
	if (conf.regex && pattern_compile(&conf, &pattern, NULL))
		pattern = NULL;
	free(conf.regex);
	return pattern;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data + 2, *end = data + size;
	struct range_stream_rule rule = { .max = 1 << 20 };
	struct range_conf conf = { 0 };

	if (size < 4 || size > 2048)
		return 0;
	conf.include = (enum range_include)(data[0] >> 4 & 3);
	conf.open_end = data[0] & 64 ? RANGE_DROP : RANGE_EMIT;
	rule.conf = &conf;
	rule.begin = next_pattern(data[0], &at, end);
	rule.end = rule.begin ? next_pattern(data[0], &at, end) : NULL;
	rule.inner = rule.end ? next_pattern(data[0], &at, end) : NULL;
	if (rule.inner)
		compare(&rule, at, (size_t)(end - at), data[1]);
	pattern_free(rule.begin);
	pattern_free(rule.end);
	pattern_free(rule.inner);
	return 0;
}
