/* links: web/routes.c agent/base/parse.c agent/base/parse_time.c agent/base/err.c */
#include "web/routes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define API  IPC_LISTEN_API
#define BOOT IPC_LISTEN_BOOT
#define PAGE IPC_LISTEN_OPERATORS

#define PARAM	"this path takes no such parameter"
#define NOTHING "there is nothing at this path"
#define METHOD	"only GET, HEAD are answered here"
#define TIME	" is a time: seconds of Unix time, or as 2026-11-29T03:00:00Z"
#define LONG_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	enum ipc_listener listener;
	const char *method;
	const char *target;
	int code;
	enum route_id id;
	const char *text;
} cases[] = {
	{ API, "GET", "/v1", 0, ROUTE_INDEX, NULL },
	{ API, "HEAD", "/v1", 0, ROUTE_INDEX, NULL },
	{ API, "GET", "/v1?", 0, ROUTE_INDEX, NULL },
	{ API, "GET", "/v1/status", 0, ROUTE_STATUS, NULL },
	{ API, "GET", "/v1/health", 0, ROUTE_HEALTH, NULL },
	{ API, "GET", "/v1/events", 0, ROUTE_EVENTS, NULL },
	{ API, "GET", "/v1/events?backlog=0", 0, ROUTE_EVENTS, NULL },
	{ API, "GET", "/v1/events?backlog=65536", 0, ROUTE_EVENTS, NULL },
	{ BOOT, "GET", "/boot.ipxe", 0, ROUTE_BOOT_CHAIN, NULL },
	{ BOOT, "GET", "/boot.ipxe?asset=1", 0, ROUTE_BOOT_CHAIN, NULL },
	{ BOOT, "GET", "/ipxe/52-54-00-12-34-56", 0, ROUTE_BOOT_GUEST, NULL },
	{ BOOT, "GET", "/ipxe/52:54:00:12:34:56", 0, ROUTE_BOOT_GUEST, NULL },
	{ BOOT, "HEAD", "/ipxe/525400123456", 0, ROUTE_BOOT_GUEST, NULL },

	{ API, "GET", "/v1/events?backlog=65537", -EINVAL, 0,
	  "backlog is a number from 0 to 65536" },
	{ API, "GET", "/v1/events?backlog=", -EINVAL, 0, "backlog is a number from 0 to 65536" },
	{ API, "GET", "/v1/events?backlog=1&x", -EINVAL, 0, PARAM },
	{ API, "GET", "/v1/events?backlog=1&backlog=2", -EINVAL, 0, "backlog is there twice" },
	{ API, "GET", "/v1/events?limit=1", -EINVAL, 0, PARAM },
	{ API, "GET", "/v1/events?back=1", -EINVAL, 0, PARAM },
	{ API, "GET", "/v1/status?x=1", -EINVAL, 0, PARAM },
	{ API, "POST", "/v1/status", -EOPNOTSUPP, 0, METHOD },
	{ API, "get", "/v1/status", -EOPNOTSUPP, 0, METHOD },
	{ BOOT, "DELETE", "/ipxe/525400123456", -EOPNOTSUPP, 0, METHOD },
	{ BOOT, "POST", "/ipxe/nobody", -ENOENT, 0, NOTHING },

	{ API, "GET", "/v1/links/web01", 0, ROUTE_LINK, NULL },
	{ API, "POST", "/v1/links/web01/retry", 0, ROUTE_RETRY, NULL },
	{ API, "GET", "/v1/links/web01/retry", -EOPNOTSUPP, 0, "only POST are answered here" },
	{ API, "GET", "/v1/links/", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/links/..", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/links/a/b", -ENOENT, 0, NOTHING },
	{ API, "POST", "/v1/links/a/retry/", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/links/%77eb01", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/links/<script>", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/links/" LONG_64, -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/records?limit=5&link=web01&type=alert", 0, ROUTE_RECORDS, NULL },
	{ API, "GET", "/v1/records?limit=1001", -EINVAL, 0, "limit is a number from 1 to 1000" },
	/* A page of none would go on for ever. */
	{ API, "GET", "/v1/records?limit=0", -EINVAL, 0, "limit is a number from 1 to 1000" },
	{ API, "GET", "/v1/records?link=", -EINVAL, 0, "link is a name" },
	{ API, "GET", "/v1/records?link=a%20b", -EINVAL, 0, "link is a name" },
	/* As URLSearchParams, curl --data-urlencode and python's requests write it. */
	{ API, "GET", "/v1/records?since=2026-11-29T03%3A00%3A00Z", 0, ROUTE_RECORDS, NULL },
	{ API, "GET", "/v1/records?since=2026-11-29T03:00:00%2b01:00", 0, ROUTE_RECORDS, NULL },
	{ API, "GET", "/v1/records?link=web%2D01%5F", 0, ROUTE_RECORDS, NULL },
	{ API, "GET", "/v1/records?link=web%", -EINVAL, 0, "link is a name" },
	{ API, "GET", "/v1/records?link=web%2", -EINVAL, 0, "link is a name" },
	{ API, "GET", "/v1/records?link=web%2&limit=1", -EINVAL, 0, "link is a name" },
	{ API, "GET", "/v1/records?link=web%00", -EINVAL, 0, "link is a name" },
	{ API, "GET", "/v1/records?link=%2e%2e", -EINVAL, 0, "link is a name" },
	{ API, "GET", "/v1/records?limit=%35%30", 0, ROUTE_RECORDS, NULL },
	{ API, "GET", "/v1/records?since=yesterday", -EINVAL, 0, "since" TIME },
	{ API, "GET", "/v1/records?since=", -EINVAL, 0, "since" TIME },
	{ API, "GET", "/v1/records?until=0", -EINVAL, 0, "until" TIME },
	{ API, "GET", "/v1/records?until=2026-11-29", -EINVAL, 0, "until" TIME },
	{ API, "POST", "/v1/session", -ENOENT, 0, NOTHING },
	{ PAGE, "POST", "/v1/session", 0, ROUTE_LOGIN, NULL },
	{ PAGE, "DELETE", "/v1/session", 0, ROUTE_LOGOUT, NULL },
	{ PAGE, "GET", "/v1/session", -EOPNOTSUPP, 0, "only POST, DELETE are answered here" },
	{ PAGE, "GET", "/", 0, ROUTE_PAGE, NULL },
	{ PAGE, "GET", "/ui/main.js", 0, ROUTE_PAGE_FILE, NULL },
	{ API, "GET", "/", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/", -ENOENT, 0, NOTHING },
	{ PAGE, "GET", "/ui/../style.css", -ENOENT, 0, NOTHING },
	{ PAGE, "GET", "/ipxe/525400123456", -ENOENT, 0, NOTHING },
	{ PAGE, "GET", "/boot.ipxe", -ENOENT, 0, NOTHING },

	/* Nothing of one listener is on the other. */
	{ API, "GET", "/boot.ipxe", -ENOENT, 0, NOTHING },
	{ API, "GET", "/ipxe/525400123456", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/v1", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/v1/status", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/v1/events", -ENOENT, 0, NOTHING },

	/* Paths are taken literally. */
	{ API, "GET", "", -ENOENT, 0, NOTHING },
	{ API, "GET", "/", -ENOENT, 0, NOTHING },
	{ API, "GET", "*", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/", -ENOENT, 0, NOTHING },
	{ API, "GET", "//v1", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/../v1", -ENOENT, 0, NOTHING },
	{ API, "GET", "/V1", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/%73tatus", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/status/", -ENOENT, 0, NOTHING },
	{ API, "GET", "/v1/status#", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/525400123456/kernel", 0, ROUTE_BOOT_FILE, NULL },
	{ BOOT, "GET", "/ipxe/525400123456/seed/user-data?x", 0, ROUTE_BOOT_SEED, NULL },
	{ BOOT, "GET", "/ipxe/525400123456/seed/autoinstall/meta-data", 0, ROUTE_BOOT_AUTOINSTALL,
	  NULL },
	{ BOOT, "GET", "/ipxe/525400123456/", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/525400123456/..", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/525400123456/a/b", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/525400123456/seed/a/b", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/525400123456/seed/../kernel", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/x/kernel", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/{mac}", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe//525400123456", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/%2e%2e/boot.ipxe", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/52-54:00-12:34-56", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/52-54-00-12-34-5", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/52-54-00-12-34-567", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/52-54-00-12-34-5g", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/5254001234567", -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/ipxe/" LONG_64 LONG_64 LONG_64, -ENOENT, 0, NOTHING },
	{ BOOT, "GET", "/boot.ipxe/52-54-00-12-34-56", -ENOENT, 0, NOTHING },
};

static void targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route_match match = { .id = ROUTES };
		struct err err = { "" };
		int code = route_match(cases[i].listener, cases[i].method, cases[i].target, &match,
				       &err);

		if (code != cases[i].code)
			print_error("%s %s\n", cases[i].method, cases[i].target);
		assert_int_equal(code, cases[i].code);
		assert_int_equal(match.id, code ? ROUTES : cases[i].id);
		assert_string_equal(err.text, code ? cases[i].text : "");
	}
}

static void parameters(void **state)
{
	static const uint8_t mac[MAC_LEN] = { 0x52, 0x54, 0x00, 0xab, 0xcd, 0xef };
	static const char *const forms[] = { "/ipxe/52-54-00-ab-cd-ef", "/ipxe/52:54:00:AB:CD:EF",
					     "/ipxe/525400ABcdef?x" };
	struct route_match match;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(route_match(BOOT, "GET", forms[i], &match, NULL), 0);
		assert_memory_equal(match.mac, mac, MAC_LEN);
	}
	assert_int_equal(route_match(API, "GET", "/v1/events?backlog=17", &match, NULL), 0);
	assert_int_equal(match.numbers[ROUTE_PARAM_BACKLOG], 17);
	assert_int_equal(
		route_match(API, "GET",
			    "/v1/records?link=web%2D01&since=1970-01-01T00%3A01:00.5%2B00:00"
			    "&until=61",
			    &match, NULL),
		0);
	assert_string_equal(match.names[ROUTE_PARAM_LINK], "web-01");
	assert_int_equal(match.numbers[ROUTE_PARAM_SINCE], 60500000000);
	assert_int_equal(match.numbers[ROUTE_PARAM_UNTIL], 61000000000);
	assert_int_equal(route_match(API, "GET", "/v1/events", &match, NULL), 0);
	assert_int_equal(match.has, 0);
}

/* Nobody but users and root learns anything but where to log in; what acts asks for more. */
static void access_of_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROUTES; i++) {
		const struct route *r = &routes[i];

		assert_non_null(r->path);
		if (r->access == ROUTE_ANYBODY)
			assert_true(strncmp(r->path, "/v1", 3) != 0 || i == ROUTE_LOGIN);
		if (r->method == ROUTE_POST && i != ROUTE_LOGIN)
			assert_true(r->access >= ROUTE_OPERATOR);
		if (r->listeners & (1u << BOOT))
			assert_int_equal(r->listeners, 1u << BOOT);
	}
}

/* The path of a route with something in its places. */
static void example(const struct route *route, char *ret, size_t size)
{
	size_t n = 0;

	for (const char *p = route->path; *p; p++) {
		const char *put = strncmp(p, "{mac}", 5) == 0 ? "525400123456" : "web01";

		if (*p == '{') {
			n += (size_t)snprintf(ret + n, size - n, "%s", put);
			p = strchr(p, '}');
		} else {
			ret[n++] = *p;
		}
		assert_true(n + 1 < size);
	}
	ret[n] = '\0';
}

static bool takes(enum ipc_listener listener, const char *path, const char *method)
{
	static const char *const names[] = { "GET", "POST", "DELETE" };
	char own[128];

	for (size_t i = 0; i < ROUTES; i++) {
		const char *name = names[routes[i].method];

		example(&routes[i], own, sizeof(own));
		if ((routes[i].listeners & (1u << listener)) && strcmp(own, path) == 0 &&
		    (strcmp(method, name) == 0 ||
		     (routes[i].method == ROUTE_GET && strcmp(method, "HEAD") == 0)))
			return true;
	}
	return false;
}

/* On each listener: what the table does not say is not answered, and Allow names what it says. */
static void each_path_takes_its_methods_alone(void **state)
{
	static const char *const methods[] = { "GET",	"HEAD",	   "POST",  "DELETE",  "PUT",
					       "PATCH", "OPTIONS", "TRACE", "CONNECT", "get",
					       "GETS",	"",	   "PO",    "G ET" };
	unsigned int refused = 0;
	char path[128];

	(void)state;
	for (unsigned int i = 0; i < ROUTES * IPC_LISTENERS; i++) {
		const struct route *route = &routes[i % ROUTES];
		enum ipc_listener listener = (enum ipc_listener)(i / ROUTES);

		if (!(route->listeners & (1u << listener)))
			continue;
		example(route, path, sizeof(path));
		for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++) {
			struct route_match match;
			struct err err;
			int code = route_match(listener, methods[m], path, &match, &err);

			if (takes(listener, path, methods[m])) {
				assert_int_equal(code, 0);
				assert_non_null(strstr(route_allow(path), methods[m]));
				continue;
			}
			assert_int_equal(code, -EOPNOTSUPP);
			refused++;
		}
	}
	assert_true(refused > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),
		cmocka_unit_test(parameters),
		cmocka_unit_test(access_of_all),
		cmocka_unit_test(each_path_takes_its_methods_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
