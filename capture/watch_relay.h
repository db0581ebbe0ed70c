/* The part of watch.c that an inline link has: its relay, and the verdicts. Edge. */
#ifndef TW_WATCH_RELAY_H
#define TW_WATCH_RELAY_H

#include "capture/watch.h"

/* Takes the tap `fd`, also when this fails. 0 or a negative errno. */
int watch_relay_open(uv_loop_t *loop, struct watch *watch, int fd, const struct watch_conf *conf,
		     struct err *err);

/* A peer, or the file of what is in hand, taken over. 0 or a negative errno. */
int watch_relay_take(struct watch *watch, const struct ipc_link_fd *what, int fd, struct err *err);

#endif
