#include "capture/text_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/lines.h"

/* Which of several rules may match in the line in hand. */
struct text_scan_several {
	struct prefilter_walk walk;
	struct prefilter_hit hit; /* the next one, which may be of a later line */
	bool any; /* there is one */
	struct shape_walk shape_walk;
	struct shape_hit shape; /* as `hit` */
	bool any_shape;
	uint64_t *chosen; /* bit i % 64 of word i / 64: rule i */
	const uint8_t **texts; /* of each that is chosen, the first; NULL: it needs none */
};

static int several_init(struct text_scan *scan)
{
	struct text_scan_several *several;
	size_t n = scan->search->n;

	if (!scan->search->prefilter)
		return 0;
	several = scan->several = calloc(1, sizeof(*several));
	if (!several)
		return -ENOMEM;
	several->chosen = calloc(n / 64 + 1, sizeof(*several->chosen));
	several->texts = calloc(n, sizeof(*several->texts));
	return several->chosen && several->texts ? 0 : -ENOMEM;
}

int text_scan_init(struct text_scan *scan, const struct search *search, hit_cb cb, void *data)
{
	*scan = (struct text_scan){ .search = search, .cb = cb, .data = data };
	scan->counts = calloc(search->n + 1, sizeof(*scan->counts));
	if (!scan->counts || several_init(scan) || regex_scratch_new(&scan->scratch)) {
		text_scan_done(scan);
		return -ENOMEM;
	}
	return 0;
}

void text_scan_done(struct text_scan *scan)
{
	hit_kept_done(&scan->kept);
	if (scan->several) {
		free(scan->several->chosen);
		free(scan->several->texts);
	}
	free(scan->several);
	free(scan->counts);
	regex_scratch_free(scan->scratch);
	*scan = (struct text_scan){ 0 };
}

/* ---- telling --------------------------------------------------------------------------------- */

static uint64_t line_number(struct text_scan *scan, const uint8_t *line)
{
	if (!scan->count_lines)
		return 0;
	scan->lines += lines_count(scan->counted, (size_t)(line - scan->counted));
	scan->counted = line;
	return scan->lines + 1;
}

/* `place` is in the line that the match is in, and no such line is before those told. */
static void tell_at(struct text_scan *scan, size_t rule, const uint8_t *subject,
		    const uint8_t *place, const struct extract_match *match)
{
	struct hit hit = { .match = match, .subject = subject, .rule = rule };

	scan->hits++;
	scan->counts[rule].matches++;
	hit.offset = scan->offset + (uint64_t)(subject - scan->block);
	hit.line = line_number(scan, place);
	scan->stop = scan->stop || scan->first_only;
	scan->cb(scan->data, &hit);
}

static void tell(struct text_scan *scan, size_t rule, const uint8_t *line,
		 const struct extract_match *match)
{
	tell_at(scan, rule, line, line, match);
}

static void tell_spans(struct text_scan *scan, const uint8_t *end, const struct span *spans,
		       size_t n)
{
	if (scan->spans_cb) {
		scan->hits += n;
		scan->counts[0].matches += n;
		scan->spans_cb(scan->data, scan->block, end, spans, n);
		return;
	}
	for (size_t i = 0; i < n && !scan->stop; i++) {
		tell_at(scan, 0, scan->block, scan->block + spans[i].start,
			&(struct extract_match){ spans[i], &spans[i] });
	}
}

static void keep(struct text_scan *scan, size_t rule, const struct extract_match *match)
{
	if (!hit_kept_add(&scan->kept, rule, match,
			  pattern_n_groups(scan->search->rules[rule].pattern)))
		scan->counts[rule].failed++;
}

static void tell_kept(struct text_scan *scan, const uint8_t *line)
{
	struct hit_kept *kept = &scan->kept;

	hit_kept_sort(kept);
	for (size_t i = 0; i < kept->n && !scan->stop; i++) {
		const struct kept_hit *hit = &kept->v[i];

		tell(scan, hit->rule, line,
		     &(struct extract_match){ hit->whole, kept->groups + hit->first_group });
	}
	hit_kept_reset(kept);
}

/* ---- one line -------------------------------------------------------------------------------- */

/* The first text that a match needs which starts at `offset` or behind; NULL: there is none. */
static const uint8_t *find_text(const struct search_rule *rule, const uint8_t *line, size_t len,
				size_t offset)
{
	int64_t from = (int64_t)offset + rule->finder.set.before_min;

	if (from >= (int64_t)len)
		return NULL;
	from = from > 0 ? from : 0;
	return literal_find(&rule->finder, line + from, len - (size_t)from);
}

/* Where a match can start, when the first text that it needs is at `text`. */
static size_t start_before(const struct search_rule *rule, const uint8_t *line, size_t len,
			   const uint8_t *text, size_t offset)
{
	int64_t start = (int64_t)(text - line) - rule->finder.set.before_max;

	/* A text may be of the newline. */
	start = start < (int64_t)len ? start : (int64_t)len;
	if (start <= (int64_t)offset || !pattern_may_restart(rule->pattern))
		return offset;
	/* PCRE2 does not start between CR and LF, nor within a character. */
	if (line[start - 1] == '\r')
		start--;
	while (pattern_is_utf(rule->pattern) && start > (int64_t)offset &&
	       (line[start] & 0xc0) == 0x80)
		start--;
	return (size_t)start;
}

static void give_up(struct text_scan *scan, size_t rule)
{
	scan->counts[rule].limited++;
	if (scan->given_up)
		__atomic_fetch_add(&scan->given_up[rule], 1, __ATOMIC_RELAXED);
}

static bool is_given_up(const struct text_scan *scan, size_t rule)
{
	uint64_t n = scan->given_up ? __atomic_load_n(&scan->given_up[rule], __ATOMIC_RELAXED)
				    : scan->counts[rule].limited;

	return n >= SEARCH_GIVE_UPS_MAX;
}

/*
 * From `offset` on. `text` is the first text in the line that the rule needs; NULL if the rule has
 * none.
 */
static void scan_line(struct text_scan *scan, size_t number, const uint8_t *line, size_t len,
		      size_t offset, const uint8_t *text)
{
	const struct search_rule *rule = &scan->search->rules[number];
	bool alone = scan->search->n == 1;
	struct span groups[PATTERN_GROUPS_MAX];
	struct extract_cursor cursor = { .offset = offset };
	struct extract_match match;
	enum regex_result result;

	if (is_given_up(scan, number)) {
		scan->counts[number].left_out++;
		return;
	}
	do {
		if (text) {
			size_t start = start_before(rule, line, len, text, cursor.offset);

			cursor.not_empty_here &= start == cursor.offset;
			cursor.offset = start;
		}
		result = pattern_match(rule->pattern, scan->scratch, line, len, cursor.offset,
				       cursor.not_empty_here ? REGEX_NOT_EMPTY_HERE : 0);
		if (result != REGEX_MATCH) {
			if (result == REGEX_LIMIT)
				give_up(scan, number);
			scan->counts[number].failed += result == REGEX_ERROR;
			return;
		}
		if (extract_take(rule->pattern, &scan->search->policy, scan->scratch, line, len,
				 &cursor, &match, groups)) {
			if (alone)
				tell(scan, number, line, &match);
			else
				keep(scan, number, &match);
			if (scan->stop)
				return;
		}
		if (text)
			text = find_text(rule, line, len, cursor.offset);
	} while (!cursor.at_end && (text || !rule->has_finder));
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* From `p` on, which is in the line that begins at `line`. */
static void scan_one(struct text_scan *scan, const uint8_t *line, const uint8_t *p,
		     const uint8_t *end)
{
	const struct search_rule *rule = &scan->search->rules[0];
	const uint8_t *text = NULL, *next;
	size_t len;

	while (p < end && !scan->stop) {
		if (rule->has_finder) {
			text = literal_find(&rule->finder, p, (size_t)(end - p));
			if (!text)
				return;
			line = line_start(line, text);
			p = line > p ? line : p;
		}
		next = line_end(text ? text : p, end);
		len = line_subject(line, (size_t)(next - line));
		/* Not from the line's own end on. */
		if ((size_t)(p - line) <= len)
			scan_line(scan, 0, line, len, (size_t)(p - line), text);
		line = p = next;
	}
}

/* Many spans are told at once; few enough to stay in the cache. */
#define SPANS 256

static void scan_straight(struct text_scan *scan, const uint8_t *block, const uint8_t *end)
{
	const struct straight *straight = scan->search->rules[0].straight;
	const size_t len = (size_t)(end - block);
	struct span spans[SPANS];
	size_t cursor = 0, n;
	bool good = true;

	while (good && cursor < len && !scan->stop) {
		good = straight_find(straight, block, len, &cursor, spans, SPANS, &n);
		tell_spans(scan, end, spans, n);
	}
	if (!good)
		scan_one(scan, line_start(block, block + cursor), block + cursor, end);
}

static void choose(struct text_scan_several *several, uint32_t rule, const uint8_t *text)
{
	uint64_t bit = UINT64_C(1) << rule % 64;

	if (several->chosen[rule / 64] & bit)
		return;
	several->chosen[rule / 64] |= bit;
	several->texts[rule] = text;
}

static void next_shape(struct text_scan_several *several)
{
	several->any_shape = several->any_shape &&
			     shape_walk_next(&several->shape_walk, &several->shape);
}

/* What there is in a block to go by. */
static void walk_begin(struct text_scan *scan, const uint8_t *block, size_t len)
{
	struct text_scan_several *several = scan->several;
	const struct search *search = scan->search;

	prefilter_walk_begin(&several->walk, search->prefilter, block, len);
	several->any = prefilter_walk_next(&several->walk, &several->hit);
	several->any_shape = search->shapes != NULL;
	if (search->shapes)
		shape_walk_begin(&several->shape_walk, search->shapes, block, len);
	next_shape(several);
}

/* The rules of which a text or shape is before `next`, and those that need none. */
static void choose_all(struct text_scan *scan, const uint8_t *next)
{
	struct text_scan_several *several = scan->several;
	const struct search *search = scan->search;
	uint32_t rules[SHAPES_MAX];

	for (size_t i = 0; i < search->n_always; i++)
		choose(several, search->always[i], NULL);
	while (several->any && several->hit.at < next) {
		for (size_t i = 0; i < several->hit.n; i++)
			choose(several, several->hit.rules[i], several->hit.at);
		several->any = prefilter_walk_next(&several->walk, &several->hit);
	}
	while (several->any_shape && several->shape.at < next) {
		size_t n = shape_hit_rules(search->shapes, &several->shape, rules);

		for (size_t i = 0; i < n; i++)
			choose(several, rules[i], NULL);
		next_shape(several);
	}
}

/* The first place from `p` on that a rule is to be tried for; NULL: there is none. */
static const uint8_t *next_place(const struct text_scan *scan, const uint8_t *p)
{
	const struct text_scan_several *several = scan->several;

	if (scan->search->n_always)
		return p;
	if (!several->any)
		return several->any_shape ? several->shape.at : NULL;
	return several->any_shape && several->shape.at < several->hit.at ? several->shape.at
									 : several->hit.at;
}

static void scan_chosen(struct text_scan *scan, const uint8_t *line, size_t len)
{
	struct text_scan_several *several = scan->several;

	for (size_t word = 0; word <= scan->search->n / 64; word++) {
		uint64_t bits = several->chosen[word];

		several->chosen[word] = 0;
		for (; bits; bits &= bits - 1) {
			size_t rule = word * 64 + (size_t)__builtin_ctzll(bits);

			scan_line(scan, rule, line, len, 0, several->texts[rule]);
		}
	}
	tell_kept(scan, line);
}

static void scan_several(struct text_scan *scan, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *place;

	walk_begin(scan, p, (size_t)(end - p));
	while (p < end && !scan->stop && (place = next_place(scan, p)) != NULL) {
		const uint8_t *next = line_end(place, end);

		p = line_start(p, place);
		choose_all(scan, next);
		scan_chosen(scan, p, line_subject(p, (size_t)(next - p)));
		p = next;
	}
}

void text_scan_block(struct text_scan *scan, const uint8_t *block, size_t len, uint64_t offset)
{
	const uint8_t *end = block + len;

	scan->block = scan->counted = block;
	scan->offset = offset;
	if (scan->search->n == 1 && scan->search->rules[0].straight)
		scan_straight(scan, block, end);
	else if (scan->search->n == 1)
		scan_one(scan, block, block, end);
	else
		scan_several(scan, block, end);
	if (scan->count_lines)
		scan->lines += lines_count(scan->counted, (size_t)(end - scan->counted));
}

void text_scan_subject(struct text_scan *scan, const uint8_t *subject, size_t len, uint64_t offset)
{
	struct text_scan_several *several = scan->several;
	const struct search_rule *rule = &scan->search->rules[0];
	const uint8_t *text = NULL;

	scan->block = scan->counted = subject;
	scan->offset = offset;
	if (several) {
		walk_begin(scan, subject, len);
		choose_all(scan, subject + len);
		scan_chosen(scan, subject, len);
		return;
	}
	if (rule->has_finder)
		text = literal_find(&rule->finder, subject, len);
	if (text || !rule->has_finder)
		scan_line(scan, 0, subject, len, 0, text);
}
