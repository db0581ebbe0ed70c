#include "agent/plan_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "agent/base/pcap_lib.h"
#include "agent/base/plural.h"
#include "agent/base/sandbox.h"
#include "agent/plan_look.h"
#include "agent/side_job.h"

#define HOLDERS_FD  3
#define CPU_SECONDS 4

/* The agent's own list; it is of the same program. */
static int read_holders(struct held_taps *held, struct err *err)
{
	struct stat st;
	ssize_t n;

	if (fstat(HOLDERS_FD, &st) < 0 || st.st_size < 0 ||
	    (size_t)st.st_size % sizeof(*held->list) != 0)
		return err_set(err, -EBADMSG, "it is not told who holds the taps");
	held->list = calloc(1, (size_t)st.st_size + 1);
	if (!held->list)
		return err_errno(err, -ENOMEM, "cannot keep who holds the taps");
	n = pread(HOLDERS_FD, held->list, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return err_set(err, -EIO, "cannot read who holds the taps");
	held->n = (size_t)n / sizeof(*held->list);
	held->known = true;
	return 0;
}

/*
 * What is left when the text comes: no capability, no file but those of /etc that everybody may
 * read, for the numbers of users and groups, the netlink socket that is open, and few system calls.
 */
static int give_up(struct reconcile_means *means, struct err *err)
{
	int etc = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC), code = pcap_lib_load(err);

	if (code == 0)
		code = sandbox_enter(err);
	if (code == 0)
		code = sandbox_limit(CPU_SECONDS, err);
	if (code == 0)
		code = reconcile_prepare(means, err);
	if (code == 0)
		code = sandbox_seal_trial(SANDBOX_PLAN, etc, err);
	if (etc >= 0)
		close(etc);
	return code;
}

static int plan_of(const struct config *config, const struct reconcile_means *means,
		   struct held_taps *held, json_t **ret, struct err *err)
{
	const struct link_plan *plan;
	struct reconcile *reconcile;
	int code = reconcile_open_prepared(config, means, &reconcile, err);

	if (code)
		return code;
	code = reconcile_plan_held(reconcile, held, &plan, err);
	if (code == 0)
		*ret = plan_json(reconcile, plan);
	reconcile_free(reconcile);
	return code;
}

/* -EBADMSG with the faults in `ret`. */
static int plan_text(const struct reconcile_means *means, struct held_taps *held, json_t **ret,
		     struct err *err)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	int code = config_load_fd(STDIN_FILENO, &config, &faults);

	if (code) {
		code = err_set(err, -EBADMSG, "%zu fault%s in what was sent",
			       faults.n + faults.n_dropped,
			       plural(faults.n + faults.n_dropped, "", "s"));
		*ret = plan_faults_json(&faults, err->text);
	} else {
		code = plan_of(config, means, held, ret, err);
	}
	config_free(config);
	faults_done(&faults);
	return code;
}

int plan_worker_main(void)
{
	struct reconcile_means means = { .home = -1 };
	struct held_taps held = { 0 };
	json_t *answer = NULL;
	struct err err = { "" };
	int code = give_up(&means, &err);

	if (code == 0)
		code = read_holders(&held, &err);
	if (code == 0)
		code = plan_text(&means, &held, &answer, &err);
	held_taps_done(&held);
	if (answer && json_dumpf(answer, stdout, JSON_COMPACT) < 0)
		code = -EIO;
	else if (!answer)
		fputs(err.text, stdout);
	json_decref(answer);
	if (fflush(stdout) != 0)
		return SIDE_JOB_REFUSED;
	if (code == -EBADMSG)
		return SIDE_JOB_FAULTS;
	return code || !answer ? SIDE_JOB_REFUSED : SIDE_JOB_ANSWERED;
}
