#include "netlink/link_filters.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/link_marks.h"

/* ---- what is there ---- */

struct look {
	struct link_table *table;
	uint32_t group;
	struct bpf_code code; /* of the latest filter */
	bool must_dump; /* an answer was too long for the kernel's message */
};

static struct link_state *link_of(struct look *look, uint32_t ifindex)
{
	const struct link_state *link = link_table_find(look->table, ifindex);

	if (!link || !link_is_in_group(link, look->group))
		return NULL;
	return &look->table->links[link - look->table->links];
}

static struct nl_ack ack_of(const struct nlmsghdr *answer)
{
	struct nl_ack ack = { .error = 0 };
	int code = answer->nlmsg_type == NLMSG_ERROR ? nl_ack_parse(answer, &ack) : 0;

	if (code < 0)
		ack = (struct nl_ack){ .error = code };
	return ack;
}

/* A kernel without qdiscs has no filters. */
static int take_qdisc(size_t i, const struct nlmsghdr *answer, void *data)
{
	struct look *look = data;
	const int error = ack_of(answer).error;
	struct link_state *link;
	struct link_tc tc;
	uint32_t ifindex;

	(void)i;
	if (error < 0 && error != -EOPNOTSUPP)
		return error;
	if (!tc_parse_qdisc(answer, &ifindex, &tc))
		return 0;
	link = link_of(look, ifindex);
	if (link)
		link->tc = tc;
	return 0;
}

static int take_filter(size_t i, const struct nlmsghdr *answer, void *data)
{
	struct look *look = data;
	const struct nl_ack ack = ack_of(answer);
	struct link_state *link;
	enum link_hook hook;
	uint32_t ifindex;

	(void)i;
	if (ack.error < 0) {
		/*
		 * ENODEV: the link went. EINVAL with a text: its qdisc did, or nobody has a filter
		 * there; without one: the filter is too long to tell (tc_get_tfilter()).
		 */
		look->must_dump = look->must_dump || (ack.error == -EINVAL && !*ack.text) ||
				  ack.error == -EMSGSIZE;
		return 0;
	}
	if (!tc_parse_filter(answer, &ifindex, &hook, &look->code))
		return look->code.error;
	link = link_of(look, ifindex);
	if (link)
		link->tc.programs[hook] = tc_hash(look->code.ops, look->code.n);
	return 0;
}

/* An interrupted dump is done again: a clsact that it left out would be made anew. */
static int dump_qdiscs(struct nl_channel *channel, struct tc_batch *batch, struct look *look,
		       struct err *err)
{
	int code = -EAGAIN;

	for (size_t i = 0; i < look->table->n; i++)
		look->table->links[i].tc = (struct link_tc){ .known = false };
	for (int i = 0; i < NL_DUMP_TRIES && code == -EAGAIN; i++) {
		tc_batch_reset(batch);
		tc_dump_qdiscs(batch);
		code = nl_channel_exchange(channel, batch, take_qdisc, look, err);
	}
	return code;
}

/* A program above some 450 instructions has no room in the answer to a question for it alone. */
static int dump_long_filters(struct nl_channel *channel, struct tc_batch *batch, struct look *look,
			     struct err *err)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < look->table->n; i++) {
		const struct link_state *link = &look->table->links[i];

		for (int hook = 0; code == 0 && hook < LINK_HOOKS; hook++) {
			if (!link->tc.has_clsact || link->tc.programs[hook])
				continue;
			tc_batch_reset(batch);
			tc_dump_filters(batch, link->ifindex, (enum link_hook)hook);
			code = nl_channel_exchange(channel, batch, take_filter, look, err);
		}
	}
	return code;
}

int link_filters_look_at_qdiscs(struct nl_channel *channel, struct link_table *table,
				uint32_t group, struct err *err)
{
	struct look look = { .table = table, .group = group };
	struct tc_batch batch = { 0 };
	int code = dump_qdiscs(channel, &batch, &look, err);

	tc_batch_done(&batch);
	return code;
}

int link_filters_look(struct nl_channel *channel, struct link_table *table, uint32_t group,
		      struct err *err)
{
	struct look look = { .table = table, .group = group };
	struct tc_batch batch = { 0 };
	int code = dump_qdiscs(channel, &batch, &look, err);

	tc_batch_reset(&batch);
	for (size_t i = 0; code == 0 && i < table->n; i++) {
		struct link_state *link = &table->links[i];

		link->tc.known = link_is_in_group(link, group);
		for (int hook = 0; link->tc.has_clsact && hook < LINK_HOOKS; hook++)
			tc_get_filter(&batch, link->ifindex, (enum link_hook)hook);
	}
	if (code == 0)
		code = nl_channel_exchange(channel, &batch, take_filter, &look, err);
	if (code == 0 && look.must_dump)
		code = dump_long_filters(channel, &batch, &look, err);
	tc_batch_done(&batch);
	bpf_code_done(&look.code);
	return code;
}

/* ---- what is wanted ---- */

/* Whose a message is, and what may be refused: it was so already when it was looked. */
struct owner {
	size_t job;
	int tolerated; /* negative errno */
};

struct making {
	struct link_filters_job *jobs;
	size_t n;
	struct tc_batch batch;
	struct owner *owners; /* by message */
	size_t cap;
	size_t others; /* filters counted at a link */
};

/* Of the message that was just added. */
static void own(struct making *making, size_t job, int tolerated)
{
	struct owner *owners;

	if (making->batch.n > making->cap) {
		making->cap = 2 * making->batch.n + 64;
		owners = reallocarray(making->owners, making->cap, sizeof(*owners));
		if (!owners) {
			making->batch.failed = true;
			return;
		}
		making->owners = owners;
	}
	if (!making->batch.failed)
		making->owners[making->batch.n - 1] = (struct owner){ job, tolerated };
}

static bool is_wanted(const struct link_filters_job *job)
{
	return job->spec->programs[LINK_HOOK_FROM_GUEST] || job->spec->programs[LINK_HOOK_TO_GUEST];
}

static uint64_t there(const struct link_filters_job *job, int hook)
{
	return job->link ? job->link->tc.programs[hook] : 0;
}

static void refuse(struct link_filters_job *job, int error, const char *text)
{
	if (job->ack.error)
		return;
	job->ack.error = error;
	snprintf(job->ack.text, sizeof(job->ack.text), "%.*s", (int)sizeof(job->ack.text) - 1,
		 text);
}

static int add_hook(struct making *making, size_t at, enum link_hook hook, struct bpf_code *code)
{
	struct link_filters_job *job = &making->jobs[at];
	struct err err;
	int error;

	if (job->spec->programs[hook] == there(job, hook))
		return 0;
	if (!job->spec->programs[hook]) {
		tc_delete_filter(&making->batch, job->ifindex, hook);
		own(making, at, -ENOENT);
		return 0;
	}
	error = tc_program(job->spec, hook, code, &err);
	if (error) {
		refuse(job, error, err.text);
		return error == -ENOMEM ? error : 0;
	}
	tc_set_filter(&making->batch, job->ifindex, hook, code->ops, code->n);
	own(making, at, 0);
	return 0;
}

static int add_job(struct making *making, size_t at, struct bpf_code *code)
{
	const struct link_filters_job *job = &making->jobs[at];
	int error = 0;

	/* It takes filters for both hooks, and asks both of what comes in. */
	if (is_wanted(job) && job->link && job->link->tc.has_ingress) {
		refuse(&making->jobs[at], -EEXIST, "");
		return 0;
	}
	if (is_wanted(job) && !(job->link && job->link->tc.has_clsact)) {
		tc_add_clsact(&making->batch, job->ifindex);
		own(making, at, 0);
		tc_mark_clsact(&making->batch, job->ifindex);
		own(making, at, -EEXIST);
	}
	for (int hook = 0; error == 0 && hook < LINK_HOOKS; hook++)
		error = add_hook(making, at, (enum link_hook)hook, code);
	return error;
}

static int take_ack(size_t i, const struct nlmsghdr *answer, void *data)
{
	struct making *making = data;
	const struct owner *owner = &making->owners[i];
	struct nl_ack ack;

	if (nl_ack_parse(answer, &ack) == 0 && ack.error && ack.error != owner->tolerated)
		refuse(&making->jobs[owner->job], ack.error, ack.text);
	return 0;
}

static int count_filter(size_t i, const struct nlmsghdr *answer, void *data)
{
	struct making *making = data;

	(void)i;
	making->others += tc_is_filter(answer);
	return 0;
}

static int take_error(size_t i, const struct nlmsghdr *answer, void *data)
{
	(void)i;
	*(int *)data = ack_of(answer).error;
	return 0;
}

/* The qdisc of a link that has no filter any more, whose ever, if it was made for ours. */
static int clear_link(struct nl_channel *channel, struct making *making, size_t at, struct err *err)
{
	const struct link_filters_job *job = &making->jobs[at];
	int code = 0, not_ours = 0;

	making->others = 0;
	for (int hook = 0; code == 0 && hook < LINK_HOOKS; hook++) {
		tc_batch_reset(&making->batch);
		tc_dump_filters(&making->batch, job->ifindex, (enum link_hook)hook);
		code = nl_channel_exchange(channel, &making->batch, count_filter, making, err);
	}
	if (code < 0 || making->others)
		return code;
	tc_batch_reset(&making->batch);
	tc_unmark_clsact(&making->batch, job->ifindex);
	code = nl_channel_exchange(channel, &making->batch, take_error, &not_ours, err);
	if (code < 0 || not_ours)
		return code;
	tc_batch_reset(&making->batch);
	tc_delete_clsact(&making->batch, job->ifindex);
	own(making, at, -EINVAL);
	return nl_channel_exchange(channel, &making->batch, take_ack, making, err);
}

int link_filters_set(struct nl_channel *channel, struct link_filters_job *jobs, size_t n,
		     struct err *err)
{
	struct making making = { .jobs = jobs, .n = n };
	struct bpf_code code = { 0 };
	int error = 0;

	for (size_t i = 0; error == 0 && i < n; i++) {
		jobs[i].ack = (struct nl_ack){ .error = 0 };
		error = add_job(&making, i, &code);
	}
	if (error)
		err_errno(err, error, "could not make filters");
	else
		error = nl_channel_exchange(channel, &making.batch, take_ack, &making, err);
	for (size_t i = 0; error == 0 && i < n; i++) {
		if (!is_wanted(&jobs[i]) && jobs[i].link && jobs[i].link->tc.has_clsact)
			error = clear_link(channel, &making, i, err);
	}
	tc_batch_done(&making.batch);
	free(making.owners);
	bpf_code_done(&code);
	return error;
}
