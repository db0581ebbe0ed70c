#include <string.h>

#include "web/encode.h"

int encode_sh(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err)
{
	const char *nul = memchr(bytes, '\0', len);
	size_t before = out->len;

	if (nul)
		return encode_refuse(err, what, "a shell script", bytes,
				     (size_t)(nul - (const char *)bytes), "ends the text");
	encode_single_quoted(out, bytes, len);
	return encode_end(out, before, what, err);
}
