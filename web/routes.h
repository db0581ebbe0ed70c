/* What answers which path on which listener, for whom: one table. Pure. */
#ifndef TW_ROUTES_H
#define TW_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/ipc_msg.h"
#include "agent/base/parse.h"

enum route_id {
	ROUTE_INDEX,
	ROUTE_OPENAPI,
	ROUTE_HEALTH,
	ROUTE_STATUS,
	ROUTE_SETS,
	ROUTE_SET,
	ROUTE_LINKS,
	ROUTE_LINK,
	ROUTE_LINK_SERIES,
	ROUTE_SERIES,
	ROUTE_RETRY,
	ROUTE_PATTERNS,
	ROUTE_PATTERN,
	ROUTE_REACH,
	ROUTE_PLAN,
	ROUTE_PLAN_OF,
	ROUTE_APPLY,
	ROUTE_RELOAD,
	ROUTE_CHECK,
	ROUTE_EXPLAIN,
	ROUTE_RECORDS,
	ROUTE_EVENTS,
	ROUTE_PCAP,
	ROUTE_GUESTS,
	ROUTE_GUEST,
	ROUTE_BOOT_SET,
	ROUTE_SCRIPT,
	ROUTE_SCRIPT_LINT,
	ROUTE_LOGIN,
	ROUTE_LOGOUT,
	ROUTE_WHOAMI,
	ROUTE_METRICS,
	ROUTE_PAGE,
	ROUTE_PAGE_FILE,
	ROUTE_BOOT_CHAIN,
	ROUTE_BOOT_GUEST,
	ROUTE_BOOT_FILE,
	ROUTE_BOOT_SEED,
	ROUTE_BOOT_AUTOINSTALL,
	ROUTES
};

enum route_method {
	ROUTE_GET, /* HEAD as well */
	ROUTE_POST,
	ROUTE_DELETE,
};

/* Who may ask: anybody, or a user whose role is this or a later one (enum user_role + 1). */
enum route_access {
	ROUTE_ANYBODY,
	ROUTE_VIEWER,
	ROUTE_OPERATOR,
	ROUTE_ADMIN,
};

/* What a route takes beside its path; a parameter that it does not take is refused. */
enum route_param {
	ROUTE_PARAM_BACKLOG,
	ROUTE_PARAM_LIMIT,
	ROUTE_PARAM_BEFORE,
	ROUTE_PARAM_LINK,
	ROUTE_PARAM_RULE,
	ROUTE_PARAM_TYPE,
	ROUTE_PARAM_PACKET,
	ROUTE_PARAM_SINCE,
	ROUTE_PARAM_UNTIL,
	ROUTE_PARAMS
};

#define ROUTE_TAKES(param) (1u << ROUTE_PARAM_##param)
#define ROUTE_TAKES_ANY	   (1u << 30) /* any query, unread */
#define ROUTE_TAKES_BODY   (1u << 31) /* content, as application/json or application/octet-stream */

/* What a route's handler may answer beside what follows from the rest of its row. */
#define ROUTE_ASKS_AGENT    (1u << 0) /* which may be busy, slow or gone */
#define ROUTE_JUDGES_CONFIG (1u << 1) /* which may have faults */
#define ROUTE_MAY_BE_STALE  (1u << 2) /* what it was asked about is no more */
#define ROUTE_MAY_LACK	    (1u << 3) /* there may be none of it */
#define ROUTE_LOGS_IN	    (1u << 4) /* by what it is sent */

/* More records than this are never kept, so nobody can ask for more. */
#define ROUTE_BACKLOG_MAX 65536

/* What one page of records has at most. */
#define ROUTE_LIMIT_MAX 1000

struct route {
	const char *path; /* exact; each "{mac}" stands for a MAC address, "{name}" for a name */
	enum route_method method;
	enum route_access access;
	unsigned int listeners; /* mask of 1 << enum ipc_listener */
	unsigned int takes; /* mask of ROUTE_TAKES */
	unsigned int answers; /* mask of ROUTE_ASKS_AGENT and those below it */
	const char *summary;
};

/* In the order of enum route_id. */
extern const struct route routes[ROUTES];

enum route_param_kind {
	ROUTE_NAME,
	ROUTE_NUMBER,
	ROUTE_TIME, /* as parse_time() takes it */
};

struct route_param_info {
	const char *name;
	enum route_param_kind kind;
	uint64_t min, max; /* of a number; a time has only min, in ns */
	const char *summary;
};

/* In the order of enum route_param. */
extern const struct route_param_info route_params[ROUTE_PARAMS];

struct route_match {
	enum route_id id;
	uint8_t mac[MAC_LEN]; /* of "{mac}" */
	char name[NAME_MAX_LEN + 1]; /* of "{name}" */
	unsigned int has; /* mask of ROUTE_TAKES: which parameters were given */
	uint64_t numbers[ROUTE_PARAMS]; /* of a time its nanoseconds */
	char names[ROUTE_PARAMS][NAME_MAX_LEN + 1];
};

/*
 * Finds the route of a request. `target` is the request target as it was sent (RFC 9112 section
 * 3.2.1), path and query. No path of ours needs an escape, so an escaped one is none of ours; the
 * value of a parameter may have some (RFC 3986 section 2.1), as most clients write a time.
 *
 * Returns 0; -ENOENT for a path that this listener does not have; -EOPNOTSUPP for a method that a
 * path which it has does not take; -EINVAL for a bad query. The text is for whoever sent the
 * request and repeats nothing of it.
 */
int route_match(enum ipc_listener listener, const char *method, const char *target,
		struct route_match *ret, struct err *err);

/*
 * Whether a request of the route may be answered by this status of an error: what the document of
 * the API says. What is refused before a path is looked at (400, 414, 501) is of no route, nor is
 * 405.
 */
bool route_gives(const struct route *route, unsigned int status);

/* The methods that a path takes on any listener, for the header Allow: "GET, HEAD". */
const char *route_allow(const char *target);

#endif
