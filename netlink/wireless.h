/*
 * Whether a network device is a wireless one: the kernel's rtnetlink does not tell, sysfs does.
 * Edge.
 */
#ifndef TW_WIRELESS_H
#define TW_WIRELESS_H

#include <stdbool.h>
#include <stdint.h>

#define WIRELESS_SYSFS "/sys/class/net"

/*
 * By the links that cfg80211 (phy80211) and the older wireless extensions (wireless) put into the
 * device's folder below `sysfs`. False as well when that is another device than `ifindex`, as when
 * /sys was mounted in another network namespace.
 */
bool is_wireless(const char *sysfs, const char *name, uint32_t ifindex);

#endif
