#include "web/health.h"

static const char *const listener_names[IPC_LISTENERS] = {
	[IPC_LISTEN_API] = "api",
	[IPC_LISTEN_BOOT] = "boot",
	[IPC_LISTEN_OPERATORS] = "operators",
};

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
	json_object_set_new(object, "recalled", number(events->history.recalled));
	json_object_set_new(object, "missed", number(events->missed));
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
	json_object_set_new(object, "files", number(boot->files));
	json_object_set_new(object, "unknown", number(boot->unknown));
	json_object_set_new(object, "failed", number(boot->failed));
	json_object_set_new(object, "refused", number(boot->refused));
	json_object_set_new(object, "unasked", number(boot->unasked));
	json_object_set_new(object, "homes_refused", number(boot->homes_refused));
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

static json_t *auth_json(const struct auth *auth)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:i}", "logins", number(auth->logins), "failures",
			 number(auth->failures), "throttled", number(auth->throttled), "foreign",
			 number(auth->foreign), "sessions",
			 (int)session_count(&auth->memory->sessions, uv_now(auth->login.loop)));
}

json_t *health_json(const struct site *site)
{
	json_t *object = json_object(), *listeners = json_array();

	for (size_t i = 0; i < site->n_listeners; i++)
		json_array_append_new(listeners, listener_json(&site->listeners[i]));
	json_object_set_new(object, "status", json_string("ok"));
	json_object_set_new(object, "generation", number(site->generation));
	json_object_set_new(object, "listeners", listeners);
	json_object_set_new(object, "events", events_json(&site->events));
	json_object_set_new(object, "boot", boot_json(&site->boot));
	json_object_set_new(object, "agent", api_json(&site->api));
	json_object_set_new(object, "auth", auth_json(&site->auth));
	return object;
}
