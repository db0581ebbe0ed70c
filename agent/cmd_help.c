/* tapwarden help: printed from the table of verbs and from the schema's tables. */
#include "agent/cli.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/schema.h"
#include "agent/version.h"

static int help_all(void)
{
	size_t n;
	const struct cli_verb *verbs = cli_verbs(&n);

	printf("tapwarden gives the VMs of a host macvtap links that it can see, filter and boot from.\n"
	       "\n"
	       "  tapwarden check -c my.ini     is the file right?\n"
	       "  tapwarden run -c my.ini       the agent; then, beside it:\n"
	       "  tapwarden status -c my.ini\n"
	       "  tapwarden watch -c my.ini\n"
	       "\n");
	for (size_t i = 0; i < n; i++) {
		if (verbs[i].usage)
			printf("  %-7s %-28s %s\n", verbs[i].name, verbs[i].usage,
			       verbs[i].summary);
	}
	printf("\n"
	       "-c defaults to %s. Exit codes: 0 done, 1 negative answer,\n"
	       "2 usage, bad configuration or not fully done.\n",
	       CONFIG_DEFAULT_PATH);
	return cli_flush(CLI_DONE);
}

static int help_verb(const struct cli_verb *verb)
{
	printf("usage: tapwarden %s %s\n\n%s.\n", verb->name, verb->usage, verb->summary);
	if (verb->details)
		printf("\n%s\n", verb->details);
	return cli_flush(CLI_DONE);
}

static int help_config(void)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	schema_document(&text);
	fputs(text.data ? text.data : "", stdout);
	buf_done(&text);
	return cli_flush(CLI_DONE);
}

int cmd_help(int argc, char **argv)
{
	const struct cli_verb *verb;

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("tapwarden %s\n", tapwarden_version);
		return cli_flush(CLI_DONE);
	}
	if (argc < 2 || argv[1][0] == '-')
		return help_all();
	if (strcmp(argv[1], "config") == 0)
		return help_config();
	verb = cli_find(argv[1]);
	if (!verb || !verb->usage) {
		fprintf(stderr, "tapwarden: no help on \"%s\": `tapwarden help` lists the verbs\n",
			argv[1]);
		return CLI_BAD;
	}
	return help_verb(verb);
}
