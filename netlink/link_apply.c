#include "netlink/link_apply.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netlink/explain.h"
#include "netlink/host_stack.h"
#include "netlink/link_filters.h"
#include "netlink/link_kind.h"
#include "netlink/link_marks.h"
#include "netlink/link_requests.h"
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
	struct link_requests requests; /* the batch in the making */
	struct err *err;
};

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
	int code = nl_channel_batch(apply->channel, apply->requests.list, apply->requests.n,
				    apply->err);

	for (size_t i = 0; i < apply->requests.n; i++) {
		struct progress *progress = &apply->progress[apply->requests.origins[i].step];

		note(progress, apply->requests.origins[i].action, &apply->requests.list[i].ack);
		if (apply->requests.list[i].ifindex)
			progress->ifindex = apply->requests.list[i].ifindex;
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

static int release_lowers(struct apply *apply)
{
	int code = link_requests_begin(&apply->requests, apply->plan);

	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];

		if (deletes(step) && link_leaks_allmulti(step->link))
			code = link_msg_set_flags(link_requests_add(&apply->requests, i,
								    LINK_ACTION_DELETE),
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
	int code = link_requests_begin(&apply->requests, apply->plan);

	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		if (deletes(&apply->plan->steps[i]))
			code = link_msg_set_group(link_requests_add(&apply->requests, i,
								    LINK_ACTION_DELETE),
						  apply->plan->steps[i].link->ifindex, scratch);
	}
	if (code == 0)
		code = nl_channel_batch(apply->channel, apply->requests.list, apply->requests.n,
					apply->err);
	for (size_t i = 0; code == 0 && i < apply->requests.n; i++)
		moved = moved && apply->requests.list[i].ack.error == 0;
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
	code = link_requests_begin(&apply->requests, apply->plan);
	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		if (deletes(&apply->plan->steps[i]))
			code = link_msg_delete(link_requests_add(&apply->requests, i,
								 LINK_ACTION_DELETE),
					       apply->plan->steps[i].link->ifindex);
	}
	return code < 0 ? code : batch_run(apply);
}

/* Those of `mask`, on every link that wants them. */
static int send_attrs(struct apply *apply, uint32_t mask)
{
	int code = link_requests_begin(&apply->requests, apply->plan);

	for (size_t i = 0; i < apply->plan->n; i++) {
		struct progress *progress = &apply->progress[i];

		for (size_t attr = 0; code == 0 && attr < LINK_ATTRS; attr++) {
			if (progress->attrs & mask & (1u << attr))
				code = link_requests_add_attr(&apply->requests, i,
							      (enum link_attr)attr,
							      progress->ifindex);
		}
		progress->attrs &= ~mask;
	}
	return code < 0 ? code : batch_run(apply);
}

static void turn_ipv6_off(struct apply *apply)
{
	int s = -1;

	for (size_t i = 0; i < apply->plan->n; i++) {
		const struct link_spec *spec = apply->plan->steps[i].spec;
		struct progress *progress = &apply->progress[i];
		struct nl_ack result = { .error = 0 };

		if (!(progress->attrs & (1u << LINK_ATTR_IPV6)))
			continue;
		if (s < 0)
			s = host_stack_socket();
		result.error =
			s < 0 ? s
			      : host_stack_ipv6_off(s, spec->name, progress->ifindex, spec->mac);
		note(progress, LINK_ACTION_SET_IPV6, &result);
		progress->attrs &= ~(1u << LINK_ATTR_IPV6);
	}
	if (s >= 0)
		close(s);
}

static bool has_ipv6(const struct link_addrs *addrs)
{
	for (uint32_t i = 0; i < addrs->n; i++) {
		if (addrs->list[i].family == AF_INET6)
			return true;
	}
	return false;
}

/* An address of IPv6 is refused where it is off, as by default on some hosts. */
static int set_addresses(struct apply *apply)
{
	for (size_t i = 0; i < apply->plan->n; i++) {
		const struct link_spec *spec = apply->plan->steps[i].spec;
		struct progress *progress = &apply->progress[i];
		struct nl_ack result = { .error = 0 };

		if (!(progress->attrs & (1u << LINK_ATTR_ADDRESSES)) || !has_ipv6(&spec->addrs))
			continue;
		result.error = host_stack_ipv6_on(spec->name);
		note(progress, LINK_ACTION_SET_ADDRESSES, &result);
	}
	return send_attrs(apply, 1u << LINK_ATTR_ADDRESSES);
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

static bool wants_filters(const struct progress *progress)
{
	return progress->attrs & 1u << LINK_ATTR_FILTERS;
}

static void note_filters(struct apply *apply, const struct link_filters_job *jobs)
{
	for (size_t i = 0, job = 0; i < apply->plan->n; i++) {
		struct progress *progress = &apply->progress[i];

		if (!wants_filters(progress))
			continue;
		note(progress, LINK_ACTION_SET_FILTERS, &jobs[job].ack);
		progress->attrs &= ~(1u << LINK_ATTR_FILTERS);
		/* A guest is not let on without its filter. */
		if (jobs[job].ack.error)
			progress->attrs &= ~(1u << LINK_ATTR_UP);
		job++;
	}
}

static int set_filters(struct apply *apply)
{
	struct link_filters_job *jobs = calloc(apply->plan->n + 1, sizeof(*jobs));
	size_t n = 0;
	int code;

	if (!jobs)
		return err_errno(apply->err, -ENOMEM, "could not make filters");
	for (size_t i = 0; i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];

		if (wants_filters(&apply->progress[i]))
			jobs[n++] = (struct link_filters_job){
				.spec = step->spec,
				.link = step->op == LINK_OP_CHANGE ? step->link : NULL,
				.ifindex = apply->progress[i].ifindex,
			};
	}
	code = link_filters_set(apply->channel, jobs, n, apply->err);
	if (code == 0)
		note_filters(apply, jobs);
	free(jobs);
	return code;
}

/*
 * Up comes late: a link that is up with IPv6 on it speaks, and a guest sends what is not filtered.
 */
static int set_attrs(struct apply *apply)
{
	const uint32_t by_hand = 1u << LINK_ATTR_IPV6 | 1u << LINK_ATTR_OWNER |
				 1u << LINK_ATTR_PERMS | 1u << LINK_ATTR_FILTERS;
	const uint32_t late = 1u << LINK_ATTR_UP | 1u << LINK_ATTR_ADDRESSES;
	int code = send_attrs(apply, ~(by_hand | late));

	if (code < 0)
		return code;
	turn_ipv6_off(apply);
	set_nodes(apply);
	code = set_filters(apply);
	if (code < 0)
		return code;
	code = send_attrs(apply, 1u << LINK_ATTR_UP);
	if (code == 0)
		code = set_addresses(apply);
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
		/*
		 * An mtu that rises to 1280 brings IPv6 anew (addrconf_notify()), a MAC its group.
		 */
		if (step->attrs & renewed && link_kind_ops[step->spec->kind]->host_is_quiet)
			progress->attrs |= 1u << LINK_ATTR_IPV6;
	}
	return set_attrs(apply);
}

/* The kernel gives a new passthru link the MAC of its lower device (macvlan_common_newlink()). */
static uint32_t attrs_after_create(const struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	uint32_t attrs = 1u << LINK_ATTR_ALIAS | 1u << LINK_ATTR_ALTNAMES;

	if (spec->mode == LINK_MODE_PASSTHRU)
		attrs |= 1u << LINK_ATTR_MAC;
	if (spec->mode == LINK_MODE_SOURCE)
		attrs |= 1u << LINK_ATTR_SOURCES;
	if (link_kind_ops[spec->kind]->host_is_quiet)
		attrs |= 1u << LINK_ATTR_IPV6;
	if (spec->programs[LINK_HOOK_FROM_GUEST] || spec->programs[LINK_HOOK_TO_GUEST])
		attrs |= 1u << LINK_ATTR_FILTERS;
	if (spec->up)
		attrs |= 1u << LINK_ATTR_UP;
	if (spec->addrs.n)
		attrs |= 1u << LINK_ATTR_ADDRESSES;
	if (step->master)
		attrs |= 1u << LINK_ATTR_MASTER;
	if (link_kind_ops[spec->kind]->has_tap && !tap_rights_are_kernels(&spec->tap))
		attrs |= 1u << LINK_ATTR_OWNER | 1u << LINK_ATTR_PERMS;
	return attrs;
}

static int add_create(struct apply *apply, size_t i)
{
	const struct link_step *step = &apply->plan->steps[i];
	struct link_msg *msg = link_requests_add(&apply->requests, i, LINK_ACTION_CREATE);
	int code = link_msg_create(msg, step->spec, step->lower);

	if (code == 0 && apply->plan->lower_nsid >= 0)
		code = link_msg_set_lower_nsid(msg, apply->plan->lower_nsid);
	return code;
}

static int create_links(struct apply *apply)
{
	int code = link_requests_begin(&apply->requests, apply->plan);

	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];

		if (creates(step) && !apply->progress[i].failed)
			code = add_create(apply, i);
	}
	if (code == 0)
		code = batch_run(apply);
	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];

		if (creates(step) && !apply->progress[i].failed)
			apply->progress[i].attrs = attrs_after_create(step);
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
		.lowers = apply->plan->lower_nsid < 0 ? NULL : apply->plan->lowers,
	};

	if (table->n == 0 && nl_channel_dump_links(apply->channel, false, table, NULL) < 0)
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
	       const struct link_table *table, uint32_t group, int home, link_result_cb cb,
	       void *data, struct err *err)
{
	struct apply apply = {
		.channel = channel,
		.plan = plan,
		.table = table,
		.group = group,
		.err = err,
	};
	int code;

	apply.requests.home = home;
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
	link_requests_done(&apply.requests);
	return code;
}
