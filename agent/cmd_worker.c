/* The hidden verbs that the agent starts its workers by; the channel is fd 3. */
#include "agent/cli.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/look_job.h"
#include "agent/plan_worker.h"
#include "capture/trial_worker.h"
#include "capture/worker.h"
#include "web/worker.h"

#define WORKER_CHANNEL_FD 3

int cmd_worker(int argc, char **argv)
{
	socklen_t len = sizeof(int);
	int type = 0;

	(void)argc;
	if (getsockopt(WORKER_CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		fprintf(stderr, "tapwarden: %s is started by the agent alone: `tapwarden run`\n",
			argv[0]);
		return CLI_BAD;
	}
	/* It was started as /proc/self/exe, and ps(1) would call it "exe". */
	if (strcmp(argv[0], "capture-worker") == 0) {
		prctl(PR_SET_NAME, "tapwarden-cap");
		return capture_worker_main(WORKER_CHANNEL_FD);
	}
	prctl(PR_SET_NAME, "tapwarden-web");
	return web_worker_main(WORKER_CHANNEL_FD);
}

int cmd_trial(int argc, char **argv)
{
	(void)argc;
	if (isatty(STDIN_FILENO)) {
		fprintf(stderr, "tapwarden: %s is started by the agent alone: `tapwarden run`\n",
			argv[0]);
		return CLI_BAD;
	}
	if (strcmp(argv[0], "plan-look") == 0 || strcmp(argv[0], "reach-look") == 0) {
		prctl(PR_SET_NAME, "tapwarden-look");
		return look_job_main(argv[0]);
	}
	if (strcmp(argv[0], "plan-worker") == 0) {
		prctl(PR_SET_NAME, "tapwarden-plan");
		return plan_worker_main();
	}
	prctl(PR_SET_NAME, "tapwarden-try");
	return trial_worker_main();
}
