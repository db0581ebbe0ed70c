#include "agent/base/config_schema.h"

static const char *const role_words[] = {
	[ROLE_VIEWER] = "viewer",
	[ROLE_OPERATOR] = "operator",
	[ROLE_ADMIN] = "admin",
};

static const char *const boot_answers_words[] = {
	[BOOT_ANSWERS_LINK] = "link",
	[BOOT_ANSWERS_ANYBODY] = "anybody",
};

static const char *const boot_unknown_words[] = {
	[BOOT_UNKNOWN_404] = "404",
	[BOOT_UNKNOWN_EXIT] = "exit",
};

static const struct schema_key web_keys[] = {
	{ .name = "boot-listen",
	  .type = SCHEMA_LISTENS,
	  .offset = offsetof(struct web_conf, boot_listen),
	  .def_help = "nowhere",
	  .roles = WEB,
	  .help = "where guests fetch their boot scripts; addresses, each with a port" },
	{ .name = "boot-answers",
	  .type = SCHEMA_ENUM,
	  .offset = offsetof(struct web_conf, boot_answers),
	  .def = "link",
	  .bounds = WORDS(boot_answers_words),
	  .roles = WEB,
	  .help = "who is given a guest's script, with its secrets: the machine behind its link, which "
		  "is known by the MAC address that the host's answers go to (anti-spoof keeps a guest "
		  "from showing another's); or anybody" },
	{ .name = "boot-unknown",
	  .type = SCHEMA_ENUM,
	  .offset = offsetof(struct web_conf, boot_unknown),
	  .def = "404",
	  .bounds = WORDS(boot_unknown_words),
	  .roles = WEB,
	  .help = "what a MAC address is answered that no guest has: 404, which fails iPXE's chain; or "
		  "exit, a script that says so and ends. Either way the firmware's next device is tried" },
	{ .name = "listen",
	  .type = SCHEMA_LISTENS,
	  .offset = offsetof(struct web_conf, listen),
	  .def_help = "nowhere",
	  .roles = WEB,
	  .help = "where a [user] finds the API; off loopback tls-cert is needed" },
	{ .name = "tls-cert",
	  .type = SCHEMA_PATH,
	  .offset = offsetof(struct web_conf, tls_cert),
	  .roles = WEB,
	  .help = "the certificate of `listen`, with what lies between it and its root, in PEM" },
	{ .name = "tls-key",
	  .type = SCHEMA_PATH,
	  .offset = offsetof(struct web_conf, tls_key),
	  .roles = WEB,
	  .help = "its private key in PEM, in a file that others cannot read" },
	{ .name = "session-hours",
	  .type = SCHEMA_U32,
	  .offset = offsetof(struct web_conf, session_hours),
	  .def = "12",
	  .bounds = RANGE(1, 720),
	  .roles = WEB,
	  .help = "how long a login lasts, over reloads too; another password or a restart "
		  "of the agent ends it" },
};

static const struct schema_key user_keys[] = {
	{ .name = "password",
	  .type = SCHEMA_STRING,
	  .offset = offsetof(struct user_conf, password),
	  .bounds = RANGE(1, 383),
	  .required = true,
	  .roles = WEB,
	  .help = "a hash, as `tapwarden passwd` makes one" },
	{ .name = "role",
	  .type = SCHEMA_ENUM,
	  .offset = offsetof(struct user_conf, role),
	  .def = "viewer",
	  .bounds = WORDS(role_words),
	  .roles = WEB,
	  .help = "viewer: sees everything but secrets; operator: and acts on links; admin: and "
		  "reloads the configuration" },
};

const struct schema_section web_section = {
	.kind = "web",
	SINGLE(web),
	.roles = WEB,
	.own = KEYS(web_keys),
	.help = "What is served over HTTP.",
};

const struct schema_section user_section = {
	.kind = "user",
	ARRAY(users, user_conf),
	.roles = WEB,
	.own = KEYS(user_keys),
	.help = "Somebody who may log in at [web] listen.",
};
