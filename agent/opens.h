/* What the agent opens for its workers, besides taps and packet sockets. Edge. */
#ifndef TW_OPENS_H
#define TW_OPENS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/base/ipc_msg.h"

/* Connections that wait while the web worker is being restarted. */
#define LISTEN_BACKLOG 128

/*
 * The log directory as an O_DIRECTORY fd that the caller closes. Made when missing, told by
 * `ret_made`; given to `uid` (0750) when new, or empty and root's. Of another owner: -EPERM, since
 * the worker could not write.
 */
int open_log_dir(const char *path, uid_t uid, gid_t gid, int *ret_fd, bool *ret_made,
		 struct err *err);

struct listener {
	const struct host_port *address; /* of a TCP socket; the configuration's */
	int fd;
	struct ipc_listen message;
};

struct listeners {
	struct listener *list;
	size_t n;
};

/*
 * Every listening socket the configuration asks for: the API's in run-dir and each boot-listen
 * address. Those that `old` has are shared with it, so that no connection is refused during a
 * reload.
 */
int open_listeners(const struct config *config, const struct listeners *old, struct listeners *ret,
		   struct err *err);

/* The API's socket is gone from run-dir: nobody can be let in by it, and it is not shared again. */
void listeners_forget_api(struct listeners *listeners);
void listeners_done(struct listeners *listeners);

#endif
