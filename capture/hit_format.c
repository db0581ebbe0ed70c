#include "capture/hit_format.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/utf8.h"
#include "capture/json_writer.h"

/* As grep colours them. */
#define COLOR_NAME  "\33[35m"
#define COLOR_PLACE "\33[32m"
#define COLOR_SEP   "\33[36m"
#define COLOR_MATCH "\33[1;31m"
#define COLOR_END   "\33[0m"

static bool is_harmless(uint8_t byte, bool utf8)
{
	return (byte >= 0x20 && byte < 0x7f) || byte == '\t' || (utf8 && byte >= 0x80);
}

/* U+0080 to U+009F are control characters too. */
static bool is_c1(const uint8_t *data, size_t len, size_t i)
{
	return data[i] == 0xc2 && i + 1 < len && data[i + 1] < 0xa0;
}

static void add_escaped(struct buf *out, const uint8_t *data, size_t len)
{
	bool utf8 = utf8_valid(data, len);
	size_t plain = 0;

	for (size_t i = 0; i < len; i++) {
		size_t n = utf8 && is_c1(data, len, i) ? 2 : 1;

		if (n == 1 && is_harmless(data[i], utf8))
			continue;
		buf_add(out, data + plain, i - plain);
		for (size_t k = 0; k < n; k++)
			buf_addf(out, "\\x%02x", data[i + k]);
		i += n - 1;
		plain = i + 1;
	}
	buf_add(out, data + plain, len - plain);
}

static void add_bytes(const struct hit_format *format, struct buf *out, const uint8_t *data,
		      size_t len)
{
	if (format->escape)
		add_escaped(out, data, len);
	else
		buf_add(out, data, len);
}

static void add_match(const struct hit_format *format, struct buf *out, const uint8_t *data,
		      size_t len)
{
	if (!format->color || !len) {
		add_bytes(format, out, data, len);
		return;
	}
	buf_adds(out, COLOR_MATCH);
	add_bytes(format, out, data, len);
	buf_adds(out, COLOR_END);
}

static void add_sep(const struct hit_format *format, struct buf *out)
{
	buf_adds(out, format->color ? COLOR_SEP ":" COLOR_END : ":");
}

static void add_place(const struct hit_format *format, struct buf *out, uint64_t place)
{
	char digits[20], *p = digits + sizeof(digits);

	buf_adds(out, format->color ? COLOR_PLACE : "");
	do {
		*--p = (char)('0' + place % 10);
		place /= 10;
	} while (place);
	buf_add(out, p, (size_t)(digits + sizeof(digits) - p));
	buf_adds(out, format->color ? COLOR_END : "");
	add_sep(format, out);
}

/* "NAME:" as it stands before a record, coloured. */
static void add_name(const struct hit_format *format, const char *source, struct buf *out)
{
	buf_adds(out, format->color ? COLOR_NAME : "");
	add_bytes(format, out, (const uint8_t *)source, strlen(source));
	buf_adds(out, format->color ? COLOR_END : "");
	add_sep(format, out);
}

static void add_span(const struct hit_format *format, const struct hit *hit, struct span span,
		     const char *unset, struct buf *out)
{
	if (span_is_set(span))
		add_match(format, out, hit->subject + span.start, span.end - span.start);
	else if (unset)
		buf_adds(out, unset);
}

static void add_groups(const struct hit_format *format, const struct hit *hit, struct buf *out)
{
	size_t n = pattern_n_groups(format->search->rules[hit->rule].pattern);

	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add(out, format->sep, format->sep_len);
		add_span(format, hit, hit->match->groups[i], format->unset, out);
	}
}

static void add_template(const struct hit_format *format, const struct hit *hit, struct buf *out)
{
	for (size_t i = 0; i < format->template->n; i++) {
		const struct template_piece *piece = &format->template->v[i];

		buf_add(out, piece->text, piece->text_len);
		if (piece->group)
			add_span(format, hit, hit->match->groups[piece->number],
				 piece->unset ? piece->unset : format->unset, out);
	}
}

static void add_places(const struct hit_format *format, const char *source, uint64_t line,
		       uint64_t offset, struct buf *out)
{
	if (format->names)
		add_name(format, source, out);
	if (format->lines)
		add_place(format, out, line);
	if (format->offsets)
		add_place(format, out, offset);
}

static void add_text(const struct hit_format *format, const char *source, const struct hit *hit,
		     struct buf *out)
{
	add_places(format, source, hit->line, hit->offset + hit->match->whole.start, out);
	if (format->template)
		add_template(format, hit, out);
	else
		add_groups(format, hit, out);
	buf_addc(out, format->end);
}

bool hit_format_is_bare(const struct hit_format *format)
{
	return !format->json && !format->names && !format->lines && !format->offsets &&
	       !format->color && !format->escape && !format->template;
}

/* Most are shorter: they are copied without asking for their length. */
#define SHORT 32u

static void copy_span(char *to, const uint8_t *from, size_t len, const uint8_t *end)
{
	if (len <= SHORT && (size_t)(end - from) >= SHORT)
		memcpy(to, from, SHORT);
	else
		memcpy(to, from, len);
}

void hit_format_spans(const struct hit_format *format, const uint8_t *text, const uint8_t *text_end,
		      const struct span *spans, size_t n, struct buf *out)
{
	size_t total = SHORT;
	char *to;

	for (size_t i = 0; i < n; i++)
		total += spans[i].end - spans[i].start + 1;
	to = buf_reserve(out, total);
	if (!to)
		return;
	for (size_t i = 0; i < n; i++) {
		size_t len = spans[i].end - spans[i].start;

		copy_span(to, text + spans[i].start, len, text_end);
		to[len] = format->end;
		to += len + 1;
	}
	out->len = (size_t)(to - out->data);
	*to = '\0';
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* As text where it is UTF-8, else in base64. */
static void add_value(struct json_writer *w, const uint8_t *data, size_t len)
{
	if (utf8_valid(data, len))
		jw_string(w, "text", data, len);
	else
		jw_base64(w, "b64", data, len);
}

static void add_json_group(struct json_writer *w, const char *name, const struct hit *hit,
			   struct span span)
{
	if (!span_is_set(span)) {
		jw_null(w, name);
		return;
	}
	jw_object(w, name);
	add_value(w, hit->subject + span.start, span.end - span.start);
	jw_u64(w, "offset", hit->offset + span.start);
	jw_u64(w, "length", span.end - span.start);
	jw_object_end(w);
}

static void add_json_match(struct json_writer *w, const uint8_t *data, size_t len, uint64_t offset)
{
	jw_u64(w, "offset", offset);
	jw_u64(w, "length", len);
	jw_object(w, "match");
	add_value(w, data, len);
	jw_object_end(w);
}

/* What separates a record from the next: empty at the end of the input. */
static void add_rt(struct json_writer *w, const struct hit_line *record)
{
	jw_object(w, "rt");
	add_value(w, record->rt, record->rt_len);
	jw_object_end(w);
}

static void add_json(const struct hit_format *format, const char *source, const struct hit *hit,
		     const struct hit_line *record, struct buf *out)
{
	const struct search_rule *rule = &format->search->rules[hit->rule];
	struct span whole = hit->match->whole;
	struct json_writer w = { .out = out };

	jw_object(&w, NULL);
	jw_text(&w, "source", source);
	if (hit->line)
		jw_u64(&w, record ? "record" : "line", hit->line);
	jw_text(&w, "rule", rule->name);
	add_json_match(&w, hit->subject + whole.start, whole.end - whole.start,
		       hit->offset + whole.start);
	jw_object(&w, "groups");
	for (size_t i = 0; i < pattern_n_groups(rule->pattern); i++) {
		const char *name = pattern_group_name(rule->pattern, i);

		if (strcmp(name, "0") != 0)
			add_json_group(&w, name, hit, hit->match->groups[i]);
	}
	jw_object_end(&w);
	if (record)
		add_rt(&w, record);
	jw_object_end(&w);
	buf_addc(out, format->end);
}

void hit_format_add(const struct hit_format *format, const char *source, const struct hit *hit,
		    const struct hit_line *record, struct buf *out)
{
	if (format->json)
		add_json(format, source, hit, record, out);
	else
		add_text(format, source, hit, out);
}

static void add_json_line(const char *source, const struct hit_line *line, struct buf *out)
{
	struct json_writer w = { .out = out };

	jw_object(&w, NULL);
	jw_text(&w, "source", source);
	if (line->line)
		jw_u64(&w, line->is_record ? "record" : "line", line->line);
	add_json_match(&w, line->text, line->len, line->offset);
	if (line->is_record)
		add_rt(&w, line);
	if (line->more)
		jw_bool(&w, "more", true);
	jw_object_end(&w);
}

void hit_format_line(const struct hit_format *format, const char *source,
		     const struct hit_line *line, struct buf *out)
{
	if (format->json) {
		add_json_line(source, line, out);
		buf_addc(out, format->end);
		return;
	}
	if (!line->begun)
		add_places(format, source, line->line, line->offset, out);
	add_bytes(format, out, line->text, line->len);
	if (line->is_record && format->raw)
		buf_add(out, line->rt, line->rt_len);
	else if (!line->more)
		buf_addc(out, format->end);
}

void hit_format_count(const struct hit_format *format, const char *source, uint64_t count,
		      struct buf *out)
{
	struct json_writer w = { .out = out };

	if (format->json) {
		jw_object(&w, NULL);
		jw_text(&w, "source", source);
		jw_u64(&w, "count", count);
		jw_object_end(&w);
	} else {
		if (format->names)
			add_name(format, source, out);
		buf_addf(out, "%" PRIu64, count);
	}
	buf_addc(out, format->end);
}

void hit_format_range(const struct hit_format *format, const char *source,
		      const struct range_closed *closed, uint64_t offset, struct buf *out)
{
	struct json_writer w = { .out = out };

	jw_object(&w, NULL);
	jw_text(&w, "source", source);
	jw_object(&w, "range");
	jw_u64(&w, "offset", offset);
	jw_u64(&w, "length", closed->bytes);
	jw_u64(&w, "lines", closed->lines);
	jw_u64(&w, "shown_lines", closed->shown_lines);
	jw_u64(&w, "shown_length", closed->shown_bytes);
	jw_text(&w, "end", range_reason_name(closed->reason));
	jw_object_end(&w);
	jw_object_end(&w);
	buf_addc(out, format->end);
}
