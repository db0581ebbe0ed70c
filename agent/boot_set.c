/* tapwarden boot set: what a guest boots from here on, told to the agent that runs. */
#include "agent/boot_verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

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

/* What ends a state that nobody has to end. */
static const char *const until[BOOT_STATES] = {
	[BOOT_STATE_INSTALL] = ", until its phone-home",
	[BOOT_STATE_ONCE] = ", then local",
};

/* What is so now, in the agent's words. */
static int show(const char *guest, const struct buf *answer, struct err *err)
{
	json_t *now = json_loadb(answer->data, answer->len, 0, NULL);
	const char *name = json_string_value(json_object_get(now, "state"));
	enum boot_state state = name ? boot_state_find(name) : BOOT_STATES;
	int code = 0;

	if (state == BOOT_STATES)
		code = err_set(err, -EBADMSG, "the agent's answer has no state: it may be set");
	else
		printf("%s: %s%s\n", guest, name, until[state] ? until[state] : "");
	json_decref(now);
	return code;
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
	if (!code && options.json)
		puts(answer.data);
	else if (!code)
		code = show(options.operands[0], &answer, &err);
	if (code) {
		err_prefix(&err, code, "cannot set what guest %s boots", options.operands[0]);
		code = cli_fail(&err, NULL);
	}
	buf_done(&answer);
	free(run_dir);
	return cli_flush(code);
}
