/*
 * The words of a command that is to run a guest on a tap: placeholders in braces become what
 * qemu-system(1) wants to be told of the open queues. Pure.
 *
 *   {netdev}    the value of -netdev: tap,id=web01,fds=3:4,vhost=on,vhostfds=5:6, or of an inline
 *               link stream,id=web01,server=on,addr.type=unix,addr.path=.../guests/web01/qemu.sock
 *   {device}    the value of -device: virtio-net-pci,netdev=web01,mac=...,mq=on,vectors=6
 *   {fds} {vhostfds} {mac} {queues} {link}    their parts
 *
 * A placeholder is an opening brace, letters and a closing brace. Other braces, as those of JSON,
 * and ${NAME} of a shell are left as they are.
 */
#ifndef TW_QEMU_ARGS_H
#define TW_QEMU_ARGS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/link_types.h"
#include "agent/base/parse.h"

/* macvtap has no more (MAX_TAP_QUEUES of linux/if_tap.h). */
#define QEMU_QUEUES_MAX 256

/* sun_path of sockaddr_un (unix(7)). */
#define QEMU_PATH_SIZE 108

struct qemu_tap {
	char link[IFNAME_SIZE];
	uint32_t ifindex;
	uint8_t mac[MAC_LEN];
	unsigned int queues;
	int fds[QEMU_QUEUES_MAX]; /* one per queue */
	int vhost_fds[QEMU_QUEUES_MAX];
	bool vhost; /* whether vhost_fds are there */
	bool in_path; /* an inline link: there are no descriptors, but these */
	enum peer_kind peer;
	char here[QEMU_PATH_SIZE], there[QEMU_PATH_SIZE]; /* the socket of QEMU, and of the relay */
	pid_t agent; /* that runs on the configuration; 0: none */
};

/*
 * Whether the words, of which the last is followed by NULL, can be made at all: -EINVAL for a
 * placeholder that does not exist, and when no word says which descriptors the tap has.
 */
int qemu_args_check(char *const *words, struct err *err);

/*
 * The words with every placeholder replaced, NULL behind the last; freed by qemu_args_free().
 * -EINVAL as qemu_args_check(), and for {vhostfds} without vhost or {fds} of an inline link;
 * -ENOMEM.
 */
int qemu_args_make(char *const *words, const struct qemu_tap *tap, char ***ret, struct err *err);
void qemu_args_free(char **args);

/* Appends the words as one line that sh(1) would read as them. */
void qemu_args_quote(char *const *args, struct buf *out);

#endif
