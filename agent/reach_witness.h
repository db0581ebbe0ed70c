/*
 * Frames of which a filter may say something else than of the plain one: each kind, with the ports
 * that are among the numbers it compares with. Pure.
 */
#ifndef TW_REACH_WITNESS_H
#define TW_REACH_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/bpf_code.h"
#include "agent/reach_frame.h"

#define REACH_TRIED_PORTS 64

struct reach_tries {
	uint16_t ports[REACH_TRIED_PORTS];
	size_t n_ports;
	size_t next; /* of kinds times ports */
};

void reach_tries_begin(struct reach_tries *tries, const struct bpf_code *one,
		       const struct bpf_code *other);

/* False at the end. */
bool reach_tries_next(struct reach_tries *tries, enum reach_kind *ret_kind, uint16_t *ret_port);

#endif
