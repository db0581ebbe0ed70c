/* What answers which path on which listener: one table. Pure. */
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
	ROUTE_HEALTH,
	ROUTE_STATUS,
	ROUTE_EVENTS,
	ROUTE_BOOT_CHAIN,
	ROUTE_BOOT_GUEST,
	ROUTES
};

/* What a route takes beside its path; a parameter that it does not take is refused. */
#define ROUTE_TAKES_BACKLOG (1u << 0) /* ?backlog=N */
#define ROUTE_TAKES_ANY	    (1u << 1) /* any query, unread */

struct route {
	const char *path; /* exact; "{mac}" at the end stands for one MAC address */
	unsigned int listeners; /* mask of 1 << enum ipc_listener */
	unsigned int takes; /* mask of ROUTE_TAKES_ */
	const char *summary;
};

/* In the order of enum route_id. */
extern const struct route routes[ROUTES];

/* More records than this are never kept, so nobody can ask for more. */
#define ROUTE_BACKLOG_MAX 65536

#define ROUTE_ALLOW "GET, HEAD"

struct route_match {
	enum route_id id;
	uint8_t mac[MAC_LEN]; /* of "{mac}" */
	uint64_t backlog;
};

/*
 * Finds the route of a request. `target` is the request target as it was sent (RFC 9112 section
 * 3.2.1), path and query, without any decoding: no path of ours needs an escape, so an escaped one
 * is none of ours. Returns 0; -ENOENT for a path that this listener does not have; -EOPNOTSUPP for
 * a method other than GET and HEAD on one that it has; -EINVAL for a bad query. The text is for
 * whoever sent the request and repeats nothing of it.
 */
int route_match(enum ipc_listener listener, const char *method, const char *target,
		struct route_match *ret, struct err *err);

#endif
