#include "web/encode.h"

#include <string.h>

/* Characters that end a line of YAML 1.1, or that it cannot show (YAML 1.2 section 5.1). */
static const struct {
	const char *bytes;
	const char *escaped;
} specials[] = {
	{ "\"", "\\\"" },
	{ "\\", "\\\\" },
	{ "\xe2\x80\xa8", "\\L" },
	{ "\xe2\x80\xa9", "\\P" },
	{ "\xef\xbb\xbf", "\\uFEFF" },
	{ "\xef\xbf\xbe", "\\uFFFE" },
	{ "\xef\xbf\xbf", "\\uFFFF" },
};

/* Appends one special character; returns its bytes, 0 when there is none here. */
static size_t add_special(struct buf *out, const char *s, size_t left)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		size_t n = strlen(specials[i].bytes);

		if (n > left || memcmp(s, specials[i].bytes, n) != 0)
			continue;
		buf_adds(out, specials[i].escaped);
		return n;
	}
	return 0;
}

int encode_yaml(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err)
{
	const unsigned char *s = bytes;
	size_t before = out->len;
	int code = encode_check_utf8(what, "YAML", bytes, len, err);

	if (code)
		return code;
	buf_addc(out, '"');
	for (size_t i = 0; i < len;) {
		size_t n = add_special(out, (const char *)s + i, len - i);

		i += n;
		if (n)
			continue;
		/* The controls of C1, U+0080 to U+009f, have the form of two digits, too. */
		if (s[i] == 0xc2 && s[i + 1] < 0xa0)
			i++;
		if (s[i] < ' ' || s[i] == 0x7f || (i && s[i - 1] == 0xc2 && s[i] < 0xa0))
			buf_addf(out, "\\x%02x", s[i]);
		else
			buf_addc(out, (char)s[i]);
		i++;
	}
	buf_addc(out, '"');
	return encode_end(out, before, what, err);
}
