/*
 * A way into the receive path of a device: a tap of our own (tuntap.rst of the kernel), what is
 * written to which the device receives as if its wire had brought it. Nothing of that leaves by the
 * wire. Edge: opens /dev/net/tun.
 */
#ifndef TW_WIRE_TAP_H
#define TW_WIRE_TAP_H

#include <stdint.h>

#include "agent/base/err.h"

/*
 * A non-blocking fd to which whole frames are written, for the device `ifindex` of the caller's
 * network namespace; or -errno. The tap and all that was set on it live as long as the fd: a
 * process that is killed leaves nothing. It takes CAP_NET_ADMIN, and cls_bpf and act_mirred of the
 * kernel. What the device's own filters at ingress drop is dropped, too; what its driver or card
 * would is not.
 */
int wire_tap_open(uint32_t ifindex, struct err *err);

#endif
