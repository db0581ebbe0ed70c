#include "web/text_out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_raw(struct text_out *out, const char *text)
{
	if (out->code)
		return;
	buf_adds(out->buf, text);
	if (out->buf->failed)
		out->code = err_set(out->err, -ENOMEM, "a file is too long");
}

void text_add(struct text_out *out, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	int n;

	if (out->code)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		out->buf->failed = true;
	else
		buf_add(out->buf, text, (size_t)n);
	if (out->buf->failed)
		out->code = err_set(out->err, -ENOMEM, "a file is too long");
}

void text_put(struct text_out *out, encoder encode, const char *before, const char *what,
	      const char *value, const char *after)
{
	text_raw(out, before);
	if (out->code)
		return;
	out->code = encode(out->buf, what, value, strlen(value), out->err);
	text_raw(out, after);
}

void text_refuse(struct text_out *out, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (out->code)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out->code = err_set(out->err, -EINVAL, "%s", text);
}
