/* links: capture/text_scan.c capture/hit_kept.c capture/search.c capture/lines.c */
/* links: capture/regex_match.c */
/* links: capture/extract.c capture/pattern.c capture/regex.c capture/literal.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal_reader.c capture/literal_part.c capture/literal_find.c */
/* links: capture/straight.c capture/set_reader.c capture/straight_find.c capture/prefilter.c */
/* links: capture/gram_index.c capture/shape.c agent/base/buf.c agent/base/parse.c */
/* links: agent/base/err.c */
/*
 * Patterns and a text: "FLAGS CUTS REGEX[\nREGEX...]\n\nTEXT", the text in blocks of whole lines:
 * each bit of CUTS, over and over, says whether a block ends with a line. What is told has to be
 * what each line by itself gives, whether texts are searched for first or not.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/text_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOLD_MAX  (1u << 20)
#define RULES_MAX 4u

struct told {
	size_t rule;
	uint64_t line;
	struct span whole, group; /* of the text */
};

struct list {
	const struct search *search;
	struct told *v;
	size_t n;
	size_t rule;
	uint64_t offset, line;
	bool lost;
};

/* A subject may begin anywhere before the match. */
static struct span of_text(struct span span, uint64_t offset)
{
	if (span_is_set(span)) {
		span.start += (size_t)offset;
		span.end += (size_t)offset;
	}
	return span;
}

static void add(struct list *list, size_t rule, uint64_t offset, uint64_t line,
		const struct extract_match *match)
{
	struct told *v = realloc(list->v, (list->n + 1) * sizeof(*v));
	struct span group = match->groups[pattern_n_groups(list->search->rules[rule].pattern) - 1];

	if (!v)
		abort();
	list->v = v;
	memset(&v[list->n], 0, sizeof(*v));
	v[list->n++] =
		(struct told){ rule, line, of_text(match->whole, offset), of_text(group, offset) };
}

static void on_hit(void *data, const struct hit *hit)
{
	add(data, hit->rule, hit->offset, hit->line, hit->match);
}

static void on_match(void *data, const struct extract_match *match)
{
	struct list *list = data;

	add(list, list->rule, list->offset, list->line, match);
}

static int compare_told(const void *x, const void *y)
{
	const struct told *a = x, *b = y;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->whole.start != b->whole.start)
		return a->whole.start < b->whole.start ? -1 : 1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

/* Each line by itself, without any finder. */
static void plainly(struct list *list, const uint8_t *text, size_t len)
{
	static struct regex_scratch *scratch;
	size_t from = 0;

	if (!scratch && regex_scratch_new(&scratch))
		abort();
	for (list->line = 1; from < len; list->line++) {
		const uint8_t *newline = memchr(text + from, '\n', len - from);
		size_t end = newline ? (size_t)(newline - text) : len, next = end + 1;

		if (end > from && text[end - 1] == '\r')
			end--;
		list->offset = from;
		for (list->rule = 0; list->rule < list->search->n; list->rule++) {
			if (extract(list->search->rules[list->rule].pattern, &list->search->policy,
				    scratch, text + from, end - from, on_match, list,
				    NULL) != EXTRACT_DONE)
				list->lost = true;
		}
		from = next;
	}
	/* A rule's own matches of a line are in order: what starts alike keeps it by hand. */
	for (size_t i = 1; i < list->n; i++) {
		struct told told = list->v[i];
		size_t at = i;

		for (; at && compare_told(&told, &list->v[at - 1]) < 0; at--)
			list->v[at] = list->v[at - 1];
		list->v[at] = told;
	}
}

static void scan(struct text_scan *scan, const uint8_t *text, size_t len, uint8_t cuts)
{
	size_t from = 0, lines = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t *block;

		if (i + 1 < len && (text[i] != '\n' || !(cuts >> (lines++ % 8) & 1)))
			continue;
		/* A block of its own, so that nothing is read behind it. */
		block = malloc(i + 1 - from);
		if (!block)
			abort();
		memcpy(block, text + from, i + 1 - from);
		text_scan_block(scan, block, i + 1 - from, from);
		free(block);
		from = i + 1;
	}
}

static void compare(const struct search *search, const uint8_t *text, size_t len, uint8_t cuts)
{
	struct list whole = { .search = search }, blocks = whole;
	struct text_scan scanner;

	plainly(&whole, text, len);
	if (text_scan_init(&scanner, search, on_hit, &blocks))
		abort();
	scanner.count_lines = true;
	scan(&scanner, text, len, cuts);
	for (size_t i = 0; i < search->n; i++)
		whole.lost = whole.lost || scanner.counts[i].limited || scanner.counts[i].failed;
	if (!whole.lost &&
	    (whole.n != blocks.n ||
	     (whole.n && memcmp(whole.v, blocks.v, whole.n * sizeof(*whole.v)) != 0))) {
		fprintf(stderr, "/%s/ and %zu others: %zu matches by line, %zu in blocks\n",
			pattern_text(search->rules[0].pattern), search->n - 1, whole.n, blocks.n);
		abort();
	}
	text_scan_done(&scanner);
	free(whole.v);
	free(blocks.v);
}

/* The pattern up to the next newline; NULL for an empty one, which ends them. */
static char *next_regex(const uint8_t **data, size_t *size)
{
	const uint8_t *newline = *size ? memchr(*data, '\n', *size) : NULL;
	size_t len = newline ? (size_t)(newline - *data) : *size;
	char *text = len ? strndup((const char *)*data, len) : NULL;

	*data += newline ? len + 1 : len;
	*size -= newline ? len + 1 : len;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[] = "rule", *groups[] = { "0", "1" };
	struct pattern_conf confs[RULES_MAX] = { 0 };
	struct extract_policy policy = { .max = SIZE_MAX };
	uint8_t flags, cuts;
	struct search search;
	size_t n = 0, faulty;

	if (size < 4 || size > 2048)
		return 0;
	flags = data[0];
	cuts = data[1];
	data += 2;
	size -= 2;
	policy.starts = flags & 16;
	policy.keep_empty = flags & 32;
	while (n < RULES_MAX && (confs[n].regex = next_regex(&data, &size))) {
		confs[n].head.name = name;
		confs[n].match_limit = 10000;
		confs[n].utf = flags & 1;
		confs[n].caseless = flags & 2;
		confs[n].multiline = flags & 4;
		confs[n].dotall = flags & 8;
		confs[n].groups = (struct strv){ groups, flags & 64 ? 2 : 1 };
		n++;
	}
	if (n && search_init(&search, confs, n, &policy, &faulty, NULL) == 0) {
		compare(&search, data, size, cuts);
		search_done(&search);
	}
	for (size_t i = 0; i < n; i++)
		free(confs[i].regex);
	return 0;
}
