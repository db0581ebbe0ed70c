#include "netlink/link_apply_parts.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/explain.h"
#include "netlink/link_former.h"
#include "netlink/link_kind.h"
#include "netlink/link_marks.h"

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
	return code < 0 ? code : apply_batch(apply);
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
	return code < 0 ? code : apply_batch(apply);
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
	return apply_set_attrs(apply);
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
		code = apply_batch(apply);
	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];

		if (creates(step) && !apply->progress[i].failed)
			apply->progress[i].attrs = attrs_after_create(step);
	}
	return code < 0 ? code : apply_set_attrs(apply);
}

/* What of a replace, when refused, leaves no link that works; the rest can be set live. */
static bool lost_its_link(const struct progress *progress)
{
	const uint32_t vital = 1u << LINK_ACTION_CREATE | 1u << LINK_ACTION_SET_MAC |
			       1u << LINK_ACTION_SET_UP;

	return progress->failed && vital & 1u << progress->action;
}

static int delete_new(struct apply *apply, size_t i)
{
	struct nl_request request = { .ack.error = 0 };
	int code = link_msg_delete(&request.msg, apply->progress[i].ifindex);

	return code < 0 ? code : nl_channel_batch(apply->channel, &request, 1, apply->err);
}

/*
 * One at a time: few are refused, and each may stand on a device of another namespace. The error is
 * that of what was refused again; 0: the link is what it was.
 */
static int make_again(struct apply *apply, size_t i, int *ret_error)
{
	const struct link_step *step = &apply->plan->steps[i];
	struct link_spec spec;
	struct link_step again = {
		.op = LINK_OP_CREATE,
		.spec = &spec,
		.lower = step->link->lower,
		.master = step->link->master,
	};
	const struct link_plan plan = {
		.lower_nsid = step->link->lower_elsewhere ? step->link->lower_nsid : -1,
		.steps = &again,
		.n = 1,
	};
	struct progress progress = { .error = 0 };
	struct apply former = {
		.channel = apply->channel,
		.plan = &plan,
		.progress = &progress,
		.requests.home = -1,
		.err = apply->err,
	};
	int code;

	link_former_spec(step->spec, step->link, &spec);
	code = create_links(&former);
	link_requests_done(&former.requests);
	*ret_error = progress.error;
	return code;
}

/* The table is dumped anew: what is in the way may have been made by this very plan. */
static int explain_failure(struct apply *apply, size_t i, struct link_table *table,
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

/* Explained first: the link that comes back changes what is seen. */
static int restore_link(struct apply *apply, size_t i)
{
	struct progress *progress = &apply->progress[i];
	struct link_table table = { 0 };
	struct err why, text;
	int error = 0, code = 0;

	explain_failure(apply, i, &table, &why);
	link_table_done(&table);
	if (progress->ifindex)
		code = delete_new(apply, i);
	if (code == 0)
		code = make_again(apply, i, &error);
	if (code < 0)
		return code;
	if (error)
		err_set(&text, 0, "%s: what it was could not be brought back in full (%s)",
			why.text, strerror(-error));
	else
		err_set(&text, 0, "%s: it is again what it was", why.text);
	progress->told = strdup(text.text);
	return progress->told ? 0 : err_errno(apply->err, -ENOMEM, "could not tell what failed");
}

/*
 * A replace deletes first, as one MAC, one name and one passthru link are all that a lower device
 * has room for. Whose new link is refused for what no plan can see, as another namespace's link
 * there, gets the one back that it had.
 */
static int restore_links(struct apply *apply)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		if (apply->plan->steps[i].op == LINK_OP_REPLACE &&
		    lost_its_link(&apply->progress[i]))
			code = restore_link(apply, i);
	}
	return code;
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
		else if (apply->progress[i].told)
			result.error = err_set(&text, apply->progress[i].error, "%s",
					       apply->progress[i].told);
		else if (apply->progress[i].failed)
			result.error = explain_failure(apply, i, &table, &text);
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
	       const struct link_table *table, uint32_t group, int home,
	       const struct link_rising_watch *rising, link_result_cb cb, void *data,
	       struct err *err)
{
	struct apply apply = {
		.channel = channel,
		.plan = plan,
		.table = table,
		.group = group,
		.rising = *rising,
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
		code = apply_vacate(&apply);
	if (code == 0)
		code = change_links(&apply);
	if (code == 0)
		code = create_links(&apply);
	if (code == 0)
		code = restore_links(&apply);
	if (code == 0)
		code = report(&apply, cb, data);
	for (size_t i = 0; i < plan->n; i++)
		free(apply.progress[i].told);
	free(apply.progress);
	link_requests_done(&apply.requests);
	return code;
}
