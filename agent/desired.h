/* The links of a configuration as specs for netlink/, with every automatic MAC decided. */
#ifndef TW_DESIRED_H
#define TW_DESIRED_H

#include <stddef.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/leases.h"
#include "netlink/link_spec.h"

#define HOST_ID_MAX 256

/*
 * What makes automatic MACs differ from host to host and stay the same on one: /etc/machine-id
 * (machine-id(5)), or the host name on a machine without one.
 */
void desired_host_id(char ret[HOST_ID_MAX]);

/*
 * In the order of config_links(). An automatic MAC is made of host id, set and link name: FNV-1a
 * of 64 bits with a final mix, locally administered, or the set's mac-prefix and 24 bits. One that
 * another link of the configuration has is hashed again with a counter; links are served in their
 * order, given MACs first, so that the result depends on the configuration alone. The caller frees
 * the array, and with it the filters that the specs point to. Returns 0, -ENOSPC when a mac-prefix
 * has no address left, or another negative errno.
 */
int desired_links(const struct config *config, const char *host_id, struct link_spec **ret,
		  size_t *ret_n, struct err *err);

/*
 * Gives the spec the leases that it has by `now` (CLOCK_REALTIME, seconds), and makes its programs
 * anew when they changed. Returns whether they did, or a negative errno.
 */
int desired_learn(struct link_spec *spec, const struct leases *leases, int64_t now,
		  struct err *err);

#endif
