/* tapwarden status: the agent's own answer, as JSON or as tables. */
#include "agent/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <jansson.h>

#include "agent/api_client.h"
#include "agent/cli_print.h"
#include "agent/status_view.h"

#define STATUS_MAX (64u << 20)

/* What is no terminal is for programs, and has no end of a line. */
static size_t terminal_columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static int print_status(const json_t *status, bool wide)
{
	struct buf out;

	buf_init(&out, STATUS_MAX);
	status_view(status, wide ? 0 : terminal_columns(), &out);
	return cli_flush(cli_print_text(&out, "the status"));
}

static int show(const struct buf *answer, const struct cli_options *options)
{
	json_error_t why;
	json_t *status;
	int code;

	if (options->json) {
		fwrite(answer->data, 1, answer->len, stdout);
		putchar('\n');
		return cli_flush(CLI_DONE);
	}
	status = json_loadb(answer->data, answer->len, 0, &why);
	if (!status) {
		cli_warn("cannot read the agent's answer: %s", why.text);
		return CLI_BAD;
	}
	if (json_is_array(json_object_get(status, "links"))) {
		code = print_status(status, options->wide);
	} else {
		cli_warn("cannot read the agent's answer: it has no links: is the agent of "
			 "another version?");
		code = CLI_BAD;
	}
	json_decref(status);
	return code;
}

int cmd_status(int argc, char **argv)
{
	struct cli_options options;
	char *run_dir = NULL;
	struct buf answer;
	struct err err;
	int code;

	code = cli_options(argc, argv, CLI_JSON | CLI_WIDE, 0, &options);
	if (code)
		return code;
	code = cli_run_dir(options.config, &run_dir);
	if (code)
		return code;
	buf_init(&answer, STATUS_MAX);
	code = api_get(run_dir, "/v1/status", &answer, &err);
	if (code == -ENOENT || code == -ECONNREFUSED)
		code = cli_fail(&err, "`tapwarden reach` and `plan` look without one");
	else if (code)
		code = cli_fail(&err, NULL);
	else
		code = show(&answer, &options);
	buf_done(&answer);
	free(run_dir);
	return code;
}
