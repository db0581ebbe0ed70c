#include "web/routes.h"

#include <errno.h>
#include <string.h>

#include "agent/base/hex.h"
#include "agent/base/parse_time.h"

#define ON_SOCKET    (1u << IPC_LISTEN_API)
#define ON_OPERATORS (1u << IPC_LISTEN_OPERATORS)
#define ON_API	     (ON_SOCKET | ON_OPERATORS)
#define ON_BOOT	     (1u << IPC_LISTEN_BOOT)

#define MAC_PLACE  "{mac}"
#define NAME_PLACE "{name}"

#define GET    ROUTE_GET
#define POST   ROUTE_POST
#define DELETE ROUTE_DELETE
#define ALL    ROUTE_ANYBODY
#define VIEWER ROUTE_VIEWER
#define BODY   ROUTE_TAKES_BODY
#define AGENT  ROUTE_ASKS_AGENT
#define JUDGES ROUTE_JUDGES_CONFIG
#define STALE  ROUTE_MAY_BE_STALE
#define LACKS  ROUTE_MAY_LACK
#define LOGIN  ROUTE_LOGS_IN

#define RECORD_FILTER                                                                       \
	(ROUTE_TAKES(LIMIT) | ROUTE_TAKES(BEFORE) | ROUTE_TAKES(LINK) | ROUTE_TAKES(RULE) | \
	 ROUTE_TAKES(TYPE) | ROUTE_TAKES(SINCE) | ROUTE_TAKES(UNTIL))

const struct route routes[ROUTES] = {
	[ROUTE_INDEX] = { "/v1", GET, VIEWER, ON_API, 0, 0, "this list" },
	[ROUTE_OPENAPI] = { "/v1/openapi.json", GET, VIEWER, ON_API, 0, 0,
			    "this API as an OpenAPI document" },
	[ROUTE_HEALTH] = { "/v1/health", GET, VIEWER, ON_API, 0, 0,
			   "whether this worker works, and its counters" },
	[ROUTE_STATUS] = { "/v1/status", GET, VIEWER, ON_API, 0, AGENT,
			   "sets, links, workers and counters" },
	[ROUTE_SETS] = { "/v1/sets", GET, VIEWER, ON_API, 0, AGENT, "the sets of links" },
	[ROUTE_SET] = { "/v1/sets/" NAME_PLACE, GET, VIEWER, ON_API, 0, AGENT, "one set" },
	[ROUTE_LINKS] = { "/v1/links", GET, VIEWER, ON_API, 0, AGENT,
			  "the links: state, holder, counters" },
	[ROUTE_LINK] = { "/v1/links/" NAME_PLACE, GET, VIEWER, ON_API, 0, AGENT, "one link" },
	[ROUTE_LINK_SERIES] = { "/v1/links/" NAME_PLACE "/series", GET, VIEWER, ON_API, 0, AGENT,
				"a link's rates of the last hour, every ten seconds" },
	[ROUTE_SERIES] = { "/v1/series", GET, VIEWER, ON_API, 0, AGENT,
			   "all links' bytes a second of the last ten minutes" },
	[ROUTE_RETRY] = { "/v1/links/" NAME_PLACE "/retry", POST, ROUTE_OPERATOR, ON_API, 0, AGENT,
			  "look at the link again now, and make it if it is missing" },
	[ROUTE_PATTERNS] = { "/v1/patterns", GET, VIEWER, ON_API, 0, AGENT,
			     "the patterns and their counters" },
	[ROUTE_PATTERN] = { "/v1/patterns/" NAME_PLACE, GET, VIEWER, ON_API, 0, AGENT,
			    "one pattern" },
	[ROUTE_REACH] = { "/v1/reach", GET, VIEWER, ON_API, 0, AGENT,
			  "who can talk to whom over each lower device" },
	[ROUTE_PLAN] = { "/v1/plan", GET, VIEWER, ON_API, 0, AGENT | JUDGES,
			 "what applying the configuration file would change, with a hash" },
	[ROUTE_PLAN_OF] = { "/v1/plan", POST, ROUTE_OPERATOR, ON_API, BODY, AGENT | JUDGES,
			    "what a configuration that is sent would change" },
	[ROUTE_APPLY] = { "/v1/apply", POST, ROUTE_ADMIN, ON_API, BODY, AGENT | JUDGES | STALE,
			  "apply the file if the plan still has this hash: {\"plan\": HASH}" },
	[ROUTE_RELOAD] = { "/v1/reload", POST, ROUTE_ADMIN, ON_API, 0, AGENT,
			   "read the configuration file again" },
	[ROUTE_CHECK] = { "/v1/check", POST, ROUTE_OPERATOR, ON_API, BODY, 0,
			  "the faults of a configuration that is sent" },
	[ROUTE_EXPLAIN] = { "/v1/explain", POST, ROUTE_OPERATOR, ON_API, BODY, AGENT,
			    "how a pattern runs, and what it finds in texts sent with it" },
	[ROUTE_RECORDS] = { "/v1/records", GET, VIEWER, ON_API, RECORD_FILTER, 0,
			    "the last records, the newest first, a page at a time" },
	[ROUTE_EVENTS] = { "/v1/events", GET, VIEWER, ON_API, ROUTE_TAKES(BACKLOG), 0,
			   "records as they come: a JSON object a line, or server-sent events" },
	[ROUTE_PCAP] = { "/v1/pcap", GET, ROUTE_OPERATOR, ON_API,
			 ROUTE_TAKES(LINK) | ROUTE_TAKES(RULE) | ROUTE_TAKES(PACKET) |
				 ROUTE_TAKES(SINCE) | ROUTE_TAKES(UNTIL),
			 AGENT | LACKS, "the frames that are kept, as a pcapng file" },
	[ROUTE_GUESTS] = { "/v1/guests", GET, VIEWER, ON_API, 0, AGENT,
			   "the guests that boot from here" },
	[ROUTE_GUEST] = { "/v1/guests/" NAME_PLACE, GET, VIEWER, ON_API, 0, AGENT,
			  "one guest: what it boots next, and how far it came" },
	[ROUTE_BOOT_SET] = { "/v1/guests/" NAME_PLACE "/state", POST, ROUTE_OPERATOR, ON_API, BODY,
			     AGENT, "what it boots from here on: {\"state\": STATE}" },
	[ROUTE_SCRIPT] = { "/v1/guests/" NAME_PLACE "/script", GET, ROUTE_ADMIN, ON_API, 0, 0,
			   "a guest's boot script, secrets and all" },
	[ROUTE_SCRIPT_LINT] = { "/v1/guests/" NAME_PLACE "/lint", GET, ROUTE_ADMIN, ON_API, 0, 0,
				"what is wrong with a guest's boot script" },
	[ROUTE_LOGIN] = { "/v1/session", POST, ALL, ON_OPERATORS, BODY, LOGIN,
			  "log in: {\"user\": NAME, \"password\": TEXT}" },
	[ROUTE_LOGOUT] = { "/v1/session", DELETE, VIEWER, ON_OPERATORS, 0, 0, "log out" },
	[ROUTE_WHOAMI] = { "/v1/whoami", GET, VIEWER, ON_API, 0, 0, "the user and its role" },
	[ROUTE_METRICS] = { "/metrics", GET, VIEWER, ON_API, 0, AGENT,
			    "counters in OpenMetrics text" },
	[ROUTE_PAGE] = { "/", GET, ALL, ON_OPERATORS, ROUTE_TAKES_ANY, 0, "the page" },
	[ROUTE_PAGE_FILE] = { "/ui/" NAME_PLACE, GET, ALL, ON_OPERATORS, 0, 0,
			      "a file of the page" },
	[ROUTE_BOOT_CHAIN] = { "/boot.ipxe", GET, ALL, ON_BOOT, ROUTE_TAKES_ANY, 0,
			       "sends each guest to its own script" },
	[ROUTE_BOOT_GUEST] = { "/ipxe/" MAC_PLACE, GET, ALL, ON_BOOT, ROUTE_TAKES_ANY, 0,
			       "the boot script of the guest with this MAC address" },
	[ROUTE_BOOT_FILE] = { "/ipxe/" MAC_PLACE "/" NAME_PLACE, GET, ALL, ON_BOOT, ROUTE_TAKES_ANY,
			      0, "its kernel or initrd" },
	[ROUTE_BOOT_SEED] = { "/ipxe/" MAC_PLACE "/seed/" NAME_PLACE, GET, ALL, ON_BOOT,
			      ROUTE_TAKES_ANY, 0, "what cloud-init or an installer asks for" },
	[ROUTE_BOOT_AUTOINSTALL] = { "/ipxe/" MAC_PLACE "/seed/autoinstall/" NAME_PLACE, GET, ALL,
				     ON_BOOT, ROUTE_TAKES_ANY, 0,
				     "what Ubuntu's installer asks for" },
};

const struct route_param_info route_params[ROUTE_PARAMS] = {
	[ROUTE_PARAM_BACKLOG] = { "backlog", ROUTE_NUMBER, 0, ROUTE_BACKLOG_MAX,
				  "so many of the records before" },
	[ROUTE_PARAM_LIMIT] = { "limit", ROUTE_NUMBER, 1, ROUTE_LIMIT_MAX, "records of one page" },
	[ROUTE_PARAM_BEFORE] = { "before", ROUTE_NUMBER, 0, UINT64_MAX,
				 "the page that goes on here" },
	[ROUTE_PARAM_LINK] = { "link", ROUTE_NAME, 0, 0, "of this link alone" },
	[ROUTE_PARAM_RULE] = { "rule", ROUTE_NAME, 0, 0, "of this pattern alone" },
	[ROUTE_PARAM_TYPE] = { "type", ROUTE_NAME, 0, 0, "of this event_type alone" },
	[ROUTE_PARAM_PACKET] = { "packet", ROUTE_NUMBER, 0, UINT64_MAX,
				 "the one frame that records call so by pcap_cnt" },
	[ROUTE_PARAM_SINCE] = { "since", ROUTE_TIME, 0, 0,
				"not before this time: seconds of Unix time, or by RFC 3339" },
	[ROUTE_PARAM_UNTIL] = { "until", ROUTE_TIME, 1, 0,
				"before this time: seconds of Unix time, or by RFC 3339" },
};

/* ---- answers --------------------------------------------------------------------------------- */

bool route_gives(const struct route *route, unsigned int status)
{
	const bool logs_in = route->access != ROUTE_ANYBODY || route->answers & LOGIN;

	switch (status) {
	case 400:
		return !(route->takes & ROUTE_TAKES_ANY);
	case 401:
	case 429:
	case 503:
		return logs_in;
	case 403:
		return route->access > ROUTE_VIEWER || route->method != GET;
	case 404:
		return strchr(route->path, '{') || route->answers & LACKS;
	case 409:
		return route->answers & STALE;
	case 413:
	case 500:
		return true;
	case 415:
		return route->takes & BODY;
	case 422:
		return route->answers & JUDGES;
	case 504:
		return route->answers & AGENT;
	default:
		return false;
	}
}

/* ---- paths ----------------------------------------------------------------------------------- */

static bool is_name(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	/* A name of dots alone would be another path to whoever tidies paths up. */
	return len > 0 && len <= NAME_MAX_LEN && strspn(text, allowed) >= len &&
	       strspn(text, ".") < len;
}

static bool take_mac(const char *text, size_t len, struct route_match *match)
{
	char mac[MAC_TEXT_MAX];

	if (len >= sizeof(mac))
		return false;
	memcpy(mac, text, len);
	mac[len] = '\0';
	return parse_mac(mac, match->mac, NULL) == 0;
}

static bool take_name(const char *text, size_t len, char out[NAME_MAX_LEN + 1])
{
	if (!is_name(text, len))
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

/* Takes what `place` stands for from the beginning of a segment of `len` bytes. */
static bool take_place(const char *place, const char *text, size_t len, struct route_match *match)
{
	return strncmp(place, MAC_PLACE, sizeof(MAC_PLACE) - 1) == 0
		       ? take_mac(text, len, match)
		       : take_name(text, len, match->name);
}

/* A place stands for one segment; what is around it is compared as it is. */
static bool path_matches(const struct route *route, const char *path, size_t len,
			 struct route_match *match)
{
	const char *want = route->path, *end = path + len;

	while (*want) {
		size_t part = 0;

		if (*want != '{') {
			if (path == end || *path++ != *want++)
				return false;
			continue;
		}
		while (path + part < end && path[part] != '/')
			part++;
		if (!take_place(want, path, part, match))
			return false;
		path += part;
		want = strchr(want, '}') + 1;
	}
	return path == end;
}

/* ---- queries --------------------------------------------------------------------------------- */

/* What `len` bytes say once their escapes are read; false: too long, no escape, or one of NUL. */
static bool unescape(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (n + 1 >= size)
			return false;
		out[n] = text[i];
		if (text[i] == '%') {
			high = i + 1 < len ? hex_digit(text[i + 1]) : -1;
			low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
			if (high < 0 || low < 0 || high + low == 0)
				return false;
			out[n] = (char)(high * 16 + low);
			i += 2;
		}
		n++;
	}
	out[n] = '\0';
	return true;
}

static int take_param(enum route_param p, const char *text, size_t len, struct route_match *match,
		      struct err *err)
{
	const struct route_param_info *info = &route_params[p];
	char value[NAME_MAX_LEN + 1];

	if (match->has & (1u << p))
		return err_set(err, -EINVAL, "%s is there twice", info->name);
	match->has |= 1u << p;
	if (!unescape(text, len, value, sizeof(value)))
		value[0] = '\0';
	switch (info->kind) {
	case ROUTE_NAME:
		if (take_name(value, strlen(value), match->names[p]))
			return 0;
		return err_set(err, -EINVAL, "%s is a name", info->name);
	case ROUTE_NUMBER:
		if (parse_u64(value, info->min, info->max, &match->numbers[p], NULL) == 0)
			return 0;
		return err_set(err, -EINVAL, "%s is a number from %llu to %llu", info->name,
			       (unsigned long long)info->min, (unsigned long long)info->max);
	case ROUTE_TIME:
		if (parse_time(value, &match->numbers[p], NULL) == 0 &&
		    match->numbers[p] >= info->min)
			return 0;
	}
	return err_set(err, -EINVAL,
		       "%s is a time: seconds of Unix time, or as 2026-11-29T03:00:00Z",
		       info->name);
}

/* "NAME=VALUE", with `len` bytes. */
static int read_param(const struct route *route, const char *text, size_t len,
		      struct route_match *match, struct err *err)
{
	for (unsigned int p = 0; p < ROUTE_PARAMS; p++) {
		size_t name = strlen(route_params[p].name);

		if (!(route->takes & (1u << p)) || len <= name || text[name] != '=' ||
		    memcmp(text, route_params[p].name, name) != 0)
			continue;
		return take_param((enum route_param)p, text + name + 1, len - name - 1, match, err);
	}
	return err_set(err, -EINVAL, "this path takes no such parameter");
}

static int check_query(const struct route *route, const char *query, struct route_match *match,
		       struct err *err)
{
	if (route->takes & ROUTE_TAKES_ANY)
		return 0;
	while (*query) {
		size_t len = strcspn(query, "&");
		int code = read_param(route, query, len, match, err);

		if (code)
			return code;
		query += len + (query[len] == '&');
	}
	return 0;
}

/* ---- methods --------------------------------------------------------------------------------- */

static const char *const method_names[] = {
	[ROUTE_GET] = "GET",
	[ROUTE_POST] = "POST",
	[ROUTE_DELETE] = "DELETE",
};

static bool method_matches(const struct route *route, const char *method)
{
	return strcmp(method, method_names[route->method]) == 0 ||
	       (route->method == ROUTE_GET && strcmp(method, "HEAD") == 0);
}

const char *route_allow(const char *target)
{
	static const char *const lists[] = {
		"",	  "GET, HEAD",	       "POST",	       "GET, HEAD, POST",
		"DELETE", "GET, HEAD, DELETE", "POST, DELETE", "GET, HEAD, POST, DELETE",
	};
	size_t len = strcspn(target, "?");
	struct route_match match;
	unsigned int mask = 0;

	for (size_t i = 0; i < ROUTES; i++) {
		if (path_matches(&routes[i], target, len, &match))
			mask |= 1u << routes[i].method;
	}
	return lists[mask];
}

int route_match(enum ipc_listener listener, const char *method, const char *target,
		struct route_match *ret, struct err *err)
{
	size_t len = strcspn(target, "?");
	const char *query = target[len] ? target + len + 1 : "";
	bool known = false;

	for (size_t i = 0; i < ROUTES; i++) {
		struct route_match match = { .id = (enum route_id)i };
		int code;

		if (!(routes[i].listeners & (1u << listener)) ||
		    !path_matches(&routes[i], target, len, &match))
			continue;
		known = true;
		if (!method_matches(&routes[i], method))
			continue;
		code = check_query(&routes[i], query, &match, err);
		if (code == 0)
			*ret = match;
		return code;
	}
	if (known)
		return err_set(err, -EOPNOTSUPP, "only %s are answered here", route_allow(target));
	return err_set(err, -ENOENT, "there is nothing at this path");
}
