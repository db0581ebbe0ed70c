/*
 * What a filter of bpf_compile() can say of frames of which only some bits are known, as of all
 * that go from one MAC to another: whether every one matches, none, or it depends on what is in
 * them. Pure.
 */
#ifndef TW_BPF_BOUND_H
#define TW_BPF_BOUND_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/bpf_code.h"
#include "agent/base/parse.h"

/* Of a frame's destination, source and ethertype; a bit that is not in `mask` may be anything. */
#define BPF_KNOWN_TYPE (2 * MAC_LEN)
#define BPF_KNOWN_LEN  (BPF_KNOWN_TYPE + 2)

struct bpf_known {
	uint8_t value[BPF_KNOWN_LEN];
	uint8_t mask[BPF_KNOWN_LEN];
};

enum bpf_bound {
	BPF_MATCHES_SOME, /* or it could not be told */
	BPF_MATCHES_ALL,
	BPF_MATCHES_NONE,
	BPF_BOUNDS
};

/*
 * ALL and NONE are certain, of frames that are long enough for what the program reads; SOME is not:
 * what two tests say together is not thought through. A program that bpf_check_classic() refuses is
 * SOME, as is one without memory for it.
 */
enum bpf_bound bpf_bound(const struct bpf_op *ops, size_t n, const struct bpf_known *known);

#endif
