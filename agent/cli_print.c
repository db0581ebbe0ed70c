#include "agent/cli_print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/cli.h"

static int fail(const char *what, const char *why)
{
	struct err err;

	err_set(&err, -ENOMEM, "cannot print %s: %s", what, why);
	return cli_fail(&err, NULL);
}

int cli_print_text(struct buf *text, const char *what)
{
	int code = text->failed ? fail(what, "it is too long, or memory is short") : CLI_DONE;

	if (code == CLI_DONE && text->len)
		fwrite(text->data, 1, text->len, stdout);
	buf_done(text);
	return code;
}

int cli_print_json(json_t *json, const char *what)
{
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	int code = text ? CLI_DONE : fail(what, "out of memory");

	if (text)
		puts(text);
	free(text);
	json_decref(json);
	return code;
}
