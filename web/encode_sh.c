#include <errno.h>
#include <string.h>

#include "web/encode.h"

int encode_sh(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err)
{
	const char *s = bytes, *nul = memchr(bytes, '\0', len);
	size_t before = out->len;

	if (nul)
		return encode_refuse(err, what, "a shell script", bytes, (size_t)(nul - s),
				     "ends the text");
	buf_addc(out, '\'');
	for (size_t i = 0; i < len; i++) {
		/* Nothing can be escaped between single quotes (POSIX, Shell Command Language 2.2.2). */
		if (s[i] == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, s[i]);
	}
	buf_addc(out, '\'');
	return encode_end(out, before, what, err);
}
