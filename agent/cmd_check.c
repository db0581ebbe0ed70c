/* tapwarden check: every fault of the configuration at once. */
#include "agent/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/base/plural.h"
#include "agent/base/schema.h"
#include "agent/config_check.h"
#include "agent/config_idle.h"
#include "agent/config_shared.h"
#include "agent/config_web.h"
#include "agent/desired.h"
#include "agent/privs.h"
#include "agent/reach_notes.h"

static void print_count(FILE *out, size_t n, const char *noun)
{
	fprintf(out, "%zu %s%s", n, noun, plural(n, "", "s"));
}

/* As if no link were there: what is, `plan` and `reach` tell. */
static void print_notes(const struct config *config)
{
	static const struct link_table nothing;
	char host_id[HOST_ID_MAX];
	struct link_spec *specs = NULL;
	struct reach reach = { 0 };
	struct buf out;
	size_t n;

	buf_init(&out, 1 << 20);
	desired_host_id(host_id);
	if (desired_links(config, host_id, &specs, &n, NULL) == 0 &&
	    reach_make(specs, n, &nothing, config->agent.link_group, &reach) == 0)
		reach_notes_config(&reach, false, &out);
	if (out.data)
		fputs(out.data, stdout);
	buf_done(&out);
	reach_done(&reach);
	free(specs);
}

/* Of those that the file names: another host, for which it may be checked here, can have them. */
static void note_users(const struct agent_conf *agent, struct faults *notes)
{
	const struct {
		const char *key, *user;
	} users[] = {
		{ "user-capture", agent->user_capture },
		{ "user-web", agent->user_web },
	};
	struct err err;
	uid_t uid;
	gid_t gid;

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		if (schema_has(&config_schema, "agent", &agent->head, users[i].key) &&
		    privs_user(users[i].user, &uid, &gid, &err) != 0)
			schema_fault(notes, &agent->head, users[i].key,
				     "%s: here the agent would not start", err.text);
	}
}

/* What is no fault, and still worth a line. */
static void print_other_notes(const struct config *config)
{
	struct faults notes = { 0 };

	note_users(&config->agent, &notes);
	config_note_web(config, &notes);
	config_note_shared(config, &notes);
	config_note_idle(config, &notes);
	faults_sort(&notes);
	config_print_faults(&notes, stderr);
	faults_done(&notes);
}

int cmd_check(int argc, char **argv)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	struct cli_options options;
	int code = cli_options(argc, argv, 0, 0, &options);

	if (code)
		return code;
	if (config_check(options.config, &config, &faults) == 0) {
		printf("%s: no faults (", options.config);
		print_count(stdout, faults.n_files, "file");
		printf(" read)\n");
		print_notes(config);
		print_other_notes(config);
		code = CLI_DONE;
	} else {
		cli_print_faults(options.config, &faults);
		print_count(stderr, faults.n_files, "file");
		fputs(" read, ", stderr);
		print_count(stderr, faults.n + faults.n_dropped, "fault");
		fputs("\n", stderr);
		code = CLI_BAD;
	}
	config_free(config);
	faults_done(&faults);
	return cli_flush(code);
}
