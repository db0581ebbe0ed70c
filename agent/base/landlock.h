/*
 * landlock(7) by its three system calls: no file of the host by name, no TCP, no signal and no
 * abstract socket out of the process. Edge: restricts the calling thread and those it starts.
 */
#ifndef TW_LANDLOCK_H
#define TW_LANDLOCK_H

#include "agent/base/err.h"

/* The version from which on all that the first comment says is held. */
#define LANDLOCK_ABI_WHOLE 6u

/*
 * From here on the process opens, makes and removes regular files below the directory `dir_fd`
 * alone (-1: nowhere), and what it has open it keeps. `ret_abi` is the kernel's version of
 * Landlock, 0 without it: then nothing is restricted. An older version restricts less: 3 cutting
 * files, 4 TCP, 5 ioctl(2) of devices, 6 signals and abstract sockets. PR_SET_NO_NEW_PRIVS must be
 * set. Returns 0 or a negative errno.
 */
int landlock_enter(int dir_fd, int *ret_abi, struct err *err);

/* The same, but below that directory it only reads files. */
int landlock_enter_reading(int dir_fd, int *ret_abi, struct err *err);

#endif
