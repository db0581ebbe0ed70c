#include "capture/straight.h"

#include <string.h>

/* ---- reading the pattern --------------------------------------------------------------------- */

struct reader {
	const uint8_t *p, *end;
	struct straight_options options;
};

static void set_add(uint64_t *set, unsigned int byte)
{
	set[byte / 64] |= UINT64_C(1) << byte % 64;
}

static void set_range(uint64_t *set, unsigned int from, unsigned int to)
{
	for (unsigned int byte = from; byte <= to; byte++)
		set_add(set, byte);
}

static bool set_has(const uint64_t *set, uint8_t byte)
{
	return set[byte / 64] >> byte % 64 & 1;
}

static void set_invert(uint64_t *set)
{
	for (size_t i = 0; i < 4; i++)
		set[i] = ~set[i];
}

static bool sets_meet(const uint64_t *a, const uint64_t *b)
{
	return (a[0] & b[0]) | (a[1] & b[1]) | (a[2] & b[2]) | (a[3] & b[3]);
}

/* Either case of each letter that is there. */
static void set_fold(uint64_t *set)
{
	for (unsigned int c = 'a'; c <= 'z'; c++) {
		if (set_has(set, (uint8_t)c) || set_has(set, (uint8_t)(c ^ 0x20))) {
			set_add(set, c);
			set_add(set, c ^ 0x20);
		}
	}
}

/* \d \w \s and what is not of them, by the tables of the C locale, which PCRE2 has built in. */
static bool add_kind(uint8_t letter, uint64_t *set)
{
	uint64_t kind[4] = { 0 };

	switch (letter | 0x20) {
	case 'w':
		set_range(kind, 'a', 'z');
		set_range(kind, 'A', 'Z');
		set_add(kind, '_');
		set_range(kind, '0', '9');
		break;
	case 'd':
		set_range(kind, '0', '9');
		break;
	case 's':
		set_range(kind, '\t', '\r');
		set_add(kind, ' ');
		break;
	default:
		return false;
	}
	if (!(letter & 0x20))
		set_invert(kind);
	for (size_t i = 0; i < 4; i++)
		set[i] |= kind[i];
	return true;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What a backslash makes one byte of; -1: something else. */
static int escaped_byte(struct reader *r)
{
	uint8_t c = *r->p;

	if (c == 'x' && r->end - r->p > 2 && hex_digit(r->p[1]) >= 0 && hex_digit(r->p[2]) >= 0) {
		r->p += 3;
		return hex_digit(r->p[-2]) * 16 + hex_digit(r->p[-1]);
	}
	if (c == 't') {
		r->p++;
		return '\t';
	}
	if (c >= 0x80 || (c >= '0' && c <= '9') || (uint8_t)((c | 0x20) - 'a') < 26)
		return -1;
	r->p++;
	return c;
}

/* One byte or kind of a class; `ret_byte` is -1 for a kind. */
static bool read_member(struct reader *r, uint64_t *set, int *ret_byte)
{
	*ret_byte = -1;
	if (r->p == r->end)
		return false;
	if (*r->p != '\\') {
		/* [:alpha:] and the like. */
		if (*r->p == '[' && r->end - r->p > 1 && strchr(":.=", r->p[1]) && r->p[1])
			return false;
		*ret_byte = *r->p++;
		return true;
	}
	if (++r->p == r->end)
		return false;
	if (add_kind(*r->p, set)) {
		r->p++;
		return true;
	}
	*ret_byte = escaped_byte(r);
	return *ret_byte >= 0;
}

/* Behind the "[". */
static bool read_class(struct reader *r, uint64_t *set)
{
	bool inverted = r->p < r->end && *r->p == '^', first = true;

	for (r->p += inverted;; first = false) {
		int from, to;

		if (r->p < r->end && *r->p == ']' && !first) {
			r->p++;
			break;
		}
		if (!read_member(r, set, &from))
			return false;
		if (r->end - r->p > 1 && *r->p == '-' && r->p[1] != ']') {
			r->p++;
			if (from < 0 || !read_member(r, set, &to) || to < from)
				return false;
			set_range(set, (unsigned int)from, (unsigned int)to);
		} else if (from >= 0) {
			set_add(set, (unsigned int)from);
		}
	}
	if (r->options.caseless)
		set_fold(set);
	if (inverted)
		set_invert(set);
	return true;
}

static bool read_set(struct reader *r, uint64_t *set)
{
	uint8_t c = *r->p++;
	int byte;

	switch (c) {
	case '(':
	case ')':
	case '|':
	case '^':
	case '$':
	case '*':
	case '+':
	case '?':
	case '{':
		return false;
	case '.':
		set_add(set, '\r');
		set_invert(set);
		return !r->options.dotall;
	case '[':
		return read_class(r, set);
	case '\\':
		if (r->p == r->end)
			return false;
		if (add_kind(*r->p, set)) {
			r->p++;
			return true;
		}
		byte = escaped_byte(r);
		if (byte < 0)
			return false;
		c = (uint8_t)byte;
		break;
	default:
		break;
	}
	set_add(set, c);
	if (r->options.caseless)
		set_fold(set);
	return true;
}

static bool read_number(struct reader *r, uint32_t *ret)
{
	const uint8_t *from = r->p;
	uint32_t number = 0;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9' && r->p - from < 5; r->p++)
		number = number * 10 + (uint32_t)(*r->p - '0');
	*ret = number;
	return r->p > from;
}

/* Behind the "{": only what every version of PCRE2 takes for a quantifier. */
static bool read_braces(struct reader *r, struct straight_item *item)
{
	if (!read_number(r, &item->min))
		return false;
	item->max = item->min;
	if (r->p < r->end && *r->p == ',') {
		r->p++;
		if (!read_number(r, &item->max))
			item->max = STRAIGHT_NO_LIMIT;
	}
	return r->p < r->end && *r->p++ == '}' && item->max >= item->min;
}

static bool read_count(struct reader *r, struct straight_item *item)
{
	bool good = true;

	item->min = item->max = 1;
	if (r->p == r->end || !strchr("*+?{", *r->p) || !*r->p)
		return true;
	switch (*r->p++) {
	case '*':
		item->min = 0;
		item->max = STRAIGHT_NO_LIMIT;
		break;
	case '+':
		item->max = STRAIGHT_NO_LIMIT;
		break;
	case '?':
		item->min = 0;
		break;
	default:
		good = read_braces(r, item);
		break;
	}
	/* Lazy and possessive ones. */
	return good && !(r->p < r->end && (*r->p == '?' || *r->p == '+'));
}

static bool read_items(struct reader *r, struct straight *s)
{
	bool kept = false;

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
		if (s->n == STRAIGHT_ITEMS_MAX || !read_set(r, item->set) || !read_count(r, item))
			return false;
		/* No line has one. */
		item->set['\n' / 64] &= ~(UINT64_C(1) << '\n');
		s->takes_cr = s->takes_cr || set_has(item->set, '\r');
		s->n++;
	}
	return true;
}

/* ---- what it is ------------------------------------------------------------------------------ */

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
	struct reader r = {
		.p = (const uint8_t *)regex,
		.end = (const uint8_t *)regex + strlen(regex),
		.options = *options,
	};

	*ret = (struct straight){ .simd = simd };
	if (!read_items(&r, ret) || !is_straight(ret))
		return false;
	ret->by_literal = required->n && required->before_min == required->before_max &&
			  required->before_min >= 0;
	if (ret->by_literal) {
		ret->before = (size_t)required->before_min;
		literal_finder_init(&ret->finder, required);
		return true;
	}
	fill_rows(ret);
	/* To look for a text, and then back, is another matter; so is a first item that may be missing. */
	return !required->n && ret->items[0].min && !ret->takes_cr;
}
