#include "netlink/link_apply_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netlink/host_stack.h"
#include "netlink/link_filters.h"
#include "netlink/tap_node.h"

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

int apply_batch(struct apply *apply)
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
	return code < 0 ? code : apply_batch(apply);
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

static int tell_rising(struct apply *apply)
{
	struct link_rising *list;
	size_t n = 0;

	if (!apply->rising.cb)
		return 0;
	list = calloc(apply->plan->n + 1, sizeof(*list));
	if (!list)
		return err_errno(apply->err, -ENOMEM, "could not set links up");
	for (size_t i = 0; i < apply->plan->n; i++) {
		const struct progress *progress = &apply->progress[i];
		const struct link_step *step = &apply->plan->steps[i];

		if (step->op != LINK_OP_CHANGE && progress->attrs & 1u << LINK_ATTR_UP)
			list[n++] = (struct link_rising){ .spec = step->spec,
							  .ifindex = progress->ifindex };
	}
	if (n)
		apply->rising.cb(list, n, apply->rising.data);
	free(list);
	return 0;
}

/*
 * Up comes late: a link that is up with IPv6 on it speaks, and a guest sends what is not filtered.
 */
int apply_set_attrs(struct apply *apply)
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
	code = tell_rising(apply);
	if (code == 0)
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
