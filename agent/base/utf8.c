#include "agent/base/utf8.h"

#include <string.h>

size_t utf8_length(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (len > left)
		return 0;
	/* The second byte alone tells overlong forms, surrogates and what is above U+10FFFF. */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return len;
}

bool utf8_valid(const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t at = 0, n; at < len; at += n) {
		n = utf8_length(p + at, len - at);
		if (!n)
			return false;
	}
	return true;
}

size_t utf8_cut(const void *data, size_t len, size_t max)
{
	const unsigned char *p = data;
	size_t start;

	if (len <= max)
		return len;
	for (start = max; start > 0 && max - start < 3 && (p[start] & 0xc0) == 0x80; start--)
		;
	return utf8_length(p + start, len - start) > max - start ? start : max;
}

/* C0, DEL and C1: those of them that are one byte in UTF-8, and those that are two. */
static bool is_control(const unsigned char *p)
{
	return p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
}

size_t utf8_printable(const unsigned char *p, size_t left)
{
	const size_t n = utf8_length(p, left);

	return n && is_control(p) ? 0 : n;
}

void utf8_add_printable(struct buf *out, const char *s)
{
	for (size_t left = strlen(s), n; left > 0; s += n, left -= n) {
		const unsigned char *p = (const unsigned char *)s;

		n = utf8_printable(p, left);
		if (n) {
			buf_add(out, s, n);
		} else {
			n = 1;
			buf_addf(out, "\\x%02x", *p);
		}
	}
}
