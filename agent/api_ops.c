/* What the web worker may ask of the agent. */
#include "agent/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "agent/api_parts.h"
#include "agent/base/log.h"
#include "agent/base/plural.h"
#include "agent/look_job.h"
#include "agent/status_traffic.h"

/* STATS_TALKERS_MAX of them, of some 150 bytes. */
#define TALKERS_TEXT_MAX (64 << 10)

/* One of both: a value, which is to be freed, or a part of the status. */
struct answer {
	json_t *json;
	struct status_part part;
};

/* ---- views ----------------------------------------------------------------------------------- */

static int answer_status(struct agent *a, const struct ipc_request *request, struct answer *ret,
			 struct err *err)
{
	(void)request;
	(void)err;
	ret->part = (struct status_part){ .len = a->status.buf.len };
	return 0;
}

/* A list of the status, or the one of it that the request names. */
static int answer_list(const struct agent *a, enum status_list list,
		       const struct ipc_request *request, struct answer *ret, struct err *err)
{
	if (!request->name[0])
		ret->part = a->status.lists[list];
	else if (!status_text_find(&a->status, list, request->name, &ret->part))
		return err_set(err, -ENOENT, "there is none of this name");
	return 0;
}

static int answer_sets(struct agent *a, const struct ipc_request *request, struct answer *ret,
		       struct err *err)
{
	return answer_list(a, STATUS_SETS, request, ret, err);
}

/* All of a link's talkers, of which the status has few. */
static json_t *talkers_of(const struct agent *a, const char *link)
{
	struct buf text;
	struct json_writer w = { .out = &text };
	json_t *talkers;

	buf_init(&text, TALKERS_TEXT_MAX);
	status_talkers_write(&w, NULL, a->stats, sources_find(&a->sources, 0, link),
			     STATS_TALKERS_MAX);
	talkers = text.failed ? NULL : json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
	buf_done(&text);
	return talkers;
}

static int answer_links(struct agent *a, const struct ipc_request *request, struct answer *ret,
			struct err *err)
{
	int code = answer_list(a, STATUS_LINKS, request, ret, err);

	if (code || !request->name[0])
		return code;
	ret->json = json_loadb(a->status.buf.data + ret->part.at, ret->part.len, 0, NULL);
	if (json_object_set_new(ret->json, "talkers", talkers_of(a, request->name)) == 0)
		return 0;
	json_decref(ret->json);
	ret->json = NULL;
	return err_set(err, -ENOMEM, "no memory for the answer");
}

static int answer_patterns(struct agent *a, const struct ipc_request *request, struct answer *ret,
			   struct err *err)
{
	return answer_list(a, STATUS_PATTERNS, request, ret, err);
}

static int answer_guests(struct agent *a, const struct ipc_request *request, struct answer *ret,
			 struct err *err)
{
	json_t *list = boot_track_json(a), *one;
	size_t i;

	if (!request->name[0]) {
		ret->json = list;
		return 0;
	}
	json_array_foreach(list, i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));

		if (!ret->json && name && strcmp(name, request->name) == 0)
			ret->json = json_incref(one);
	}
	json_decref(list);
	return ret->json ? 0 : err_set(err, -ENOENT, "there is no guest of this name");
}

static int answer_boot_set(struct agent *a, const struct ipc_request *request, struct answer *ret,
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
		   "%s asks for what the guest on %s boots from: %s: %llu such %s so far",
		   request->name, request->link, err->text, (unsigned long long)a->n_boot_refused,
		   plural(a->n_boot_refused, "request", "requests"));
	return -EACCES;
}

static int answer_peer(struct agent *a, const struct ipc_request *request, struct answer *ret,
		       struct err *err)
{
	const char *link = NULL;
	struct cidr address;
	int code = parse_prefix(request->name, &address, err);

	if (code || parse_ifname(request->link, NULL))
		return code ? code : err_set(err, -EINVAL, "no link is named");
	code = reconcile_peer(a->supervisor.reconcile, &address, request->scope, &link, err);
	if (!code && strcmp(link, request->link) != 0)
		code = err_set(err, -EACCES, "it is behind %s", link);
	if (code)
		return refuse_peer(a, request, err);
	ret->json = json_pack("{s:s}", "link", link);
	return 0;
}

/* ---- acts ------------------------------------------------------------------------------------ */

static json_t *accepted(const char *what)
{
	return json_pack("{s:s}", "accepted", what);
}

static int answer_reload(struct agent *a, const struct ipc_request *request, struct answer *ret,
			 struct err *err)
{
	(void)request;
	(void)err;
	ret->json = accepted("reload");
	a->reload_asked = true;
	return 0;
}

static int answer_apply(struct agent *a, const struct ipc_request *request, struct answer *ret,
			struct err *err)
{
	const char *hash = json_string_value(json_object_get(a->planned, "hash"));

	if (!hash || strcmp(hash, request->plan) != 0) {
		err_set(err, -ESTALE,
			"the file or the links changed since this plan was made: look at the new "
			"one");
		ret->json = json_pack("{s:s, s:O}", "detail", err->text, "plan", a->planned);
		return -ESTALE;
	}
	return answer_reload(a, request, ret, err);
}

static int answer_retry(struct agent *a, const struct ipc_request *request, struct answer *ret,
			struct err *err)
{
	int code = answer_links(a, request, ret, err);

	if (code)
		return code;
	json_decref(ret->json);
	ret->json = accepted("retry");
	supervisor_kick(&a->supervisor);
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

enum way {
	AT_ONCE,
	FROM_STATUS, /* out of a status that is fresh */
	BY_LOOK, /* by a process of look_job.h, or with what that says */
};

/*
 * By enum ipc_op. The web worker has looked at the role; it may have been taken over since, so what
 * it may ask is bounded here, and what acts is told to the records with who asked.
 */
static const struct {
	int (*answer)(struct agent *a, const struct ipc_request *request, struct answer *ret,
		      struct err *err);
	enum user_role role;
	enum way way;
	const char *act; /* NULL: it only looks */
} ops[IPC_OPS] = {
	[IPC_OP_STATUS] = { answer_status, ROLE_VIEWER, FROM_STATUS, NULL },
	[IPC_OP_SETS] = { answer_sets, ROLE_VIEWER, FROM_STATUS, NULL },
	[IPC_OP_LINKS] = { answer_links, ROLE_VIEWER, FROM_STATUS, NULL },
	[IPC_OP_PATTERNS] = { answer_patterns, ROLE_VIEWER, FROM_STATUS, NULL },
	[IPC_OP_REACH] = { NULL, ROLE_VIEWER, BY_LOOK, NULL },
	[IPC_OP_PLAN] = { NULL, ROLE_VIEWER, BY_LOOK, NULL },
	[IPC_OP_APPLY] = { answer_apply, ROLE_ADMIN, BY_LOOK, "apply" },
	[IPC_OP_RELOAD] = { answer_reload, ROLE_ADMIN, AT_ONCE, "reload" },
	[IPC_OP_RETRY] = { answer_retry, ROLE_OPERATOR, FROM_STATUS, "retry" },
	[IPC_OP_PEER] = { answer_peer, ROLE_VIEWER, AT_ONCE, NULL },
	[IPC_OP_GUESTS] = { answer_guests, ROLE_VIEWER, AT_ONCE, NULL },
	[IPC_OP_BOOT_SET] = { answer_boot_set, ROLE_OPERATOR, AT_ONCE, "boot set" },
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

/* `looked`: what became of what the answer comes out of, with the reason in `err`. */
static int dispatch(struct agent *a, const struct ipc_request *request, int looked,
		    struct answer *ret, struct err *err)
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

void agent_reply(struct ipc_channel *web, uint64_t id, int error, const char *text, size_t len)
{
	struct ipc_reply reply = { .id = id, .error = error, .length = (uint32_t)len };
	int fd = ipc_memfd("tapwarden-reply", text, reply.length);

	if (fd < 0) {
		log_err("cannot answer the web worker: %s: it will give up waiting", strerror(-fd));
		return;
	}
	ipc_send(web, IPC_REPLY, &reply, fd);
	close(fd);
}

void api_reply_to(struct agent *a, struct ipc_channel *web, const struct ipc_request *request,
		  int looked, const struct err *why)
{
	struct answer answer = { 0 };
	struct err err = *why;
	const char *text = NULL;
	char *dumped = NULL;
	size_t len = 0;
	int code;

	code = dispatch(a, request, looked, &answer, &err);
	if (answer.json) {
		dumped = json_dumps(answer.json, JSON_COMPACT | JSON_PRESERVE_ORDER);
		text = dumped;
		len = dumped ? strlen(dumped) : 0;
	} else if (answer.part.len) {
		text = a->status.buf.data + answer.part.at;
		len = answer.part.len;
	}
	if (!text && !code)
		code = err_set(&err, -ENOMEM, "no memory for the answer");
	agent_reply(web, request->id, code, text ? text : err.text, text ? len : strlen(err.text));
	json_decref(answer.json);
	free(dumped);
	/* After the answer, which the worker that a reload drains shall still pass on. */
	if (a->reload_asked) {
		a->reload_asked = false;
		agent_reload(a);
	}
}

/* ---- what a process looks at ----------------------------------------------------------------- */

static int looked(struct side_job *job, int64_t status, int signal, struct err *err)
{
	if (signal)
		return err_set(err, -EIO, "the look took too long, and was ended");
	if (status == SIDE_JOB_FAULTS)
		return err_set(err, -EBADMSG, "the configuration file has faults: see its plan");
	if (status != SIDE_JOB_ANSWERED)
		return side_job_text(job, err->text, sizeof(err->text))
			       ? -EIO
			       : err_set(err, -EIO, "the process that makes the plan broke off");
	job->agent->planned = side_job_json(job);
	return job->agent->planned ? 0 : err_set(err, -ENOMEM, "no memory for the plan");
}

static void on_looked(struct side_job *job, struct ipc_channel *web, int64_t status, int signal)
{
	struct agent *a = job->agent;
	struct err err = { "" };
	int code;

	if (!web)
		return;
	if (job->request.op == IPC_OP_APPLY) {
		code = looked(job, status, signal, &err);
		api_reply_to(a, web, &job->request, code, &err);
		json_decref(a->planned);
		a->planned = NULL;
	} else if (signal) {
		side_job_reply_text(web, job->request.id, -EIO,
				    "the look took too long, and was ended");
	} else {
		code = status == SIDE_JOB_ANSWERED ? 0 : -EIO;
		side_job_reply(job, web, status == SIDE_JOB_FAULTS ? -EBADMSG : code);
	}
}

static void look_for(struct agent *a, struct ipc_channel *web, const struct ipc_request *request)
{
	struct err err = { "" };
	int code = 0;

	if (request->role >= ops[request->op].role) {
		code = look_job_start(a, request, on_looked, &err);
		if (code == 0)
			return;
	}
	api_reply_to(a, web, request, code, &err);
}

void agent_request(struct agent *a, struct ipc_channel *web, const struct ipc_request *request)
{
	if (request->op == IPC_OP_BOOT_FILE || request->op == IPC_OP_PCAP)
		agent_send_file(a, web, request);
	else if (request->op == IPC_OP_SERIES)
		series_track_answer(a, web, request);
	else if (ops[request->op].way == FROM_STATUS && !api_status_is_fresh(a))
		api_wait_for_status(a, web, request);
	else if (ops[request->op].way == BY_LOOK)
		look_for(a, web, request);
	else
		api_reply_to(a, web, request, 0, &(struct err){ "" });
}
