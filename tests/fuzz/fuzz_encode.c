/* links: web/encode.c web/encode_cmdline.c web/encode_sh.c web/encode_grub.c web/encode_ini.c */
/* links: web/encode_yaml.c web/encode_json.c web/encode_xml.c agent/base/buf.c agent/base/err.c */
/* links: agent/base/utf8.c */
/*
 * Any value between "<<" and ">>" of every language: read by the rules of that language, what was
 * written is exactly one value, it is the one that was given, and the next thing is ">>". The first
 * byte chooses the encoder. That of iPXE has a target of its own.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Reads one value at *at of the text, which ends in NUL, into `value`; false when it is malformed.
 */
typedef bool (*reader)(const char *text, size_t *at, struct buf *value);

/* Up to a byte that ends a word of a command line, for the kernel or for a shell. */
static bool read_bare(const char *text, size_t *at, struct buf *value)
{
	size_t n = strcspn(text + *at, " \t\n\r\v\f\"'\\$`*?>");

	buf_add(value, text + *at, n);
	*at += n;
	return n > 0;
}

/* POSIX: parts in single quotes, and escaped single quotes between them. GRUB reads the same. */
static bool read_quoted(const char *text, size_t *at, struct buf *value)
{
	const char *p = text + *at;

	for (;;) {
		if (*p == '\'') {
			size_t n = strcspn(p + 1, "'");

			buf_add(value, p + 1, n);
			p += n + 1;
			if (*p++ != '\'')
				return false;
		} else if (p[0] == '\\' && p[1] == '\'') {
			buf_addc(value, '\'');
			p += 2;
		} else {
			break;
		}
	}
	*at = (size_t)(p - text);
	return true;
}

/* The rest of the line, without blanks at its ends. */
static bool read_line(const char *text, size_t *at, struct buf *value)
{
	size_t n = strcspn(text + *at, "\n\r#;>");

	if (n == 0 || strchr(" \t\"'", text[*at]) || strchr(" \t\\", text[*at + n - 1]))
		return false;
	buf_add(value, text + *at, n);
	*at += n;
	return true;
}

static void add_utf8(struct buf *value, unsigned long c)
{
	if (c < 0x80) {
		buf_addc(value, (char)c);
	} else if (c < 0x800) {
		buf_addc(value, (char)(0xc0 | c >> 6));
		buf_addc(value, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_addc(value, (char)(0xe0 | c >> 12));
		buf_addc(value, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(value, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_addc(value, (char)(0xf0 | c >> 18));
		buf_addc(value, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(value, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(value, (char)(0x80 | (c & 0x3f)));
	}
}

static unsigned long hex(const char **p, int digits)
{
	char text[5] = { 0 };

	for (int i = 0; i < digits; i++) {
		if (!strchr("0123456789abcdefABCDEF", (*p)[i]) || !(*p)[i])
			abort();
		text[i] = (*p)[i];
	}
	*p += digits;
	return strtoul(text, NULL, 16);
}

/* JSON's escapes (RFC 8259 section 7) and those of YAML 1.2 that JSON has not. */
static void read_escape(const char **p, struct buf *value)
{
	static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	unsigned long c, low;

	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if (**p == letters[i]) {
			buf_addc(value, letters[i + 1]);
			++*p;
			return;
		}
	}
	switch (*(*p)++) {
	case 'x':
		add_utf8(value, hex(p, 2));
		break;
	case 'L':
		add_utf8(value, 0x2028);
		break;
	case 'P':
		add_utf8(value, 0x2029);
		break;
	case 'u':
		c = hex(p, 4);
		if (c >= 0xd800 && c < 0xdc00) {
			if (*(*p)++ != '\\' || *(*p)++ != 'u')
				abort();
			low = hex(p, 4);
			c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
		}
		add_utf8(value, c);
		break;
	default:
		abort();
	}
}

static bool read_double(const char *text, size_t *at, struct buf *value)
{
	const char *p = text + *at;

	if (*p++ != '"')
		return false;
	while (*p != '"') {
		if ((unsigned char)*p < ' ')
			return false;
		if (*p == '\\') {
			p++;
			read_escape(&p, value);
		} else {
			buf_addc(value, *p++);
		}
	}
	*at = (size_t)(p + 1 - text);
	return true;
}

/* Up to what begins markup or ends an attribute, with references of numbers alone. */
static bool read_xml(const char *text, size_t *at, struct buf *value)
{
	const char *p = text + *at;

	while (!strchr("<>\"'\t\n\r", *p)) {
		if (*p != '&') {
			buf_addc(value, *p++);
			continue;
		}
		if (p[1] != '#')
			return false;
		add_utf8(value, strtoul(p + 2, (char **)&p, 10));
		if (*p++ != ';')
			return false;
	}
	*at = (size_t)(p - text);
	return true;
}

static const struct {
	encoder encode;
	reader read;
} languages[] = {
	{ encode_cmdline, read_bare }, { encode_sh, read_quoted },   { encode_grub, read_quoted },
	{ encode_ini, read_line },     { encode_yaml, read_double }, { encode_json, read_double },
	{ encode_xml, read_xml },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *given = (const char *)data + 1;
	struct buf text, value;
	size_t kind, at = 2;

	if (size < 1 || size > 1024)
		return 0;
	size--;
	kind = data[0] % (sizeof(languages) / sizeof(languages[0]));
	/* Two languages have no end of a value but the line's: here the mark is one. */
	if ((languages[kind].read == read_line || languages[kind].read == read_bare) &&
	    memchr(given, '>', size))
		return 0;
	buf_init(&text, 16384);
	buf_init(&value, 16384);
	buf_adds(&text, "<<");
	buf_adds(&value, "");
	if (languages[kind].encode(&text, "x", given, size, NULL) != 0) {
		if (strcmp(text.data, "<<") != 0)
			abort();
		goto out;
	}
	buf_adds(&text, ">>");
	if (strlen(text.data) != text.len || !languages[kind].read(text.data, &at, &value) ||
	    strcmp(text.data + at, ">>") != 0 || value.len != size ||
	    memcmp(value.data, given, size) != 0)
		abort();
out:
	buf_done(&text);
	buf_done(&value);
	return 0;
}
