/* tapwarden boot set: what a guest boots from here on, told to the agent that runs. */
#include "agent/boot_verbs.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/api_client.h"
#include "agent/base/boot_types.h"
#include "agent/cli.h"

#define ANSWER_MAX 65536

static int ask(const char *run_dir, const char *guest, const char *state, struct buf *answer,
	       struct err *err)
{
	char path[NAME_MAX_LEN + sizeof("/v1/guests//state")], json[64];
	int code = parse_name(guest, err);

	if (code)
		return code;
	if (boot_state_find(state) == BOOT_STATES)
		return err_set(err, -1,
			       "\"%s\" is no state: run, install, rescue, local and once are",
			       state);
	snprintf(path, sizeof(path), "/v1/guests/%s/state", guest);
	snprintf(json, sizeof(json), "{\"state\": \"%s\"}", state);
	return api_post(run_dir, path, json, answer, err);
}

int boot_set(int argc, char **argv)
{
	struct cli_options options;
	char *run_dir = NULL;
	struct buf answer;
	struct err err;
	int code;

	if (cli_options(argc, argv, CLI_JSON, 2, &options) != 0)
		return CLI_BAD;
	if (cli_run_dir(options.config, &run_dir) != 0)
		return CLI_BAD;
	buf_init(&answer, ANSWER_MAX);
	code = ask(run_dir, options.operands[0], options.operands[1], &answer, &err);
	if (code) {
		err_prefix(&err, code, "cannot set what guest %s boots", options.operands[0]);
		code = cli_fail(&err, NULL);
	} else if (options.json) {
		puts(answer.data);
	}
	buf_done(&answer);
	free(run_dir);
	return cli_flush(code);
}
