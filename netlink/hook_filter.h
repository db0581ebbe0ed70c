/*
 * A program over the frame on the wire, as bpf_compile() makes it, for a clsact hook. Pure.
 *
 * There the kernel may have taken the outer VLAN tag out of the bytes (skb_vlan_untag(), and a VLAN
 * device that leaves it to the card), so the program is there twice: for a frame without a tag
 * beside it, and for one with, where each load is of the frame as if the tag were in its place. An
 * offset that is computed, begins in the Ethernet header, and comes to lie on a byte of that tag is
 * taken for one outside the frame: no match.
 */
#ifndef TW_HOOK_FILTER_H
#define TW_HOOK_FILTER_H

#include "agent/base/bpf_code.h"
#include "agent/base/err.h"

/*
 * Appends to `code`: what does not match is dropped, and else it goes on behind its end. Returns 0,
 * or -EINVAL with the reason for a program that cannot be had so; a failure of `code` itself is
 * left in it.
 */
int hook_filter_add(struct bpf_code *code, const struct bpf_op *ops, size_t n, struct err *err);

#endif
