#include "capture/trial_worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/sandbox.h"
#include "capture/trial.h"

static int try_text(const char *text, size_t len, json_t **ret, struct err *err)
{
	json_error_t wrong;
	json_t *request = json_loadb(text, len, JSON_REJECT_DUPLICATES, &wrong);
	int code;

	if (!request)
		return err_set(err, -EINVAL, "this is no JSON: %s", wrong.text);
	code = trial(request, ret, err);
	json_decref(request);
	return code;
}

int trial_worker_main(void)
{
	static char text[TRIAL_REQUEST_MAX];
	json_t *answer = NULL;
	struct err err;
	size_t len;
	int code = sandbox_enter(&err);

	if (code == 0)
		code = sandbox_limit(TRIAL_SECONDS, &err);
	/*
	 * It compiles what a client sent, so that its code cannot be sealed; it needs no file at
	 * all.
	 */
	if (code == 0)
		code = sandbox_seal_trial(SANDBOX_TRIAL, -1, &err);
	if (code == 0) {
		len = fread(text, 1, sizeof(text), stdin);
		code = try_text(text, len, &answer, &err);
	}
	if (code == 0 && json_dumpf(answer, stdout, JSON_COMPACT) < 0)
		code = -EIO;
	else if (code)
		fputs(err.text, stdout);
	json_decref(answer);
	return fflush(stdout) != 0 || code ? EXIT_FAILURE : EXIT_SUCCESS;
}
