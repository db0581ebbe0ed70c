#include "web/encode_ipxe.h"

#include <errno.h>
#include <string.h>

static int refuse(struct err *err, const char *what, unsigned char byte, size_t at, const char *why)
{
	return err_set(err, -EINVAL,
		       "%s cannot stand in an iPXE script: byte 0x%02x at offset %zu %s", what,
		       byte, at, why);
}

static bool is_operator(const char *s, size_t len)
{
	return (len == 1 && s[0] == ';') ||
	       (len == 2 && (memcmp(s, "||", 2) == 0 || memcmp(s, "&&", 2) == 0));
}

/* `at` is where the token begins in the whole value, for the message. */
static int check_token(const char *what, const char *s, size_t len, size_t at, struct err *err)
{
	if (len == 0)
		return err_set(err, -EINVAL, "%s cannot stand in an iPXE script: it %s", what,
			       at ? "has two blanks in a row or one at an end" : "is empty");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\0')
			return refuse(err, what, c, at + i, "ends the text");
		if (c == '\n' || c == '\r')
			return refuse(err, what, c, at + i, "ends the command");
		if (c == ' ' || c == '\t' || c == '\v' || c == '\f')
			return refuse(err, what, c, at + i, "begins a new argument");
		if (c < ' ' || c > '~')
			return refuse(err, what, c, at + i, "is not printable ASCII");
		if (c == '$' && i + 1 < len && s[i + 1] == '{')
			return refuse(err, what, c, at + i, "begins an expansion");
	}
	if (s[0] == '#')
		return refuse(err, what, '#', at, "begins a comment");
	if (s[0] == '-')
		return refuse(err, what, '-', at, "begins an option");
	if (is_operator(s, len))
		return refuse(err, what, (unsigned char)s[0], at, "is an operator");
	if (s[len - 1] == '\\')
		return refuse(err, what, '\\', at + len - 1, "joins the next line");
	return 0;
}

static int append(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err)
{
	buf_add(out, bytes, len);
	return out->failed ? err_set(err, -ENOMEM, "%s is too long for the script", what) : 0;
}

int encode_ipxe_token(struct buf *out, const char *what, const void *bytes, size_t len,
		      struct err *err)
{
	int code = check_token(what, bytes, len, 0, err);

	return code ? code : append(out, what, bytes, len, err);
}

int encode_ipxe_text(struct buf *out, const char *what, const void *bytes, size_t len,
		     struct err *err)
{
	const char *s = bytes;
	size_t at = 0;

	for (;;) {
		const char *blank = at < len ? memchr(s + at, ' ', len - at) : NULL;
		size_t end = blank ? (size_t)(blank - s) : len;
		int code = check_token(what, s + at, end - at, at, err);

		if (code)
			return code;
		if (!blank)
			return append(out, what, bytes, len, err);
		at = end + 1;
	}
}

int encode_ipxe_hexraw(struct buf *out, const char *what, const void *bytes, size_t len,
		       struct err *err)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;
	char *room;

	if (len == 0)
		return err_set(err, -EINVAL, "%s cannot stand in an iPXE script: it is empty",
			       what);
	room = len <= out->max / 2 ? buf_reserve(out, 2 * len) : NULL;
	if (!room)
		return err_set(err, -ENOMEM, "%s is too long for the script", what);
	for (size_t i = 0; i < len; i++) {
		*room++ = digits[p[i] >> 4];
		*room++ = digits[p[i] & 15];
	}
	*room = '\0';
	out->len += 2 * len;
	return 0;
}
