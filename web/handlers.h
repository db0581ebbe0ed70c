/* What each route answers. Edge: through http_server. */
#ifndef TW_HANDLERS_H
#define TW_HANDLERS_H

#include "web/site.h"

/* A request whose route is found, from somebody who may ask it; only in the handler's call. */
struct site_call {
	struct site *site;
	struct http_request *request;
	const struct route_match *match;
	const struct auth_who *who;
};

typedef void (*site_handler)(const struct site_call *call);

/* By enum route_id. */
extern const site_handler site_handlers[ROUTES];

#endif
