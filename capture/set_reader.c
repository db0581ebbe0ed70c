#include "capture/set_reader.h"

#include <string.h>

#include "agent/base/hex.h"

static void set_add(uint64_t *set, unsigned int byte)
{
	set[byte / 64] |= UINT64_C(1) << byte % 64;
}

static void set_range(uint64_t *set, unsigned int from, unsigned int to)
{
	for (unsigned int byte = from; byte <= to; byte++)
		set_add(set, byte);
}

static void set_invert(uint64_t *set)
{
	for (size_t i = 0; i < 4; i++)
		set[i] = ~set[i];
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

/* What a backslash makes one byte of; -1: something else. */
static int escaped_byte(struct set_reader *r)
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
static bool read_member(struct set_reader *r, uint64_t *set, int *ret_byte)
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
static bool read_class(struct set_reader *r, uint64_t *set)
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
	if (r->caseless)
		set_fold(set);
	if (inverted)
		set_invert(set);
	return true;
}

bool set_read(struct set_reader *r, uint64_t *set)
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
		return !r->dotall;
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
	if (r->caseless)
		set_fold(set);
	return true;
}

static bool read_number(struct set_reader *r, uint32_t *ret)
{
	const uint8_t *from = r->p;
	uint32_t number = 0;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9' && r->p - from < 5; r->p++)
		number = number * 10 + (uint32_t)(*r->p - '0');
	*ret = number;
	return r->p > from;
}

/* Behind the "{": only what every version of PCRE2 takes for a quantifier. */
static bool read_braces(struct set_reader *r, uint32_t *ret_min, uint32_t *ret_max)
{
	if (!read_number(r, ret_min))
		return false;
	*ret_max = *ret_min;
	if (r->p < r->end && *r->p == ',') {
		r->p++;
		if (!read_number(r, ret_max))
			*ret_max = SET_NO_LIMIT;
	}
	return r->p < r->end && *r->p++ == '}' && *ret_max >= *ret_min;
}

bool set_read_count(struct set_reader *r, uint32_t *ret_min, uint32_t *ret_max, bool *ret_other)
{
	bool good = true;

	*ret_min = *ret_max = 1;
	*ret_other = false;
	if (r->p == r->end || !strchr("*+?{", *r->p) || !*r->p)
		return true;
	switch (*r->p++) {
	case '*':
		*ret_min = 0;
		*ret_max = SET_NO_LIMIT;
		break;
	case '+':
		*ret_max = SET_NO_LIMIT;
		break;
	case '?':
		*ret_min = 0;
		break;
	default:
		good = read_braces(r, ret_min, ret_max);
		break;
	}
	/* Lazy and possessive ones. */
	*ret_other = r->p < r->end && (*r->p == '?' || *r->p == '+');
	r->p += *ret_other;
	return good;
}
