#include "netlink/link_apply.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/explain.h"
#include "netlink/host_stack.h"
#include "netlink/link_kind.h"
#include "netlink/tap_node.h"

/* How far a step is. */
struct progress {
	int error;
	uint32_t ifindex; /* of the link made or changed */
	uint32_t attrs; /* still to be set on it */
	uint32_t attrs_once_up; /* and these when it is up */
	bool failed;
	enum link_action action; /* what the kernel refused */
	char kernel_text[NL_ACK_TEXT_MAX];
};

struct apply {
	struct nl_channel *channel;
	const struct link_plan *plan;
	const struct link_table *table;
	uint32_t group;
	struct progress *progress; /* one per step */

	/* the batch in the making: one entry per request */
	struct nl_request *requests;
	struct {
		size_t step;
		enum link_action action;
	} * origins;
	size_t n;
	size_t cap;

	struct err *err;
};

/* The most requests that a step can have in one batch: each attribute, altname and source MAC. */
static size_t most_requests(const struct link_step *step)
{
	return LINK_ATTRS + LINK_ALTNAMES_MAX + (step->spec ? step->spec->sources.n : 0) +
	       (step->link ? step->link->sources.n : 0);
}

static int batch_begin(struct apply *apply)
{
	apply->n = 0;
	if (apply->requests)
		return 0;
	apply->cap = 1;
	for (size_t i = 0; i < apply->plan->n; i++)
		apply->cap += most_requests(&apply->plan->steps[i]);
	apply->requests = calloc(apply->cap, sizeof(*apply->requests));
	apply->origins = calloc(apply->cap, sizeof(*apply->origins));
	return apply->requests && apply->origins ? 0 : -ENOMEM;
}

static struct link_msg *batch_add(struct apply *apply, size_t step, enum link_action action)
{
	struct nl_request *request = &apply->requests[apply->n];

	request->ifindex = 0;
	apply->origins[apply->n].step = step;
	apply->origins[apply->n].action = action;
	apply->n++;
	return &request->msg;
}

/* The first refusal of a step is the one that is told; what is to go may be gone already. */
static void note(struct progress *progress, enum link_action action, const struct nl_ack *ack)
{
	if (ack->error == 0 || progress->failed ||
	    (ack->error == -ENODEV && action == LINK_ACTION_DELETE))
		return;
	progress->failed = true;
	progress->error = ack->error;
	progress->action = action;
	memcpy(progress->kernel_text, ack->text, sizeof(progress->kernel_text));
}

static int batch_run(struct apply *apply)
{
	int code = nl_channel_batch(apply->channel, apply->requests, apply->n, apply->err);

	for (size_t i = 0; i < apply->n; i++) {
		struct progress *progress = &apply->progress[apply->origins[i].step];

		note(progress, apply->origins[i].action, &apply->requests[i].ack);
		if (apply->requests[i].ifindex)
			progress->ifindex = apply->requests[i].ifindex;
	}
	return code;
}

static bool deletes(const struct link_step *step)
{
	return step->op == LINK_OP_DELETE || step->op == LINK_OP_REPLACE;
}

static bool creates(const struct link_step *step)
{
	return step->op == LINK_OP_CREATE || step->op == LINK_OP_REPLACE;
}

/*
 * A passthru link that is deleted while it is up and allmulti leaves its lower device allmulti for
 * ever: macvlan_stop() takes back the promiscuity alone.
 */
static int release_lowers(struct apply *apply)
{
	const uint32_t leaks = IFF_UP | IFF_ALLMULTI;
	int code = batch_begin(apply);

	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];

		if (deletes(step) && (step->link->flags & leaks) == leaks &&
		    step->link->macvlan_mode == link_mode_to_kernel(LINK_MODE_PASSTHRU))
			code = link_msg_set_flags(batch_add(apply, i, LINK_ACTION_DELETE),
						  step->link->ifindex, 0, IFF_ALLMULTI);
	}
	return code < 0 ? code : batch_run(apply);
}

/* Whether the scratch group is ours alone, so that deleting the group deletes what we put there. */
static bool may_use_scratch(const struct apply *apply)
{
	uint32_t scratch = link_scratch_group(apply->group);
	size_t n = 0;

	for (size_t i = 0; i < apply->table->n; i++) {
		const struct link_state *link = &apply->table->links[i];
		bool going = false;

		if (link->group != scratch)
			continue;
		for (size_t j = 0; j < apply->plan->n && !going; j++)
			going = deletes(&apply->plan->steps[j]) &&
				apply->plan->steps[j].link == link;
		if (!going)
			return false;
	}
	for (size_t i = 0; i < apply->plan->n; i++)
		n += deletes(&apply->plan->steps[i]);
	return n > 1;
}

/*
 * Deleting a link waits for an RCU grace period, about 16 ms; a group waits once for all its links.
 * What has moved and cannot be deleted stays ours: link_is_ours() knows the scratch group.
 */
static int delete_as_group(struct apply *apply, bool *ret_done)
{
	uint32_t scratch = link_scratch_group(apply->group);
	struct nl_request request = { .ack.error = 0 };
	bool moved = true;
	int code = batch_begin(apply);

	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		if (deletes(&apply->plan->steps[i]))
			code = link_msg_set_group(batch_add(apply, i, LINK_ACTION_DELETE),
						  apply->plan->steps[i].link->ifindex, scratch);
	}
	if (code == 0)
		code = nl_channel_batch(apply->channel, apply->requests, apply->n, apply->err);
	for (size_t i = 0; code == 0 && i < apply->n; i++)
		moved = moved && apply->requests[i].ack.error == 0;
	if (code == 0 && moved)
		code = link_msg_delete_group(&request.msg, scratch);
	if (code == 0 && moved)
		code = nl_channel_batch(apply->channel, &request, 1, apply->err);
	if (code == 0)
		*ret_done = moved && request.ack.error == 0;
	return code;
}

static int delete_links(struct apply *apply)
{
	bool done = false;
	int code = release_lowers(apply);

	if (code == 0 && may_use_scratch(apply))
		code = delete_as_group(apply, &done);
	if (code < 0 || done)
		return code;
	code = batch_begin(apply);
	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		if (deletes(&apply->plan->steps[i]))
			code = link_msg_delete(batch_add(apply, i, LINK_ACTION_DELETE),
					       apply->plan->steps[i].link->ifindex);
	}
	return code < 0 ? code : batch_run(apply);
}

static int add_alias(struct apply *apply, size_t step, uint32_t ifindex)
{
	char alias[LINK_ALIAS_MAX];

	link_spec_alias(apply->plan->steps[step].spec, alias);
	return link_msg_set_alias(batch_add(apply, step, LINK_ACTION_SET_ALIAS), ifindex, alias);
}

static int add_altnames(struct apply *apply, size_t i, uint32_t ifindex)
{
	const struct link_step *step = &apply->plan->steps[i];
	int code = 0;

	for (size_t k = 0; code == 0 && k < LINK_ALTNAMES_MAX; k++) {
		const char *name = step->spec->altnames[k];

		if (*name &&
		    (step->op != LINK_OP_CHANGE || !link_state_has_altname(step->link, name)))
			code = link_msg_add_altname(batch_add(apply, i, LINK_ACTION_ADD_ALTNAME),
						    ifindex, name);
	}
	return code;
}

static int add_group(struct apply *apply, size_t step, uint32_t ifindex)
{
	return link_msg_set_group(batch_add(apply, step, LINK_ACTION_SET_GROUP), ifindex,
				  apply->plan->steps[step].spec->group);
}

/* One by one, so that those that stay take in frames all the while. */
static int add_sources(struct apply *apply, size_t i, uint32_t ifindex)
{
	static const struct link_sources none;
	const struct link_step *step = &apply->plan->steps[i];
	const struct link_sources *wanted = &step->spec->sources, *there = &none;
	enum link_kind kind = step->spec->kind;
	int code = 0;

	if (step->op == LINK_OP_CHANGE && !step->link->sources.more)
		there = &step->link->sources;
	else if (step->op == LINK_OP_CHANGE)
		code = link_msg_flush_sources(batch_add(apply, i, LINK_ACTION_SET_SOURCES), ifindex,
					      kind);
	for (uint32_t k = 0; code == 0 && k < there->n; k++) {
		if (!link_sources_have(wanted, there->macs[k]))
			code = link_msg_delete_source(batch_add(apply, i, LINK_ACTION_SET_SOURCES),
						      ifindex, kind, there->macs[k]);
	}
	for (uint32_t k = 0; code == 0 && k < wanted->n; k++) {
		if (!link_sources_have(there, wanted->macs[k]))
			code = link_msg_add_source(batch_add(apply, i, LINK_ACTION_SET_SOURCES),
						   ifindex, kind, wanted->macs[k]);
	}
	return code;
}

static int add_txqueuelen(struct apply *apply, size_t step, uint32_t ifindex)
{
	return link_msg_set_txqueuelen(batch_add(apply, step, LINK_ACTION_SET_TXQUEUELEN), ifindex,
				       apply->plan->steps[step].spec->txqueuelen);
}

static int add_mac(struct apply *apply, size_t step, uint32_t ifindex)
{
	return link_msg_set_mac(batch_add(apply, step, LINK_ACTION_SET_MAC), ifindex,
				apply->plan->steps[step].spec->mac);
}

static int add_mtu(struct apply *apply, size_t step, uint32_t ifindex)
{
	return link_msg_set_mtu(batch_add(apply, step, LINK_ACTION_SET_MTU), ifindex,
				apply->plan->steps[step].spec->mtu);
}

static int add_up(struct apply *apply, size_t step, uint32_t ifindex)
{
	bool up = apply->plan->steps[step].spec->up;
	enum link_action action = up ? LINK_ACTION_SET_UP : LINK_ACTION_SET_DOWN;

	return link_msg_set_flags(batch_add(apply, step, action), ifindex, up ? IFF_UP : 0, IFF_UP);
}

static int add_arp_off(struct apply *apply, size_t step, uint32_t ifindex)
{
	return link_msg_set_flags(batch_add(apply, step, LINK_ACTION_SET_ARP), ifindex, IFF_NOARP,
				  IFF_NOARP);
}

/* What requests set; data_attrs has the rest. */
static int (*const setters[LINK_ATTRS])(struct apply *apply, size_t step, uint32_t ifindex) = {
	[LINK_ATTR_GROUP] = add_group,
	[LINK_ATTR_ALIAS] = add_alias,
	[LINK_ATTR_ALTNAMES] = add_altnames,
	[LINK_ATTR_SOURCES] = add_sources,
	[LINK_ATTR_MAC] = add_mac,
	[LINK_ATTR_MTU] = add_mtu,
	[LINK_ATTR_TXQUEUELEN] = add_txqueuelen,
	[LINK_ATTR_ARP] = add_arp_off,
	[LINK_ATTR_UP] = add_up,
};

/* What goes into IFLA_INFO_DATA and nowhere else. Mode and flags are one request, sent for either. */
static const struct {
	enum link_action action;
	uint32_t data;
} data_attrs[LINK_ATTRS] = {
	[LINK_ATTR_MODE] = { LINK_ACTION_SET_MODE, LINK_DATA_MODE },
	[LINK_ATTR_FLAGS] = { LINK_ACTION_SET_FLAGS, LINK_DATA_MODE },
	[LINK_ATTR_BCQUEUELEN] = { LINK_ACTION_SET_BCQUEUELEN, LINK_DATA_BCQUEUELEN },
	[LINK_ATTR_BCCUTOFF] = { LINK_ACTION_SET_BCCUTOFF, LINK_DATA_BCCUTOFF },
};

static int add_attr(struct apply *apply, size_t step, size_t attr)
{
	uint32_t ifindex = apply->progress[step].ifindex;

	if (setters[attr])
		return setters[attr](apply, step, ifindex);
	return link_msg_set_data(batch_add(apply, step, data_attrs[attr].action), ifindex,
				 apply->plan->steps[step].spec, data_attrs[attr].data);
}

/* Those of `mask`, on every link that wants them. */
static int send_attrs(struct apply *apply, uint32_t mask)
{
	int code = batch_begin(apply);

	for (size_t i = 0; i < apply->plan->n; i++) {
		struct progress *progress = &apply->progress[i];

		for (size_t attr = 0; code == 0 && attr < LINK_ATTRS; attr++) {
			if (progress->attrs & mask & (1u << attr))
				code = add_attr(apply, i, attr);
		}
		progress->attrs &= ~mask;
	}
	return code < 0 ? code : batch_run(apply);
}

static void turn_ipv6_off(struct apply *apply)
{
	for (size_t i = 0; i < apply->plan->n; i++) {
		const struct link_spec *spec = apply->plan->steps[i].spec;
		struct progress *progress = &apply->progress[i];
		struct nl_ack result = { .error = 0 };

		if (!(progress->attrs & (1u << LINK_ATTR_IPV6)))
			continue;
		result.error = host_stack_ipv6_off(spec->name, progress->ifindex, spec->mac);
		note(progress, LINK_ACTION_SET_IPV6, &result);
		progress->attrs &= ~(1u << LINK_ATTR_IPV6);
	}
}

static void set_nodes(struct apply *apply)
{
	for (size_t i = 0; i < apply->plan->n; i++) {
		const struct link_spec *spec = apply->plan->steps[i].spec;
		struct progress *progress = &apply->progress[i];
		struct nl_ack result = { .error = 0 };

		if (!(progress->attrs & (1u << LINK_ATTR_OWNER | 1u << LINK_ATTR_PERMS)))
			continue;
		result.error = tap_node_set_rights(spec->name, progress->ifindex, &spec->tap);
		note(progress, LINK_ACTION_SET_NODE, &result);
		progress->attrs &= ~(1u << LINK_ATTR_OWNER | 1u << LINK_ATTR_PERMS);
	}
}

/* Up comes late: a link that is up with IPv6 on it speaks. */
static int set_attrs(struct apply *apply)
{
	const uint32_t by_hand = 1u << LINK_ATTR_IPV6 | 1u << LINK_ATTR_OWNER |
				 1u << LINK_ATTR_PERMS;
	int code = send_attrs(apply, ~(by_hand | 1u << LINK_ATTR_UP));

	if (code < 0)
		return code;
	turn_ipv6_off(apply);
	set_nodes(apply);
	code = send_attrs(apply, 1u << LINK_ATTR_UP);
	for (size_t i = 0; i < apply->plan->n; i++) {
		struct progress *progress = &apply->progress[i];

		progress->attrs = progress->failed ? 0 : progress->attrs_once_up;
		progress->attrs_once_up = 0;
	}
	return code < 0 ? code : send_attrs(apply, 1u << LINK_ATTR_FLAGS);
}

static int change_links(struct apply *apply)
{
	const uint32_t renewed = 1u << LINK_ATTR_MTU | 1u << LINK_ATTR_MAC;

	for (size_t i = 0; i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];
		struct progress *progress = &apply->progress[i];

		if (step->op != LINK_OP_CHANGE)
			continue;
		progress->ifindex = step->link->ifindex;
		progress->attrs = step->attrs;
		if (step->spec->mode == LINK_MODE_PASSTHRU && !(step->link->flags & IFF_UP)) {
			progress->attrs_once_up = step->attrs & 1u << LINK_ATTR_FLAGS;
			progress->attrs &= ~(1u << LINK_ATTR_FLAGS);
		}
		/* An mtu that rises to 1280 brings IPv6 anew (addrconf_notify()), a MAC its group. */
		if (step->attrs & renewed && link_kind_ops[step->spec->kind]->host_is_quiet)
			progress->attrs |= 1u << LINK_ATTR_IPV6;
	}
	return set_attrs(apply);
}

/* The kernel gives a new passthru link the MAC of its lower device (macvlan_common_newlink()). */
static uint32_t attrs_after_create(const struct link_spec *spec)
{
	uint32_t attrs = 1u << LINK_ATTR_ALIAS | 1u << LINK_ATTR_ALTNAMES;

	if (spec->mode == LINK_MODE_PASSTHRU)
		attrs |= 1u << LINK_ATTR_MAC;
	if (spec->mode == LINK_MODE_SOURCE)
		attrs |= 1u << LINK_ATTR_SOURCES;
	if (link_kind_ops[spec->kind]->host_is_quiet)
		attrs |= 1u << LINK_ATTR_ARP | 1u << LINK_ATTR_IPV6;
	if (spec->up)
		attrs |= 1u << LINK_ATTR_UP;
	if (link_kind_ops[spec->kind]->has_tap && !tap_rights_are_kernels(&spec->tap))
		attrs |= 1u << LINK_ATTR_OWNER | 1u << LINK_ATTR_PERMS;
	return attrs;
}

static int create_links(struct apply *apply)
{
	int code = batch_begin(apply);

	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];

		if (creates(step) && !apply->progress[i].failed)
			code = link_msg_create(batch_add(apply, i, LINK_ACTION_CREATE), step->spec,
					       step->lower);
	}
	if (code == 0)
		code = batch_run(apply);
	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];

		if (creates(step) && !apply->progress[i].failed)
			apply->progress[i].attrs = attrs_after_create(step->spec);
	}
	return code < 0 ? code : set_attrs(apply);
}

/* The table is dumped anew: what is in the way may have been made by this very plan. */
static int explain_failures(struct apply *apply, size_t i, struct link_table *table,
			    struct err *ret_text)
{
	const struct progress *progress = &apply->progress[i];
	struct explain_input input = {
		.step = &apply->plan->steps[i],
		.action = progress->action,
		.error = progress->error,
		.kernel_text = progress->kernel_text,
		.table = table,
	};

	if (table->n == 0 && nl_channel_dump_links(apply->channel, table, NULL) < 0)
		input.table = apply->table;
	return explain(&input, ret_text);
}

static int report(struct apply *apply, link_result_cb cb, void *data)
{
	struct link_table table = { 0 };
	struct err text;
	int open = 0;

	for (size_t i = 0; i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];
		struct link_result result = { .step = step, .text = text.text };

		text.text[0] = '\0';
		if (step->op == LINK_OP_BLOCKED)
			result.error = err_set(&text, -EBUSY, "%s", step->reason);
		else if (apply->progress[i].failed)
			result.error = explain_failures(apply, i, &table, &text);
		else if (creates(step))
			result.ifindex = apply->progress[i].ifindex;
		open += result.error != 0;
		if (cb)
			cb(&result, data);
	}
	link_table_done(&table);
	return open;
}

int link_apply(struct nl_channel *channel, const struct link_plan *plan,
	       const struct link_table *table, uint32_t group, link_result_cb cb, void *data,
	       struct err *err)
{
	struct apply apply = {
		.channel = channel,
		.plan = plan,
		.table = table,
		.group = group,
		.err = err,
	};
	int code;

	err_set(err, 0, "out of memory");
	apply.progress = calloc(plan->n + 1, sizeof(*apply.progress));
	if (!apply.progress)
		return -ENOMEM;
	code = delete_links(&apply);
	if (code == 0)
		code = change_links(&apply);
	if (code == 0)
		code = create_links(&apply);
	if (code == 0)
		code = report(&apply, cb, data);
	free(apply.progress);
	free(apply.requests);
	free(apply.origins);
	return code;
}
