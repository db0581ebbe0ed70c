#include "web/site.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

#include "web/reply.h"
#include "web/routes.h"

/*
 * The API's socket is local and its clients hold streams open: fewer of these, and of requests that
 * wait for the agent, than connections, so that one is always there to be evicted. Guests are
 * hostile: few connections each, little memory, and the time that a firmware's small request needs.
 */
static const struct http_limits limits[IPC_LISTENERS] = {
	[IPC_LISTEN_API] = { .connections = 128,
			     .per_peer = 0,
			     .request_ms = 10000,
			     .reply_ms = 30000,
			     .memory = 32768 },
	[IPC_LISTEN_BOOT] = { .connections = 256,
			      .per_peer = 16,
			      .request_ms = 5000,
			      .reply_ms = 10000,
			      .memory = 8192 },
};

static const char *const listener_names[IPC_LISTENERS] = {
	[IPC_LISTEN_API] = "api",
	[IPC_LISTEN_BOOT] = "boot",
};

typedef void (*route_handler)(struct site *site, struct http_request *request,
			      const struct route_match *match);

/* Takes `object`, which may be NULL when memory is short. */
static void reply_object(struct http_request *request, json_t *object)
{
	char *dump = object ? json_dumps(object, JSON_COMPACT) : NULL;
	struct buf body;

	buf_init(&body, REPLY_MAX);
	if (dump) {
		buf_adds(&body, dump);
		buf_addc(&body, '\n');
	} else {
		body.failed = true;
	}
	free(dump);
	json_decref(object);
	reply_json(request, &body);
}

static void serve_index(struct site *site, struct http_request *request,
			const struct route_match *match)
{
	json_t *object = json_object(), *paths = json_object();

	(void)site;
	(void)match;
	for (size_t i = 0; i < ROUTES; i++) {
		if (routes[i].listeners & (1u << IPC_LISTEN_API))
			json_object_set_new(paths, routes[i].path, json_string(routes[i].summary));
	}
	json_object_set_new(object, "name", json_string("tapwarden"));
	json_object_set_new(object, "api", json_integer(1));
	json_object_set_new(object, "paths", paths);
	reply_object(request, object);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *listener_json(const struct site_listener *listener)
{
	const struct http_counters *counters = http_server_counters(listener->server);
	json_t *object = json_object();

	json_object_set_new(object, "listener", json_string(listener_names[listener->kind]));
	json_object_set_new(object, "address", json_string(listener->address));
	json_object_set_new(object, "connections", number(counters->connections));
	json_object_set_new(object, "requests", number(counters->requests));
	json_object_set_new(object, "refused_busy", number(counters->refused_busy));
	json_object_set_new(object, "refused_peer", number(counters->refused_peer));
	json_object_set_new(object, "evicted", number(counters->evicted));
	json_object_set_new(object, "cut", number(counters->cut));
	return object;
}

static json_t *events_json(const struct events *events)
{
	json_t *object = json_object();

	json_object_set_new(object, "feed", json_boolean(events_has_feed(events)));
	json_object_set_new(object, "records", number(events->records));
	json_object_set_new(object, "rejected", number(events->ring.rejected));
	json_object_set_new(object, "skipped", number(events->ring.skipped));
	json_object_set_new(object, "streams", number(events->n_streams));
	json_object_set_new(object, "refused", number(events->refused));
	return object;
}

static json_t *boot_json(const struct boot *boot)
{
	json_t *object = json_object();

	json_object_set_new(object, "guests", number(boot->n_entries));
	json_object_set_new(object, "without_mac", number(boot->n_without_mac));
	json_object_set_new(object, "scripts", number(boot->scripts));
	json_object_set_new(object, "unknown", number(boot->unknown));
	json_object_set_new(object, "failed", number(boot->failed));
	return object;
}

static json_t *api_json(const struct api *api)
{
	json_t *object = json_object();

	json_object_set_new(object, "asked", number(api->asked));
	json_object_set_new(object, "refused", number(api->refused));
	json_object_set_new(object, "expired", number(api->expired));
	json_object_set_new(object, "strays", number(api->strays));
	return object;
}

static void serve_health(struct site *site, struct http_request *request,
			 const struct route_match *match)
{
	json_t *object = json_object(), *listeners = json_array();

	(void)match;
	for (size_t i = 0; i < site->n_listeners; i++)
		json_array_append_new(listeners, listener_json(&site->listeners[i]));
	json_object_set_new(object, "status", json_string("ok"));
	json_object_set_new(object, "generation", number(site->generation));
	json_object_set_new(object, "listeners", listeners);
	json_object_set_new(object, "events", events_json(&site->events));
	json_object_set_new(object, "boot", boot_json(&site->boot));
	json_object_set_new(object, "agent", api_json(&site->api));
	reply_object(request, object);
}

static void serve_status(struct site *site, struct http_request *request,
			 const struct route_match *match)
{
	(void)match;
	api_ask(&site->api, request, IPC_OP_STATUS);
}

static void serve_events(struct site *site, struct http_request *request,
			 const struct route_match *match)
{
	events_serve(&site->events, request, match->backlog);
}

static void serve_boot_chain(struct site *site, struct http_request *request,
			     const struct route_match *match)
{
	(void)match;
	boot_serve_chain(&site->boot, request);
}

static void serve_boot_guest(struct site *site, struct http_request *request,
			     const struct route_match *match)
{
	boot_serve(&site->boot, request, match->mac);
}

static const route_handler handlers[ROUTES] = {
	[ROUTE_INDEX] = serve_index,	       [ROUTE_HEALTH] = serve_health,
	[ROUTE_STATUS] = serve_status,	       [ROUTE_EVENTS] = serve_events,
	[ROUTE_BOOT_CHAIN] = serve_boot_chain, [ROUTE_BOOT_GUEST] = serve_boot_guest,
};

static const struct {
	int error;
	unsigned int status;
	const char *code;
	const char *hint;
} refusals[] = {
	{ -ENOENT, 404, "path.unknown", "GET /v1 lists the paths" },
	{ -EOPNOTSUPP, 405, "method.unsupported", NULL },
	{ -EINVAL, 400, "query.invalid", NULL },
};

/* Firmware shows what it is told as text; programs get an object. */
static void refuse(struct site_listener *listener, struct http_request *request, int error,
		   const char *detail)
{
	char text[sizeof(((struct err *)0)->text) + 1];
	size_t i = 0;

	while (refusals[i].error != error)
		i++;
	if (listener->kind == IPC_LISTEN_API) {
		reply_problem(request, refusals[i].status, refusals[i].code, detail,
			      refusals[i].hint);
		return;
	}
	snprintf(text, sizeof(text), "%s\n", detail);
	reply_text(request, refusals[i].status, text);
}

static void on_request(struct http_request *request, void *data)
{
	struct site_listener *listener = data;
	struct route_match match;
	struct err err;
	int code;

	code = route_match(listener->kind, request->method, request->target, &match, &err);
	if (code)
		refuse(listener, request, code, err.text);
	else
		handlers[match.id](listener->site, request, &match);
}

int site_init(struct site *site, uv_loop_t *loop, const struct config *config,
	      struct ipc_channel *channel, struct err *err)
{
	int code;

	*site = (struct site){ .loop = loop };
	code = boot_init(&site->boot, config, err);
	if (code)
		return code;
	code = events_init(&site->events, loop);
	if (code) {
		boot_done(&site->boot);
		return err_errno(err, code, "cannot keep records");
	}
	api_init(&site->api, loop, channel, API_DEADLINE_MS);
	return 0;
}

int site_listen(struct site *site, const struct ipc_listen *listen, int fd, struct err *err)
{
	struct site_listener *listener = &site->listeners[site->n_listeners];
	int code;

	if (site->n_listeners == CONFIG_LISTENERS_MAX) {
		close(fd);
		return err_set(err, -ENOSPC, "cannot serve %s: more than %d listening sockets",
			       listen->address, CONFIG_LISTENERS_MAX);
	}
	*listener = (struct site_listener){ .site = site, .kind = listen->listener };
	memcpy(listener->address, listen->address, sizeof(listener->address));
	code = http_server_open(&listener->server, site->loop, fd, &limits[listener->kind], NULL,
				on_request, listener, err);
	if (code)
		return err_prefix(err, code, "cannot serve %s", listen->address);
	site->n_listeners++;
	return 0;
}

void site_drain(struct site *site)
{
	for (size_t i = 0; i < site->n_listeners; i++)
		http_server_drain(site->listeners[i].server);
	events_end_streams(&site->events);
}

bool site_idle(const struct site *site)
{
	for (size_t i = 0; i < site->n_listeners; i++) {
		if (!http_server_idle(site->listeners[i].server))
			return false;
	}
	return true;
}

void site_close(struct site *site)
{
	for (size_t i = 0; i < site->n_listeners; i++)
		http_server_close(site->listeners[i].server, NULL, NULL);
	site->n_listeners = 0;
	api_close(&site->api);
	events_close(&site->events);
	boot_done(&site->boot);
}
