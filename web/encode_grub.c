#include "web/encode.h"

int encode_grub(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err)
{
	size_t before = out->len;
	int code = encode_check_ascii(what, "a GRUB script", bytes, len, NULL, err);

	if (code)
		return code;
	/* Quoting is that of a shell (GRUB manual, "Quoting"). */
	encode_single_quoted(out, bytes, len);
	return encode_end(out, before, what, err);
}
