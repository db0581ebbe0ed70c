#include <errno.h>
#include <stdlib.h>
#include <jansson.h>

#include "web/encode.h"

int encode_json(struct buf *out, const char *what, const void *bytes, size_t len, struct err *err)
{
	size_t before = out->len;
	int code = encode_check_utf8(what, "JSON", bytes, len, err);
	json_t *string;
	char *text;

	if (code)
		return code;
	string = json_stringn(bytes, len);
	text = string ? json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
	json_decref(string);
	if (!text)
		return err_set(err, -ENOMEM, "%s is too long for its file", what);
	buf_adds(out, text);
	free(text);
	return encode_end(out, before, what, err);
}
