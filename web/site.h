/* The web worker's servers and what they serve: requests find their handler here. Edge. */
#ifndef TW_SITE_H
#define TW_SITE_H

#include "agent/base/config.h"
#include "agent/base/ipc_msg.h"
#include "web/api.h"
#include "web/auth.h"
#include "web/boot.h"
#include "web/events.h"
#include "web/http_server.h"

struct site;

struct site_listener {
	struct site *site;
	enum ipc_listener kind;
	char address[sizeof(((struct ipc_listen *)0)->address)];
	struct http_server *server;
};

struct site {
	uv_loop_t *loop;
	struct api api;
	struct api guests; /* of requests of guests: they cannot use up what is for operators */
	struct auth auth;
	struct events events;
	struct http_tls tls; /* of the operators' listeners; NULL texts: none */
	char *pem; /* that it points to */
	struct boot boot;
	struct site_listener listeners[CONFIG_LISTENERS_MAX];
	size_t n_listeners;
	uint32_t generation;
};

/*
 * `config` and `channel` outlive the site. 0 or a negative errno; on success site_close() must
 * follow, and the memory stay until the loop has run.
 */
int site_init(struct site *site, uv_loop_t *loop, const struct config *config,
	      struct ipc_channel *channel, struct err *err);

/*
 * What the agent read from tls-cert and tls-key, in `fd`, which stays the caller's; before the
 * first listener. -EINVAL when they are none that fit.
 */
#define SITE_PEM_MAX (256 << 10)
int site_take_tls(struct site *site, int fd, struct err *err);

/* Serves `fd`, which is owned from here on, also when this fails: -ENOSPC above the bound. */
int site_listen(struct site *site, const struct ipc_listen *listen, int fd, struct err *err);

/* IPC_REPLY came. The fd stays the caller's. */
void site_replied(struct site *site, const struct ipc_reply *reply, int fd);

/* Accepts nothing more, ends streams, lets requests in hand finish. */
void site_drain(struct site *site);

/* What the agent was asked is answered 503 now. */
void site_give_up(struct site *site);

/* The connections that are left. */
struct http_left site_left(const struct site *site);

/* Once drained: goes on with files alone. */
void site_keep_files(struct site *site);
void site_close(struct site *site);

#endif
