#include "capture/literal_reader.h"

#include <string.h>

struct part reader_doubt(struct literal_reader *r)
{
	r->doubt = true;
	r->p = r->end;
	return part_unknown(0, LITERAL_FAR);
}

bool reader_at_end(const struct literal_reader *r)
{
	return r->p == r->end;
}

uint8_t reader_peek(const struct literal_reader *r, size_t i)
{
	return i < (size_t)(r->end - r->p) ? r->p[i] : 0;
}

bool reader_skip(struct literal_reader *r, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, text, len) != 0)
		return false;
	r->p += len;
	return true;
}

void reader_skip_behind(struct literal_reader *r, char byte)
{
	const uint8_t *found = memchr(r->p, byte, (size_t)(r->end - r->p));

	if (found)
		r->p = found + 1;
	else
		reader_doubt(r);
}

bool reader_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(uint8_t c)
{
	return reader_is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 26;
}

bool reader_is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_digits(struct literal_reader *r)
{
	while (reader_is_digit(reader_peek(r, 0)))
		r->p++;
}

struct part reader_any(const struct literal_reader *r)
{
	return part_unknown(1, r->utf ? 4 : 1);
}

/* ---- single characters ----------------------------------------------------------------------- */

static struct part char_part(struct literal_reader *r, uint32_t value)
{
	bool letter = value < 0x80 && (uint8_t)((value | 0x20) - 'a') < 26;

	if (value >= (r->utf ? 0x110000u : 0x100u))
		return reader_doubt(r);
	if (r->caseless && r->utf) {
		/* U+017F and U+212A are s and k in the other case, as are others elsewhere. */
		if (value >= 0x80 || (value | 0x20) == 's' || (value | 0x20) == 'k')
			return reader_any(r);
	}
	return part_char(value, r->utf && value >= 0x80, r->caseless && letter);
}

static uint32_t read_char(struct literal_reader *r)
{
	uint8_t lead = *r->p++;
	unsigned int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	uint32_t value = more ? lead & (0x3fu >> more) : lead;

	if (!r->utf || lead < 0x80)
		return lead;
	for (; more && !reader_at_end(r); more--)
		value = value << 6 | (*r->p++ & 0x3f);
	return value;
}

struct part reader_char(struct literal_reader *r)
{
	return char_part(r, read_char(r));
}

static int digit_value(uint8_t c)
{
	if (reader_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

uint32_t reader_number(struct literal_reader *r, int base, unsigned int max)
{
	uint32_t value = 0;

	for (; max && !reader_at_end(r) && digit_value(*r->p) < base; max--)
		value = value * (uint32_t)base + (uint32_t)digit_value(*r->p++);
	return value;
}

/* \x{...} and \o{...}, behind the brace: nothing but digits is understood. */
static struct part read_braced_number(struct literal_reader *r, int base)
{
	const uint8_t *digits = r->p;
	uint32_t value = reader_number(r, base, 7);

	if (r->p == digits || !reader_skip(r, "}"))
		return reader_doubt(r);
	return char_part(r, value);
}

static struct part read_hex(struct literal_reader *r)
{
	if (reader_skip(r, "{"))
		return read_braced_number(r, 16);
	return char_part(r, reader_number(r, 16, 2));
}

static struct part read_control(struct literal_reader *r)
{
	uint8_t c = reader_peek(r, 0);

	if (reader_at_end(r))
		return reader_doubt(r);
	r->p++;
	if (c >= 'a' && c <= 'z')
		c = (uint8_t)(c - 'a' + 'A');
	return char_part(r, c ^ 0x40);
}

/* What stands behind \g or \k names a group: what that matches is not known here. */
static struct part read_reference(struct literal_reader *r)
{
	if (reader_skip(r, "{"))
		reader_skip_behind(r, '}');
	else if (reader_skip(r, "<"))
		reader_skip_behind(r, '>');
	else if (reader_skip(r, "'"))
		reader_skip_behind(r, '\'');
	else {
		if (reader_peek(r, 0) == '+' || reader_peek(r, 0) == '-')
			r->p++;
		skip_digits(r);
	}
	return part_unknown(0, LITERAL_FAR);
}

static struct part read_property(struct literal_reader *r)
{
	if (reader_at_end(r))
		return reader_doubt(r);
	if (reader_skip(r, "{"))
		reader_skip_behind(r, '}');
	else
		r->p++;
	return reader_any(r);
}

struct part reader_escape(struct literal_reader *r)
{
	static const char simple[] = "a\ae\033f\fn\nr\rt\t";
	uint8_t c = reader_peek(r, 0);

	if (reader_at_end(r))
		return reader_doubt(r);
	if (!is_alnum(c))
		return reader_char(r);
	r->p++;
	for (const char *s = simple; *s; s += 2) {
		if (c == (uint8_t)*s)
			return char_part(r, (uint8_t)s[1]);
	}
	if (c == '0')
		return char_part(r, reader_number(r, 8, 2));
	if (reader_is_digit(c)) {
		/* A group's number, or an octal number: which one, only PCRE2 knows. */
		skip_digits(r);
		return part_unknown(0, LITERAL_FAR);
	}
	if (strchr("ABGKZbz", c))
		return part_empty();
	if (strchr("DHSVWdhsvw", c))
		return reader_any(r);
	switch (c) {
	case 'N':
		if (reader_peek(r, 0) == '{' && !reader_is_digit(reader_peek(r, 1)))
			return reader_doubt(r);
		return reader_any(r);
	case 'P':
	case 'p':
		return read_property(r);
	case 'R':
		return part_unknown(1, 3);
	case 'X':
		return part_unknown(1, LITERAL_FAR);
	case 'c':
		return read_control(r);
	case 'g':
	case 'k':
		return read_reference(r);
	case 'o':
		return reader_skip(r, "{") ? read_braced_number(r, 8) : reader_doubt(r);
	case 'x':
		return read_hex(r);
	default:
		return reader_doubt(r);
	}
}

/* ---- classes --------------------------------------------------------------------------------- */

/* [:name:] inside a class; in doubt for what only begins so. */
static void skip_posix_class(struct literal_reader *r)
{
	r->p += 2;
	if (reader_peek(r, 0) == '^')
		r->p++;
	while (reader_peek(r, 0) >= 'a' && reader_peek(r, 0) <= 'z')
		r->p++;
	if (!reader_skip(r, ":]"))
		reader_doubt(r);
}

/* A class of a few characters is as good as alternatives. */
struct part reader_class(struct literal_reader *r)
{
	struct part members = part_unknown(0, 0), member;
	bool listed = reader_peek(r, 0) != '^', first = true;

	if (!listed)
		r->p++;
	for (; !reader_at_end(r) && (first || *r->p != ']'); first = false) {
		if (*r->p == '[' && strchr(":.=", reader_peek(r, 1)) && reader_peek(r, 1)) {
			skip_posix_class(r);
			listed = false;
			continue;
		}
		/* A range, or a blank that (?xx) does not see. */
		listed = listed && *r->p != '-' && !(r->extended && reader_is_space(*r->p));
		if (reader_skip(r, "\\")) {
			uint8_t c = reader_peek(r, 0);

			if (c == 'Q' || c == 'E')
				return reader_doubt(r);
			/* \b is a backspace here. */
			listed = listed && c != 'b';
			member = reader_escape(r);
		} else {
			member = reader_char(r);
		}
		listed = listed && member.exact &&
			 (members.exact ? part_add_alternative(&members, &member) : true);
		if (listed && !members.exact)
			members = member;
	}
	if (!reader_skip(r, "]"))
		return reader_doubt(r);
	return listed && members.exact && members.texts.n <= PART_CLASS_MAX ? members
									    : reader_any(r);
}
