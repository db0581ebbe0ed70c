#include "agent/reconcile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/desired.h"
#include "agent/held_taps.h"
#include "netlink/nl_channel.h"
#include "netlink/tap_node.h"

/*
 * Nothing tells when a program closes a tap, nor when another changes the owner of its node: a link
 * of which either counts is looked at again.
 */
#define LOOK_AGAIN_MS 30000

struct reconcile {
	struct nl_channel *channel;
	uint32_t group;
	struct link_spec *specs;
	struct reconcile_link *links; /* one per spec */
	size_t n;

	struct link_table table;
	struct link_plan plan; /* points into table and specs */
	struct held_taps held;

	struct link_track strays; /* links to be deleted have no place of their own */
};

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
		links[i].spec = specs[i];
		links[i].state = RECONCILE_MISSING;
	}
	*ret_specs = specs;
	*ret_links = links;
	*ret_n = n;
	return 0;
}

int reconcile_open(const struct config *config, struct reconcile **ret, struct err *err)
{
	struct reconcile *reconcile = calloc(1, sizeof(*reconcile));
	int code;

	if (!reconcile)
		return err_errno(err, -ENOMEM, "could not open rtnetlink");
	reconcile->group = config->agent.link_group;
	code = load(config, &reconcile->specs, &reconcile->links, &reconcile->n, err);
	if (code == 0)
		code = nl_channel_open(&reconcile->channel, err);
	if (code < 0) {
		reconcile_free(reconcile);
		return code;
	}
	*ret = reconcile;
	return 0;
}

void reconcile_free(struct reconcile *reconcile)
{
	if (!reconcile)
		return;
	nl_channel_free(reconcile->channel);
	link_plan_done(&reconcile->plan);
	link_table_done(&reconcile->table);
	held_taps_done(&reconcile->held);
	free(reconcile->specs);
	free(reconcile->links);
	free(reconcile);
}

int reconcile_reload(struct reconcile *reconcile, const struct config *config, struct err *err)
{
	struct reconcile_link *links = NULL;
	struct link_spec *specs = NULL;
	size_t n = 0;
	int code = load(config, &specs, &links, &n, err);

	if (code < 0)
		return code;
	link_plan_done(&reconcile->plan);
	free(reconcile->specs);
	free(reconcile->links);
	reconcile->specs = specs;
	reconcile->links = links;
	reconcile->n = n;
	reconcile->group = config->agent.link_group;
	reconcile->strays = (struct link_track){ 0 };
	return 0;
}

int reconcile_fd(const struct reconcile *reconcile)
{
	return nl_channel_monitor_fd(reconcile->channel);
}

int reconcile_drain(struct reconcile *reconcile)
{
	int news = nl_channel_drain(reconcile->channel);

	/* A broken socket is found by the pass, which then says so. */
	return news != NL_NEWS_NONE;
}

const struct reconcile_link *reconcile_links(const struct reconcile *reconcile, size_t *ret_n)
{
	*ret_n = reconcile->n;
	return reconcile->links;
}

static int refresh(struct reconcile *reconcile, struct err *err)
{
	int code;

	/* Its steps point into the table that is about to be filled anew. */
	link_plan_done(&reconcile->plan);
	held_taps_done(&reconcile->held);
	code = nl_channel_dump_links(reconcile->channel, &reconcile->table, err);
	if (code < 0)
		return code;
	for (size_t i = 0; i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];
		const struct link_state *now =
			link_table_find_name(&reconcile->table, link->spec.name);

		reconcile_link_refresh(link,
				       now && link_is_ours(now, reconcile->group) ? now : NULL);
	}
	return 0;
}

/* A link that went together with its lower device was not taken away by anybody. */
static bool is_excused(const struct reconcile *reconcile, const struct reconcile_link *link)
{
	const struct link_state *lower = link_table_real_lower(
		&reconcile->table, link_table_find_name(&reconcile->table, link->spec.lower));

	return !lower || lower->ifindex != link->lower;
}

static void track_losses(struct reconcile *reconcile, uint64_t now_ms,
			 const struct reconcile_watch *watch)
{
	for (size_t i = 0; i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];
		bool excused = !link->present && is_excused(reconcile, link);

		if (link_track_seen(&link->track, link->present, excused, now_ms)) {
			reconcile_link_judge(link);
			if (watch->lost)
				watch->lost(link, watch->data);
		}
		if (link->present)
			link->lower = link->link.lower;
	}
}

/* What cannot be told is taken for held: a link deleted under a guest is lost to it for ever. */
static bool is_held(const struct link_state *link, char *who, size_t size, void *data)
{
	struct reconcile *reconcile = data;
	const struct tap_holder *holder = NULL;
	dev_t dev;

	if (held_taps_find(&reconcile->held, &reconcile->table) == 0 &&
	    tap_node_dev(link->name, link->ifindex, &dev, NULL) == 0)
		holder = held_taps_holder(&reconcile->held, dev);
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
	return wanted->present && wanted->tap_dev ? &wanted->node : NULL;
}

static int make_plan(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
		     struct err *err)
{
	const struct link_plan_input input = {
		.specs = reconcile->specs,
		.n_specs = reconcile->n,
		.table = &reconcile->table,
		.group = reconcile->group,
		.remove = goal == RECONCILE_GOAL_NOTHING,
		.held = force ? NULL : is_held,
		.node = node_of,
		.data = reconcile,
	};
	int code = link_plan_make(&input, &reconcile->plan);

	return code < 0 ? err_errno(err, code, "could not plan") : 0;
}

int reconcile_plan(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
		   const struct link_plan **ret, struct err *err)
{
	int code = refresh(reconcile, err);

	if (code == 0)
		code = make_plan(reconcile, goal, force, err);
	if (code == 0)
		*ret = &reconcile->plan;
	return code;
}

int reconcile_apply(struct reconcile *reconcile, link_result_cb cb, void *data, struct err *err)
{
	return link_apply(reconcile->channel, &reconcile->plan, &reconcile->table, reconcile->group,
			  cb, data, err);
}

int reconcile_look(struct reconcile *reconcile, struct err *err)
{
	int code = refresh(reconcile, err);

	if (code < 0)
		return code;
	code = held_taps_find(&reconcile->held, &reconcile->table);
	if (code < 0)
		return err_errno(err, code, "could not see who holds the taps");
	for (size_t i = 0; i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];
		const struct tap_holder *holder =
			link->tap_dev ? held_taps_holder(&reconcile->held, link->tap_dev) : NULL;

		if (holder)
			link->holder = *holder;
	}
	return 0;
}

/* The pass. */

struct pass {
	struct reconcile *reconcile;
	uint64_t now_ms;
	const struct reconcile_watch *watch;
	size_t tried;
};

static struct reconcile_link *link_of(struct reconcile *reconcile, const struct link_step *step)
{
	return step->spec ? &reconcile->links[step->spec - reconcile->specs] : NULL;
}

static struct link_track *track_of(struct reconcile *reconcile, const struct link_step *step)
{
	struct reconcile_link *link = link_of(reconcile, step);

	return link ? &link->track : &reconcile->strays;
}

/* Blocked steps stay, to be told; of the others those whose time has come. */
static void keep_due_steps(struct pass *pass)
{
	struct link_plan *plan = &pass->reconcile->plan;
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++) {
		const struct link_step *step = &plan->steps[i];

		if (step->op != LINK_OP_BLOCKED &&
		    !link_track_ready(track_of(pass->reconcile, step), pass->now_ms))
			plan->count[step->op]--;
		else
			plan->steps[n++] = *step;
	}
	plan->n = n;
}

/* A blocked step is told when it is news; a stray that is held has no place to remember that. */
static bool is_news(const struct reconcile_link *link, const struct link_result *result)
{
	return result->step->op != LINK_OP_BLOCKED ||
	       (link && strcmp(link->error, result->step->reason) != 0);
}

static void on_result(const struct link_result *result, void *data)
{
	struct pass *pass = data;
	const struct link_step *step = result->step;
	struct reconcile_link *link = link_of(pass->reconcile, step);
	struct link_track *track = track_of(pass->reconcile, step);
	bool news = is_news(link, result);

	if (step->op != LINK_OP_BLOCKED) {
		pass->tried++;
		if (result->error < 0)
			link_track_refused(track, pass->now_ms);
		else
			link_track_done(track);
		if (link)
			link->pending = result->error < 0;
	}
	/* Half of a replace that failed took the link away: we did, so that is no loss. */
	if (step->op == LINK_OP_REPLACE && result->error < 0)
		track->present = false;
	if (link)
		snprintf(link->error, sizeof(link->error), "%s", result->text);
	if (news && pass->watch->step)
		pass->watch->step(result, pass->watch->data);
}

/* What the plan says about each link, before the steps that are not due are left out. */
static void take_plan(struct reconcile *reconcile, bool *ret_held)
{
	for (size_t i = 0; i < reconcile->n; i++) {
		reconcile->links[i].pending = false;
		reconcile->links[i].block = LINK_BLOCK_NONE;
	}
	for (size_t i = 0; i < reconcile->plan.n; i++) {
		const struct link_step *step = &reconcile->plan.steps[i];
		struct reconcile_link *link = link_of(reconcile, step);

		*ret_held = *ret_held || step->block == LINK_BLOCK_HELD;
		if (!link)
			continue;
		link->pending = true;
		link->block = step->block;
	}
	for (size_t i = 0; i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];

		reconcile_link_judge(link);
		if (!link->pending)
			link->error[0] = '\0';
	}
}

static void earlier(int64_t *wait, uint64_t due, uint64_t now_ms)
{
	int64_t ms = due > now_ms ? (int64_t)(due - now_ms) : 0;

	if (*wait < 0 || ms < *wait)
		*wait = ms;
}

static int64_t next_pass(const struct reconcile *reconcile, uint64_t now_ms, bool held)
{
	int64_t wait = -1;
	uint64_t due = link_track_due(&reconcile->strays, now_ms);

	if (due)
		earlier(&wait, due, now_ms);
	for (size_t i = 0; i < reconcile->n; i++) {
		const struct reconcile_link *link = &reconcile->links[i];

		held = held || (link->tap_dev && !tap_rights_are_kernels(&link->spec.tap));
		due = link_track_due(&link->track, now_ms);
		if (link->pending && due)
			earlier(&wait, due, now_ms);
	}
	if (held)
		earlier(&wait, now_ms + LOOK_AGAIN_MS, now_ms);
	return wait;
}

int reconcile_pass(struct reconcile *reconcile, uint64_t now_ms,
		   const struct reconcile_watch *watch, int64_t *ret_wait_ms, struct err *err)
{
	struct pass pass = { .reconcile = reconcile, .now_ms = now_ms, .watch = watch };
	bool held = false;
	int code;

	code = refresh(reconcile, err);
	if (code < 0)
		return code;
	track_losses(reconcile, now_ms, watch);
	code = make_plan(reconcile, RECONCILE_GOAL_CONFIG, false, err);
	if (code < 0)
		return code;
	take_plan(reconcile, &held);
	keep_due_steps(&pass);
	code = reconcile_apply(reconcile, on_result, &pass, err);
	if (code >= 0 && pass.tried) {
		code = refresh(reconcile, err);
		if (code == 0)
			track_losses(reconcile, now_ms, watch);
	}
	if (code < 0)
		return code;
	*ret_wait_ms = next_pass(reconcile, now_ms, held);
	return 0;
}
