#include "agent/look_job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/plan_look.h"

#define PLAN_VERB  "plan-look"
#define REACH_VERB "reach-look"

/* Paths are told from where the agent was started. */
#define HERE_FD 3

/* Of many patterns on a busy host; the web worker gives up then, too. */
#define LOOK_MS 10000u

/* Of what every process of a configuration reads: its text without comments. */
#define TEXT_MAX (4u << 20)

static int config_memfd(const struct config *config)
{
	struct buf text;
	int code;

	buf_init(&text, TEXT_MAX);
	code = config_write(config, CONFIG_FOR_AGENT, &text, NULL);
	if (code == 0)
		code = ipc_memfd("tapwarden-config", text.data, text.len);
	buf_done(&text);
	return code;
}

int look_job_start(struct agent *a, const struct ipc_request *request,
		   void (*done)(struct side_job *job, struct ipc_channel *web, int64_t status,
				int signal),
		   struct err *err)
{
	const bool reach = request->op == IPC_OP_REACH;
	struct side_job_conf conf = {
		.verb = reach ? REACH_VERB : PLAN_VERB,
		.uid = getuid(),
		.gid = getgid(),
		.request = request,
		.limit_ms = LOOK_MS,
		.count = &a->n_looks,
		.done = done,
	};
	int code;

	if (a->n_looks == LOOKS_MAX)
		return err_set(err, -EBUSY, "others look just now: try again");
	conf.in = reach ? config_memfd(a->setup.config)
			: ipc_memfd("tapwarden-path", a->path, strlen(a->path));
	conf.beside = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	code = conf.in < 0 ? conf.in : side_job_start(a, &conf);
	if (conf.in >= 0)
		close(conf.in);
	if (conf.beside >= 0)
		close(conf.beside);
	return code ? err_errno(err, code, "no process can be started for it") : 0;
}

/* ---- the process ----------------------------------------------------------------------------- */

static int look_at_file(json_t **ret, struct err *err)
{
	char path[PATH_MAX];
	ssize_t n = pread(STDIN_FILENO, path, sizeof(path) - 1, 0);

	if (n < 0 || fchdir(HERE_FD) < 0)
		return err_errno(err, -errno, "it is not told which file to look at");
	path[n] = '\0';
	return plan_look(path, ret, err);
}

static int look_at_reach(json_t **ret, struct err *err)
{
	struct faults faults = { 0 };
	struct config *config;
	int code = config_load_fd(STDIN_FILENO, &config, &faults);

	faults_done(&faults);
	if (code)
		return err_errno(err, code, "the running configuration cannot be read");
	code = reach_look(config, ret, err);
	config_free(config);
	return code;
}

int look_job_main(const char *verb)
{
	json_t *answer = NULL;
	struct err err = { "" };
	int code = strcmp(verb, REACH_VERB) == 0 ? look_at_reach(&answer, &err)
						 : look_at_file(&answer, &err);

	if (!answer)
		fputs(err.text, stdout);
	else if (json_dumpf(answer, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER) < 0)
		code = -EIO;
	json_decref(answer);
	if (fflush(stdout) != 0)
		code = -EIO;
	if (code == -EBADMSG)
		return SIDE_JOB_FAULTS;
	return code ? SIDE_JOB_REFUSED : SIDE_JOB_ANSWERED;
}
