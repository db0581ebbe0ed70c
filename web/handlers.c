/* What each route answers: the table of handlers. */
#include "web/handlers.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

#include "web/boot_lint.h"
#include "web/health.h"
#include "web/metrics.h"
#include "web/openapi.h"
#include "web/pcap.h"
#include "web/page.h"
#include "web/records.h"
#include "web/reply.h"

#define PAGE_LIMIT 100 /* records of a page, unless asked for otherwise */

static void serve_index(const struct site_call *call)
{
	json_t *object = json_object(), *paths = json_object();

	for (size_t i = 0; i < ROUTES; i++) {
		if (routes[i].listeners & (1u << IPC_LISTEN_API))
			json_object_set_new(paths, routes[i].path, json_string(routes[i].summary));
	}
	json_object_set_new(object, "name", json_string("tapwarden"));
	json_object_set_new(object, "api", json_integer(1));
	json_object_set_new(object, "paths", paths);
	reply_object(call->request, object, NULL);
}

static void serve_openapi(const struct site_call *call)
{
	reply_object(call->request, openapi_json(), NULL);
}

static void serve_health(const struct site_call *call)
{
	reply_object(call->request, health_json(call->site), NULL);
}

/* ---- what the agent knows -------------------------------------------------------------------- */

static uint32_t role_of(const struct auth_who *who)
{
	return who->access > ROUTE_VIEWER ? (uint32_t)who->access - 1 : ROLE_VIEWER;
}

static struct ipc_request ask_of(const struct site_call *call, enum ipc_op op)
{
	struct ipc_request ask = { .op = op };

	ask.role = role_of(call->who);
	snprintf(ask.user, sizeof(ask.user), "%s", call->who->name);
	snprintf(ask.name, sizeof(ask.name), "%s", call->match->name);
	return ask;
}

static void ask_view(const struct site_call *call, enum ipc_op op, const char *plan, api_view view)
{
	struct ipc_request ask = ask_of(call, op);

	if (plan)
		snprintf(ask.plan, sizeof(ask.plan), "%s", plan);
	api_ask(&call->site->api, call->request, &ask, view, call->site);
}

static void serve_status(const struct site_call *call)
{
	ask_view(call, IPC_OP_STATUS, NULL, NULL);
}

static void serve_sets(const struct site_call *call)
{
	ask_view(call, IPC_OP_SETS, NULL, NULL);
}

static void serve_links(const struct site_call *call)
{
	ask_view(call, IPC_OP_LINKS, NULL, NULL);
}

static void serve_series(const struct site_call *call)
{
	ask_view(call, IPC_OP_SERIES, NULL, NULL);
}

static void serve_patterns(const struct site_call *call)
{
	ask_view(call, IPC_OP_PATTERNS, NULL, NULL);
}

static void serve_reach(const struct site_call *call)
{
	ask_view(call, IPC_OP_REACH, NULL, NULL);
}

static void serve_plan(const struct site_call *call)
{
	ask_view(call, IPC_OP_PLAN, NULL, NULL);
}

static void serve_reload(const struct site_call *call)
{
	ask_view(call, IPC_OP_RELOAD, NULL, NULL);
}

static void serve_retry(const struct site_call *call)
{
	ask_view(call, IPC_OP_RETRY, NULL, NULL);
}

static void serve_explain(const struct site_call *call)
{
	api_try(&call->site->api, call->request, IPC_TRY_PATTERN, role_of(call->who));
}

static void serve_plan_of(const struct site_call *call)
{
	api_try(&call->site->api, call->request, IPC_TRY_PLAN, role_of(call->who));
}

static void serve_apply(const struct site_call *call)
{
	const struct http_request *request = call->request;
	json_t *body =
		json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES, NULL);
	const char *plan = json_string_value(json_object_get(body, "plan"));

	if (plan && strlen(plan) == 16)
		ask_view(call, IPC_OP_APPLY, plan, NULL);
	else
		reply_problem(call->request, 400, "body.invalid",
			      "the content is {\"plan\": HASH}, with the hash of GET /v1/plan",
			      NULL);
	json_decref(body);
}

static void view_metrics(void *data, struct http_request *request, const struct buf *body)
{
	json_t *status = json_loadb(body->data, body->len, 0, NULL);
	json_t *health = health_json(data);
	struct http_answer answer = { .status = 200, .type = METRICS_TYPE };
	struct buf text;

	buf_init(&text, REPLY_MAX);
	metrics_write(status, health, &text);
	answer.body = text.data;
	answer.length = text.len;
	if (status && !text.failed)
		http_reply(request, &answer);
	else
		reply_problem(request, 500, "memory.short", "the metrics do not fit into memory",
			      NULL);
	buf_done(&text);
	json_decref(health);
	json_decref(status);
}

static void serve_metrics(const struct site_call *call)
{
	ask_view(call, IPC_OP_STATUS, NULL, view_metrics);
}

/* {"state": STATE} */
static void serve_boot_set(const struct site_call *call)
{
	const struct http_request *request = call->request;
	json_t *body =
		json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES, NULL);
	const char *state = json_string_value(json_object_get(body, "state"));
	struct ipc_request ask = ask_of(call, IPC_OP_BOOT_SET);

	if (state && strlen(state) < sizeof(ask.link)) {
		snprintf(ask.link, sizeof(ask.link), "%s", state);
		api_ask(&call->site->api, call->request, &ask, NULL, call->site);
	} else {
		reply_problem(call->request, 400, "body.invalid",
			      "the content is {\"state\": STATE}: run, install, rescue, local or "
			      "once",
			      NULL);
	}
	json_decref(body);
}

/* ---- what this worker knows ------------------------------------------------------------------ */

static const char *name_param(const struct site_call *call, enum route_param p)
{
	return call->match->has & (1u << p) ? call->match->names[p] : NULL;
}

static uint64_t number_param(const struct site_call *call, enum route_param p, uint64_t otherwise)
{
	return call->match->has & (1u << p) ? call->match->numbers[p] : otherwise;
}

static void serve_records(const struct site_call *call)
{
	const struct records_filter filter = {
		.link = name_param(call, ROUTE_PARAM_LINK),
		.rule = name_param(call, ROUTE_PARAM_RULE),
		.type = name_param(call, ROUTE_PARAM_TYPE),
		.since_ns = number_param(call, ROUTE_PARAM_SINCE, 0),
		.until_ns = number_param(call, ROUTE_PARAM_UNTIL, UINT64_MAX),
		.limit = number_param(call, ROUTE_PARAM_LIMIT, PAGE_LIMIT),
		.before = number_param(call, ROUTE_PARAM_BEFORE, UINT64_MAX),
	};
	struct buf body;

	buf_init(&body, REPLY_MAX);
	records_page(&call->site->events.ring, &filter, &body);
	reply_json(call->request, &body);
}

static void serve_events(const struct site_call *call)
{
	events_serve(&call->site->events, call->request,
		     number_param(call, ROUTE_PARAM_BACKLOG, 0));
}

static void serve_pcap(const struct site_call *call)
{
	pcap_serve(&call->site->api, call->site->loop, call->request);
}

static json_t *faults_json(const struct faults *faults)
{
	json_t *list = json_array();

	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *f = &faults->list[i];

		json_array_append_new(list, json_pack("{s:i, s:s?, s:s?, s:s?}", "line",
						      (int)f->line, "section", f->section, "key",
						      f->key, "message", f->text));
	}
	return list;
}

/* Read here and not by the agent, which looks at nothing that a client sent. */
static void serve_check(const struct site_call *call)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	int fd = ipc_memfd("check", call->request->body, call->request->body_length);

	if (fd < 0) {
		reply_problem(call->request, 503, "memory.short", "there is no memory",
			      "try again");
		return;
	}
	config_load_fd(fd, &config, &faults);
	close(fd);
	reply_object(call->request,
		     json_pack("{s:I, s:o}", "dropped", (json_int_t)faults.n_dropped, "faults",
			       faults_json(&faults)),
		     NULL);
	config_free(config);
	faults_done(&faults);
}

static void serve_guests(const struct site_call *call)
{
	ask_view(call, IPC_OP_GUESTS, NULL, NULL);
}

/* NULL after a 404. */
static const struct guest_conf *guest_of(const struct site_call *call)
{
	const struct guest_conf *guest =
		config_find_guest(call->site->boot.config, call->match->name);

	if (!guest)
		reply_problem(call->request, 404, "guest.unknown", "there is no guest of this name",
			      NULL);
	return guest;
}

static void serve_script(const struct site_call *call)
{
	const struct guest_conf *guest = guest_of(call);

	if (guest)
		boot_serve_guest(&call->site->boot, call->request, guest);
}

static void serve_script_lint(const struct site_call *call)
{
	const struct guest_conf *guest = guest_of(call);

	if (guest)
		boot_lint_serve(&call->site->boot, call->request, guest);
}

/* ---- logins ---------------------------------------------------------------------------------- */

static void serve_login(const struct site_call *call)
{
	auth_log_in(&call->site->auth, call->request, call->site->tls.cert != NULL);
}

static void serve_logout(const struct site_call *call)
{
	auth_log_out(&call->site->auth, call->request, call->who, call->site->tls.cert != NULL);
}

static void serve_whoami(const struct site_call *call)
{
	auth_whoami(&call->site->auth, call->request, call->who);
}

/* ---- the page -------------------------------------------------------------------------------- */

static void serve_page(const struct site_call *call)
{
	page_serve(call->request);
}

static void serve_page_file(const struct site_call *call)
{
	page_serve_file(call->request, call->match->name);
}

/* ---- guests that boot ------------------------------------------------------------------------ */

static void serve_boot_chain(const struct site_call *call)
{
	boot_serve_chain(&call->site->boot, call->request);
}

static void serve_boot_guest(const struct site_call *call)
{
	boot_serve(&call->site->boot, call->request, call->match);
}

const site_handler site_handlers[ROUTES] = {
	[ROUTE_INDEX] = serve_index,
	[ROUTE_OPENAPI] = serve_openapi,
	[ROUTE_HEALTH] = serve_health,
	[ROUTE_STATUS] = serve_status,
	[ROUTE_SETS] = serve_sets,
	[ROUTE_SET] = serve_sets,
	[ROUTE_LINKS] = serve_links,
	[ROUTE_LINK] = serve_links,
	[ROUTE_LINK_SERIES] = serve_series,
	[ROUTE_SERIES] = serve_series,
	[ROUTE_RETRY] = serve_retry,
	[ROUTE_PATTERNS] = serve_patterns,
	[ROUTE_PATTERN] = serve_patterns,
	[ROUTE_REACH] = serve_reach,
	[ROUTE_PLAN] = serve_plan,
	[ROUTE_PLAN_OF] = serve_plan_of,
	[ROUTE_APPLY] = serve_apply,
	[ROUTE_RELOAD] = serve_reload,
	[ROUTE_CHECK] = serve_check,
	[ROUTE_EXPLAIN] = serve_explain,
	[ROUTE_RECORDS] = serve_records,
	[ROUTE_EVENTS] = serve_events,
	[ROUTE_PCAP] = serve_pcap,
	[ROUTE_GUESTS] = serve_guests,
	[ROUTE_GUEST] = serve_guests,
	[ROUTE_BOOT_SET] = serve_boot_set,
	[ROUTE_SCRIPT] = serve_script,
	[ROUTE_SCRIPT_LINT] = serve_script_lint,
	[ROUTE_LOGIN] = serve_login,
	[ROUTE_LOGOUT] = serve_logout,
	[ROUTE_WHOAMI] = serve_whoami,
	[ROUTE_METRICS] = serve_metrics,
	[ROUTE_PAGE] = serve_page,
	[ROUTE_PAGE_FILE] = serve_page_file,
	[ROUTE_BOOT_CHAIN] = serve_boot_chain,
	[ROUTE_BOOT_GUEST] = serve_boot_guest,
	[ROUTE_BOOT_FILE] = serve_boot_guest,
	[ROUTE_BOOT_SEED] = serve_boot_guest,
	[ROUTE_BOOT_AUTOINSTALL] = serve_boot_guest,
};
