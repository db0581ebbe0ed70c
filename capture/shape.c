#include "capture/shape.h"

#include <string.h>

#include "capture/set_reader.h"

/* ---- reading the pattern --------------------------------------------------------------------- */

/*
 * A shape that is there more often than at so many bytes in 1000 of usual text selects too little.
 */
#define OFTEN 0.01

/* Groups that are repeated in groups that are repeated: no more is read. */
#define STEPS_MAX 2000u
#define NEST_MAX  20u

struct reading {
	struct set_reader r;
	struct shape run; /* what ends here */
	struct shape best;
	double best_share;
	uint32_t steps;
};

/* About how much of usual text it is. */
static double share(const uint64_t *set)
{
	double sum = 0;

	for (unsigned int byte = 0; byte < 256; byte++) {
		if (!set_has(set, (uint8_t)byte))
			continue;
		if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == ' ')
			sum += 0.02;
		else
			sum += byte > ' ' && byte < 0x7f ? 0.004 : 0.0005;
	}
	return sum < 1 ? sum : 1;
}

static void judge(struct reading *reading)
{
	double of_all = 1;

	for (uint32_t i = 0; i < reading->run.len; i++)
		of_all *= share(reading->run.sets[i]);
	if (reading->run.len && of_all < reading->best_share) {
		reading->best = reading->run;
		reading->best_share = of_all;
	}
}

static void push(struct reading *reading, const uint64_t *set)
{
	struct shape *run = &reading->run;

	if (run->len == SHAPE_BYTES_MAX)
		memmove(run->sets[0], run->sets[1], --run->len * sizeof(run->sets[0]));
	memcpy(run->sets[run->len++], set, sizeof(run->sets[0]));
	judge(reading);
}

static void push_many(struct reading *reading, const uint64_t *set, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < SHAPE_BYTES_MAX; i++)
		push(reading, set);
}

static bool skip(struct reading *reading, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(reading->r.end - reading->r.p) < len || memcmp(reading->r.p, text, len) != 0)
		return false;
	reading->r.p += len;
	return true;
}

static bool skip_name(struct reading *reading, char end)
{
	const uint8_t *found = memchr(reading->r.p, end, (size_t)(reading->r.end - reading->r.p));

	if (found)
		reading->r.p = found + 1;
	return found;
}

/* Looks, and takes nothing. */
static bool skip_nothing(struct reading *reading)
{
	static const char *const looks[] = { "^",   "$",   "\\b", "\\B", "\\A",
					     "\\z", "\\Z", "\\G", "\\K" };

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (skip(reading, looks[i]))
			return true;
	}
	return false;
}

static bool read_bytes(struct reading *reading)
{
	uint64_t set[4] = { 0 };
	uint32_t min, max;
	bool other;

	if (reading->r.p < reading->r.end && *reading->r.p == '.') {
		reading->r.p++;
		memset(set, 0xff, sizeof(set));
	} else if (!set_read(&reading->r, set)) {
		return false;
	}
	if (!set_read_count(&reading->r, &min, &max, &other))
		return false;
	push_many(reading, set, min);
	if (max != min) {
		/* Only its last bytes are next to what comes. */
		reading->run.len = 0;
		push_many(reading, set, min);
	}
	return true;
}

static bool read_sequence(struct reading *reading, unsigned int nest, bool *ret_several);

enum group {
	GROUP_UNKNOWN,
	GROUP_TAKES,
	GROUP_LOOKS,
};

/* Behind the parenthesis. */
static enum group group_kind(struct reading *reading)
{
	if (skip(reading, "?=") || skip(reading, "?!") || skip(reading, "?<=") ||
	    skip(reading, "?<!"))
		return GROUP_LOOKS;
	if (skip(reading, "?:") || skip(reading, "?>") || skip(reading, "?|"))
		return GROUP_TAKES;
	if (skip(reading, "?<") || skip(reading, "?P<"))
		return skip_name(reading, '>') ? GROUP_TAKES : GROUP_UNKNOWN;
	if (skip(reading, "?'"))
		return skip_name(reading, '\'') ? GROUP_TAKES : GROUP_UNKNOWN;
	return reading->r.p < reading->r.end && *reading->r.p != '?' && *reading->r.p != '*'
		       ? GROUP_TAKES
		       : GROUP_UNKNOWN;
}

static bool read_group(struct reading *reading, unsigned int nest)
{
	const struct reading before = *reading;
	enum group kind = group_kind(reading);
	const uint8_t *inside = reading->r.p, *behind;
	bool several = false, other;
	uint32_t min, max;

	if (kind == GROUP_UNKNOWN || nest == NEST_MAX ||
	    !read_sequence(reading, nest + 1, &several) || !skip(reading, ")") ||
	    !set_read_count(&reading->r, &min, &max, &other))
		return false;
	behind = reading->r.p;
	for (uint32_t i = 1; i < min && i < SHAPE_BYTES_MAX && kind == GROUP_TAKES && !several;
	     i++) {
		reading->r.p = inside;
		if (!read_sequence(reading, nest + 1, &several))
			return false;
	}
	reading->r.p = behind;
	if (kind == GROUP_LOOKS || several || !min) {
		reading->run = before.run;
		reading->best = before.best;
		reading->best_share = before.best_share;
	}
	if (kind == GROUP_TAKES && (several || max != min || min > SHAPE_BYTES_MAX))
		reading->run.len = 0;
	return true;
}

/* Up to the parenthesis that closes it, or the end. */
static bool read_sequence(struct reading *reading, unsigned int nest, bool *ret_several)
{
	struct set_reader *r = &reading->r;

	while (r->p < r->end && *r->p != ')') {
		if (++reading->steps > STEPS_MAX)
			return false;
		if (*r->p == '|') {
			r->p++;
			*ret_several = true;
			reading->run.len = 0;
		} else if (*r->p == '(') {
			r->p++;
			if (!read_group(reading, nest))
				return false;
		} else if (!skip_nothing(reading) && !read_bytes(reading)) {
			return false;
		}
	}
	return true;
}

void shape_read(const char *regex, bool caseless, bool dotall, struct shape *ret)
{
	struct reading reading = {
		.r = { .p = (const uint8_t *)regex,
		       .end = (const uint8_t *)regex + strlen(regex),
		       .caseless = caseless,
		       .dotall = dotall },
		.best_share = OFTEN,
	};
	bool several = false;

	*ret = (struct shape){ .len = 0 };
	if (read_sequence(&reading, 0, &several) && reading.r.p == reading.r.end && !several)
		*ret = reading.best;
}

/* ---- looking for them ------------------------------------------------------------------------ */

void shapes_init(struct shapes *shapes)
{
	*shapes = (struct shapes){ .n = 0 };
}

bool shapes_add(struct shapes *shapes, const struct shape *shape, uint32_t rule)
{
	uint32_t word = shapes->n / SHAPE_BYTES_MAX;
	uint32_t bit = shapes->n % SHAPE_BYTES_MAX * SHAPE_BYTES_MAX;

	if (shapes->n == SHAPES_MAX)
		return false;
	for (unsigned int byte = 0; byte < 256; byte++) {
		for (uint32_t i = 0; i < shape->len; i++) {
			if (set_has(shape->sets[i], (uint8_t)byte))
				shapes->table[byte][word] |= UINT64_C(1) << (bit + i);
		}
	}
	shapes->first[word] |= UINT64_C(1) << bit;
	shapes->last[word] |= UINT64_C(1) << (bit + shape->len - 1);
	shapes->rules[shapes->n++] = rule;
	return true;
}

void shape_walk_begin(struct shape_walk *walk, const struct shapes *shapes, const uint8_t *data,
		      size_t len)
{
	*walk = (struct shape_walk){ .shapes = shapes, .p = data, .end = data + len };
	memcpy(walk->last, shapes->last, sizeof(walk->last));
}

/* What a shape shifts out of its bits is the first place of the next one, where it says nothing. */
__attribute__((always_inline)) static inline bool walk_words(struct shape_walk *walk,
							     struct shape_hit *ret, size_t n)
{
	const struct shapes *shapes = walk->shapes;
	uint64_t state[SHAPE_WORDS];

	memcpy(state, walk->state, sizeof(state));
	for (const uint8_t *p = walk->p; p < walk->end; p++) {
		uint64_t any = 0;

		for (size_t i = 0; i < n; i++) {
			state[i] = (state[i] << 1 | shapes->first[i]) & shapes->table[*p][i];
			any |= state[i] & walk->last[i];
		}
		if (!any)
			continue;
		memset(ret->found, 0, sizeof(ret->found));
		for (size_t i = 0; i < n; i++)
			ret->found[i] = state[i] & walk->last[i];
		ret->at = p;
		walk->p = p + 1;
		memcpy(walk->state, state, sizeof(state));
		return true;
	}
	walk->p = walk->end;
	return false;
}

bool shape_walk_next(struct shape_walk *walk, struct shape_hit *ret)
{
	if (walk->shapes->n <= SHAPE_BYTES_MAX)
		return walk_words(walk, ret, 1);
	if (walk->shapes->n <= 2 * SHAPE_BYTES_MAX)
		return walk_words(walk, ret, 2);
	return walk_words(walk, ret, SHAPE_WORDS);
}

size_t shape_hit_rules(const struct shapes *shapes, const struct shape_hit *hit, uint32_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < SHAPE_WORDS; i++) {
		for (uint64_t bits = hit->found[i]; bits; bits &= bits - 1) {
			size_t bit = (size_t)__builtin_ctzll(bits);

			ret[n++] = shapes->rules[i * SHAPE_BYTES_MAX + bit / SHAPE_BYTES_MAX];
		}
	}
	return n;
}

void shapes_choose(const struct shapes *shapes, const uint8_t *data, size_t len, uint64_t *rules)
{
	uint32_t found[SHAPES_MAX];
	struct shape_walk walk;
	struct shape_hit hit;
	uint32_t left = shapes->n;

	for (uint32_t i = 0; i < shapes->n; i++)
		rules[shapes->rules[i] / 64] &= ~(UINT64_C(1) << shapes->rules[i] % 64);
	shape_walk_begin(&walk, shapes, data, len);
	/* Each once. */
	while (left && shape_walk_next(&walk, &hit)) {
		size_t n = shape_hit_rules(shapes, &hit, found);

		for (size_t i = 0; i < n; i++)
			rules[found[i] / 64] |= UINT64_C(1) << found[i] % 64;
		for (size_t i = 0; i < SHAPE_WORDS; i++)
			walk.last[i] &= ~hit.found[i];
		left -= (uint32_t)n;
	}
}
