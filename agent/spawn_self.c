#include "agent/spawn_self.h"

#include <stdio.h>
#include <stdlib.h>

int spawn_self(uv_loop_t *loop, uv_process_t *process, const struct spawn_self *self)
{
	char *args[] = { "tapwarden", (char *)self->verb, NULL };
	const char *journal = getenv("JOURNAL_STREAM");
	char journal_env[256];
	/*
	 * By which its log knows that the journal reads it; nothing else of ours is its business.
	 */
	char *env[] = { NULL, NULL };
	uv_stdio_container_t stdio[SPAWN_FDS] = { 0 };
	uv_process_options_t options = {
		.exit_cb = self->exited,
		/* The file that runs, even when an upgrade has put another in its place. */
		.file = "/proc/self/exe",
		.args = args,
		.env = env,
		.cwd = "/",
		/* A session of its own: signals from a terminal or to the group are the agent's. */
		.flags = UV_PROCESS_SETUID | UV_PROCESS_SETGID | UV_PROCESS_DETACHED,
		.stdio_count = SPAWN_FDS,
		.stdio = stdio,
		.uid = self->uid,
		.gid = self->gid,
	};

	for (size_t i = 0; i < SPAWN_FDS; i++) {
		stdio[i].flags = self->fds[i] < 0 ? UV_IGNORE : UV_INHERIT_FD;
		stdio[i].data.fd = self->fds[i];
	}
	if (journal) {
		snprintf(journal_env, sizeof(journal_env), "JOURNAL_STREAM=%s", journal);
		env[0] = journal_env;
	}
	return uv_spawn(loop, process, &options);
}
