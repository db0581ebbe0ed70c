/* links: netlink/tc_filter.c netlink/anti_spoof.c netlink/hook_filter.c netlink/bpf_bound.c */
/* links: agent/base/bpf_code.c agent/base/link_types.c agent/base/parse.c agent/base/err.c */
/*
 * One netlink message as the kernel sends it: a qdisc, then a filter; what is read of a filter is
 * set again.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/tc_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_same(const struct bpf_code *a, const struct bpf_code *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->ops, b->ops, a->n * sizeof(*a->ops)) == 0);
}

/* A request to set a program has it as the answer to a question for it has. */
static void set_again(uint32_t ifindex, enum link_hook hook, const struct bpf_code *code)
{
	struct tc_batch batch = { 0 };
	struct bpf_code again = { 0 };
	enum link_hook hook_again;
	uint32_t ifindex_again;

	tc_set_filter(&batch, ifindex, hook, code->ops, code->n);
	must(!batch.failed && batch.n == 1);
	must(tc_parse_filter((const void *)batch.bytes, &ifindex_again, &hook_again, &again));
	must(ifindex_again == ifindex && hook_again == hook && is_same(&again, code));
	must(code->n == 0 || tc_hash(again.ops, again.n) == tc_hash(code->ops, code->n));
	bpf_code_done(&again);
	tc_batch_done(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpf_code code = { 0 };
	struct nlmsghdr *msg;
	struct link_tc tc;
	enum link_hook hook;
	uint32_t ifindex;

	if (size < sizeof(*msg) || size > UINT16_MAX)
		return 0;
	msg = malloc(size);
	if (!msg)
		return 0;
	memcpy(msg, data, size);
	/* The channel hands over only messages of which every byte is there. */
	msg->nlmsg_len = (uint32_t)size;
	msg->nlmsg_type = RTM_NEWQDISC;
	if (tc_parse_qdisc(msg, &ifindex, &tc))
		must(ifindex && tc.has_clsact != tc.has_ingress);
	msg->nlmsg_type = RTM_NEWTFILTER;
	tc_is_filter(msg);
	if (tc_parse_filter(msg, &ifindex, &hook, &code))
		set_again(ifindex, hook, &code);
	bpf_code_done(&code);
	free(msg);
	return 0;
}
