#include "capture/literal_part.h"

#include <string.h>

/* Texts that a search finds so often that it is no help are no texts. */
#define SCORE_MIN 8

static int64_t bounded(int64_t value)
{
	if (value > LITERAL_FAR)
		return LITERAL_FAR;
	return value < -LITERAL_FAR ? -LITERAL_FAR : value;
}

/* LITERAL_FAR is far whatever is added. */
static int64_t plus(int64_t a, int64_t b)
{
	if (a == LITERAL_FAR || b == LITERAL_FAR)
		return LITERAL_FAR;
	if (a == -LITERAL_FAR || b == -LITERAL_FAR)
		return -LITERAL_FAR;
	return bounded(a + b);
}

static int64_t times(int64_t len, uint32_t count)
{
	if (!len || !count)
		return 0;
	if (count == PART_NO_LIMIT || len > LITERAL_FAR / (int64_t)count)
		return LITERAL_FAR;
	return len * (int64_t)count;
}

/* ---- sets of texts --------------------------------------------------------------------------- */

static bool is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

/* Asking for either case asks for less: what was needed is still found. */
static void set_fold(struct literal_set *set)
{
	if (set->caseless)
		return;
	set->caseless = true;
	for (size_t i = 0; i < set->n; i++) {
		for (size_t j = 0; j < set->v[i].len; j++) {
			if (is_upper(set->v[i].bytes[j]))
				set->v[i].bytes[j] |= 0x20;
		}
	}
}

static void agree_on_case(struct literal_set *a, struct literal_set *b)
{
	if (a->caseless)
		set_fold(b);
	if (b->caseless)
		set_fold(a);
}

static bool same(const struct literal *a, const struct literal *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool set_has(const struct literal_set *set, const struct literal *text)
{
	for (size_t i = 0; i < set->n; i++) {
		if (same(&set->v[i], text))
			return true;
	}
	return false;
}

static bool set_unite(struct literal_set *to, const struct literal_set *from)
{
	struct literal_set a = *to, b = *from;

	agree_on_case(&a, &b);
	for (size_t i = 0; i < b.n; i++) {
		if (set_has(&a, &b.v[i]))
			continue;
		if (a.n == LITERAL_ALTS_MAX)
			return false;
		a.v[a.n++] = b.v[i];
	}
	*to = a;
	return true;
}

/* Each text of `to` with each of `from` behind it. */
static bool set_append(struct literal_set *to, const struct literal_set *from)
{
	struct literal_set a = *to, b = *from, out = { 0 };

	if (a.n * b.n > LITERAL_ALTS_MAX)
		return false;
	agree_on_case(&a, &b);
	out.caseless = a.caseless;
	for (size_t i = 0; i < a.n; i++) {
		for (size_t j = 0; j < b.n; j++) {
			struct literal text = a.v[i];

			if (text.len + b.v[j].len > LITERAL_BYTES_MAX)
				return false;
			memcpy(text.bytes + text.len, b.v[j].bytes, b.v[j].len);
			text.len = (uint8_t)(text.len + b.v[j].len);
			if (!set_has(&out, &text))
				out.v[out.n++] = text;
		}
	}
	*to = out;
	return true;
}

/* A text that begins with another is found by that one, and at the same place. */
static void set_shorten(struct literal_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct literal *text = &set->v[i];
		bool needed = true;

		for (size_t j = 0; j < set->n && needed; j++) {
			const struct literal *other = &set->v[j];

			needed = other == text || other->len >= text->len ||
				 memcmp(other->bytes, text->bytes, other->len) != 0;
		}
		if (needed)
			set->v[kept++] = *text;
	}
	set->n = kept;
}

static unsigned int text_score(const struct literal *text)
{
	unsigned int score = 0;

	for (size_t i = 0; i < text->len; i++)
		score += 2 + literal_rarity(text->bytes[i]);
	return score;
}

/* How well the texts tell a subject that may match: by the worst of them. */
static unsigned int set_score(const struct literal_set *set)
{
	unsigned int score = set->n ? UINT32_MAX : 0, extra = 0;

	for (size_t i = 0; i < set->n; i++) {
		unsigned int one = text_score(&set->v[i]);

		score = one < score ? one : score;
	}
	for (size_t n = set->n; n > 1; n /= 2)
		extra += 2;
	return score > extra ? score - extra : 0;
}

/* `set` begins `min` to `max` behind where `best` is counted from: the better one is kept. */
static void consider(struct literal_set *best, const struct literal_set *set, int64_t min,
		     int64_t max)
{
	struct literal_set candidate = *set;

	for (size_t i = 0; i < candidate.n; i++) {
		if (!candidate.v[i].len)
			return;
	}
	set_shorten(&candidate);
	if (set_score(&candidate) < SCORE_MIN || set_score(&candidate) <= set_score(best))
		return;
	candidate.before_min = plus(set->before_min, min);
	candidate.before_max = plus(set->before_max, max);
	*best = candidate;
}

/* ---- parts ----------------------------------------------------------------------------------- */

struct part part_unknown(int64_t min, int64_t max)
{
	return (struct part){ .min = min, .max = max };
}

struct part part_empty(void)
{
	return (struct part){ .exact = true, .texts.n = 1 };
}

struct part part_char(uint32_t value, bool utf8, bool caseless)
{
	struct part part = part_empty();
	struct literal *text = &part.texts.v[0];

	part.texts.caseless = caseless;
	if (!utf8) {
		text->bytes[text->len++] = (uint8_t)(caseless ? value | 0x20 : value);
	} else {
		static const uint8_t leads[] = { 0, 0xc0, 0xe0, 0xf0 };
		unsigned int more = value >= 0x10000 ? 3 : value >= 0x800 ? 2 : 1;

		text->bytes[text->len++] = (uint8_t)(leads[more] | value >> (6 * more));
		for (; more; more--)
			text->bytes[text->len++] =
				(uint8_t)(0x80 | (value >> (6 * (more - 1)) & 0x3f));
	}
	part.min = part.max = text->len;
	return part;
}

/* The better of what is in the part and what the part is. */
static struct literal_set part_best(const struct part *part)
{
	struct literal_set best = part->best;

	if (part->exact)
		consider(&best, &part->texts, 0, 0);
	return best;
}

struct part part_ahead(const struct part *inside)
{
	struct part part = part_empty();

	part.best = part_best(inside);
	return part;
}

struct part part_behind(const struct part *inside)
{
	struct part part = part_empty();

	part.best = part_best(inside);
	part.best.before_min = plus(part.best.before_min, -inside->max);
	part.best.before_max = plus(part.best.before_max, -inside->min);
	return part;
}

bool part_add_alternative(struct part *part, const struct part *other)
{
	if (!set_unite(&part->texts, &other->texts))
		return false;
	part->min = part->min < other->min ? part->min : other->min;
	part->max = part->max > other->max ? part->max : other->max;
	return true;
}

struct part part_either(const struct part *a, const struct part *b)
{
	struct part part =
		part_unknown(a->min < b->min ? a->min : b->min, a->max > b->max ? a->max : b->max);
	struct literal_set best_a = part_best(a), best_b = part_best(b);

	if (a->exact && b->exact) {
		part.texts = a->texts;
		part.exact = set_unite(&part.texts, &b->texts);
	}
	if (!best_a.n || !best_b.n)
		return part;
	part.best = best_a;
	part.best.before_min = best_a.before_min < best_b.before_min ? best_a.before_min
								     : best_b.before_min;
	part.best.before_max = best_a.before_max > best_b.before_max ? best_a.before_max
								     : best_b.before_max;
	if (set_unite(&part.best, &best_b))
		set_shorten(&part.best);
	else
		part.best.n = 0;
	return part;
}

/* ---- sequences ------------------------------------------------------------------------------- */

void sequence_init(struct sequence *s)
{
	*s = (struct sequence){ .whole = part_empty(), .run.n = 1 };
}

static void end_run(struct sequence *s)
{
	consider(&s->whole.best, &s->run, s->run_min, s->run_max);
	s->whole.exact = false;
}

static void add_once(struct sequence *s, const struct part *part)
{
	struct part *whole = &s->whole;

	consider(&whole->best, &part->best, whole->min, whole->max);
	if (!part->exact || !set_append(&s->run, &part->texts)) {
		end_run(s);
		s->run = part->exact ? part->texts : part_empty().texts;
		s->run_min = part->exact ? whole->min : plus(whole->min, part->min);
		s->run_max = part->exact ? whole->max : plus(whole->max, part->max);
	}
	whole->min = plus(whole->min, part->min);
	whole->max = plus(whole->max, part->max);
}

/* More rounds than a text is long add nothing to what is known. */
static uint32_t rounds(const struct part *part, struct part_count count)
{
	uint32_t most = part->exact && part->max > 0 ? LITERAL_BYTES_MAX : 1;

	return count.min < most ? count.min : most;
}

void sequence_add(struct sequence *s, const struct part *part, struct part_count count)
{
	struct part either = part_empty(), rest;
	uint32_t n = rounds(part, count);

	if (count.min == 0 && count.max == 1 && part->exact &&
	    part_add_alternative(&either, part)) {
		add_once(s, &either);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		add_once(s, part);
	if (n == count.max || !part->max)
		return;
	rest = part_unknown(times(part->min, count.min - n),
			    times(part->max,
				  count.max == PART_NO_LIMIT ? count.max : count.max - n));
	add_once(s, &rest);
	/* The last round stands right before what follows. */
	if (n && part->exact) {
		s->run = part->texts;
		s->run_min = plus(s->run_min, -part->max);
		s->run_max = plus(s->run_max, -part->min);
	}
}

struct part sequence_end(struct sequence *s)
{
	if (s->whole.exact)
		s->whole.texts = s->run;
	else
		consider(&s->whole.best, &s->run, s->run_min, s->run_max);
	return s->whole;
}

void part_required(const struct part *part, struct literal_set *ret)
{
	*ret = part_best(part);
}

/* ---- how seldom bytes are -------------------------------------------------------------------- */

/* Bytes of usual text and logs, the most frequent first. */
static const char frequent[] = " etaoinsrlhd0cu1m2pfg.w-345y678b9v/:_=,k\"x[]()j'zq\n";

unsigned int literal_rarity(uint8_t byte)
{
	const char *at = byte ? strchr(frequent, (char)byte) : NULL;

	return at ? (unsigned int)(at - frequent) / 4 : 15;
}
