#include "capture/straight.h"

#include <string.h>

#include "capture/set_reader.h"

/* ---- reading the pattern --------------------------------------------------------------------- */

static bool read_items(struct set_reader *r, struct straight *s)
{
	bool kept = false, other;

	while (r->p < r->end) {
		struct straight_item *item = &s->items[s->n];

		if (r->end - r->p >= 2 && memcmp(r->p, "\\K", 2) == 0) {
			if (kept)
				return false;
			kept = true;
			s->keep = s->n;
			r->p += 2;
			continue;
		}
		if (s->n == STRAIGHT_ITEMS_MAX || !set_read(r, item->set) ||
		    !set_read_count(r, &item->min, &item->max, &other) || other)
			return false;
		/* No line has one. */
		item->set['\n' / 64] &= ~(UINT64_C(1) << '\n');
		s->takes_cr = s->takes_cr || set_has(item->set, '\r');
		s->n++;
	}
	return true;
}

/* ---- what it is ------------------------------------------------------------------------------ */

static bool sets_meet(const uint64_t *a, const uint64_t *b)
{
	return (a[0] & b[0]) | (a[1] & b[1]) | (a[2] & b[2]) | (a[3] & b[3]);
}

/* Whether a run of item `i` may only end where what is behind the item may begin. */
static bool ends_surely(const struct straight *s, size_t i)
{
	if (s->items[i].min == s->items[i].max)
		return true;
	for (size_t k = i + 1; k < s->n; k++) {
		if (sets_meet(s->items[i].set, s->items[k].set))
			return false;
		if (s->items[k].min)
			return true;
	}
	return true;
}

static bool is_straight(const struct straight *s)
{
	uint32_t least = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!ends_surely(s, i))
			return false;
		least |= i >= s->keep ? s->items[i].min : 0;
	}
	/* A match of nothing has rules of its own. */
	return least;
}

/* Whether the item is one byte, and `byte` one that it may be. A CR may not be of the line. */
static bool is_byte(const struct straight_item *item, uint8_t byte, bool caseless)
{
	uint8_t other = caseless && byte >= 'a' && byte <= 'z' ? (uint8_t)(byte ^ 0x20) : byte;

	return item->min == 1 && item->max == 1 && byte != '\r' && set_has(item->set, byte) &&
	       set_has(item->set, other);
}

/* Of what the finder has looked at nothing is looked at again. */
static void find_sure(struct straight *s, const struct literal_set *required)
{
	const struct literal *text = &required->v[0];
	size_t first = 0, n = 0;

	if (required->n != 1)
		return;
	for (size_t bytes = 0; bytes < s->before; first++) {
		if (first == s->n || s->items[first].min != s->items[first].max)
			return;
		bytes += s->items[first].min;
		if (bytes > s->before)
			return;
	}
	while (n < text->len && first + n < s->n &&
	       is_byte(&s->items[first + n], text->bytes[n], required->caseless))
		n++;
	s->sure_from = first;
	s->sure_n = n;
}

static void fill_rows(struct straight *s)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		if (set_has(s->items[0].set, (uint8_t)byte))
			s->rows[byte >> 7][byte & 15] |= (uint8_t)(1u << (byte >> 4 & 7));
	}
}

bool straight_compile(const char *regex, const struct straight_options *options,
		      const struct literal_set *required, bool simd, struct straight *ret)
{
	struct set_reader r = {
		.p = (const uint8_t *)regex,
		.end = (const uint8_t *)regex + strlen(regex),
		.caseless = options->caseless,
		.dotall = options->dotall,
	};

	*ret = (struct straight){ .simd = simd };
	if (!read_items(&r, ret) || !is_straight(ret))
		return false;
	ret->by_literal = required->n && required->before_min == required->before_max &&
			  required->before_min >= 0;
	if (ret->by_literal) {
		ret->before = (size_t)required->before_min;
		literal_finder_init(&ret->finder, required);
		find_sure(ret, required);
		return true;
	}
	fill_rows(ret);
	/*
	 * To look for a text, and then back, is another matter; so is a first item that may be
	 * missing.
	 */
	return !required->n && ret->items[0].min && !ret->takes_cr;
}
