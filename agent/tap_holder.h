/* Who holds a tap: the processes with an open descriptor of its device. Edge: walks /proc. */
#ifndef TW_TAP_HOLDER_H
#define TW_TAP_HOLDER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TAP_COMM_MAX 17 /* TASK_COMM_LEN and room for NUL */
#define TAP_VM_MAX   64

struct tap_holder {
	dev_t dev; /* in: the device asked about */
	uint32_t ifindex; /* in: the caller's, kept */
	pid_t pid; /* the first holder found; 0: nobody that this process can see */
	char comm[TAP_COMM_MAX]; /* its name as in /proc/PID/comm, control bytes replaced */
	char vm[TAP_VM_MAX]; /* what -name of its command line calls it, as QEMU takes it; or "" */
	unsigned int processes; /* how many hold it */
	unsigned int fds; /* queues they have open together */
};

/* Whose taps are meant to be theirs; 0: nobody's. */
struct tap_skip {
	pid_t self, agent;
};

/*
 * Fills in the holders of all `n` devices in one walk over /proc, and orders them by device. The
 * processes of `skip` (0: none) and their children do not count, nor does a descriptor whose link
 * is gone, where that can be asked (pidfd_getfd(2)). Processes in other pid namespaces, or of other
 * users when not root, are not seen. Returns 0 or -errno when /proc cannot be read.
 */
int tap_holders_find(struct tap_holder *holders, size_t n, struct tap_skip skip);

#endif
