/* Tells when a process that is no child of ours has ended, by pidfd_open(2). Edge. */
#ifndef TW_PID_WATCH_H
#define TW_PID_WATCH_H

#include <sys/types.h>
#include <uv.h>

struct pid_watch;

/*
 * Calls `ended` once, from the loop. 0 or a negative errno; -ESRCH when there is no such process
 * any more. The loop frees the watch some time after pid_watch_stop().
 */
int pid_watch_start(uv_loop_t *loop, pid_t pid, void (*ended)(void *data), void *data,
		    struct pid_watch **ret);

/* No callback after this. NULL is nothing. */
void pid_watch_stop(struct pid_watch *watch);

#endif
