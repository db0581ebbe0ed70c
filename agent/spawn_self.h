/* This program once more, as a process of another user. Edge: forks. */
#ifndef TW_SPAWN_SELF_H
#define TW_SPAWN_SELF_H

#include <sys/types.h>
#include <uv.h>

/* Its descriptors 0 to 3: one of ours, or -1 for none, which is /dev/null below 3. */
#define SPAWN_FDS 4

struct spawn_self {
	const char *verb; /* its only argument */
	uid_t uid;
	gid_t gid;
	int fds[SPAWN_FDS];
	uv_exit_cb exited;
};

/* 0 or an error of libuv, which has put `process` into the loop also then: it is to be closed. */
int spawn_self(uv_loop_t *loop, uv_process_t *process, const struct spawn_self *self);

#endif
