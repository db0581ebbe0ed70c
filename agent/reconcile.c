#include "agent/reconcile_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/desired.h"
#include "agent/lock.h"
#include "netlink/link_filters.h"
#include "netlink/netns.h"
#include "netlink/tap_node.h"
#include "netlink/wireless.h"

static int load(const struct config *config, struct link_spec **ret_specs,
		struct reconcile_link **ret_links, size_t *ret_n, struct err *err)
{
	char host_id[HOST_ID_MAX];
	struct reconcile_link *links;
	struct link_spec *specs;
	size_t n;
	int code;

	desired_host_id(host_id);
	code = desired_links(config, host_id, &specs, &n, err);
	if (code < 0)
		return code;
	links = calloc(n + 1, sizeof(*links));
	if (!links) {
		free(specs);
		return err_errno(err, -ENOMEM, "could not list the links");
	}
	for (size_t i = 0; i < n; i++) {
		links[i].spec = &specs[i];
		links[i].state = RECONCILE_MISSING;
	}
	*ret_specs = specs;
	*ret_links = links;
	*ret_n = n;
	return 0;
}

static void free_links(struct reconcile_link *links, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(links[i].addrs);
		free(links[i].error);
		free(links[i].unsettled);
	}
	free(links);
}

static int prepare(int (*open_channel)(struct nl_channel **ret, struct err *err),
		   struct reconcile_means *ret, struct err *err)
{
	struct reconcile_means means = { .agent = getppid() };
	int code;

	means.home = netns_open("");
	if (means.home < 0)
		return err_errno(err, means.home, "could not open the agent's network namespace");
	code = open_channel(&means.channel, err);
	if (code == 0)
		*ret = means;
	else
		close(means.home);
	return code;
}

int reconcile_prepare(struct reconcile_means *ret, struct err *err)
{
	return prepare(nl_channel_open_requests, ret, err);
}

int reconcile_open_prepared(const struct config *config, const struct reconcile_means *means,
			    struct reconcile **ret, struct err *err)
{
	struct reconcile *reconcile = calloc(1, sizeof(*reconcile));
	int code;

	if (!reconcile) {
		nl_channel_free(means->channel);
		close(means->home);
		return err_errno(err, -ENOMEM, "could not open rtnetlink");
	}
	reconcile->channel = means->channel;
	reconcile->home = means->home;
	reconcile->agent = means->agent;
	reconcile->group = config->agent.link_group;
	reconcile->scan = true;
	code = load(config, &reconcile->specs, &reconcile->links, &reconcile->n, err);
	if (code < 0)
		reconcile_free(reconcile);
	else
		*ret = reconcile;
	return code;
}

static int open_by(int (*open_channel)(struct nl_channel **ret, struct err *err),
		   const struct config *config, struct reconcile **ret, struct err *err)
{
	struct reconcile_means means = { .home = -1 };
	int code = prepare(open_channel, &means, err);

	if (code)
		return code;
	means.agent = agent_lock_pid(config->agent.run_dir);
	if (!means.agent)
		means.agent = getpid();
	return reconcile_open_prepared(config, &means, ret, err);
}

int reconcile_open(const struct config *config, struct reconcile **ret, struct err *err)
{
	return open_by(nl_channel_open, config, ret, err);
}

int reconcile_open_once(const struct config *config, struct reconcile **ret, struct err *err)
{
	return open_by(nl_channel_open_requests, config, ret, err);
}

void reconcile_free(struct reconcile *reconcile)
{
	if (!reconcile)
		return;
	nl_channel_free(reconcile->channel);
	reconcile_free_places(reconcile);
	if (reconcile->home >= 0)
		close(reconcile->home);
	link_plan_done(&reconcile->plan);
	port_plan_done(&reconcile->port_plan);
	free(reconcile->ports);
	link_table_done(&reconcile->table);
	held_taps_done(&reconcile->held);
	free(reconcile->specs);
	free_links(reconcile->links, reconcile->n);
	free(reconcile);
}

/* The qdiscs outlive a reload, and what is known of their counters does too. */
static void keep_drops(const struct reconcile *reconcile, struct reconcile_link *links, size_t n)
{
	for (size_t i = 0; i < reconcile->n; i++) {
		const struct reconcile_link *old = &reconcile->links[i];

		for (size_t k = 0; k < n; k++) {
			/* Two files name most links in the same order. */
			struct reconcile_link *link = &links[(i + k) % n];

			if (strcmp(link->spec->name, old->spec->name) != 0)
				continue;
			link->drops = old->drops;
			break;
		}
	}
}

int reconcile_reload(struct reconcile *reconcile, const struct config *config, struct err *err)
{
	struct reconcile_link *links = NULL;
	struct link_spec *specs = NULL;
	size_t n = 0;
	int code = load(config, &specs, &links, &n, err);

	if (code < 0)
		return code;
	keep_drops(reconcile, links, n);
	link_plan_done(&reconcile->plan);
	port_plan_done(&reconcile->port_plan);
	free(reconcile->ports);
	reconcile->ports = NULL;
	reconcile->n_ports = 0;
	free(reconcile->specs);
	free_links(reconcile->links, reconcile->n);
	reconcile->specs = specs;
	reconcile->links = links;
	reconcile->n = n;
	reconcile->group = config->agent.link_group;
	reconcile->strays = (struct link_track){ 0 };
	reconcile->scan = true;
	reconcile->links_known = false;
	return 0;
}

int reconcile_learn(struct reconcile *reconcile, const struct leases *leases, int64_t now,
		    struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < reconcile->n; i++) {
		struct link_track *track = &reconcile->links[i].track;
		int code = desired_learn(&reconcile->specs[i], leases, now, err);

		if (code < 0)
			return err_prefix(err, code, "the leases of %s", reconcile->specs[i].name);
		if (!code)
			continue;
		/* It is we who set it otherwise: that is done at once. */
		track->changes = 0;
		any = true;
	}
	return any;
}

int reconcile_fd(const struct reconcile *reconcile)
{
	return nl_channel_monitor_fd(reconcile->channel);
}

static void doubt(struct reconcile *reconcile, int news)
{
	if (news != NL_NEWS_NONE)
		reconcile->links_known = false;
	if (news < 0 || news & NL_NEWS_FILTERS)
		reconcile->filters_known = false;
	for (size_t i = 0; (news < 0 || news & NL_NEWS_GONE) && i < reconcile->n; i++)
		reconcile->links[i].link.tap = 0;
}

int reconcile_drain(struct reconcile *reconcile)
{
	int news = nl_channel_drain(reconcile->channel);

	doubt(reconcile, news);

	/* A broken socket is found by the pass, which then says so. */
	return news != NL_NEWS_NONE;
}

const struct reconcile_link *reconcile_links(const struct reconcile *reconcile, size_t *ret_n)
{
	*ret_n = reconcile->n;
	return reconcile->links;
}

/* A host link's addresses, and from here on what becomes of them. */
static int refresh_addrs(struct reconcile *reconcile, struct reconcile_link *link, struct err *err)
{
	int code;

	if (!link->present || !link->spec->is_host_link)
		return 0;
	if (!link->addrs) {
		code = nl_channel_listen_addrs(reconcile->channel);
		if (code == 0)
			link->addrs = calloc(1, sizeof(*link->addrs));
		if (code == 0 && !link->addrs)
			code = -ENOMEM;
		if (code < 0)
			return err_errno(err, code, "could not look at the addresses of %s",
					 link->spec->name);
	}
	return nl_channel_dump_addrs(reconcile->channel, link->link.ifindex, link->addrs, err);
}

/*
 * Takes over what was known of each link's filters; false when one is new, or its qdisc came or
 * went.
 */
static bool know_filters(struct reconcile *reconcile)
{
	for (size_t i = 0; reconcile->filters_known && i < reconcile->n; i++) {
		const struct reconcile_link *link = &reconcile->links[i];
		const struct link_state *now =
			link_find_ours(&reconcile->table, link->spec, reconcile->group);
		struct link_tc tc = link->link.tc;

		if (!now)
			continue;
		if (!link->present || link->link.ifindex != now->ifindex || !tc.known ||
		    (reconcile->stats && tc.has_clsact != now->tc.has_clsact))
			return false;
		if (reconcile->stats)
			tc.drops = now->tc.drops;
		reconcile->table.links[now - reconcile->table.links].tc = tc;
	}
	return reconcile->filters_known;
}

/*
 * Each filter is asked for by itself, which is dear: only after notifications of filters, and of
 * links that are new. Nothing notifies of drops.
 */
static int look_at_filters(struct reconcile *reconcile, struct err *err)
{
	int code = 0;

	if (reconcile->stats)
		code = link_filters_look_at_qdiscs(reconcile->channel, &reconcile->table,
						   reconcile->group, err);
	if (code == 0 && !know_filters(reconcile))
		code = link_filters_look(reconcile->channel, &reconcile->table, reconcile->group,
					 err);
	reconcile->filters_known = code == 0;
	return code;
}

void reconcile_forget(struct reconcile *reconcile)
{
	/* The plan's steps point into the table. */
	link_plan_done(&reconcile->plan);
	port_plan_done(&reconcile->port_plan);
	link_table_done(&reconcile->table);
	held_taps_done(&reconcile->held);
	reconcile->air_asked = 0;
}

/*
 * Ours as they were seen last, with the counters of now. An error means that they are not so any
 * more.
 */
static int recall_links(struct reconcile *reconcile)
{
	struct link_table *table = &reconcile->table;
	int code = 0;

	for (size_t i = 0; code == 0 && i < reconcile->n; i++) {
		const struct reconcile_link *link = &reconcile->links[i];

		if (link->present && !*link->spec->netns)
			code = link_table_add(table, &link->link);
	}
	if (code == 0)
		code = link_table_index(table);
	if (code == 0)
		code = nl_channel_dump_stats(reconcile->channel, table, NULL);
	if (code < 0)
		link_table_reset(table);
	return code;
}

/* All links; for a look that asks for counters, ours alone if nothing has changed. */
static int dump_links(struct reconcile *reconcile, struct err *err)
{
	const bool known = reconcile->links_known && !nl_channel_has_news(reconcile->channel);
	int code;

	if (reconcile->stats && known && recall_links(reconcile) == 0)
		return 0;
	code = nl_channel_dump_links(reconcile->channel, reconcile->stats, &reconcile->table, err);
	reconcile->links_known = code == 0;
	return code;
}

int reconcile_refresh(struct reconcile *reconcile, struct err *err)
{
	int code;

	reconcile_forget(reconcile);
	code = dump_links(reconcile, err);
	if (code == 0)
		code = look_at_filters(reconcile, err);
	if (code == 0)
		code = reconcile_refresh_places(reconcile, err);
	for (size_t i = 0; code == 0 && i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];
		const struct link_table *table = reconcile_table_of(reconcile, link->spec);

		reconcile_link_refresh(link, link_find_ours(table, link->spec, reconcile->group));
		code = refresh_addrs(reconcile, link, err);
	}
	/* What was not looked at to its end is not what was seen last. */
	if (code)
		reconcile->links_known = false;
	return code;
}

/* What cannot be told is taken for held: a link deleted under a guest is lost to it for ever. */
bool reconcile_is_held(const struct link_state *link, char *who, size_t size, void *data)
{
	struct reconcile *reconcile = data;
	const struct tap_holder *holder = NULL;

	if (held_taps_find(&reconcile->held, &reconcile->table, reconcile->agent) == 0)
		holder = held_taps_holder(&reconcile->held, link->ifindex);
	if (!holder) {
		snprintf(who, size,
			 "a program that cannot be found (/sys is of another namespace)");
		return true;
	}
	if (!holder->pid)
		return false;
	snprintf(who, size, "%s %d", holder->comm, (int)holder->pid);
	return true;
}

static const struct tap_node *node_of(const struct link_spec *spec, const struct link_state *link,
				      void *data)
{
	const struct reconcile *reconcile = data;
	const struct reconcile_link *wanted = &reconcile->links[spec - reconcile->specs];

	(void)link;
	return wanted->node_known ? &wanted->node : NULL;
}

static const struct link_addr_list *addrs_of(const struct link_spec *spec,
					     const struct link_state *link, void *data)
{
	const struct reconcile *reconcile = data;
	const struct reconcile_link *wanted = &reconcile->links[spec - reconcile->specs];

	(void)link;
	return wanted->present ? wanted->addrs : NULL;
}

static bool is_on_the_air(const struct link_state *lower, void *data)
{
	struct reconcile *reconcile = data;

	/* A thousand links ask about one lower device. */
	if (reconcile->air_asked != lower->ifindex)
		reconcile->on_the_air = is_wireless(WIRELESS_SYSFS, lower->name, lower->ifindex);
	reconcile->air_asked = lower->ifindex;
	return reconcile->on_the_air;
}

static int plan_place(struct reconcile *reconcile, size_t i, struct link_plan_input input)
{
	const struct reconcile_place *place = &reconcile->places[i];
	struct link_plan plan;
	int code;

	input.netns = place->netns;
	input.absent = *place->absent ? place->absent : NULL;
	input.table = &place->table;
	input.lowers = &reconcile->table;
	input.lower_nsid = place->home_nsid;
	input.node = NULL;
	input.addrs = NULL;
	code = link_plan_make(&input, &plan);
	if (code == 0)
		code = link_plan_append(&reconcile->plan, &plan, (unsigned int)i + 1);
	return code;
}

int reconcile_make_plan(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
			struct err *err)
{
	const struct link_plan_input input = {
		.specs = reconcile->specs,
		.n_specs = reconcile->n,
		.table = &reconcile->table,
		.group = reconcile->group,
		.remove = goal == RECONCILE_GOAL_NOTHING,
		.held = force ? NULL : reconcile_is_held,
		.node = node_of,
		.wireless = is_on_the_air,
		.addrs = addrs_of,
		.data = reconcile,
	};
	int code = link_plan_make(&input, &reconcile->plan);

	for (size_t i = 0; code == 0 && i < reconcile->n_places; i++)
		code = plan_place(reconcile, i, input);
	return code < 0 ? err_errno(err, code, "could not plan") : 0;
}

static int plan_looked(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
		       const struct link_plan **ret, struct err *err)
{
	int code = reconcile_make_plan(reconcile, goal, force, err);

	if (code == 0)
		code = reconcile_plan_ports(reconcile, goal, err);
	if (code == 0)
		*ret = &reconcile->plan;
	return code;
}

int reconcile_plan(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
		   const struct link_plan **ret, struct err *err)
{
	int code = reconcile_refresh(reconcile, err);

	return code ? code : plan_looked(reconcile, goal, force, ret, err);
}

int reconcile_plan_held(struct reconcile *reconcile, struct held_taps *held,
			const struct link_plan **ret, struct err *err)
{
	int code = reconcile_refresh(reconcile, err);

	if (code) {
		held_taps_done(held);
		return code;
	}
	held_taps_done(&reconcile->held);
	reconcile->held = *held;
	*held = (struct held_taps){ 0 };
	return plan_looked(reconcile, RECONCILE_GOAL_CONFIG, false, ret, err);
}

struct reconcile_link *reconcile_link_of(struct reconcile *reconcile, const struct link_step *step)
{
	return step->spec ? &reconcile->links[step->spec - reconcile->specs] : NULL;
}

struct apply_watch {
	struct reconcile *reconcile;
	link_result_cb cb;
	void *data;
};

static void on_applied(const struct link_result *result, void *data)
{
	const struct apply_watch *watch = data;
	const struct link_step *step = result->step;
	struct reconcile_link *link = reconcile_link_of(watch->reconcile, step);

	if (link)
		link->done = result->error ? 0 : step->op == LINK_OP_CHANGE ? step->attrs : ~0u;
	watch->cb(result, watch->data);
}

int reconcile_apply(struct reconcile *reconcile, link_result_cb cb, void *data, struct err *err)
{
	struct apply_watch watch = { .reconcile = reconcile, .cb = cb, .data = data };

	if (reconcile->plan.n)
		doubt(reconcile, NL_NEWS_CHANGED | NL_NEWS_FILTERS);
	return reconcile_apply_places(reconcile, on_applied, &watch, err);
}

/* A step that is to be done again although it was done just now. */
static bool does_not_show(struct reconcile *reconcile, const struct link_step *step)
{
	const struct reconcile_link *link = reconcile_link_of(reconcile, step);

	return link && step->op == LINK_OP_CHANGE && link->done & step->attrs;
}

int reconcile_read_back(struct reconcile *reconcile, link_result_cb cb, void *data, struct err *err)
{
	int code = reconcile_refresh(reconcile, err), n = 0;
	struct err text;

	if (code == 0)
		code = reconcile_make_plan(reconcile, RECONCILE_GOAL_CONFIG, false, err);
	for (size_t i = 0; code == 0 && i < reconcile->plan.n; i++) {
		const struct link_step *step = &reconcile->plan.steps[i];
		const struct link_result result = { .step = step,
						    .error = -EPROTO,
						    .text = text.text };

		if (!does_not_show(reconcile, step))
			continue;
		err_set(&text, 0,
			"could not change %s for good: it was set, and shows otherwise: %s",
			step->spec->name, step->reason);
		cb(&result, data);
		n++;
	}
	for (size_t i = 0; i < reconcile->n; i++)
		reconcile->links[i].done = 0;
	return code < 0 ? code : n;
}

int reconcile_taps(struct reconcile *reconcile, struct link_table *ret)
{
	struct link_table taps = { 0 };
	int code = 0;

	if (nl_channel_has_news(reconcile->channel))
		doubt(reconcile, NL_NEWS_CHANGED | NL_NEWS_FILTERS | NL_NEWS_GONE);
	for (size_t i = 0; code == 0 && i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];

		if (reconcile_link_find_tap(link))
			code = link_table_add(&taps, &link->link);
	}
	if (code == 0)
		*ret = taps;
	else
		link_table_done(&taps);
	return code;
}

static int look(struct reconcile *reconcile, const struct held_taps *held, struct err *err)
{
	int code;

	reconcile->stats = true;
	code = reconcile_refresh(reconcile, err);
	reconcile->stats = false;
	reconcile_leave_places(reconcile);
	if (code < 0)
		return code;
	for (size_t i = 0; i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];
		const struct tap_holder *holder = held_taps_holder(held, link->link.ifindex);

		if (link->present && holder)
			reconcile_link_look(link, holder);
	}
	return 0;
}

int reconcile_look(struct reconcile *reconcile, struct held_taps *held, struct err *err)
{
	int code = look(reconcile, held, err);

	held_taps_done(held);
	reconcile_forget(reconcile);
	return code;
}
