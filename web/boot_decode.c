#include "web/boot_decode.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/ipxe_error.h"

const char *decode_kind_name(enum decode_kind kind)
{
	static const char *const names[] = {
		[DECODE_ERROR_NUMBER] = "error number",
		[DECODE_SAN_ADDRESS] = "SAN address",
		[DECODE_KERNEL_LINE] = "kernel command line",
	};

	return names[kind];
}

void decoded_add(struct decoded *decoded, const char *name, const char *fmt, ...)
{
	struct decoded_field *v = realloc(decoded->v, (decoded->n + 1) * sizeof(*v));
	struct decoded_field field = { .name = strdup(name) };
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&field.value, fmt, ap) < 0)
		field.value = NULL;
	va_end(ap);
	if (v)
		decoded->v = v;
	if (!v || !field.name || !field.value) {
		decoded->failed = true;
		free(field.name);
		free(field.value);
		return;
	}
	v[decoded->n++] = field;
}

void decoded_done(struct decoded *decoded)
{
	for (size_t i = 0; i < decoded->n; i++) {
		free(decoded->v[i].name);
		free(decoded->v[i].value);
	}
	free(decoded->v);
	findings_done(&decoded->findings);
	*decoded = (struct decoded){ 0 };
}

/* "410d613c", "0x410d613c", "https://ipxe.org/410d613c", with or without "(...)". */
static bool error_number(const char *text, uint32_t *ret)
{
	static const char *const before[] = {
		"(", "https://", "http://", "ipxe.org/", "err/", "0x"
	};
	char *rest;
	unsigned long value;

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		size_t len = strlen(before[i]);

		if (strncmp(text, before[i], len) == 0)
			text += len;
	}
	if (strspn(text, "0123456789abcdefABCDEF") != 8)
		return false;
	value = strtoul(text, &rest, 16);
	if (*rest && strcmp(rest, ")") != 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static void decode_error(uint32_t number, struct decoded *decoded)
{
	const struct ipxe_error error = ipxe_error_explain(number);

	decoded_add(decoded, "number", "%08x", number);
	if (!error.name) {
		findings_add(&decoded->findings, 0, FINDING_ERROR,
			     "iPXE has no error 0x%02x: is every digit there?", number >> 24);
		return;
	}
	decoded_add(decoded, "error", "%s, %s", error.name, error.text);
	if (error.part)
		decoded_add(decoded, "from", "%s", error.part);
	if (error.cause)
		decoded_add(decoded, "cause", "%s", error.cause);
	if (error.remedy)
		decoded_add(decoded, "look at", "%s", error.remedy);
	if (!error.part)
		findings_add(&decoded->findings, 0, FINDING_NOTE,
			     "its source file is none of those known here: https://ipxe.org/%08x "
			     "names it",
			     number);
}

int boot_decode(const char *text, struct decoded *ret, struct err *err)
{
	struct decoded decoded = { .kind = DECODE_KERNEL_LINE };
	uint32_t number;

	text += strspn(text, " \t\n");
	if (!*text)
		return err_set(err, -EINVAL, "there is nothing in it");
	if (error_number(text, &number)) {
		decoded.kind = DECODE_ERROR_NUMBER;
		decode_error(number, &decoded);
	} else if (strncmp(text, "iscsi:", 6) == 0 && !strpbrk(text, " \t\n")) {
		decoded.kind = DECODE_SAN_ADDRESS;
		decode_san_address(text, SAN_FOR_IPXE, 0, &decoded);
	} else if (strpbrk(text, "= \t")) {
		decode_kernel_line(text, 0, &decoded);
	} else {
		return err_set(
			err, -EINVAL,
			"\"%.100s\" is no kernel command line, no iSCSI address and no error "
			"number of iPXE",
			text);
	}
	if (decoded.failed) {
		decoded_done(&decoded);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = decoded;
	return 0;
}
