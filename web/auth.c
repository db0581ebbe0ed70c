#include "web/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <jansson.h>

#include "agent/base/hash.h"
#include "web/basic.h"
#include "web/password_info.h"
#include "web/reply.h"

#define HOUR_MS UINT64_C(3600000)

/* A login on its way; `request` is NULL once its client is gone. */
struct auth_job {
	struct auth *auth;
	struct http_request *request;
	struct login_job *login;
	char address[HTTP_PEER_MAX];
	char user_key[THROTTLE_KEY_MAX];
	bool secure; /* for a session's cookie */
	/* of HTTP Basic; NULL: a session is made */
	auth_cb cb;
	void *data;
	struct route_match match;
};

static const char *const role_names[] = {
	[ROLE_VIEWER] = "viewer",
	[ROLE_OPERATOR] = "operator",
	[ROLE_ADMIN] = "admin",
};

void auth_init(struct auth *auth, uv_loop_t *loop, const struct config *config)
{
	*auth = (struct auth){ .config = config };
	auth->memory = &auth->own;
	login_init(&auth->login, loop, config);
}

int auth_share(struct auth *auth, int fd)
{
	struct auth_memory *shared;
	int code = auth_memory_map(fd, &shared);

	if (!code)
		auth->memory = shared;
	return code;
}

void auth_close(struct auth *auth)
{
	login_close(&auth->login);
	if (auth->memory != &auth->own)
		auth_memory_unmap(auth->memory);
	auth->memory = &auth->own;
	explicit_bzero(&auth->own, sizeof(auth->own));
}

static uint64_t now_ms(const struct auth *auth)
{
	return uv_now(auth->login.loop);
}

/* A user whose password is another one is another one. */
static uint64_t id_of(const struct user_conf *user)
{
	return hash_text(hash_text(HASH_INIT, user->head.name), user->password);
}

static const struct user_conf *user_of(const struct auth *auth, uint64_t id)
{
	for (size_t i = 0; i < auth->config->n_users; i++) {
		if (id_of(&auth->config->users[i]) == id)
			return &auth->config->users[i];
	}
	return NULL;
}

static enum route_access access_of(const struct user_conf *user)
{
	return (enum route_access)(user->role + 1);
}

static const char *weakness_of(const struct auth *auth, const char *name)
{
	struct password_info info;

	for (size_t i = 0; i < auth->config->n_users; i++) {
		const struct user_conf *user = &auth->config->users[i];

		if (strcmp(user->head.name, name) == 0 &&
		    password_identify(user->password, &info, NULL) == 0)
			return password_weakness(&info);
	}
	return NULL;
}

static void reply_who(struct http_request *request, const struct auth *auth,
		      const struct auth_who *who, const struct http_field *fields)
{
	const char *weak = weakness_of(auth, who->name);
	json_t *json = json_pack("{s:s, s:s, s:o}", "user", who->name, "role",
				 role_names[who->access - 1], "password_weakness",
				 weak ? json_string(weak) : json_null());

	reply_object(request, json, fields);
}

/* ---- who waits ------------------------------------------------------------------------------- */

static void refuse_later(struct http_request *request, uint64_t wait_ms)
{
	char seconds[24];
	const struct http_field fields[] = { { "Retry-After", seconds }, { 0 } };

	snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)(wait_ms + 999) / 1000);
	reply_problem_with(request, 429, "login.throttled", "too many logins failed",
			   "try again later", fields);
}

/* The challenge would make a browser ask by a window of its own, on top of the page that asks. */
static void refuse_nobody(struct http_request *request, const char *code, const char *detail)
{
	static const struct http_field basic[] = {
		{ "WWW-Authenticate", "Basic realm=\"tapwarden\", charset=\"UTF-8\"" }, { 0 }
	};
	static const struct http_field session[] = {
		{ "WWW-Authenticate", "Session realm=\"tapwarden\"" }, { 0 }
	};

	reply_problem_with(request, 401, code, detail, "POST /v1/session logs in",
			   http_header(request, "Sec-Fetch-Mode") ? session : basic);
}

/* ---- logins ---------------------------------------------------------------------------------- */

static void on_gone(struct http_request *request)
{
	struct auth_job *job = request->data;

	job->request = NULL;
	login_forget(job->login);
	job->auth->pending--;
	free(job);
}

static void session_reply(struct auth_job *job, size_t user)
{
	struct auth *auth = job->auth;
	const struct user_conf *conf = &auth->config->users[user];
	uint64_t lifetime = auth->config->web.session_hours * HOUR_MS;
	const struct session *session = NULL;
	uint8_t random[SESSION_RANDOM];
	char cookie[256];
	const struct http_field fields[] = { { "Set-Cookie", cookie }, { 0 } };
	struct auth_who who = { .name = conf->head.name, .access = access_of(conf) };

	if (getrandom(random, sizeof(random), 0) == sizeof(random))
		session = session_new(&auth->memory->sessions, id_of(conf), random, now_ms(auth),
				      lifetime);
	explicit_bzero(random, sizeof(random));
	if (!session) {
		reply_problem(job->request, 503, "session.busy", "too many sessions are open",
			      "log out elsewhere");
		return;
	}
	snprintf(cookie, sizeof(cookie),
		 AUTH_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%llu%s",
		 session->token, (unsigned long long)lifetime / 1000,
		 job->secure ? "; Secure" : "");
	reply_who(job->request, auth, &who, fields);
	explicit_bzero(cookie, sizeof(cookie));
}

static void on_login(void *data, size_t user)
{
	struct auth_job *job = data;
	struct auth *auth = job->auth;
	struct http_request *request = job->request;

	auth->pending--;
	request->gone = NULL;
	if (user == LOGIN_NOBODY) {
		auth->failures++;
		throttle_failed(&auth->memory->throttle, job->address, now_ms(auth));
		throttle_failed(&auth->memory->throttle, job->user_key, now_ms(auth));
		refuse_nobody(request, "login.refused", "user or password is wrong");
	} else {
		const struct user_conf *conf = &auth->config->users[user];
		const struct auth_who who = { .name = conf->head.name, .access = access_of(conf) };

		auth->logins++;
		throttle_passed(&auth->memory->throttle, job->address);
		throttle_passed(&auth->memory->throttle, job->user_key);
		if (job->cb)
			job->cb(job->data, request, &job->match, &who);
		else
			session_reply(job, user);
	}
	free(job);
}

/* How long this address, or anybody in this user's name, has to wait. */
static uint64_t wait_of(const struct auth *auth, const struct auth_job *job)
{
	uint64_t now = now_ms(auth);
	uint64_t address =
		throttle_wait(&auth->memory->throttle, job->address, now, THROTTLE_WAIT_MS);
	uint64_t user =
		throttle_wait(&auth->memory->throttle, job->user_key, now, AUTH_USER_WAIT_MS);

	return address > user ? address : user;
}

/* Takes `job` over. */
static void try_login(struct auth_job *job, const char *name, const char *password)
{
	struct auth *auth = job->auth;
	struct http_request *request = job->request;
	uint64_t wait;

	http_peer_text(request, job->address);
	snprintf(job->user_key, sizeof(job->user_key), "u:%.*s", NAME_MAX_LEN, name);
	wait = wait_of(auth, job);
	if (wait) {
		auth->throttled++;
		refuse_later(request, wait);
		free(job);
		return;
	}
	if (auth->pending < AUTH_PENDING_MAX)
		job->login = login_ask(&auth->login, name, password, on_login, job);
	if (!job->login) {
		auth->throttled++;
		reply_problem(request, 503, "login.busy", "too many logins are on their way",
			      "try again");
		free(job);
		return;
	}
	auth->pending++;
	request->data = job;
	request->gone = on_gone;
}

static struct auth_job *job_new(struct auth *auth, struct http_request *request)
{
	struct auth_job *job = calloc(1, sizeof(*job));

	if (!job) {
		reply_problem(request, 503, "memory.short", "there is no memory", "try again");
		return NULL;
	}
	job->auth = auth;
	job->request = request;
	return job;
}

void auth_log_in(struct auth *auth, struct http_request *request, bool secure)
{
	json_t *body =
		json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(body, "user"));
	const char *password = json_string_value(json_object_get(body, "password"));
	struct auth_job *job;

	if (!name || !password || json_object_size(body) != 2) {
		reply_problem(request, 400, "body.invalid",
			      "a login is {\"user\": NAME, \"password\": TEXT}", NULL);
	} else {
		job = job_new(auth, request);
		if (job) {
			job->secure = secure;
			try_login(job, name, password);
		}
	}
	json_decref(body);
}

void auth_log_out(struct auth *auth, struct http_request *request, const struct auth_who *who,
		  bool secure)
{
	const struct http_field fields[] = {
		{ "Set-Cookie",
		  secure ? AUTH_COOKIE "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure"
			 : AUTH_COOKIE "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0" },
		{ 0 }
	};
	const struct http_answer answer = { .status = 200,
					    .type = "application/json",
					    .fields = fields,
					    .body = "{}\n",
					    .length = 3 };

	session_end(&auth->memory->sessions, who->token);
	http_reply(request, &answer);
}

/* ---- requests -------------------------------------------------------------------------------- */

/*
 * A page elsewhere can make a browser send a request with our cookie: the cookie is SameSite, and
 * what acts must come from our own origin, which a browser tells (RFC 6454, Fetch Metadata).
 */
static bool is_foreign(const struct http_request *request)
{
	const char *origin = http_header(request, "Origin");
	const char *site = http_header(request, "Sec-Fetch-Site");
	const char *host = http_header(request, "Host");
	const char *at = origin ? strstr(origin, "://") : NULL;

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return true;
	return origin && (!at || !host || strcmp(at + 3, host) != 0);
}

/* Types that a form of another page cannot send. */
static bool has_type(const struct http_request *request)
{
	const char *type = http_header(request, "Content-Type");

	return type && (strncasecmp(type, "application/json", 16) == 0 ||
			strncasecmp(type, "application/octet-stream", 24) == 0);
}

static bool is_refused(struct auth *auth, struct http_request *request,
		       const struct route_match *match)
{
	const struct route *route = &routes[match->id];

	if (route->method != ROUTE_GET && is_foreign(request)) {
		auth->foreign++;
		reply_problem(request, 403, "origin.foreign", "the page of another site asks this",
			      NULL);
		return true;
	}
	if (!(route->takes & ROUTE_TAKES_BODY) && request->body_length) {
		reply_problem(request, 413, "body.refused", "this path takes no content", NULL);
		return true;
	}
	if ((route->takes & ROUTE_TAKES_BODY) && !has_type(request)) {
		reply_problem(request, 415, "body.type",
			      "content is application/json or application/octet-stream", NULL);
		return true;
	}
	return false;
}

static bool by_cookie(struct auth *auth, const struct http_request *request, struct auth_who *who)
{
	char token[SESSION_TOKEN];
	const struct session *session = NULL;
	const struct user_conf *user = NULL;

	if (session_cookie(http_header(request, "Cookie"), AUTH_COOKIE, token, sizeof(token)))
		session = session_find(&auth->memory->sessions, token, now_ms(auth));
	if (session)
		user = user_of(auth, session->user);
	if (!user)
		return false;
	who->name = user->head.name;
	who->access = access_of(user);
	memcpy(who->token, token, sizeof(who->token));
	return true;
}

static void by_basic(struct auth *auth, struct http_request *request,
		     const struct route_match *match, const char *header, auth_cb cb, void *data)
{
	char text[BASIC_MAX];
	char *password = basic_decode(header, text);
	struct auth_job *job;

	if (!password) {
		refuse_nobody(request, "login.invalid", "HTTP Basic is NAME:PASSWORD in base64");
		return;
	}
	job = job_new(auth, request);
	if (job) {
		job->cb = cb;
		job->data = data;
		job->match = *match;
		try_login(job, text, password);
	}
	explicit_bzero(text, sizeof(text));
}

void auth_check(struct auth *auth, struct http_request *request, const struct route_match *match,
		bool local, auth_cb cb, void *data)
{
	const char *basic = http_header(request, "Authorization");
	struct auth_who who = { .name = "", .access = ROUTE_ANYBODY };
	uid_t uid;

	if (is_refused(auth, request, match))
		return;
	if (local) {
		bool root = http_peer_uid(request, &uid) && uid == 0;

		who.name = root ? "root" : "local";
		who.access = root ? ROUTE_ADMIN : ROUTE_VIEWER;
	} else if (!by_cookie(auth, request, &who) && basic &&
		   routes[match->id].access != ROUTE_ANYBODY) {
		by_basic(auth, request, match, basic, cb, data);
		return;
	}
	if (who.access == ROUTE_ANYBODY && routes[match->id].access != ROUTE_ANYBODY)
		refuse_nobody(request, "login.needed", "this needs a login");
	else
		cb(data, request, match, &who);
}

void auth_whoami(struct auth *auth, struct http_request *request, const struct auth_who *who)
{
	reply_who(request, auth, who, NULL);
}
