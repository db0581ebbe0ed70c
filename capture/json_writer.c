#include "capture/json_writer.h"

#include <math.h>
#include <string.h>

#include "agent/base/utf8.h"

static const char hex[] = "0123456789abcdef";

static void lead(struct json_writer *w, const char *key)
{
	if (w->comma)
		buf_addc(w->out, ',');
	w->comma = true;
	if (key) {
		buf_addc(w->out, '"');
		buf_adds(w->out, key);
		buf_add(w->out, "\":", 2);
	}
}

static void begin(struct json_writer *w, const char *key, char bracket)
{
	lead(w, key);
	buf_addc(w->out, bracket);
	w->comma = false;
}

static void end(struct json_writer *w, char bracket)
{
	buf_addc(w->out, bracket);
	w->comma = true;
}

void jw_object(struct json_writer *w, const char *key)
{
	begin(w, key, '{');
}

void jw_object_end(struct json_writer *w)
{
	end(w, '}');
}

void jw_array(struct json_writer *w, const char *key)
{
	begin(w, key, '[');
}

void jw_array_end(struct json_writer *w)
{
	end(w, ']');
}

void jw_null(struct json_writer *w, const char *key)
{
	lead(w, key);
	buf_adds(w->out, "null");
}

void jw_bool(struct json_writer *w, const char *key, bool value)
{
	lead(w, key);
	buf_adds(w->out, value ? "true" : "false");
}

static void add_u64(struct buf *out, uint64_t value)
{
	char digits[20], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + value % 10);
	while (value /= 10);
	buf_add(out, first, (size_t)(digits + sizeof(digits) - first));
}

void jw_u64(struct json_writer *w, const char *key, uint64_t value)
{
	lead(w, key);
	add_u64(w->out, value);
}

void jw_i64(struct json_writer *w, const char *key, int64_t value)
{
	lead(w, key);
	if (value < 0)
		buf_addc(w->out, '-');
	add_u64(w->out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void jw_hundredths(struct json_writer *w, const char *key, double value)
{
	lead(w, key);
	buf_addf(w->out, "%.2f", fabs(value) < 1e15 ? value : 0);
}

void jw_raw(struct json_writer *w, const char *key, const char *json)
{
	lead(w, key);
	buf_adds(w->out, json);
}

static void add_escape(struct buf *out, uint8_t c)
{
	/* U+0080 to U+009F are told by their code point, which is the second byte of two. */
	const char text[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	switch (c) {
	case '"':
		buf_add(out, "\\\"", 2);
		break;
	case '\\':
		buf_add(out, "\\\\", 2);
		break;
	case '\n':
		buf_add(out, "\\n", 2);
		break;
	case '\r':
		buf_add(out, "\\r", 2);
		break;
	case '\t':
		buf_add(out, "\\t", 2);
		break;
	default:
		buf_add(out, text, sizeof(text));
	}
}

static bool plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Bytes at `p` that go out as they are. */
static size_t plain_run(const uint8_t *p, size_t left)
{
	size_t at = 0, n;

	while (at < left) {
		if (plain(p[at])) {
			at++;
			continue;
		}
		n = p[at] >= 0x80 ? utf8_length(p + at, left - at) : 0;
		if (n < 2 || (p[at] == 0xc2 && p[at + 1] < 0xa0))
			break;
		at += n;
	}
	return at;
}

void jw_string(struct json_writer *w, const char *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t at = 0;

	lead(w, key);
	buf_addc(w->out, '"');
	while (at < len) {
		size_t run = plain_run(p + at, len - at);
		buf_add(w->out, p + at, run);
		at += run;
		if (at == len)
			break;
		if (p[at] < 0x80) {
			add_escape(w->out, p[at++]);
		} else if (utf8_length(p + at, len - at)) {
			add_escape(w->out, p[at + 1]);
			at += 2;
		} else {
			buf_adds(w->out, "\\ufffd");
			at++;
		}
	}
	buf_addc(w->out, '"');
}

void jw_text(struct json_writer *w, const char *key, const char *text)
{
	jw_string(w, key, text, strlen(text));
}

static void base64_group(char out[4], const uint8_t *in, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = (uint32_t)in[0] << 16;

	if (n > 1)
		bits |= (uint32_t)in[1] << 8;
	if (n > 2)
		bits |= in[2];
	out[0] = digits[bits >> 18];
	out[1] = digits[(bits >> 12) & 63];
	out[2] = n > 1 ? digits[(bits >> 6) & 63] : '=';
	out[3] = n > 2 ? digits[bits & 63] : '=';
}

void jw_base64(struct json_writer *w, const char *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t size = (len + 2) / 3 * 4;
	char *room;

	lead(w, key);
	buf_addc(w->out, '"');
	room = buf_reserve(w->out, size);
	if (!room)
		return;
	for (size_t at = 0; at < len; at += 3, room += 4)
		base64_group(room, p + at, len - at);
	w->out->len += size;
	buf_addc(w->out, '"');
}

void jw_printable(struct json_writer *w, const char *key, const void *data, size_t len)
{
	const uint8_t *p = data;

	lead(w, key);
	buf_addc(w->out, '"');
	for (size_t at = 0, run; at < len; at++) {
		for (run = at; run < len && plain(p[run]); run++)
			;
		buf_add(w->out, p + at, run - at);
		at = run;
		if (at == len)
			break;
		if (p[at] == '\n' || p[at] == '\r' || p[at] == '"' || p[at] == '\\')
			add_escape(w->out, p[at]);
		else
			buf_addc(w->out, '.');
	}
	buf_addc(w->out, '"');
}
