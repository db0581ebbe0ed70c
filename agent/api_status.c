/* The status that requests are answered out of: made when one asks, and good for a moment. */
#include "agent/agent.h"

#include <errno.h>
#include <unistd.h>

#include "agent/api_parts.h"
#include "agent/base/clock.h"
#include "agent/status.h"

/* Requests for the status within this time get the same answer: a look at all of /proc is dear. */
#define STATUS_FRESH_MS 250

void agent_forget_status(struct agent *a)
{
	/*
	 * The text stays: it may be that of an answer on its way, and the next one needs the room.
	 */
	a->status_fresh = false;
}

/* A new status. Takes `held` over. */
static int make_status(struct agent *a, struct held_taps *held, struct err *err)
{
	struct status_input in = {
		.config = a->setup.config,
		.config_path = a->path,
		.sources = &a->sources,
		.logs = &a->logs,
		.stats = a->stats,
		.captures = a->captures,
		.n_captures = a->n_captures,
		.web = &a->web,
		.generation = a->generation,
		.started = a->started,
		.reload_error = a->reload_error,
		.pid = getpid(),
		.now_ns = clock_ns(CLOCK_REALTIME),
	};
	int code = reconcile_look(a->supervisor.reconcile, held, err);

	if (code)
		return code;
	in.links = reconcile_links(a->supervisor.reconcile, &in.n_links);
	for (size_t i = 0; i < in.n_links; i++)
		sources_holder(&a->sources, i, in.links[i].spec->name, &in.links[i].holder);
	in.guests = boot_track_json(a);
	a->status_fresh = status_make(&in, &a->status) == 0;
	if (!a->status_fresh)
		return err_set(err, -ENOMEM, "no memory for the status");
	a->status_ms = uv_now(&a->loop);
	return 0;
}

bool api_status_is_fresh(const struct agent *a)
{
	return a->status_fresh && uv_now(&a->loop) - a->status_ms < STATUS_FRESH_MS;
}

/* Takes `held` over, which was asked for with `code` as the answer. */
static void answer_waiting(struct agent *a, struct held_taps *held, int code)
{
	struct worker *web = &a->web;
	struct err err = { "" };

	if (!a->supervisor.reconcile)
		a->n_waiting = 0; /* the agent ends */
	else if (code)
		err_errno(&err, code, "could not see who holds the taps");
	else
		code = make_status(a, held, &err);
	/* An act among them is an event, of which the next look is to tell: these had theirs. */
	for (size_t i = 0; i < a->n_waiting; i++) {
		struct ipc_channel *channel = worker_channel_of(web, a->waiting[i].asker);

		if (channel)
			api_reply_to(a, channel, &a->waiting[i].request, code, &err);
	}
	a->n_waiting = 0;
}

static void on_found(struct tap_look *look, struct held_taps *held, int error)
{
	struct agent *a = look->data;

	if (a->n_waiting)
		answer_waiting(a, held, error);
}

void agent_answer_waiting(struct agent *a)
{
	struct link_table taps = { 0 };
	struct held_taps held = { 0 };
	int code;

	if (!a->n_waiting)
		return;
	code = reconcile_taps(a->supervisor.reconcile, &taps);
	if (code == 0)
		code = held_taps_find(&held, &taps, getpid());
	answer_waiting(a, &held, code);
	held_taps_done(&held);
	link_table_done(&taps);
}

static int start_look(struct agent *a)
{
	struct link_table taps;
	int code = reconcile_taps(a->supervisor.reconcile, &taps);

	return code ? code : tap_look_start(&a->look, &a->loop, &taps, getpid(), on_found);
}

void api_wait_for_status(struct agent *a, struct ipc_channel *web,
			 const struct ipc_request *request)
{
	struct err err = { "" };
	int code = 0;

	if (a->n_waiting == WAITING_MAX)
		code = err_set(&err, -EBUSY, "too many requests wait for the status already");
	else if (!a->look.busy)
		code = start_look(a);
	if (code && !*err.text)
		err_errno(&err, code, "could not look at the links");
	if (code)
		api_reply_to(a, web, request, code, &err);
	else
		a->waiting[a->n_waiting++] = (struct waiting){
			.request = *request,
			.asker = worker_pid(&a->web),
		};
}
