#include "capture/literal.h"

#include <string.h>

#include "capture/literal_part.h"
#include "capture/literal_reader.h"

/* A reader's settings that end with the group they are in. */
struct settings {
	bool caseless, extended;
};

static struct part read_alternatives(struct literal_reader *r);

/* ---- groups ---------------------------------------------------------------------------------- */

/* A group from its content on, to behind its parenthesis. */
static struct part read_group(struct literal_reader *r, struct settings inside)
{
	const struct settings outside = { r->caseless, r->extended };
	struct part part;

	if (++r->nest > LITERAL_NEST_MAX)
		return reader_doubt(r);
	r->caseless = inside.caseless;
	r->extended = inside.extended;
	part = read_alternatives(r);
	r->caseless = outside.caseless;
	r->extended = outside.extended;
	r->nest--;
	return reader_skip(r, ")") ? part : reader_doubt(r);
}

static struct part read_plain_group(struct literal_reader *r)
{
	return read_group(r, (struct settings){ r->caseless, r->extended });
}

/* (?(condition)yes|no): which of the two holds is not known. */
static struct part read_conditional(struct literal_reader *r)
{
	if (reader_peek(r, 1) == '?' || reader_peek(r, 1) == '*') {
		r->p++;
		if (reader_peek(r, 0) == '*' || !strchr("=!<*", reader_peek(r, 1)))
			return reader_doubt(r);
		/* The condition's own parenthesis is open: what is in it counts for nothing. */
		r->p += reader_peek(r, 1) == '<' ? 3 : 2;
		read_plain_group(r);
	} else {
		reader_skip_behind(r, ')');
	}
	read_plain_group(r);
	return part_unknown(0, LITERAL_FAR);
}

/* (?i-x) and (?i-x:...), from the letters on. */
static struct part read_settings(struct literal_reader *r)
{
	struct settings set = { r->caseless, r->extended };
	bool on = true;

	if (reader_skip(r, "^"))
		set = (struct settings){ false, false };
	for (; !reader_at_end(r) && *r->p != ')' && *r->p != ':'; r->p++) {
		switch (*r->p) {
		case '-':
			on = false;
			break;
		case 'i':
			set.caseless = on;
			break;
		case 'x':
			set.extended = on;
			break;
		case 'J':
		case 'U':
		case 'm':
		case 'n':
		case 's':
			break;
		default:
			return reader_doubt(r);
		}
	}
	if (reader_skip(r, ":"))
		return read_group(r, set);
	if (!reader_skip(r, ")"))
		return reader_doubt(r);
	r->caseless = set.caseless;
	r->extended = set.extended;
	return part_empty();
}

/* A call of a group, as (?1), (?&name) or (?R). */
static struct part read_call(struct literal_reader *r)
{
	reader_skip_behind(r, ')');
	return part_unknown(0, LITERAL_FAR);
}

static struct part read_lookbehind(struct literal_reader *r, bool positive)
{
	struct part inside = read_plain_group(r);

	return positive ? part_behind(&inside) : part_empty();
}

static struct part read_lookahead(struct literal_reader *r, bool positive)
{
	struct part inside = read_plain_group(r);

	return positive ? part_ahead(&inside) : part_empty();
}

static struct part read_named_group(struct literal_reader *r, char close)
{
	reader_skip_behind(r, close);
	return read_plain_group(r);
}

static struct part read_p_group(struct literal_reader *r)
{
	if (reader_skip(r, "<"))
		return read_named_group(r, '>');
	return reader_peek(r, 0) == '=' || reader_peek(r, 0) == '>' ? read_call(r)
								    : reader_doubt(r);
}

/* Behind "(?". */
static struct part read_special_group(struct literal_reader *r)
{
	uint8_t c = reader_peek(r, 0), next = reader_peek(r, 1);

	if (c == '(')
		return read_conditional(r);
	if (reader_is_digit(c) || c == 'R' || c == '&' || c == '+' ||
	    (c == '-' && reader_is_digit(next)))
		return read_call(r);
	if (c == '<' && (next == '=' || next == '!' || next == '*')) {
		r->p += 2;
		return read_lookbehind(r, next != '!');
	}
	if (!c || !strchr(":>|=*!<'P", c))
		return read_settings(r);
	r->p++;
	switch (c) {
	case '=':
	case '*':
		return read_lookahead(r, true);
	case '!':
		return read_lookahead(r, false);
	case '<':
		return read_named_group(r, '>');
	case '\'':
		return read_named_group(r, '\'');
	case 'P':
		return read_p_group(r);
	default:
		return read_plain_group(r);
	}
}

/* ---- sequences ------------------------------------------------------------------------------- */

static struct part read_item(struct literal_reader *r)
{
	if (r->quoted)
		return reader_char(r);
	if (reader_skip(r, "\\"))
		return reader_escape(r);
	if (reader_skip(r, "["))
		return reader_class(r);
	/* Verbs may end the pattern early or change what it means. */
	if (reader_skip(r, "(*"))
		return reader_doubt(r);
	if (reader_skip(r, "(?"))
		return read_special_group(r);
	if (reader_skip(r, "("))
		return read_plain_group(r);
	if (reader_skip(r, "."))
		return reader_any(r);
	if (reader_skip(r, "^") || reader_skip(r, "$"))
		return part_empty();
	if (strchr("*+?", *r->p) && *r->p)
		return reader_doubt(r);
	/* NEL and the like are blanks to PCRE2 there. */
	if (r->extended && *r->p >= 0x80) {
		reader_char(r);
		return part_unknown(0, 4);
	}
	return reader_char(r);
}

/* Comments, the blanks of (?x), and where \Q and \E are. */
static void skip_ignored(struct literal_reader *r)
{
	for (;;) {
		if (r->quoted) {
			if (!reader_skip(r, "\\E"))
				return;
			r->quoted = false;
		} else if (reader_skip(r, "\\E")) {
			/* It closes nothing. */
		} else if (reader_skip(r, "(?#")) {
			reader_skip_behind(r, ')');
		} else if (r->extended && reader_is_space(reader_peek(r, 0))) {
			r->p++;
		} else if (r->extended && reader_peek(r, 0) == '#') {
			while (!reader_at_end(r) && *r->p != '\n' && *r->p != '\r')
				r->p++;
		} else {
			return;
		}
	}
}

static uint32_t read_count(struct literal_reader *r)
{
	return reader_number(r, 10, 5);
}

/*
 * {n}, {n,} or {n,m}. Anything else in braces stands for itself; but what a later PCRE2 takes for a
 * quantifier, as {,m} and { n }, is in doubt.
 */
static bool read_braces(struct literal_reader *r, struct part_count *count)
{
	const uint8_t *from = r->p, *p = r->p + 1;
	bool strict = p < r->end && reader_is_digit(*p);

	while (p < r->end && (reader_is_digit(*p) || *p == ',' || *p == ' ' || *p == '\t'))
		p++;
	if (p == r->end || *p != '}' || p == from + 1)
		return false;
	r->p++;
	count->min = read_count(r);
	count->max = count->min;
	if (reader_skip(r, ","))
		count->max = reader_is_digit(reader_peek(r, 0)) ? read_count(r) : PART_NO_LIMIT;
	if (!strict || !reader_skip(r, "}"))
		reader_doubt(r);
	return true;
}

static struct part_count read_quantifier(struct literal_reader *r)
{
	struct part_count count = { 1, 1 };

	if (r->quoted)
		return count;
	if (reader_skip(r, "*"))
		count = (struct part_count){ 0, PART_NO_LIMIT };
	else if (reader_skip(r, "+"))
		count = (struct part_count){ 1, PART_NO_LIMIT };
	else if (reader_skip(r, "?"))
		count = (struct part_count){ 0, 1 };
	else if (reader_peek(r, 0) != '{' || !read_braces(r, &count))
		return count;
	if (reader_peek(r, 0) == '+' || reader_peek(r, 0) == '?')
		r->p++;
	return count;
}

static struct part read_sequence(struct literal_reader *r)
{
	struct sequence sequence;

	sequence_init(&sequence);
	for (;;) {
		struct part item;
		struct part_count count;

		skip_ignored(r);
		if (!r->quoted && reader_skip(r, "\\Q")) {
			/*
			 * Whether what follows "\Q\E" counts what stands before, is not for here.
			 */
			if (reader_skip(r, "\\E"))
				reader_doubt(r);
			r->quoted = !reader_at_end(r);
		}
		if (reader_at_end(r) || (!r->quoted && (*r->p == '|' || *r->p == ')')))
			break;
		item = read_item(r);
		skip_ignored(r);
		count = read_quantifier(r);
		sequence_add(&sequence, &item, count);
	}
	return sequence_end(&sequence);
}

static struct part read_alternatives(struct literal_reader *r)
{
	struct part part = read_sequence(r);

	while (reader_skip(r, "|")) {
		struct part other = read_sequence(r);

		part = part_either(&part, &other);
	}
	return part;
}

void literal_required(const char *regex, size_t len, const struct literal_options *options,
		      struct literal_set *ret)
{
	struct literal_reader r = {
		.p = (const uint8_t *)regex,
		.end = (const uint8_t *)regex + len,
		.utf = options->utf,
		.caseless = options->caseless,
	};
	struct part part = read_alternatives(&r);

	*ret = (struct literal_set){ 0 };
	if (!r.doubt && reader_at_end(&r))
		part_required(&part, ret);
}
