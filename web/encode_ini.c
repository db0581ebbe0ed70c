#include "web/encode.h"

#define LANGUAGE "an INI file"

static const struct encode_reason reasons[] = {
	{ "#;", "begins a comment" },
	{ NULL, NULL },
};

/* systemd.syntax(7): blanks around a value are lost, quotes around it too, a '\' joins lines. */
int encode_ini(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err)
{
	const char *s = bytes;
	size_t before = out->len;
	int code = encode_check_ascii(what, LANGUAGE, bytes, len, reasons, err);

	if (code)
		return code;
	if (s[0] == ' ' || s[len - 1] == ' ')
		return encode_refuse(err, what, LANGUAGE, bytes, s[0] == ' ' ? 0 : len - 1,
				     "is lost at an end");
	if (s[0] == '"' || s[0] == '\'')
		return encode_refuse(err, what, LANGUAGE, bytes, 0, "begins a quotation");
	if (s[len - 1] == '\\')
		return encode_refuse(err, what, LANGUAGE, bytes, len - 1, "joins the next line");
	buf_add(out, bytes, len);
	return encode_end(out, before, what, err);
}
