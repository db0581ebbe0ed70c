#include "web/encode.h"

#include <errno.h>
#include <string.h>

#include "agent/base/utf8.h"

int encode_refuse(struct err *err, const char *what, const char *language, const void *bytes,
		  size_t at, const char *why)
{
	return err_set(err, -EINVAL, "%s cannot stand in %s: byte 0x%02x at offset %zu %s", what,
		       language, ((const unsigned char *)bytes)[at], at, why);
}

static const char *reason_of(const struct encode_reason *reasons, char c)
{
	for (; reasons && reasons->bytes; reasons++) {
		if (strchr(reasons->bytes, c))
			return reasons->why;
	}
	return NULL;
}

int encode_check_ascii(const char *what, const char *language, const void *bytes, size_t len,
		       const struct encode_reason *reasons, struct err *err)
{
	const char *s = bytes;

	if (len == 0)
		return err_set(err, -EINVAL, "%s cannot stand in %s: it is empty", what, language);
	for (size_t i = 0; i < len; i++) {
		const char *why = s[i] ? reason_of(reasons, s[i]) : "ends the text";

		if (!why && (s[i] < ' ' || s[i] > '~'))
			why = "is not printable ASCII";
		if (why)
			return encode_refuse(err, what, language, bytes, i, why);
	}
	return 0;
}

int encode_check_utf8(const char *what, const char *language, const void *bytes, size_t len,
		      struct err *err)
{
	const unsigned char *s = bytes;

	for (size_t i = 0; i < len;) {
		size_t n = utf8_length(s + i, len - i);

		if (n == 0)
			return encode_refuse(err, what, language, bytes, i, "is not UTF-8");
		if (s[i] == '\0')
			return encode_refuse(err, what, language, bytes, i, "ends the text");
		i += n;
	}
	return 0;
}

void encode_single_quoted(struct buf *out, const char *bytes, size_t len)
{
	buf_addc(out, '\'');
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, bytes[i]);
	}
	buf_addc(out, '\'');
}

int encode_end(struct buf *out, size_t length, const char *what, struct err *err)
{
	if (!out->failed)
		return 0;
	out->len = length;
	if (out->data)
		out->data[length] = '\0';
	return err_set(err, -ENOMEM, "%s is too long for its file", what);
}
