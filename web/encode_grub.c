#include "web/encode.h"

int encode_grub(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err)
{
	const char *s = bytes;
	size_t before = out->len;
	int code = encode_check_ascii(what, "a GRUB script", bytes, len, NULL, err);

	if (code)
		return code;
	/* Quoting is that of a shell (GRUB manual, "Quoting"). */
	buf_addc(out, '\'');
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, s[i]);
	}
	buf_addc(out, '\'');
	return encode_end(out, before, what, err);
}
