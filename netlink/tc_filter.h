/*
 * The filters of a link in the kernel: the program that each of its hooks should have, and the
 * messages of rtnetlink(7) about them. Pure.
 *
 * Each is a cls_bpf filter with a direct-action classic BPF program (tc-bpf(8)) at the clsact qdisc
 * of the link: what a guest sends is seen at egress, by whatever program holds the tap. Ours has a
 * preference and a handle of its own, by which it is known on a link of ours: those of others on
 * the same hook are never touched, and get every frame that ours lets pass.
 */
#ifndef TW_TC_FILTER_H
#define TW_TC_FILTER_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/bpf_code.h"
#include "agent/base/err.h"
#include "netlink/link_spec.h"
#include "netlink/link_state.h"

/*
 * The first that is asked (the lowest preference), so that no other can let through what ours
 * drops.
 */
#define TC_PREFERENCE 1
#define TC_HANDLE     0x7477

/* An empty chain of filters, which no frame goes to, marks the clsact that is ours. */
#define TC_CHAIN 0x7477

/*
 * Replaces the content of `ret` by the program of one hook; empty when none is wanted. Returns 0,
 * -EINVAL with the reason when the kernel could not run it, or another negative errno.
 */
int tc_program(const struct link_spec *spec, enum link_hook hook, struct bpf_code *ret,
	       struct err *err);

/* FNV-1a of 64 bits; never 0. */
uint64_t tc_hash(const struct bpf_op *ops, size_t n);

/* Requests, one behind the other, each with room for its sequence number. Zero-initialise. */
struct tc_batch {
	unsigned char *bytes;
	size_t len;
	size_t cap;
	size_t n; /* messages */
	bool failed; /* no memory: the batch must not be sent */
};

void tc_batch_reset(struct tc_batch *batch);
void tc_batch_done(struct tc_batch *batch);

/* One that is there already is as good as made. */
void tc_add_clsact(struct tc_batch *batch, uint32_t ifindex);
void tc_delete_clsact(struct tc_batch *batch, uint32_t ifindex);

/* Says that the clsact is ours; takes that back, which is -EINVAL where it was not said. */
void tc_mark_clsact(struct tc_batch *batch, uint32_t ifindex);
void tc_unmark_clsact(struct tc_batch *batch, uint32_t ifindex);

/* Makes ours, or puts another program in its place without a moment between (cls_bpf_change()). */
void tc_set_filter(struct tc_batch *batch, uint32_t ifindex, enum link_hook hook,
		   const struct bpf_op *ops, size_t n);
void tc_delete_filter(struct tc_batch *batch, uint32_t ifindex, enum link_hook hook);

/*
 * What comes in by the link `ifindex` is received by the link `to` instead, as if it had come in by
 * that one (tc-mirred(8)). The link has a clsact.
 */
void tc_add_redirect(struct tc_batch *batch, uint32_t ifindex, uint32_t to);

/* Asks for ours: the answer is RTM_NEWTFILTER, or -ENOENT. */
void tc_get_filter(struct tc_batch *batch, uint32_t ifindex, enum link_hook hook);

/* A dump of every qdisc of the namespace, and of every filter at one hook. */
void tc_dump_qdiscs(struct tc_batch *batch);
void tc_dump_filters(struct tc_batch *batch, uint32_t ifindex, enum link_hook hook);

/*
 * Of RTM_NEWQDISC: true for a clsact or an ingress, with its link and what it says of its `tc`.
 * False too for a message that is not as the kernel makes it.
 */
bool tc_parse_qdisc(const struct nlmsghdr *msg, uint32_t *ret_ifindex, struct link_tc *ret);

/* Of RTM_NEWTFILTER: true for ours, with its program in place of the content of `ret_code`. */
bool tc_parse_filter(const struct nlmsghdr *msg, uint32_t *ret_ifindex, enum link_hook *ret_hook,
		     struct bpf_code *ret_code);

/* Of RTM_NEWTFILTER: whether it is a filter at all, and not the head of a group of them. */
bool tc_is_filter(const struct nlmsghdr *msg);

#endif
