/*
 * The folder where the agent and the QEMU of an inline link meet: run-dir/guests/LINK. Edge.
 *
 *   qemu.sock   stream: QEMU listens there (server=on); dgram: QEMU's own end
 *   relay.sock  dgram: the agent's end
 *
 * The folder belongs to the link's `owner`, as its tap does, and nobody else may enter. Whoever
 * that is could put anything there, so nothing is followed: what is connected to is a socket of
 * that owner or root, and on the other side of a stream is one of them.
 */
#ifndef TW_GUEST_DIR_H
#define TW_GUEST_DIR_H

#include <sys/types.h>

#include "agent/base/err.h"
#include "agent/base/link_types.h"

/* sun_path of sockaddr_un (unix(7)). */
#define GUEST_PATH_SIZE 108

enum guest_end {
	GUEST_END_QEMU,
	GUEST_END_RELAY,
	GUEST_ENDS
};

/* "qemu.sock" */
const char *guest_end_name(enum guest_end end);

struct guest_dir {
	const char *run_dir;
	const char *link;
	uid_t uid; /* who runs the guest */
	gid_t gid;
};

/* The name of an end; -ENAMETOOLONG with the text when unix(7) has no room for it. */
int guest_dir_path(const struct guest_dir *dir, enum guest_end end, char ret[GUEST_PATH_SIZE],
		   struct err *err);

/* The folder's own path, without the last part of guest_dir_path(). */
int guest_dir_name(const struct guest_dir *dir, char ret[GUEST_PATH_SIZE], struct err *err);

/* Makes the folder, or sets its owner and permissions right. 0 or a negative errno. */
int guest_dir_make(const struct guest_dir *dir, struct err *err);

/*
 * A non-blocking, close-on-exec socket connected to QEMU's end; for PEER_DGRAM bound to the relay's
 * end, in place of the one before. -ENOENT while QEMU is not there, -ECONNREFUSED while it does not
 * listen, -EPERM for something that is not to be trusted; else another negative errno.
 */
int guest_dir_dial(const struct guest_dir *dir, enum peer_kind kind, int *ret_fd, struct err *err);

#endif
