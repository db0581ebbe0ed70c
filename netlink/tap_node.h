/*
 * The character device of a macvtap. Edge.
 *
 * /dev/tapN is named after the ifindex, which repeats in every network namespace, while devtmpfs is
 * one for all: the path may be another guest's tap. The truth is the device number in the sysfs of
 * the link's namespace, so that is what is opened, through a node of our own.
 */
#ifndef TW_TAP_NODE_H
#define TW_TAP_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/err.h"
#include "agent/base/parse.h"
#include "netlink/tap_rights.h"

/*
 * The device number of the tap of link `name`. -ESTALE when /sys/class/net/NAME is another link
 * than `ifindex`, as when /sys was mounted in another network namespace; -ENOENT without a tap.
 */
int tap_node_dev(const char *name, uint32_t ifindex, dev_t *ret, struct err *err);

/*
 * Opens the tap read-write, non-blocking, close-on-exec: through a node of our own, or, by whoever
 * may not make one, through /dev/tapN where that is the link's. Every open is a queue that takes
 * its share of the frames until it is closed (macvtap_open()). Device number and interface name of
 * the opened fd are checked: -ESTALE when they are not those of the link.
 */
int tap_node_open(const char *name, uint32_t ifindex, int *ret_fd, struct err *err);

/* Removes the nodes of our own that processes left which were killed while they opened a tap. */
void tap_node_sweep(void);

/* Whether /dev/tapN is absent or has the owner and permissions that the kernel gives. */
bool tap_node_is_kernels(uint32_t ifindex);

/* What is at /dev/tapN, where the tap with the device number `dev` should be. */
void tap_node_look(uint32_t ifindex, dev_t dev, struct tap_node *ret);

/*
 * Gives /dev/tapN owner and permissions, when it is the node of this link. -EXDEV when it is
 * another link's, -ENXIO when there is none; else as tap_node_dev(), or what chown(2) and chmod(2)
 * say.
 */
int tap_node_set_rights(const char *name, uint32_t ifindex, const struct tap_rights *rights);

#endif
