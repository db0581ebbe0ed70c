#include "agent/reconcile_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Nothing tells when a program closes a tap, nor when another changes the owner of its node, nor
 * what of a link that is down (netdev_state_change()): a link of which one counts is looked at
 * again.
 */
#define LOOK_AGAIN_MS 30000

/* Nor does anything tell when a network namespace gets its name. */
#define NETNS_AGAIN_MS 2000

/* A link that went together with its lower device was not taken away by anybody. */
static bool is_excused(const struct reconcile *reconcile, const struct reconcile_link *link)
{
	const struct link_state *lower = link_table_real_lower(
		&reconcile->table, link_table_find_lower(&reconcile->table, link->spec->lower));

	const struct reconcile_place *place = reconcile_place_of(reconcile, link->spec);

	return !lower || lower->ifindex != link->lower || (place && *place->absent);
}

/*
 * Whoever holds the tap may change the link's MAC without any privilege (SIOCSIFHWADDR of tap(4)
 * files), so that it is most of all a guest that does.
 */
static void look_at_mac(struct reconcile *reconcile, struct reconcile_link *link,
			const struct reconcile_watch *watch)
{
	bool is_right = link->present && memcmp(link->link.mac, link->spec->mac, MAC_LEN) == 0;
	char who[64] = "";

	if (link->present && link->mac_was_right && !is_right && watch->mac_changed) {
		if (link->link.kind != LINK_KIND_MACVTAP ||
		    !reconcile_is_held(&link->link, who, sizeof(who), reconcile))
			who[0] = '\0';
		watch->mac_changed(link, who, watch->data);
	}
	link->mac_was_right = is_right;
}

static void track_losses(struct reconcile *reconcile, uint64_t now_ms,
			 const struct reconcile_watch *watch)
{
	for (size_t i = 0; i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];
		bool excused = !link->present && is_excused(reconcile, link);

		if (link_track_seen(&link->track, link->present, excused, now_ms)) {
			reconcile_link_judge(link);
			/* Perhaps somebody has moved it to another namespace. */
			reconcile->scan = reconcile->scan || !excused;
			if (watch->lost)
				watch->lost(link, watch->data);
		}
		if (link->present)
			link->lower = link->link.lower;
		look_at_mac(reconcile, link, watch);
	}
}

struct pass {
	struct reconcile *reconcile;
	uint64_t now_ms;
	const struct reconcile_watch *watch;
	size_t tried;
};

static struct link_track *track_of(struct reconcile *reconcile, const struct link_step *step)
{
	struct reconcile_link *link = reconcile_link_of(reconcile, step);

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

static bool says(const char *said, const char *reason)
{
	return said && strcmp(said, reason) == 0;
}

/*
 * A blocked step is told when it is news; a stray that is held has no place to remember that. So is
 * a change that did not show the last time.
 */
static bool is_news(const struct reconcile_link *link, const struct link_result *result)
{
	if (result->step->op == LINK_OP_BLOCKED)
		return link && !says(link->error, result->step->reason);
	return result->error < 0 || !link || !says(link->unsettled, result->step->reason);
}

static void on_result(const struct link_result *result, void *data)
{
	struct pass *pass = data;
	const struct link_step *step = result->step;
	struct reconcile_link *link = reconcile_link_of(pass->reconcile, step);
	struct link_track *track = track_of(pass->reconcile, step);
	bool news = is_news(link, result);

	if (step->op != LINK_OP_BLOCKED) {
		pass->tried++;
		if (result->error < 0)
			link_track_refused(track, pass->now_ms);
		else if (!link)
			link_track_done(track);
		/* What is moved back comes down, which is one change with it. */
		if (result->error == 0 && step->op == LINK_OP_CHANGE &&
		    !(step->attrs & 1u << LINK_ATTR_NETNS))
			link_track_changed(track, pass->now_ms);
		if (link)
			link->pending = result->error < 0;
	}
	/* Half of a replace that failed took the link away: we did, so that is no loss. */
	if (step->op == LINK_OP_REPLACE && result->error < 0)
		track->present = false;
	if (link)
		reconcile_say(&link->error, "%s", result->text);
	if (news && pass->watch->step)
		pass->watch->step(result, pass->watch->data);
}

static void on_unsettled(const struct link_result *result, void *data)
{
	struct pass *pass = data;
	struct reconcile_link *link = reconcile_link_of(pass->reconcile, result->step);
	bool news = !says(link->unsettled, result->step->reason);

	link->pending = true;
	reconcile_say(&link->error, "%s", result->text);
	reconcile_say(&link->unsettled, "%s", result->step->reason);
	link_track_refused(&link->track, pass->now_ms);
	if (news && pass->watch->step)
		pass->watch->step(result, pass->watch->data);
}

/* What was done is done only when it shows. */
static int read_back(struct pass *pass, struct err *err)
{
	struct reconcile *reconcile = pass->reconcile;
	bool *done = calloc(reconcile->n + 1, sizeof(*done));
	int code;

	if (!done)
		return err_errno(err, -ENOMEM, "could not look at the links");
	for (size_t i = 0; i < reconcile->n; i++) {
		done[i] = reconcile->links[i].done != 0;
		if (done[i])
			reconcile->links[i].pending = false;
	}
	code = reconcile_read_back(reconcile, on_unsettled, pass, err);
	for (size_t i = 0; i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];

		if (code < 0 || !done[i] || link->pending)
			continue;
		link_track_done(&link->track);
		reconcile_say(&link->unsettled, "%s", "");
	}
	free(done);
	return code < 0 ? code : 0;
}

/* A link that waits says what for. */
static void say_waiting(struct reconcile_link *link, uint64_t now_ms)
{
	const struct link_track *track = &link->track;

	if (link->error)
		return;
	if (link_track_failed(track))
		reconcile_say(&link->error, "lost %u times in a row: given up until a reload",
			      track->losses);
	else if (!link->present && !link_track_ready(track, now_ms))
		reconcile_say(&link->error, "lost %u times in a row: waiting", track->losses);
	else if (!link_track_ready(track, now_ms))
		reconcile_say(&link->error,
			      "somebody keeps changing it, %u times in a row: waiting",
			      track->changes);
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
		struct reconcile_link *link = reconcile_link_of(reconcile, step);

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
			reconcile_say(&link->error, "%s", "");
	}
}

static void earlier(int64_t *wait, uint64_t due, uint64_t now_ms)
{
	int64_t ms = due > now_ms ? (int64_t)(due - now_ms) : 0;

	if (*wait < 0 || ms < *wait)
		*wait = ms;
}

static void say_what_waits(struct reconcile *reconcile, uint64_t now_ms)
{
	for (size_t i = 0; i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];

		if (link->pending && !link->block)
			say_waiting(link, now_ms);
	}
}

static int64_t next_pass(const struct reconcile *reconcile, uint64_t now_ms, bool held)
{
	int64_t wait = -1;
	uint64_t due = link_track_due(&reconcile->strays, now_ms);

	if (due)
		earlier(&wait, due, now_ms);
	due = reconcile_ports_due(reconcile, now_ms);
	if (due)
		earlier(&wait, due, now_ms);
	for (size_t i = 0; i < reconcile->n; i++) {
		const struct reconcile_link *link = &reconcile->links[i];

		held = held || !link->spec->up ||
		       (link->node_known && !tap_rights_are_kernels(&link->spec->tap));
		due = link_track_due(&link->track, now_ms);
		if (link->pending && due)
			earlier(&wait, due, now_ms);
	}
	if (held)
		earlier(&wait, now_ms + LOOK_AGAIN_MS, now_ms);
	for (size_t i = 0; i < reconcile->n_places; i++) {
		if (*reconcile->places[i].absent)
			earlier(&wait, now_ms + NETNS_AGAIN_MS, now_ms);
	}
	return wait;
}

static int make_pass(struct reconcile *reconcile, uint64_t now_ms,
		     const struct reconcile_watch *watch, int64_t *ret_wait_ms, struct err *err)
{
	struct pass pass = { .reconcile = reconcile, .now_ms = now_ms, .watch = watch };
	bool held = false;
	int code;

	code = reconcile_refresh(reconcile, err);
	if (code < 0)
		return code;
	track_losses(reconcile, now_ms, watch);
	/* A thousand links need not be told again for that. */
	if (reconcile->scan)
		code = reconcile_refresh_places(reconcile, err);
	if (code == 0)
		code = reconcile_make_plan(reconcile, RECONCILE_GOAL_CONFIG, false, err);
	if (code < 0)
		return code;
	take_plan(reconcile, &held);
	keep_due_steps(&pass);
	code = reconcile_apply(reconcile, on_result, &pass, err);
	if (code >= 0 && pass.tried) {
		code = read_back(&pass, err);
		if (code == 0)
			track_losses(reconcile, now_ms, watch);
	}
	if (code < 0)
		return code;
	say_what_waits(reconcile, now_ms);
	code = reconcile_pass_ports(reconcile, now_ms, watch, err);
	if (code < 0)
		return code;
	*ret_wait_ms = next_pass(reconcile, now_ms, held);
	return 0;
}

void reconcile_watch_rising(struct reconcile *reconcile, const struct link_rising_watch *watch)
{
	reconcile->rising = *watch;
}

int reconcile_pass(struct reconcile *reconcile, uint64_t now_ms,
		   const struct reconcile_watch *watch, int64_t *ret_wait_ms, struct err *err)
{
	int code = make_pass(reconcile, now_ms, watch, ret_wait_ms, err);

	reconcile_forget(reconcile);
	reconcile_leave_places(reconcile);
	return code;
}
