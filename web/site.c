#include "web/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "web/handlers.h"
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
			     .body = 256 << 10,
			     .memory = 32768 },
	[IPC_LISTEN_BOOT] = { .connections = 256,
			      .per_peer = 16,
			      .request_ms = 5000,
			      .reply_ms = 10000,
			      .memory = 8192 },
	[IPC_LISTEN_OPERATORS] = { .connections = 512,
				   .per_peer = 128,
				   .request_ms = 15000,
				   .reply_ms = 30000,
				   .body = 256 << 10,
				   .memory = 32768 },
};

/* Whose question a reply answers is told by its number. */
#define GUESTS_FIRST_ID (UINT64_C(1) << 63)

void site_replied(struct site *site, const struct ipc_reply *reply, int fd)
{
	api_replied(reply->id > GUESTS_FIRST_ID ? &site->guests : &site->api, reply, fd);
}

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
	if (listener->kind != IPC_LISTEN_BOOT) {
		reply_problem(request, refusals[i].status, refusals[i].code, detail,
			      refusals[i].hint);
		return;
	}
	snprintf(text, sizeof(text), "%s\n", detail);
	reply_text(request, refusals[i].status, text);
}

static void on_checked(void *data, struct http_request *request, const struct route_match *match,
		       const struct auth_who *who)
{
	const struct site_call call = {
		.site = data, .request = request, .match = match, .who = who
	};

	if (who->access < routes[match->id].access)
		reply_problem(request, 403, "role.insufficient",
			      "this user's role does not allow it", NULL);
	else
		site_handlers[match->id](&call);
}

/* Guests have no user: what they may fetch is known by its path. */
static void on_guest(struct site_listener *listener, struct http_request *request,
		     const struct route_match *match)
{
	static const struct auth_who guest = { .name = "guest" };

	if (request->body_length)
		reply_text(request, 413, "a request here has no content\n");
	else
		on_checked(listener->site, request, match, &guest);
}

static void on_request(struct http_request *request, void *data)
{
	struct site_listener *listener = data;
	struct site *site = listener->site;
	struct route_match match;
	struct err err;
	int code;

	code = route_match(listener->kind, request->method, request->target, &match, &err);
	if (code)
		refuse(listener, request, code, err.text);
	else if (listener->kind == IPC_LISTEN_BOOT)
		on_guest(listener, request, &match);
	else
		auth_check(&site->auth, request, &match, listener->kind == IPC_LISTEN_API,
			   on_checked, site);
}

int site_init(struct site *site, uv_loop_t *loop, const struct config *config,
	      struct ipc_channel *channel, struct err *err)
{
	int code;

	*site = (struct site){ .loop = loop };
	code = boot_init(&site->boot, config, &site->guests, err);
	if (code)
		return code;
	code = events_init(&site->events, loop);
	if (code) {
		boot_done(&site->boot);
		return err_errno(err, code, "cannot keep records");
	}
	site->boot.channel = channel;
	site->boot.loop = loop;
	api_init(&site->api, loop, channel, API_DEADLINE_MS);
	api_init(&site->guests, loop, channel, API_DEADLINE_MS);
	site->guests.last_id = GUESTS_FIRST_ID;
	auth_init(&site->auth, loop, config);
	return 0;
}

int site_listen(struct site *site, const struct ipc_listen *listen, int fd, struct err *err)
{
	struct site_listener *listener = &site->listeners[site->n_listeners];
	const struct http_tls *tls = NULL;
	int code;

	if (site->n_listeners == CONFIG_LISTENERS_MAX) {
		close(fd);
		return err_set(err, -ENOSPC, "cannot serve %s: more than %d listening sockets",
			       listen->address, CONFIG_LISTENERS_MAX);
	}
	*listener = (struct site_listener){ .site = site, .kind = listen->listener };
	memcpy(listener->address, listen->address, sizeof(listener->address));
	if (listener->kind == IPC_LISTEN_OPERATORS && site->tls.cert)
		tls = &site->tls;
	code = http_server_open(&listener->server, site->loop, fd, &limits[listener->kind], tls,
				on_request, listener, err);
	if (code)
		return err_prefix(err, code, "cannot serve %s", listen->address);
	site->n_listeners++;
	return 0;
}

int site_take_tls(struct site *site, int fd, struct err *err)
{
	struct stat st;
	struct http_tls tls;
	char *pem = NULL;

	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= SITE_PEM_MAX)
		pem = calloc(1, (size_t)st.st_size + 1);
	if (!pem || pread(fd, pem, (size_t)st.st_size, 0) != st.st_size) {
		free(pem);
		return err_set(err, -EIO, "the certificate and its key cannot be read");
	}
	/* GnuTLS finds in one text what it looks for: certificates, or a key. */
	tls = (struct http_tls){ .cert = pem, .key = pem };
	if (!http_tls_works(&tls)) {
		explicit_bzero(pem, (size_t)st.st_size);
		free(pem);
		return err_set(err, -EINVAL,
			       "[web] tls-cert and tls-key: GnuTLS does not take them: are they a "
			       "certificate and its key?");
	}
	site->pem = pem;
	site->tls = tls;
	return 0;
}

void site_drain(struct site *site)
{
	for (size_t i = 0; i < site->n_listeners; i++)
		http_server_drain(site->listeners[i].server);
	events_end_streams(&site->events);
}

void site_give_up(struct site *site)
{
	api_give_up(&site->api);
	api_give_up(&site->guests);
}

struct http_left site_left(const struct site *site)
{
	struct http_left left = { 0 };

	for (size_t i = 0; i < site->n_listeners; i++)
		http_server_count(site->listeners[i].server, &left);
	return left;
}

void site_keep_files(struct site *site)
{
	for (size_t i = 0; i < site->n_listeners; i++)
		http_server_keep_files(site->listeners[i].server);
}

void site_close(struct site *site)
{
	for (size_t i = 0; i < site->n_listeners; i++)
		http_server_close(site->listeners[i].server, NULL, NULL);
	site->n_listeners = 0;
	api_close(&site->api);
	api_close(&site->guests);
	events_close(&site->events);
	auth_close(&site->auth);
	boot_done(&site->boot);
	if (site->pem)
		explicit_bzero(site->pem, strlen(site->pem));
	free(site->pem);
	site->pem = NULL;
}
