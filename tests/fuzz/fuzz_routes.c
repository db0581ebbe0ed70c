/* links: web/routes.c agent/base/parse.c agent/base/parse_time.c agent/base/err.c */
/*
 * A request target as a client may send it. The first byte chooses listener and method. What is
 * found belongs to the listener, and names what the target says.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_match(enum ipc_listener listener, const char *target,
			const struct route_match *match)
{
	uint8_t mac[MAC_LEN];
	char text[MAC_TEXT_MAX];

	if (match->id >= ROUTES || !(routes[match->id].listeners & (1u << listener)))
		abort();
	if (match->numbers[ROUTE_PARAM_BACKLOG] > ROUTE_BACKLOG_MAX)
		abort();
	if (match->id != ROUTE_BOOT_GUEST) {
		size_t fixed = strcspn(routes[match->id].path, "{");

		if (strncmp(target, routes[match->id].path, fixed) != 0 ||
		    strpbrk(match->name, "/%<>&\"' "))
			abort();
		return;
	}
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(target + 6, "?"), target + 6);
	if (parse_mac(text, mac, NULL) != 0 || memcmp(mac, match->mac, MAC_LEN) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE" };
	enum ipc_listener listener;
	struct route_match match;
	struct err err = { "" };
	char *target;
	int code;

	if (size < 1 || size > 4096)
		return 0;
	target = strndup((const char *)data + 1, size - 1);
	if (!target)
		return 0;
	listener = data[0] & 8	 ? IPC_LISTEN_OPERATORS
		   : data[0] & 1 ? IPC_LISTEN_BOOT
				 : IPC_LISTEN_API;
	code = route_match(listener, methods[(data[0] >> 1) & 3], target, &match, &err);
	if (code == 0)
		check_match(listener, target, &match);
	else if (!err.text[0] || (code != -ENOENT && code != -EOPNOTSUPP && code != -EINVAL))
		abort();
	free(target);
	return 0;
}
