/* links: web/health.c agent/base/parse_time.c */
/* links: web/site.c web/pcap.c web/pcapng_pick.c web/api.c web/boot.c web/boot_reply.c */
/* links: web/http_file.c web/kit_seed.c web/kit_text.c web/iso9660.c web/text_out.c */
/* links: web/encode_yaml.c web/encode_ini.c web/encode_sh.c web/events.c web/history.c */
/* links: web/event_ring.c web/http_server.c web/http_conn.c web/http_request.c web/http_head.c */
/* links: web/mhd_lib.c agent/base/late_lib.c web/auth.c web/basic.c agent/base/base64.c */
/* links: web/auth_memory.c */
/* links: web/login.c web/session.c web/throttle.c web/password.c web/password_*.c web/handlers.c */
/* links: web/page.c web/page_files.c web/records.c web/metrics*.c agent/base/stats_traffic.c */
/* links: web/openapi.c web/reply.c web/problem.c web/routes.c web/ipxe_script.c web/ipxe_menu.c */
/* links: agent/base/boot_types.c web/kernel_line.c web/encode.c web/encode_cmdline.c */
/* links: web/boot_spec.c web/encode_ipxe.c web/san_uri.c web/boot_lint.c web/ipxe_lint*.c */
/* links: web/ipxe_reader.c web/ipxe_command.c web/ipxe_call.c web/ipxe_setting.c web/ipxe_type.c */
/* links: web/boot_decode.c web/decode_san.c web/decode_line.c web/ipxe_error.c web/finding.c */
/* links: agent/base/hint.c agent/base/config.c agent/base/config_cross.c */
/* links: agent/base/config_wishes.c */
/* links: agent/base/config_range.c agent/base/config_lowers.c agent/base/config_boot.c */
/* links: agent/base/config_schema*.c agent/base/range_types.c agent/base/schema.c */
/* links: agent/base/schema_walk.c */
/* links: agent/base/schema_fill.c */
/* links: agent/base/schema_type.c agent/base/parse_boot.c agent/base/schema_list.c */
/* links: agent/base/schema_text.c */
/* links: agent/base/schema_print.c agent/base/ini.c agent/base/ini_load.c agent/base/ini_scan.c */
/* links: agent/base/fault.c agent/base/hint.c agent/base/name_template.c agent/base/link_types.c */
/* links: agent/base/parse.c agent/base/buf.c agent/base/err.c agent/base/ipc.c */
/* links: agent/base/ipc_msg.c agent/base/log.c agent/base/utf8.c agent/base/fd_io.c */
#include "web/mhd_lib.h"
#include "web/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/conf_text.h"
#include "tests/unit/http_client.h"
#include "web/ipxe_script.h"

static const char config_text[] =
	"[set web]\nlower = eth0\n"
	"[link web01]\nset = web\nmac = 52:54:00:ab:cd:01\n"
	"[link web02]\nset = web\nmac = 52:54:00:ab:cd:02\n"
	"[link web03]\nset = web\n"
	"[target d]\nname = iqn.2026-01.test.san:disk1\nportal = 192.0.2.1\nlun = 1\n"
	"[guest one]\nlink = web01\ntarget = d\ninitiator = iqn.2026-01.test.host:one\n"
	"[guest two]\nlink = web02\ntarget = d\ninitiator = iqn.2026-01.test.host:two\n"
	"[guest three]\nlink = web03\ntarget = d\ninitiator = iqn.2026-01.test.host:three\n";

/* A site, and the agent's end of its channel. */
struct fixture {
	uv_loop_t loop;
	struct config *config;
	struct site site;
	struct ipc_channel web, agent;
	struct sockaddr_in api, boot;
	int feed; /* the capture worker's end */
	struct ipc_request asked; /* the last one */
	int n_asked;
	const char *peer_link; /* the link that every client is behind; NULL: the one asked about */
	int peer_error; /* instead of an answer */
	int n_peers; /* questions who a client is */
};

static void on_web(struct ipc_channel *channel, struct ipc_message *message, int reason)
{
	struct fixture *f = channel->data;

	(void)reason;
	if (message)
		site_replied(&f->site, message->payload, message->fd);
	else
		api_give_up(&f->site.api);
}

static void agent_replies(struct fixture *f, uint64_t id, int error, const char *text, size_t claim)
{
	struct ipc_reply reply = { .id = id, .error = error, .length = (uint32_t)claim };
	int fd = ipc_memfd("reply", text, strlen(text));

	assert_int_equal(ipc_send(&f->agent, IPC_REPLY, &reply, fd), 0);
	close(fd);
}

static void answer_peer(struct fixture *f, const struct ipc_request *request)
{
	int error = f->peer_error;

	if (!error && f->peer_link && strcmp(f->peer_link, request->link) != 0)
		error = -EACCES;
	assert_string_equal(request->name, "127.0.0.1");
	f->n_peers++;
	agent_replies(f, request->id, error, "{}", 2);
}

static void on_agent(struct ipc_channel *channel, struct ipc_message *message, int reason)
{
	struct fixture *f = channel->data;

	(void)reason;
	if (!message)
		return;
	memcpy(&f->asked, message->payload, sizeof(f->asked));
	if (f->asked.op == IPC_OP_PEER)
		answer_peer(f, &f->asked);
	else
		f->n_asked++;
}

static void listen_as(struct fixture *f, enum ipc_listener kind, struct sockaddr_in *ret)
{
	struct ipc_listen listen = { .listener = kind, .address = "a test" };
	struct err err = { "" };

	site_listen(&f->site, &listen, listen_on_loopback(ret), &err);
	assert_string_equal(err.text, "");
}

static void start(struct fixture *f)
{
	struct err err = { "" };
	int ends[2], feed[2];

	memset(f, 0, sizeof(*f));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	f->config = config_from_text(config_text);
	assert_non_null(f->config);
	assert_int_equal(ipc_pair(ends), 0);
	f->web.data = f->agent.data = f;
	assert_int_equal(ipc_open(&f->web, &f->loop, ends[0], IPC_WEB, IPC_AGENT, on_web), 0);
	assert_int_equal(ipc_open(&f->agent, &f->loop, ends[1], IPC_AGENT, IPC_WEB, on_agent), 0);
	assert_int_equal(mhd_lib_load(&err), 0);
	site_init(&f->site, &f->loop, f->config, &f->web, &err);
	assert_string_equal(err.text, "");
	listen_as(f, IPC_LISTEN_API, &f->api);
	listen_as(f, IPC_LISTEN_BOOT, &f->boot);
	assert_int_equal(ipc_pair(feed), 0);
	assert_int_equal(events_feed(&f->site.events, feed[0]), 0);
	f->feed = feed[1];
}

static void stop(struct fixture *f)
{
	site_close(&f->site);
	ipc_close(&f->web, NULL);
	ipc_close(&f->agent, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	config_free(f->config);
	close(f->feed);
}

/* No route of the API answers with an error that its document does not have. */
static void expect_documented(const char *line, const char *answer)
{
	struct route_match match;
	char method[16], path[1024];
	unsigned int status;

	assert_int_equal(sscanf(line, "%15s %1023[^?]", method, path), 2);
	assert_int_equal(sscanf(answer, "HTTP/1.1 %u ", &status), 1);
	if (status < 400 || route_match(IPC_LISTEN_API, method, path, &match, NULL) != 0)
		return;
	if (!route_gives(&routes[match.id], status))
		fail_msg("%s is answered %u", line, status);
}

static char *get(struct fixture *f, const struct sockaddr_in *addr, const char *line)
{
	char request[2048];
	int len = snprintf(request, sizeof(request),
			   "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", line);
	char *answer = client_exchange(&f->loop, addr, request, (size_t)len);

	assert_non_null(answer);
	if (addr == &f->api)
		expect_documented(line, answer);
	return answer;
}

static const char *body_of(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static void expect_status(const char *answer, int status)
{
	char text[32];

	snprintf(text, sizeof(text), "HTTP/1.1 %d ", status);
	if (strncmp(answer, text, strlen(text)) != 0)
		print_error("%s\n", answer);
	assert_memory_equal(answer, text, strlen(text));
}

#define SCRIPT(guest)                                                                            \
	"#!ipxe\n# generated by tapwarden: guest " guest                                         \
	"\nset initiator-iqn iqn.2026-01.test.host:" guest                                       \
	"\nsanboot --drive 0x80 iscsi:192.0.2.1:::1:iqn.2026-01.test.san:disk1 || goto failed\n" \
	":failed\necho tapwarden: guest " guest                                                  \
	" cannot boot from its SAN, next device in 5 seconds\nsleep 5\nexit 1\n"
#define UNKNOWN "no guest has this MAC address\n"
#define NOTHING "there is nothing at this path\n"

static const struct {
	const char *line;
	int status;
	const char *body;
} boots[] = {
	{ "GET /ipxe/52-54-00-ab-cd-01", 200, SCRIPT("one") },
	{ "GET /ipxe/52:54:00:AB:CD:02", 200, SCRIPT("two") },
	{ "GET /ipxe/525400abcd02?serial=%00", 200, SCRIPT("two") },
	{ "HEAD /ipxe/52-54-00-ab-cd-01", 200, "" },
	{ "GET /ipxe/52-54-00-ab-cd-09", 404, UNKNOWN },
	/*
	 * A guest whose link has an address only the agent knows, and addresses no link can have.
	 */
	{ "GET /ipxe/00-00-00-00-00-00", 404, UNKNOWN },
	{ "GET /ipxe/ff-ff-ff-ff-ff-ff", 404, UNKNOWN },
	{ "GET /ipxe/52-54-00-ab-cd-01/", 404, NOTHING },
	{ "GET /ipxe/%35%32-54-00-ab-cd-01", 404, NOTHING },
	{ "GET //ipxe/52-54-00-ab-cd-01", 404, NOTHING },
	{ "GET /ipxe/../ipxe/52-54-00-ab-cd-01", 404, NOTHING },
	{ "GET /v1/status", 404, NOTHING },
	{ "POST /ipxe/52-54-00-ab-cd-01", 405, "only GET, HEAD are answered here\n" },
};

static void boot_scripts(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(f.site.boot.n_entries, 2);
	assert_int_equal(f.site.boot.n_without_mac, 1);
	for (size_t i = 0; i < sizeof(boots) / sizeof(boots[0]); i++) {
		char *answer = get(&f, &f.boot, boots[i].line);

		expect_status(answer, boots[i].status);
		assert_string_equal(body_of(answer), boots[i].body);
		assert_non_null(strstr(answer, "Content-Type: text/plain\r\n"));
		if (boots[i].status == 405)
			assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
		free(answer);
	}
	assert_int_equal(f.site.boot.scripts, 4);
	assert_int_equal(f.site.boot.unknown, 3);
	stop(&f);
}

static void an_unknown_machine_is_sent_on(void **state)
{
	struct fixture f;
	char *answer;

	(void)state;
	start(&f);
	f.config->web.boot_unknown = BOOT_UNKNOWN_EXIT;
	answer = get(&f, &f.boot, "GET /ipxe/52-54-00-ab-cd-09");
	expect_status(answer, 200);
	assert_string_equal(body_of(answer), ipxe_unknown_script());
	free(answer);
	/* A script alone: there is no kernel to be had. */
	answer = get(&f, &f.boot, "GET /ipxe/52-54-00-ab-cd-09/kernel");
	expect_status(answer, 404);
	free(answer);
	assert_int_equal(f.site.boot.unknown, 2);
	stop(&f);
}

/* Of guest two, whose menu has `local` alone: in a state, what a path gives. */
static const struct {
	enum boot_state state;
	const char *path;
	int status;
	const char *part;
} menus[] = {
	{ BOOT_STATE_RUN, "", 200, "choose --default run --timeout 10000 chosen" },
	{ BOOT_STATE_RUN, "/run", 200, "\nsanboot " },
	{ BOOT_STATE_RUN, "/local", 200, "\nexit 0\n" },
	{ BOOT_STATE_RUN, "/once", 404, "the guest has nothing of this name\n" },
	{ BOOT_STATE_RUN, "/rescue", 404, "the guest has nothing of this name\n" },
	{ BOOT_STATE_LOCAL, "", 200, "choose --default local " },
	/* It is told to boot a disk of its own: the SAN's is not to be had. */
	{ BOOT_STATE_LOCAL, "/run", 404, "the guest has nothing of this name\n" },
	{ BOOT_STATE_ONCE, "", 200, "choose --default run " },
	{ BOOT_STATE_ONCE, "/run", 200, "\nsanboot " },
};

static void a_guest_chooses_from_its_menu(void **state)
{
	struct fixture f;
	char *answer;

	(void)state;
	start(&f);
	f.config->guests[1].menu = 1u << BOOT_STATE_LOCAL;
	f.config->guests[1].menu_timeout = 10;
	f.peer_link = "web02";
	for (size_t i = 0; i < sizeof(menus) / sizeof(menus[0]); i++) {
		struct ipc_boot_state set = { .guest = "two", .state = menus[i].state };
		char line[64];

		boot_take_state(&f.site.boot, &set);
		snprintf(line, sizeof(line), "GET /ipxe/52-54-00-ab-cd-02%s", menus[i].path);
		answer = get(&f, &f.boot, line);
		expect_status(answer, menus[i].status);
		assert_non_null(strstr(answer, menus[i].part));
		free(answer);
	}
	/* Nobody else's, and of a guest without a menu nothing. */
	f.peer_link = "web01";
	free(get(&f, &f.boot, "GET /ipxe/52-54-00-ab-cd-02/run"));
	assert_int_equal(f.site.boot.refused, 1);
	answer = get(&f, &f.boot, "GET /ipxe/52-54-00-ab-cd-01/run");
	expect_status(answer, 404);
	free(answer);
	stop(&f);
}

static const struct {
	const char *link;
	int error;
	const char *line;
	int status;
	const char *body;
} clients[] = {
	{ "web01", 0, "GET /ipxe/52-54-00-ab-cd-01", 200, SCRIPT("one") },
	{ "web01", 0, "GET /ipxe/52-54-00-ab-cd-02", 403,
	  "this is for the machine with that MAC address\n" },
	{ "web01", 0, "GET /ipxe/52-54-00-ab-cd-09", 404, UNKNOWN },
	{ "web02", 0, "GET /ipxe/52-54-00-ab-cd-02", 200, SCRIPT("two") },
	{ "web01", -ENOMEM, "GET /ipxe/52-54-00-ab-cd-01", 503,
	  "the agent does not say who asks: try again\n" },
};

static void a_script_is_for_its_machine(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		char *answer;

		f.peer_link = clients[i].link;
		f.peer_error = clients[i].error;
		answer = get(&f, &f.boot, clients[i].line);
		expect_status(answer, clients[i].status);
		assert_string_equal(body_of(answer), clients[i].body);
		free(answer);
	}
	assert_int_equal(f.site.boot.scripts, 2);
	assert_int_equal(f.site.boot.refused, 1);
	assert_int_equal(f.site.boot.unasked, 1);
	stop(&f);
}

/* Once for a connection; whoever then asks for what is another's is looked at once more. */
static void a_client_is_asked_about_once(void **state)
{
	static const char requests[] = "GET /ipxe/52-54-00-ab-cd-01 HTTP/1.1\r\nHost: x\r\n\r\n"
				       "GET /ipxe/52-54-00-ab-cd-01 HTTP/1.1\r\nHost: x\r\n\r\n"
				       "GET /ipxe/52-54-00-ab-cd-02 HTTP/1.1\r\nHost: x\r\n"
				       "Connection: close\r\n\r\n";
	struct fixture f;
	char *answer;

	(void)state;
	start(&f);
	f.peer_link = "web01";
	answer = client_exchange(&f.loop, &f.boot, requests, sizeof(requests) - 1);
	assert_non_null(answer);
	assert_int_equal(f.n_peers, 2);
	assert_int_equal(f.site.boot.scripts, 2);
	assert_int_equal(f.site.boot.refused, 1);
	free(answer);
	stop(&f);
}

static void boot_chain(void **state)
{
	struct fixture f;
	char *answer;

	(void)state;
	start(&f);
	answer = get(&f, &f.boot, "GET /boot.ipxe");
	expect_status(answer, 200);
	assert_string_equal(body_of(answer), ipxe_chain_script());
	free(answer);
	stop(&f);
}

static const struct {
	const char *line;
	int status;
	const char *code;
} problems[] = {
	{ "GET /", 404, "path.unknown" },
	{ "GET /boot.ipxe", 404, "path.unknown" },
	{ "GET /v1/\xff\"<>", 404, "path.unknown" },
	{ "DELETE /v1/status", 405, "method.unsupported" },
	{ "GET /v1/events?x", 400, "query.invalid" },
};

static void api_problems(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
		char *answer = get(&f, &f.api, problems[i].line);
		json_t *problem = json_loads(body_of(answer), 0, NULL);

		expect_status(answer, problems[i].status);
		assert_non_null(strstr(answer, "Content-Type: application/problem+json\r\n"));
		assert_non_null(problem);
		assert_int_equal(json_integer_value(json_object_get(problem, "status")),
				 problems[i].status);
		assert_string_equal(json_string_value(json_object_get(problem, "code")),
				    problems[i].code);
		assert_string_equal(json_string_value(json_object_get(problem, "type")),
				    "about:blank");
		assert_string_equal(json_string_value(json_object_get(problem, "detail")),
				    json_string_value(json_object_get(problem, "message")));
		assert_true(json_is_string(json_object_get(problem, "instance")));
		json_decref(problem);
		free(answer);
	}
	stop(&f);
}

static void index_and_health(void **state)
{
	struct fixture f;
	json_t *object, *first;
	char *answer;

	(void)state;
	start(&f);
	answer = get(&f, &f.api, "GET /v1");
	expect_status(answer, 200);
	object = json_loads(body_of(answer), 0, NULL);
	for (size_t i = 0; i < ROUTES; i++) {
		if (routes[i].listeners & (1u << IPC_LISTEN_API))
			assert_non_null(
				json_object_get(json_object_get(object, "paths"), routes[i].path));
	}
	assert_null(json_object_get(json_object_get(object, "paths"), "/boot.ipxe"));
	json_decref(object);
	free(answer);
	free(get(&f, &f.boot, "GET /ipxe/52-54-00-ab-cd-01"));
	answer = get(&f, &f.api, "GET /v1/health");
	expect_status(answer, 200);
	object = json_loads(body_of(answer), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(object, "status")), "ok");
	first = json_array_get(json_object_get(object, "listeners"), 0);
	assert_int_equal(json_integer_value(json_object_get(first, "requests")), 2);
	assert_true(json_is_integer(json_object_get(first, "refused_peer")));
	assert_true(json_is_integer(json_object_get(first, "evicted")));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(object, "boot"), "scripts")), 1);
	json_decref(object);
	free(answer);
	stop(&f);
}

/* Sends a request for the status and waits until the agent was asked. */
static int ask_status(struct fixture *f)
{
	static const char request[] = "GET /v1/status HTTP/1.1\r\nHost: x\r\n"
				      "Connection: close\r\n\r\n";
	int fd = client_connect(&f->api);
	int before = f->n_asked;

	client_send(fd, request, sizeof(request) - 1);
	while (f->n_asked == before)
		loop_turn(&f->loop);
	assert_int_equal(f->asked.op, IPC_OP_STATUS);
	return fd;
}

static const struct {
	int error;
	const char *text;
	long more; /* claimed beyond the length */
	int status;
	const char *body; /* the whole of it, or a part for a problem */
} replies[] = {
	{ 0, "{\"links\":[]}\n", 0, 200, "{\"links\":[]}\n" },
	{ 0, "", 0, 200, "" },
	{ -ENOENT, "no such link", 0, 404, "\"detail\":\"no such link\"" },
	{ -EBUSY, "wait", 0, 503, "\"code\":\"agent.busy\"" },
	{ -EIO, "broken", 0, 500, "\"detail\":\"broken\"" },
	{ 0, "{}", 1, 500, "\"code\":\"agent.failed\"" },
	{ 0, "{}", -1, 500, "\"code\":\"agent.failed\"" },
	{ 0, "{}", 0xffffff00, 500, "\"code\":\"agent.failed\"" },
};

static void status_is_passed_on(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		int fd = ask_status(&f);
		struct buf out;

		/* A reply to nobody's request is only counted. */
		agent_replies(&f, f.asked.id + 1000, 0, "{}", 2);
		agent_replies(&f, f.asked.id, replies[i].error, replies[i].text,
			      strlen(replies[i].text) + (size_t)replies[i].more);
		buf_init(&out, 65536);
		client_read_all(&f.loop, fd, &out);
		expect_status(out.data, replies[i].status);
		if (replies[i].status == 200)
			assert_string_equal(body_of(out.data), replies[i].body);
		else
			assert_non_null(strstr(body_of(out.data), replies[i].body));
		assert_int_equal(f.site.api.strays, i + 1);
		buf_done(&out);
		close(fd);
	}
	stop(&f);
}

static void agent_that_is_slow_or_gone(void **state)
{
	struct fixture f;
	struct buf out;
	char *answer;
	int fd;

	(void)state;
	start(&f);
	buf_init(&out, 65536);
	f.site.api.deadline_ms = 50;
	fd = ask_status(&f);
	client_read_all(&f.loop, fd, &out);
	expect_status(out.data, 504);
	assert_int_equal(f.site.api.expired, 1);
	close(fd);
	/* The reply that comes too late harms nobody. */
	agent_replies(&f, f.asked.id, 0, "{}", 2);
	while (f.site.api.strays == 0)
		loop_turn(&f.loop);

	f.site.api.deadline_ms = 60000;
	fd = ask_status(&f);
	ipc_close(&f.agent, NULL);
	buf_reset(&out);
	client_read_all(&f.loop, fd, &out);
	expect_status(out.data, 503);
	close(fd);
	answer = get(&f, &f.api, "GET /v1/status");
	expect_status(answer, 503);
	free(answer);
	buf_done(&out);
	stop(&f);
}

static void bounds_what_waits_for_the_agent(void **state)
{
	struct fixture f;
	int fds[API_PENDING_MAX];
	char *answer;

	(void)state;
	start(&f);
	for (int i = 0; i < API_PENDING_MAX; i++)
		fds[i] = ask_status(&f);
	answer = get(&f, &f.api, "GET /v1/status");
	expect_status(answer, 503);
	assert_non_null(strstr(answer, "agent.busy"));
	assert_int_equal(f.site.api.refused, 1);
	free(answer);
	/* Answered out of order. */
	for (int i = API_PENDING_MAX; i > 0; i--) {
		struct buf out;

		agent_replies(&f, (uint64_t)i, 0, "{}", 2);
		buf_init(&out, 65536);
		client_read_all(&f.loop, fds[i - 1], &out);
		expect_status(out.data, 200);
		buf_done(&out);
		close(fds[i - 1]);
	}
	fds[0] = ask_status(&f);
	stop(&f);
	close(fds[0]);
}

static void feed(struct fixture *f, const char *line)
{
	assert_int_equal(send(f->feed, line, strlen(line), MSG_NOSIGNAL), strlen(line));
}

static int open_stream(struct fixture *f, const char *query, const char *headers, struct buf *out)
{
	char request[512];
	int fd = client_connect(&f->api);
	int len = snprintf(request, sizeof(request),
			   "GET /v1/events%s HTTP/1.0\r\nHost: x\r\n%s\r\n", query, headers);

	client_send(fd, request, (size_t)len);
	buf_init(out, 1 << 20);
	while (!out->data || !strstr(out->data, "\r\n\r\n")) {
		assert_true(client_take(fd, out));
		loop_turn(&f->loop);
	}
	/* The first records may have come with the head. */
	out->len = strlen(body_of(out->data));
	memmove(out->data, body_of(out->data), out->len + 1);
	return fd;
}

static void event_streams(void **state)
{
	struct fixture f;
	struct buf lines, sse, late;
	int a, b, c;

	(void)state;
	start(&f);
	a = open_stream(&f, "", "", &lines);
	b = open_stream(&f, "", "Accept: text/event-stream\r\n", &sse);
	feed(&f, "{\"n\":1}");
	feed(&f, "no record");
	feed(&f, "{\"tapwarden\":{\"v\":1,\"seq\":41}}");
	client_read_until(&f.loop, a, &lines, "41}}\n");
	assert_string_equal(lines.data, "{\"n\":1}\n{\"tapwarden\":{\"v\":1,\"seq\":41}}\n");
	client_read_until(&f.loop, b, &sse, "41}}\n\n");
	assert_string_equal(sse.data, "data: {\"n\":1}\n\n"
				      "id: 41\ndata: {\"tapwarden\":{\"v\":1,\"seq\":41}}\n\n");
	c = open_stream(&f, "?backlog=1", "", &late);
	client_read_until(&f.loop, c, &late, "41}}\n");
	assert_string_equal(late.data, "{\"tapwarden\":{\"v\":1,\"seq\":41}}\n");
	close(c);
	buf_done(&late);
	feed(&f, "{\"n\":3}");
	c = open_stream(&f, "", "Last-Event-ID: 41\r\n", &late);
	client_read_until(&f.loop, c, &late, "{\"n\":3}\n");
	assert_string_equal(late.data, "{\"n\":3}\n");
	assert_int_equal(f.site.events.records, 3);
	assert_int_equal(f.site.events.ring.rejected, 1);
	/* Once drained, streams end, after what is left to say. */
	feed(&f, "{\"n\":4}");
	loop_turn(&f.loop);
	site_drain(&f.site);
	client_read_all(&f.loop, a, &lines);
	assert_string_equal(lines.data + lines.len - 8, "{\"n\":4}\n");
	while (site_left(&f.site).others)
		loop_turn(&f.loop);
	buf_done(&lines);
	buf_done(&sse);
	buf_done(&late);
	close(a);
	close(b);
	close(c);
	stop(&f);
}

static void feeds_change_hands(void **state)
{
	struct fixture f;
	struct buf out;
	int fd, ends[2];

	(void)state;
	start(&f);
	fd = open_stream(&f, "", "", &out);
	feed(&f, "{\"n\":1}");
	/* What the old worker wrote last is not lost. */
	assert_int_equal(ipc_pair(ends), 0);
	assert_int_equal(events_feed(&f.site.events, ends[0]), 0);
	close(f.feed);
	f.feed = ends[1];
	feed(&f, "{\"n\":2}");
	client_read_until(&f.loop, fd, &out, "{\"n\":2}\n");
	assert_string_equal(out.data, "{\"n\":1}\n{\"n\":2}\n");
	assert_true(events_has_feed(&f.site.events));
	/* A worker that died leaves no feed, and no loop that spins on its end. */
	close(f.feed);
	while (events_has_feed(&f.site.events))
		loop_turn(&f.loop);
	f.feed = -1;
	close(fd);
	buf_done(&out);
	stop(&f);
}

static void bounds_streams(void **state)
{
	struct fixture f;
	struct buf out[EVENT_STREAMS_MAX];
	int fds[EVENT_STREAMS_MAX];
	char *answer;

	(void)state;
	start(&f);
	for (int i = 0; i < EVENT_STREAMS_MAX; i++)
		fds[i] = open_stream(&f, "", "", &out[i]);
	answer = get(&f, &f.api, "GET /v1/events");
	expect_status(answer, 503);
	assert_int_equal(f.site.events.refused, 1);
	free(answer);
	feed(&f, "{\"n\":1}");
	for (int i = 0; i < EVENT_STREAMS_MAX; i++) {
		client_read_until(&f.loop, fds[i], &out[i], "{\"n\":1}\n");
		buf_done(&out[i]);
		close(fds[i]);
	}
	while (f.site.events.n_streams > 0)
		loop_turn(&f.loop);
	stop(&f);
}

/* A client that stops to read costs the others nothing, and learns what it missed. */
static void slow_stream(void **state)
{
	struct fixture f;
	struct buf out;
	char line[2048];
	int fd;

	(void)state;
	start(&f);
	fd = open_stream(&f, "", "", &out);
	memset(line, 'x', sizeof(line));
	memcpy(line, "{\"n\":\"", 6);
	memcpy(line + sizeof(line) - 2, "\"}", 2);
	for (int i = 0; f.site.events.ring.first == 0 || i < 20000; i++) {
		while (send(f.feed, line, sizeof(line), MSG_NOSIGNAL) < 0)
			uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	uv_run(&f.loop, UV_RUN_NOWAIT);
	buf_done(&out);
	buf_init(&out, 64 << 20);
	while (!out.data || !strstr(out.data, "slow-reader")) {
		assert_true(client_take(fd, &out));
		assert_false(out.failed);
		loop_turn(&f.loop);
	}
	assert_true(f.site.events.ring.skipped > 0);
	close(fd);
	buf_done(&out);
	stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_scripts),
		cmocka_unit_test(an_unknown_machine_is_sent_on),
		cmocka_unit_test(a_guest_chooses_from_its_menu),
		cmocka_unit_test(a_script_is_for_its_machine),
		cmocka_unit_test(a_client_is_asked_about_once),
		cmocka_unit_test(boot_chain),
		cmocka_unit_test(api_problems),
		cmocka_unit_test(index_and_health),
		cmocka_unit_test(status_is_passed_on),
		cmocka_unit_test(agent_that_is_slow_or_gone),
		cmocka_unit_test(bounds_what_waits_for_the_agent),
		cmocka_unit_test(event_streams),
		cmocka_unit_test(feeds_change_hands),
		cmocka_unit_test(bounds_streams),
		cmocka_unit_test(slow_stream),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
