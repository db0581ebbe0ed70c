#include "netlink/tc_filter.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hash.h"
#include "netlink/anti_spoof.h"
#include "netlink/attr_list.h"
#include "netlink/bpf_emit.h"
#include "netlink/hook_filter.h"

/* Headers and the attributes beside the program. */
#define ROOM 256

#define KIND_BPF     "bpf"
#define KIND_CLSACT  "clsact"
#define KIND_INGRESS "ingress"
#define KIND_MIRRED  "mirred"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ETH_P_ALL_BE ((uint32_t)ETH_P_ALL << 8)
#else
#define ETH_P_ALL_BE ((uint32_t)ETH_P_ALL)
#endif

/* In network order behind the preference (TC_H_MAKE(prio << 16, protocol)): every protocol. */
#define FILTER_INFO ((uint32_t)TC_PREFERENCE << 16 | ETH_P_ALL_BE)

_Static_assert(sizeof(struct bpf_op) == sizeof(struct sock_filter), "one layout");

static const uint32_t parents[LINK_HOOKS] = {
	[LINK_HOOK_FROM_GUEST] = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
	[LINK_HOOK_TO_GUEST] = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
};

/* ---- programs ---- */

static int fill_program(const struct link_spec *spec, enum link_hook hook, struct bpf_code *code,
			struct err *err)
{
	const struct link_filter *filter = &spec->filters[hook];
	int error = 0;

	if (hook == LINK_HOOK_FROM_GUEST)
		anti_spoof_add(code, spec->anti_spoof, spec->mac, &spec->addresses);
	if (filter->n)
		error = hook_filter_add(code, filter->ops, filter->n, err);
	if (!error && code->n)
		emit_pass(code);
	if (!error && code->error == -E2BIG)
		error = err_set(err, -EINVAL,
				"the kernel cannot run it: it takes more than %d instructions",
				BPF_CODE_MAX);
	else if (!error && code->error)
		error = err_errno(err, code->error, "could not make a filter");
	return error;
}

int tc_program(const struct link_spec *spec, enum link_hook hook, struct bpf_code *ret,
	       struct err *err)
{
	int error;

	bpf_code_reset(ret);
	error = fill_program(spec, hook, ret, err);
	if (error)
		bpf_code_reset(ret);
	return error;
}

uint64_t tc_hash(const struct bpf_op *ops, size_t n)
{
	const uint64_t hash = hash_bytes(HASH_INIT, ops, n * sizeof(*ops));

	return hash ? hash : 1;
}

/* ---- requests ---- */

void tc_batch_reset(struct tc_batch *batch)
{
	batch->len = 0;
	batch->n = 0;
	batch->failed = false;
}

void tc_batch_done(struct tc_batch *batch)
{
	free(batch->bytes);
	*batch = (struct tc_batch){ 0 };
}

static bool make_room(struct tc_batch *batch, size_t size)
{
	size_t cap = batch->cap ? batch->cap : 4096;
	unsigned char *bytes;

	while (cap - batch->len < size)
		cap *= 2;
	if (cap == batch->cap)
		return true;
	bytes = realloc(batch->bytes, cap);
	if (!bytes) {
		batch->failed = true;
		return false;
	}
	batch->bytes = bytes;
	batch->cap = cap;
	return true;
}

static struct nlmsghdr *start(struct tc_batch *batch, uint16_t type, uint16_t flags,
			      const struct tcmsg *about, size_t payload)
{
	struct nlmsghdr *h;
	struct tcmsg *tc;

	if (batch->failed || !make_room(batch, ROOM + payload))
		return NULL;
	memset(batch->bytes + batch->len, 0, ROOM);
	h = mnl_nlmsg_put_header(batch->bytes + batch->len);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	tc = mnl_nlmsg_put_extra_header(h, sizeof(*tc));
	*tc = *about;
	return h;
}

static void finish(struct tc_batch *batch, const struct nlmsghdr *h)
{
	batch->len += attr_align(h->nlmsg_len);
	batch->n++;
}

static void add_kind(struct tc_batch *batch, uint16_t type, uint16_t flags,
		     const struct tcmsg *about, const char *kind)
{
	struct nlmsghdr *h = start(batch, type, flags, about, 0);

	if (!h)
		return;
	mnl_attr_put_strz(h, TCA_KIND, kind);
	finish(batch, h);
}

static struct tcmsg about_clsact(uint32_t ifindex)
{
	return (struct tcmsg){
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = TC_H_CLSACT,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
	};
}

static struct tcmsg about_filter(uint32_t ifindex, enum link_hook hook)
{
	return (struct tcmsg){
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = parents[hook],
		.tcm_handle = TC_HANDLE,
		.tcm_info = FILTER_INFO,
	};
}

void tc_add_clsact(struct tc_batch *batch, uint32_t ifindex)
{
	const struct tcmsg about = about_clsact(ifindex);

	add_kind(batch, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE, &about, KIND_CLSACT);
}

void tc_delete_clsact(struct tc_batch *batch, uint32_t ifindex)
{
	const struct tcmsg about = about_clsact(ifindex);

	add_kind(batch, RTM_DELQDISC, NLM_F_ACK, &about, KIND_CLSACT);
}

static void add_chain(struct tc_batch *batch, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	const struct tcmsg about = {
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = parents[LINK_HOOK_TO_GUEST],
	};
	struct nlmsghdr *h = start(batch, type, NLM_F_ACK | flags, &about, 0);

	if (!h)
		return;
	mnl_attr_put_u32(h, TCA_CHAIN, TC_CHAIN);
	finish(batch, h);
}

void tc_mark_clsact(struct tc_batch *batch, uint32_t ifindex)
{
	add_chain(batch, RTM_NEWCHAIN, NLM_F_CREATE, ifindex);
}

void tc_unmark_clsact(struct tc_batch *batch, uint32_t ifindex)
{
	add_chain(batch, RTM_DELCHAIN, 0, ifindex);
}

/* One whose options are to follow. */
static struct nlmsghdr *start_filter(struct tc_batch *batch, uint32_t ifindex, enum link_hook hook,
				     size_t payload, struct nlattr **ret_options)
{
	const struct tcmsg about = about_filter(ifindex, hook);
	struct nlmsghdr *h =
		start(batch, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE, &about, payload);

	if (h) {
		mnl_attr_put_strz(h, TCA_KIND, KIND_BPF);
		*ret_options = mnl_attr_nest_start(h, TCA_OPTIONS);
	}
	return h;
}

static void add_program(struct nlmsghdr *h, const struct bpf_op *ops, size_t n)
{
	mnl_attr_put_u16(h, TCA_BPF_OPS_LEN, (uint16_t)n);
	mnl_attr_put(h, TCA_BPF_OPS, n * sizeof(*ops), ops);
}

void tc_set_filter(struct tc_batch *batch, uint32_t ifindex, enum link_hook hook,
		   const struct bpf_op *ops, size_t n)
{
	struct nlattr *options;
	struct nlmsghdr *h = start_filter(batch, ifindex, hook, n * sizeof(*ops), &options);

	if (!h)
		return;
	mnl_attr_put_u32(h, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	add_program(h, ops, n);
	mnl_attr_nest_end(h, options);
	finish(batch, h);
}

void tc_add_redirect(struct tc_batch *batch, uint32_t ifindex, uint32_t to)
{
	/* Whatever it is: -1 stands for the filter's own class (cls_bpf_classify()). */
	static const struct bpf_op all = { .code = BPF_RET | BPF_K, .k = UINT32_MAX };
	const struct tc_mirred mirred = {
		.action = TC_ACT_STOLEN,
		.eaction = TCA_INGRESS_REDIR,
		.ifindex = to,
	};
	struct nlattr *options, *actions, *action, *parameters;
	struct nlmsghdr *h =
		start_filter(batch, ifindex, LINK_HOOK_TO_GUEST, sizeof(all), &options);

	if (!h)
		return;
	add_program(h, &all, 1);
	actions = mnl_attr_nest_start(h, TCA_BPF_ACT);
	action = mnl_attr_nest_start(h, 1);
	mnl_attr_put_strz(h, TCA_ACT_KIND, KIND_MIRRED);
	parameters = mnl_attr_nest_start(h, TCA_ACT_OPTIONS);
	mnl_attr_put(h, TCA_MIRRED_PARMS, sizeof(mirred), &mirred);
	mnl_attr_nest_end(h, parameters);
	mnl_attr_nest_end(h, action);
	mnl_attr_nest_end(h, actions);
	mnl_attr_nest_end(h, options);
	finish(batch, h);
}

void tc_delete_filter(struct tc_batch *batch, uint32_t ifindex, enum link_hook hook)
{
	const struct tcmsg about = about_filter(ifindex, hook);

	add_kind(batch, RTM_DELTFILTER, NLM_F_ACK, &about, KIND_BPF);
}

void tc_get_filter(struct tc_batch *batch, uint32_t ifindex, enum link_hook hook)
{
	const struct tcmsg about = about_filter(ifindex, hook);

	add_kind(batch, RTM_GETTFILTER, 0, &about, KIND_BPF);
}

static void add_dump(struct tc_batch *batch, uint16_t type, const struct tcmsg *about)
{
	struct nlmsghdr *h = start(batch, type, NLM_F_DUMP, about, 0);

	if (h)
		finish(batch, h);
}

void tc_dump_qdiscs(struct tc_batch *batch)
{
	add_dump(batch, RTM_GETQDISC, &(struct tcmsg){ 0 });
}

void tc_dump_filters(struct tc_batch *batch, uint32_t ifindex, enum link_hook hook)
{
	const struct tcmsg about = { .tcm_ifindex = (int)ifindex, .tcm_parent = parents[hook] };

	add_dump(batch, RTM_GETTFILTER, &about);
}

/* ---- answers ---- */

static const struct tcmsg *parse_head(const struct nlmsghdr *msg, uint16_t type,
				      struct attr_list *ret)
{
	const size_t head = sizeof(*msg) + sizeof(struct tcmsg);

	if (msg->nlmsg_type != type || msg->nlmsg_len < head)
		return NULL;
	ret->data = (const char *)msg + head;
	ret->left = msg->nlmsg_len - head;
	return mnl_nlmsg_get_payload(msg);
}

static bool is_text(const struct nlattr *attr, const char *text)
{
	return mnl_attr_get_payload_len(attr) == strlen(text) + 1 &&
	       memcmp(mnl_attr_get_payload(attr), text, strlen(text) + 1) == 0;
}

/* The attribute `type` of the list; NULL when it is not there or the list is damaged. */
static const struct nlattr *find(struct attr_list list, uint16_t type)
{
	const struct nlattr *attr, *found = NULL;
	int code;

	while ((code = attr_next(&list, &attr)) > 0) {
		if (mnl_attr_get_type(attr) == type)
			found = attr;
	}
	return code < 0 ? NULL : found;
}

static uint32_t parse_drops(const struct attr_list *list)
{
	const struct nlattr *stats = find(*list, TCA_STATS2), *queue = NULL;
	struct gnet_stats_queue counters = { 0 };

	if (stats)
		queue = find(attr_list_of(stats), TCA_STATS_QUEUE);
	if (queue && mnl_attr_get_payload_len(queue) >= sizeof(counters))
		memcpy(&counters, mnl_attr_get_payload(queue), sizeof(counters));
	return counters.drops;
}

bool tc_parse_qdisc(const struct nlmsghdr *msg, uint32_t *ret_ifindex, struct link_tc *ret)
{
	struct attr_list list;
	const struct tcmsg *tc = parse_head(msg, RTM_NEWQDISC, &list);
	const struct nlattr *kind = tc ? find(list, TCA_KIND) : NULL;
	struct link_tc found = { 0 };

	if (!kind || tc->tcm_ifindex <= 0)
		return false;
	found.has_clsact = is_text(kind, KIND_CLSACT);
	found.has_ingress = is_text(kind, KIND_INGRESS);
	if (!found.has_clsact && !found.has_ingress)
		return false;
	found.drops = parse_drops(&list);
	*ret_ifindex = (uint32_t)tc->tcm_ifindex;
	*ret = found;
	return true;
}

static bool take_program(const struct nlattr *options, struct bpf_code *ret)
{
	const struct nlattr *flags = find(attr_list_of(options), TCA_BPF_FLAGS);
	const struct nlattr *ops = find(attr_list_of(options), TCA_BPF_OPS);
	size_t len;

	/* A program that is not classic has no instructions to show, and is not as ours. */
	bpf_code_reset(ret);
	if (!flags || mnl_attr_get_payload_len(flags) != sizeof(uint32_t) ||
	    mnl_attr_get_u32(flags) != TCA_BPF_FLAG_ACT_DIRECT || !ops)
		return true;
	len = mnl_attr_get_payload_len(ops);
	for (size_t at = 0; at + sizeof(struct bpf_op) <= len; at += sizeof(struct bpf_op)) {
		struct bpf_op op;

		memcpy(&op, (const char *)mnl_attr_get_payload(ops) + at, sizeof(op));
		bpf_code_add(ret, op);
	}
	return !ret->error;
}

static bool is_in_chain_0(const struct attr_list *list)
{
	const struct nlattr *chain = find(*list, TCA_CHAIN);

	return !chain || (mnl_attr_get_payload_len(chain) == sizeof(uint32_t) &&
			  mnl_attr_get_u32(chain) == 0);
}

bool tc_parse_filter(const struct nlmsghdr *msg, uint32_t *ret_ifindex, enum link_hook *ret_hook,
		     struct bpf_code *ret_code)
{
	struct attr_list list;
	const struct tcmsg *tc = parse_head(msg, RTM_NEWTFILTER, &list);
	const struct nlattr *kind = tc ? find(list, TCA_KIND) : NULL;
	const struct nlattr *options = tc ? find(list, TCA_OPTIONS) : NULL;

	if (!kind || !is_text(kind, KIND_BPF) || !options || tc->tcm_ifindex <= 0 ||
	    tc->tcm_handle != TC_HANDLE || tc->tcm_info != FILTER_INFO || !is_in_chain_0(&list))
		return false;
	for (int hook = 0; hook < LINK_HOOKS; hook++) {
		if (tc->tcm_parent != parents[hook])
			continue;
		if (!take_program(options, ret_code))
			return false;
		*ret_ifindex = (uint32_t)tc->tcm_ifindex;
		*ret_hook = (enum link_hook)hook;
		return true;
	}
	return false;
}

bool tc_is_filter(const struct nlmsghdr *msg)
{
	struct attr_list list;
	const struct tcmsg *tc = parse_head(msg, RTM_NEWTFILTER, &list);

	return tc && tc->tcm_handle;
}
