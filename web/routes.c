#include "web/routes.h"

#include <errno.h>
#include <string.h>

#define ON_API	(1u << IPC_LISTEN_API)
#define ON_BOOT (1u << IPC_LISTEN_BOOT)

#define MAC_PLACE "{mac}"

const struct route routes[ROUTES] = {
	[ROUTE_INDEX] = { "/v1", ON_API, 0, "this list" },
	[ROUTE_HEALTH] = { "/v1/health", ON_API, 0, "whether this worker works, and its counters" },
	[ROUTE_STATUS] = { "/v1/status", ON_API, 0, "sets, links, workers and counters" },
	[ROUTE_EVENTS] = { "/v1/events", ON_API, ROUTE_TAKES_BACKLOG,
			   "records as they come: a JSON object a line, or server-sent events" },
	[ROUTE_BOOT_CHAIN] = { "/boot.ipxe", ON_BOOT, ROUTE_TAKES_ANY,
			       "sends each guest to its own script" },
	[ROUTE_BOOT_GUEST] = { "/ipxe/" MAC_PLACE, ON_BOOT, ROUTE_TAKES_ANY,
			       "the boot script of the guest with this MAC address" },
};

static bool path_matches(const struct route *route, const char *path, size_t len,
			 uint8_t mac[MAC_LEN])
{
	const char *place = strstr(route->path, MAC_PLACE);
	size_t fixed = place ? (size_t)(place - route->path) : strlen(route->path);
	char text[MAC_TEXT_MAX];

	if (!place)
		return len == fixed && memcmp(path, route->path, len) == 0;
	if (len <= fixed || len - fixed >= sizeof(text) || memcmp(path, route->path, fixed) != 0)
		return false;
	memcpy(text, path + fixed, len - fixed);
	text[len - fixed] = '\0';
	return parse_mac(text, mac, NULL) == 0;
}

/* "backlog=N" and nothing else: the one parameter that there is. */
static int read_query(const char *query, uint64_t *ret_backlog, struct err *err)
{
	static const char name[] = "backlog=";

	if (strncmp(query, name, sizeof(name) - 1) != 0)
		return err_set(err, -EINVAL, "the one parameter here is backlog=NUMBER");
	if (parse_u64(query + sizeof(name) - 1, 0, ROUTE_BACKLOG_MAX, ret_backlog, NULL) != 0)
		return err_set(err, -EINVAL, "backlog is a number from 0 to %d", ROUTE_BACKLOG_MAX);
	return 0;
}

static int check_query(const struct route *route, const char *query, struct route_match *match,
		       struct err *err)
{
	if (!*query || (route->takes & ROUTE_TAKES_ANY))
		return 0;
	if (route->takes & ROUTE_TAKES_BACKLOG)
		return read_query(query, &match->backlog, err);
	return err_set(err, -EINVAL, "this path takes no parameter");
}

int route_match(enum ipc_listener listener, const char *method, const char *target,
		struct route_match *ret, struct err *err)
{
	size_t len = strcspn(target, "?");
	const char *query = target[len] ? target + len + 1 : "";

	for (size_t i = 0; i < ROUTES; i++) {
		struct route_match match = { .id = (enum route_id)i };
		int code;

		if (!(routes[i].listeners & (1u << listener)) ||
		    !path_matches(&routes[i], target, len, match.mac))
			continue;
		if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
			return err_set(err, -EOPNOTSUPP, "only GET and HEAD are answered here");
		code = check_query(&routes[i], query, &match, err);
		if (code == 0)
			*ret = match;
		return code;
	}
	return err_set(err, -ENOENT, "there is nothing at this path");
}
