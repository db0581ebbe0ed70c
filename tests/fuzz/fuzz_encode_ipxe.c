/* links: web/encode_ipxe.c agent/base/buf.c agent/base/err.c */
/*
 * Any value in the middle of a script: as iPXE reads the lines, the command has as many arguments
 * as it was written with, the value is one of them unchanged, and the next line is a command of its
 * own. The first byte chooses the encoder.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/encode_ipxe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKENS_MAX 4096

/* A line as iPXE's split_command() sees it: blanks of isspace(3), '#' begins a comment. */
static size_t split(char *line, char *tokens[TOKENS_MAX])
{
	size_t n = 0;

	for (;;) {
		while (isspace((unsigned char)*line))
			*line++ = '\0';
		if (*line == '\0' || *line == '#')
			return n;
		if (n == TOKENS_MAX)
			abort();
		tokens[n++] = line;
		while (*line && !isspace((unsigned char)*line))
			line++;
	}
}

static bool is_operator(const char *token)
{
	return strcmp(token, "||") == 0 || strcmp(token, "&&") == 0 || strcmp(token, ";") == 0;
}

static void check_script(struct buf *script, const char *value, size_t len, bool one)
{
	static char *tokens[TOKENS_MAX];
	char *end;
	size_t n;

	if (strlen(script->data) != script->len || strstr(script->data, "${"))
		abort();
	end = strchr(script->data, '\n');
	if (!end || end == script->data || end[-1] == '\\' || strcmp(end, "\nnext\n") != 0)
		abort();
	*end = '\0';
	n = split(script->data, tokens);
	if (n < 3 || strcmp(tokens[0], "set") != 0 || strcmp(tokens[n - 1], "last") != 0)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (is_operator(tokens[i]))
			abort();
	}
	if (one && (n != 3 || strlen(tokens[1]) != len || memcmp(tokens[1], value, len) != 0))
		abort();
	if (tokens[1][0] == '-')
		abort();
}

static int encode(unsigned int kind, struct buf *out, const char *value, size_t len)
{
	if (kind == 0)
		return encode_ipxe_token(out, "x", value, len, NULL);
	if (kind == 1)
		return encode_ipxe_text(out, "x", value, len, NULL);
	return encode_ipxe_hexraw(out, "x", value, len, NULL);
}

static void check_hex(const char *hex, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		if (strtoul(pair, NULL, 16) != (unsigned char)value[i])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char before[] = "set ";
	const char *value = (const char *)data + 1;
	struct buf script;
	unsigned int kind;

	if (size < 1 || size > 1024)
		return 0;
	size--;
	kind = data[0] % 3;
	buf_init(&script, 8192);
	buf_adds(&script, before);
	if (encode(kind, &script, value, size) != 0) {
		if (strcmp(script.data, before) != 0)
			abort();
	} else {
		if (kind == 2)
			check_hex(script.data + strlen(before), value, size);
		buf_adds(&script, " last\nnext\n");
		check_script(&script, value, size, kind == 0);
	}
	buf_done(&script);
	return 0;
}
