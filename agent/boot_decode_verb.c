/* tapwarden boot decode: what a kernel command line, SAN address or error number says. */
#include "agent/boot_verbs.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/boot_script.h"
#include "agent/boot_view.h"
#include "agent/cli.h"
#include "agent/cli_print.h"
#include "web/boot_decode.h"

#define TEXT_MAX 65536

static json_t *decoded_json(const struct decoded *decoded)
{
	json_t *fields = json_array();

	/* A list: some fields are there several times, one for each path. */
	for (size_t i = 0; i < decoded->n; i++)
		json_array_append_new(fields,
				      json_pack("{s:s, s:o}", "name", decoded->v[i].name, "value",
						boot_json_text(decoded->v[i].value)));
	return json_pack("{s:s, s:o, s:o}", "kind", decode_kind_name(decoded->kind), "fields",
			 fields, "findings", findings_json(&decoded->findings));
}

static void print_text(const struct decoded *decoded)
{
	size_t width = 0;

	for (size_t i = 0; i < decoded->n; i++) {
		size_t len = strlen(decoded->v[i].name);

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < decoded->n; i++) {
		printf("%-*s  ", (int)width, decoded->v[i].name);
		boot_print_text(decoded->v[i].value);
		putchar('\n');
	}
	findings_print(&decoded->findings, decode_kind_name(decoded->kind));
}

/* The operand, or all of stdin for "-". */
static int read_text(const char *word, struct buf *out, struct err *err)
{
	int code;

	if (strcmp(word, "-") != 0) {
		buf_adds(out, word);
		return 0;
	}
	code = boot_read_stdin(out, err);
	if (!code && out->len && strlen(out->data) < out->len)
		code = err_set(err, -1, "stdin has a NUL byte");
	while (!code && out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	return code;
}

int boot_decode_verb(int argc, char **argv)
{
	struct cli_options options;
	struct decoded decoded = { 0 };
	struct buf text;
	struct err err;
	int code;

	if (cli_options(argc, argv, CLI_JSON, 1, &options) != 0)
		return CLI_BAD;
	buf_init(&text, TEXT_MAX);
	code = read_text(options.operands[0], &text, &err);
	if (!code)
		code = boot_decode(text.data ? text.data : "", &decoded, &err);
	buf_done(&text);
	if (code) {
		err_prefix(&err, code, "cannot decode this");
		return cli_fail(&err, NULL);
	}
	code = findings_code(&decoded.findings);
	if (!options.json)
		print_text(&decoded);
	else if (cli_print_json(decoded_json(&decoded), "the answer") != 0)
		code = CLI_BAD;
	decoded_done(&decoded);
	return cli_flush(code);
}
