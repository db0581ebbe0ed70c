/* links: web/routes.c agent/base/parse.c agent/base/err.c */
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

#define NOTHING "there is nothing at this path"
#define METHOD	"only GET and HEAD are answered here"
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
	{ API, "GET", "/v1/events?backlog=1&x", -EINVAL, 0, "backlog is a number from 0 to 65536" },
	{ API, "GET", "/v1/events?back=1", -EINVAL, 0, "the one parameter here is backlog=NUMBER" },
	{ API, "GET", "/v1/status?x=1", -EINVAL, 0, "this path takes no parameter" },
	{ API, "POST", "/v1/status", -EOPNOTSUPP, 0, METHOD },
	{ API, "get", "/v1/status", -EOPNOTSUPP, 0, METHOD },
	{ BOOT, "DELETE", "/ipxe/525400123456", -EOPNOTSUPP, 0, METHOD },
	{ BOOT, "POST", "/ipxe/nobody", -ENOENT, 0, NOTHING },

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
	assert_int_equal(match.backlog, 17);
	assert_int_equal(route_match(API, "GET", "/v1/events", &match, NULL), 0);
	assert_int_equal(match.backlog, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),
		cmocka_unit_test(parameters),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
