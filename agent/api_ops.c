/* What the web worker may ask of the agent. */
#include "agent/agent.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "agent/base/log.h"
#include "agent/plan_look.h"
#include "agent/status.h"
#include "agent/status_traffic.h"

/* Requests for the status within this time get the same answer: a look at all of /proc is dear. */
#define STATUS_FRESH_MS 250

/* Of rates: hundredths of what a fast link carries in a second, and no more. */
#define REAL_DIGITS 12

void agent_forget_status(struct agent *a)
{
	if (!a->status)
		return;
	json_decref(a->status);
	a->status = NULL;
	/* Some ten thousand small objects of a thousand links. */
	malloc_trim(0);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A new status, which belongs to the agent. Takes `held` over. */
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
		.now_ns = now_ns(),
	};
	int code = reconcile_look(a->supervisor.reconcile, held, err);

	agent_forget_status(a);
	if (code)
		return code;
	in.links = reconcile_links(a->supervisor.reconcile, &in.n_links);
	in.guests = boot_track_json(a);
	a->status = status_json(&in);
	if (!a->status)
		return err_set(err, -ENOMEM, "no memory for the status");
	a->status_ms = uv_now(&a->loop);
	return 0;
}

/* ---- views ----------------------------------------------------------------------------------- */

static int answer_status(struct agent *a, const struct ipc_request *request, json_t **ret,
			 struct err *err)
{
	(void)request;
	(void)err;
	*ret = json_incref(a->status);
	return 0;
}

/* A list of the status, or the one of it that the request names. */
static int answer_list(struct agent *a, const char *key, const struct ipc_request *request,
		       json_t **ret, struct err *err)
{
	const json_t *list;
	json_t *one;
	size_t i;

	list = json_object_get(a->status, key);
	if (!request->name[0]) {
		*ret = json_incref((json_t *)list);
		return 0;
	}
	json_array_foreach(list, i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));

		if (name && strcmp(name, request->name) == 0) {
			*ret = json_incref(one);
			return 0;
		}
	}
	return err_set(err, -ENOENT, "there is none of this name");
}

static int answer_sets(struct agent *a, const struct ipc_request *request, json_t **ret,
		       struct err *err)
{
	return answer_list(a, "sets", request, ret, err);
}

static int answer_links(struct agent *a, const struct ipc_request *request, json_t **ret,
			struct err *err)
{
	json_t *link;
	int code = answer_list(a, "links", request, ret, err);

	if (code || !request->name[0])
		return code;
	/* A copy of its own: the others in the status have few. */
	link = json_copy(*ret);
	json_object_set_new(link, "talkers",
			    status_talkers_json(a->stats, sources_find(&a->sources, request->name),
						STATS_TALKERS_MAX));
	json_decref(*ret);
	*ret = link;
	return 0;
}

static int answer_patterns(struct agent *a, const struct ipc_request *request, json_t **ret,
			   struct err *err)
{
	return answer_list(a, "patterns", request, ret, err);
}

static int answer_reach(struct agent *a, const struct ipc_request *request, json_t **ret,
			struct err *err)
{
	(void)request;
	return reach_look(a->setup.config, ret, err);
}

static int answer_guests(struct agent *a, const struct ipc_request *request, json_t **ret,
			 struct err *err)
{
	json_t *list = boot_track_json(a), *one;
	size_t i;

	if (!request->name[0]) {
		*ret = list;
		return 0;
	}
	json_array_foreach(list, i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));

		if (!*ret && name && strcmp(name, request->name) == 0)
			*ret = json_incref(one);
	}
	json_decref(list);
	return *ret ? 0 : err_set(err, -ENOENT, "there is no guest of this name");
}

static int answer_boot_set(struct agent *a, const struct ipc_request *request, json_t **ret,
			   struct err *err)
{
	int code = boot_track_set(a, request->name, request->link, err);

	if (code)
		return code;
	return answer_guests(a, request, ret, err);
}

/* Whoever asks for others' files may do so often: one event in this time tells it. */
#define REFUSED_EVENT_MS 1000

static int refuse_peer(struct agent *a, const struct ipc_request *request, const struct err *err)
{
	uint64_t now = uv_now(&a->loop);

	a->n_boot_refused++;
	if (a->boot_refused_ms && now - a->boot_refused_ms < REFUSED_EVENT_MS)
		return -EACCES;
	a->boot_refused_ms = now;
	agent_emit(a, LOG_LEVEL_WARNING, "boot-refused",
		   "%s asks for what the guest on %s boots from: %s: %llu such requests so far",
		   request->name, request->link, err->text, (unsigned long long)a->n_boot_refused);
	return -EACCES;
}

static int answer_peer(struct agent *a, const struct ipc_request *request, json_t **ret,
		       struct err *err)
{
	const char *link = NULL;
	struct cidr address;
	int code = parse_prefix(request->name, &address, err);

	if (code || parse_ifname(request->link, NULL))
		return code ? code : err_set(err, -EINVAL, "no link is named");
	code = reconcile_peer(a->supervisor.reconcile, &address, &link, err);
	if (!code && strcmp(link, request->link) != 0)
		code = err_set(err, -EACCES, "it is behind %s", link);
	if (code)
		return refuse_peer(a, request, err);
	*ret = json_pack("{s:s}", "link", link);
	return 0;
}

static int answer_plan(struct agent *a, const struct ipc_request *request, json_t **ret,
		       struct err *err)
{
	(void)request;
	return plan_look(a->path, ret, err);
}

/* ---- acts ------------------------------------------------------------------------------------ */

static json_t *accepted(const char *what)
{
	return json_pack("{s:s}", "accepted", what);
}

static int answer_reload(struct agent *a, const struct ipc_request *request, json_t **ret,
			 struct err *err)
{
	(void)request;
	(void)err;
	*ret = accepted("reload");
	a->reload_asked = true;
	return 0;
}

static int answer_apply(struct agent *a, const struct ipc_request *request, json_t **ret,
			struct err *err)
{
	json_t *plan = NULL;
	const char *hash;
	int code = plan_look(a->path, &plan, err);

	if (code)
		return code;
	hash = json_string_value(json_object_get(plan, "hash"));
	if (!hash || strcmp(hash, request->plan) != 0) {
		err_set(err, -ESTALE,
			"the file or the links changed since this plan was made: look at the new "
			"one");
		*ret = json_pack("{s:s, s:o}", "detail", err->text, "plan", plan);
		return -ESTALE;
	}
	json_decref(plan);
	return answer_reload(a, request, ret, err);
}

static int answer_retry(struct agent *a, const struct ipc_request *request, json_t **ret,
			struct err *err)
{
	int code = answer_links(a, request, ret, err);

	if (code)
		return code;
	json_decref(*ret);
	*ret = accepted("retry");
	supervisor_kick(&a->supervisor);
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

/*
 * By enum ipc_op. The web worker has looked at the role; it may have been taken over since, so what
 * it may ask is bounded here, and what acts is told to the records with who asked.
 */
static const struct {
	int (*answer)(struct agent *a, const struct ipc_request *request, json_t **ret,
		      struct err *err);
	enum user_role role;
	bool from_status; /* answered out of a status that is fresh */
	const char *act; /* NULL: it only looks */
} ops[IPC_OPS] = {
	[IPC_OP_STATUS] = { answer_status, ROLE_VIEWER, true, NULL },
	[IPC_OP_SETS] = { answer_sets, ROLE_VIEWER, true, NULL },
	[IPC_OP_LINKS] = { answer_links, ROLE_VIEWER, true, NULL },
	[IPC_OP_PATTERNS] = { answer_patterns, ROLE_VIEWER, true, NULL },
	[IPC_OP_REACH] = { answer_reach, ROLE_VIEWER, false, NULL },
	[IPC_OP_PLAN] = { answer_plan, ROLE_VIEWER, false, NULL },
	[IPC_OP_APPLY] = { answer_apply, ROLE_ADMIN, false, "apply" },
	[IPC_OP_RELOAD] = { answer_reload, ROLE_ADMIN, false, "reload" },
	[IPC_OP_RETRY] = { answer_retry, ROLE_OPERATOR, true, "retry" },
	[IPC_OP_PEER] = { answer_peer, ROLE_VIEWER, false, NULL },
	[IPC_OP_GUESTS] = { answer_guests, ROLE_VIEWER, false, NULL },
	[IPC_OP_BOOT_SET] = { answer_boot_set, ROLE_OPERATOR, false, "boot set" },
};

/* Names come from the web worker, which a client may have taken over. */
static void copy_printable(const char name[NAME_MAX_LEN + 1], char ret[NAME_MAX_LEN + 1])
{
	size_t i;

	for (i = 0; i < NAME_MAX_LEN && name[i]; i++)
		ret[i] = name[i];
	for (ret[i] = '\0'; i--;)
		ret[i] = ret[i] < '!' || ret[i] > '~' ? '?' : ret[i];
}

static void audit(struct agent *a, const struct ipc_request *request, const char *outcome)
{
	char user[NAME_MAX_LEN + 1], name[NAME_MAX_LEN + 1];

	copy_printable(request->user, user);
	copy_printable(request->name, name);
	agent_emit(a, LOG_LEVEL_INFO, "asked", "%s asks: %s%s%s: %s", user, ops[request->op].act,
		   name[0] ? " " : "", name, outcome);
}

/* `looked`: what became of the status, if the answer comes out of it, with the reason in `err`. */
static int dispatch(struct agent *a, const struct ipc_request *request, int looked, json_t **ret,
		    struct err *err)
{
	int code = looked;

	if (request->role < ops[request->op].role)
		code = err_set(err, -EPERM, "this user's role does not allow it");
	else if (code == 0)
		code = ops[request->op].answer(a, request, ret, err);
	if (ops[request->op].act)
		audit(a, request, code ? err->text : "accepted");
	return code;
}

void agent_reply(struct ipc_channel *web, uint64_t id, int error, const char *text)
{
	struct ipc_reply reply = { .id = id, .error = error, .length = (uint32_t)strlen(text) };
	int fd = ipc_memfd("tapwarden-reply", text, reply.length);

	if (fd < 0) {
		log_err("cannot answer the web worker: %s: it will give up waiting", strerror(-fd));
		return;
	}
	ipc_send(web, IPC_REPLY, &reply, fd);
	close(fd);
}

static void reply_to(struct agent *a, struct ipc_channel *web, const struct ipc_request *request,
		     int looked, const struct err *why)
{
	json_t *answer = NULL;
	struct err err = *why;
	char *text = NULL;
	int code;

	code = dispatch(a, request, looked, &answer, &err);
	if (answer)
		text = json_dumps(answer, JSON_COMPACT | JSON_PRESERVE_ORDER |
						  JSON_REAL_PRECISION(REAL_DIGITS));
	json_decref(answer);
	if (!text && !code)
		code = err_set(&err, -ENOMEM, "no memory for the answer");
	agent_reply(web, request->id, code, text ? text : err.text);
	free(text);
	/* After the answer, which the worker that a reload drains shall still pass on. */
	if (a->reload_asked) {
		a->reload_asked = false;
		agent_reload(a);
	}
}

/* ---- a fresh status -------------------------------------------------------------------------- */

/* Takes `held` over, which was asked for with `code` as the answer. */
static void answer_waiting(struct agent *a, struct held_taps *held, int code)
{
	struct worker *web = &a->web;
	struct err err = { "" };
	bool changed = false;
	json_t *status;

	if (!a->supervisor.reconcile)
		a->n_waiting = 0; /* the agent ends */
	else if (code)
		err_errno(&err, code, "could not see who holds the taps");
	else
		code = make_status(a, held, &err);
	status = json_incref(a->status);
	for (size_t i = 0; i < a->n_waiting; i++) {
		struct ipc_channel *channel = worker_channel(web);

		/* An act among them is an event, of which the next look is to tell: these had theirs. */
		if (!a->status && status) {
			a->status = json_incref(status);
			changed = true;
		}
		if (channel && worker_pid(web) == a->waiting[i].asker)
			reply_to(a, channel, &a->waiting[i].request, code, &err);
	}
	json_decref(status);
	if (changed)
		agent_forget_status(a);
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

static void wait_for_status(struct agent *a, struct ipc_channel *web,
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
		reply_to(a, web, request, code, &err);
	else
		a->waiting[a->n_waiting++] = (struct waiting){
			.request = *request,
			.asker = worker_pid(&a->web),
		};
}

void agent_request(struct agent *a, struct ipc_channel *web, const struct ipc_request *request)
{
	const bool fresh = a->status && uv_now(&a->loop) - a->status_ms < STATUS_FRESH_MS;

	if (request->op == IPC_OP_BOOT_FILE || request->op == IPC_OP_PCAP)
		agent_send_file(a, web, request);
	else if (request->op == IPC_OP_SERIES)
		series_track_answer(a, web, request);
	else if (ops[request->op].from_status && !fresh)
		wait_for_status(a, web, request);
	else
		reply_to(a, web, request, 0, &(struct err){ "" });
}
