/*
 * The program of a link's egress hook as a file, for the capture worker that relays the link. Edge.
 */
#ifndef TW_SOURCE_FILTER_H
#define TW_SOURCE_FILTER_H

#include <stdint.h>

#include "agent/base/ipc.h"
#include "netlink/link_spec.h"

struct source_filter {
	int fd; /* sealed memfd of struct bpf_op; -1: none was made yet */
	uint64_t hash; /* link_spec.programs[] of it */
};

/*
 * Makes the program that the spec has now, unless it is there; without one, an empty file. Returns
 * 1 when it is another than before, 0, or a negative errno with what was there left as it was.
 */
int source_filter_set(struct source_filter *filter, const struct link_spec *spec, struct err *err);

/* To the worker that relays the link at `slot`, if there is a program. */
void source_filter_tell(const struct source_filter *filter, uint32_t slot,
			struct ipc_channel *channel);

/* Closes it; one that has none is left as it is. */
void source_filter_done(struct source_filter *filter);

#endif
