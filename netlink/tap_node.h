/*
 * The character device of a macvtap. Edge.
 *
 * /dev/tapN is named after the ifindex, which repeats in every network namespace, while devtmpfs is
 * one for all: the path may be another guest's tap. The truth is the device number in the sysfs of
 * the link's namespace, so that is what is opened, through a node of our own.
 */
#ifndef TW_TAP_NODE_H
#define TW_TAP_NODE_H

#include <stdint.h>
#include <sys/types.h>

#include "agent/base/err.h"
#include "agent/base/parse.h"

#define TAP_PATH_MAX 32

/*
 * The device number of the tap of link `name`. -ESTALE when /sys/class/net/NAME is another link
 * than `ifindex`, as when /sys was mounted in another network namespace; -ENOENT without a tap.
 */
int tap_node_dev(const char *name, uint32_t ifindex, dev_t *ret, struct err *err);

/*
 * Opens the tap read-write, non-blocking, close-on-exec. Every open is a queue that takes its share
 * of the frames until it is closed (macvtap_open()). Device number and interface name of the opened
 * fd are checked: -ESTALE when they are not those of the link.
 */
int tap_node_open(const char *name, uint32_t ifindex, int *ret_fd, struct err *err);

/* "/dev/tapN" when that node has the device number `dev`, else "". */
void tap_node_path(uint32_t ifindex, dev_t dev, char ret[TAP_PATH_MAX]);

#endif
