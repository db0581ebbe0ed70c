#include "web/encode.h"

static const struct encode_reason reasons[] = {
	{ " ", "begins a new argument" },
	{ "\"'", "is a quote to the kernel or an initrd" },
	{ "\\", "is an escape to a boot loader" },
	{ "$`", "is an expansion to an initrd's shell" },
	{ "*?", "is a pattern to an initrd's shell" },
	{ NULL, NULL },
};

int encode_cmdline(struct buf *out, const char *what, const void *bytes, size_t len,
		   struct err *err)
{
	size_t before = out->len;
	int code = encode_check_ascii(what, "a kernel command line", bytes, len, reasons, err);

	if (code)
		return code;
	buf_add(out, bytes, len);
	return encode_end(out, before, what, err);
}
