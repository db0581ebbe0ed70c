#include "agent/base/config_schema.h"
#include "agent/base/stats.h"

/* sockaddr_un.sun_path has 108 bytes (unix(7)); "/api.sock" and a NUL come behind run-dir. */
#define RUN_DIR_MAX 98

static const struct schema_key agent_keys[] = {
	{ .name = "run-dir",
	  .type = SCHEMA_PATH,
	  .offset = offsetof(struct agent_conf, run_dir),
	  .def = "/run/tapwarden",
	  .bounds = RANGE(1, RUN_DIR_MAX),
	  .roles = AGENT,
	  .help = "the folder of api.sock and of the lock that one agent holds" },
	{ .name = "state-dir",
	  .type = SCHEMA_PATH,
	  .offset = offsetof(struct agent_conf, state_dir),
	  .bounds = RANGE(1, RUN_DIR_MAX),
	  .def_help = "run-dir",
	  .roles = AGENT,
	  .help = "the folder of what outlives a start of the host, which empties run-dir: what guests "
		  "boot next; it goes along when this is set or changed" },
	{ .name = "log-dir",
	  .type = SCHEMA_PATH,
	  .offset = offsetof(struct agent_conf, log_dir),
	  .def = "/var/log/tapwarden",
	  .roles = AGENT,
	  .help = "the folder of records.json; it belongs to user-capture" },
	{ .name = "link-group",
	  .type = SCHEMA_U32,
	  .offset = offsetof(struct agent_conf, link_group),
	  .def = "7477",
	  .bounds = RANGE(1, INT32_MAX),
	  .roles = AGENT,
	  .help = "the rtnetlink group that marks links as ours; one per configuration on a host" },
	{ .name = "user-capture",
	  .type = SCHEMA_USER,
	  .offset = offsetof(struct agent_conf, user_capture),
	  .def = "_tapwarden-capture",
	  .roles = AGENT,
	  .help = "the user, by name or number, that reads what guests send" },
	{ .name = "user-web",
	  .type = SCHEMA_USER,
	  .offset = offsetof(struct agent_conf, user_web),
	  .def = "_tapwarden-web",
	  .roles = AGENT,
	  .help = "the user, by name or number, that answers HTTP requests" },
	{ .name = "ring-memory",
	  .type = SCHEMA_SIZE,
	  .offset = offsetof(struct agent_conf, ring_memory),
	  .def = "64M",
	  .bounds = RANGE(MIB, 16 * GIB),
	  .roles = AGENT,
	  .help = "kernel memory for the packet rings of all monitored links together, for "
		  "one 16M at most; what comes while a ring is full is lost and counted" },
	{ .name = "capture-workers",
	  .type = SCHEMA_U32,
	  .offset = offsetof(struct agent_conf, capture_workers),
	  .def = "1",
	  .bounds = RANGE(1, STATS_CAPTURES_MAX),
	  .roles = AGENT,
	  .help = "processes that share the links among them; one for each core that may be theirs" },
	{ .name = "include",
	  .type = SCHEMA_GLOBS,
	  .offset = offsetof(struct agent_conf, include),
	  .help = "more files, by globs from this file's folder; only the first file includes" },
};

const struct schema_section agent_section = {
	.kind = "agent",
	SINGLE(agent),
	.roles = AGENT,
	.own = KEYS(agent_keys),
	.help = "The process that supervises the others, and its folders.",
};

static const struct schema_section *const sections[] = {
	&agent_section, &set_section,	 &link_section,	  &pattern_section,
	&log_section,	&record_section, &stream_section, &target_section,
	&guest_section, &web_section,	 &user_section,
};

const struct schema config_schema = { sections, COUNT(sections) };
