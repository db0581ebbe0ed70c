/*
 * Who asks: by the user of a unix socket's other end, by a session's cookie, or by HTTP Basic; and
 * whether a page of another site made the browser ask. Edge: through http_server and login.
 */
#ifndef TW_AUTH_H
#define TW_AUTH_H

#include <stdint.h>

#include "web/auth_memory.h"
#include "web/http_server.h"
#include "web/login.h"
#include "web/routes.h"
#include "web/session.h"

#define AUTH_COOKIE "tapwarden"

/* The wait of a user whose password others guess; of the guessers' address it is more. */
#define AUTH_USER_WAIT_MS 5000

/* Logins on their way, of all connections together. */
#define AUTH_PENDING_MAX (LOGIN_QUEUE + LOGIN_THREADS)

struct auth {
	uint64_t logins, failures; /* of sessions and of Basic */
	uint64_t throttled; /* refused before they were tried */
	uint64_t foreign; /* requests that another site's page made */

	/* private */
	const struct config *config;
	struct login login;
	struct auth_memory *memory; /* `own`, or shared */
	struct auth_memory own;
	unsigned int pending;
};

struct auth_who {
	const char *name; /* of the user, or "root" or "local" on the unix socket */
	enum route_access access; /* what it may; ROUTE_ANYBODY: nobody yet */
	char token[SESSION_TOKEN]; /* "" without a session */
};

/* `config` must outlive it. */
void auth_init(struct auth *auth, uv_loop_t *loop, const struct config *config);
void auth_close(struct auth *auth);

/*
 * Sessions and failed logins are in the memory of `fd` from here on, which stays the caller's. 0 or
 * -errno: then they are this worker's alone. Two workers that write at once lose a session at
 * worst.
 */
int auth_share(struct auth *auth, int fd);

/* Goes on with the request, which is not answered yet. */
typedef void (*auth_cb)(void *data, struct http_request *request, const struct route_match *match,
			const struct auth_who *who);

/*
 * Finds out who asks and calls `cb`, at once or, for HTTP Basic, later; or answers 401, 403, 415,
 * 429 or 503. On a unix socket (`local`) the other end's user decides: root is an admin, others
 * view.
 */
void auth_check(struct auth *auth, struct http_request *request, const struct route_match *match,
		bool local, auth_cb cb, void *data);

/* POST and DELETE of /v1/session; `secure` marks the cookie for TLS alone. */
void auth_log_in(struct auth *auth, struct http_request *request, bool secure);
void auth_log_out(struct auth *auth, struct http_request *request, const struct auth_who *who,
		  bool secure);

/* GET /v1/whoami */
void auth_whoami(struct auth *auth, struct http_request *request, const struct auth_who *who);

#endif
