/*
 * What the kernel's filter behind the tap of an inline link says of a frame from the guest, asked
 * before the patterns are: so a frame that gets no further costs no search, and is no hit of a
 * rule.
 *
 * Edge: the program comes as a file of the agent. The kernel runs the same one at the link's egress
 * (netlink/tc_filter.h) and stays the one that decides: where the two differ for a moment, as when
 * a lease was learned, a frame has to pass both. A link without patterns leaves it to the kernel
 * alone.
 */
#ifndef TW_EGRESS_FILTER_H
#define TW_EGRESS_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/bpf_code.h"

/* Zero-initialised, it lets everything pass. */
struct egress_filter {
	struct bpf_op *ops;
	size_t n;
};

/*
 * Replaces the program by that of `fd`, of its start on. 0 or a negative errno, then it is as
 * before.
 */
int egress_filter_read(struct egress_filter *filter, int fd);
void egress_filter_done(struct egress_filter *filter);

bool egress_filter_passes(const struct egress_filter *filter, const uint8_t *frame, size_t len);

#endif
