/* tapwarden boot: what guests are given to boot from. */
#include "agent/cli.h"

#include <stdio.h>
#include <string.h>

int cmd_boot(int argc, char **argv)
{
	static char name[32]; /* usage and messages go by "boot VERB" */
	const struct cli_verb *verb = NULL;

	if (argc > 1) {
		snprintf(name, sizeof(name), "boot %s", argv[1]);
		verb = cli_find(name);
	}
	if (!verb)
		return cli_usage("boot", argc > 1 ? argv[1] : NULL);
	if (argc > 2 && strcmp(argv[2], "--help") == 0)
		return cmd_help(2, (char *[]){ "help", "boot", NULL });
	argv[1] = name;
	return verb->run(argc - 1, argv + 1);
}
