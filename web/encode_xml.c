#include "web/encode.h"

#define LANGUAGE "XML"

/* XML 1.0 section 2.2: of the controls three, and of the rest all but surrogates and two others. */
static int check_chars(const char *what, const void *bytes, size_t len, struct err *err)
{
	const unsigned char *s = bytes;

	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' && s[i] != '\t' && s[i] != '\n' && s[i] != '\r')
			return encode_refuse(err, what, LANGUAGE, bytes, i,
					     "has no form, not even an escaped one");
		if (s[i] == 0xef && s[i + 1] == 0xbf && s[i + 2] >= 0xbe)
			return encode_refuse(err, what, LANGUAGE, bytes, i,
					     "begins a character that is none of XML's");
	}
	return 0;
}

int encode_xml(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err)
{
	const char *s = bytes;
	size_t before = out->len;
	int code = encode_check_utf8(what, LANGUAGE, bytes, len, err);

	if (!code)
		code = check_chars(what, bytes, len, err);
	if (code)
		return code;
	for (size_t i = 0; i < len; i++) {
		switch (s[i]) {
		/* Blanks of an attribute but the space become spaces unless they are references. */
		case '\t':
		case '\n':
		case '\r':
		case '&':
		case '<':
		case '>':
		case '"':
		case '\'':
			buf_addf(out, "&#%d;", s[i]);
			break;
		default:
			buf_addc(out, s[i]);
		}
	}
	return encode_end(out, before, what, err);
}
