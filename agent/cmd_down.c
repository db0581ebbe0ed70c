#include "agent/apply_once.h"
#include "agent/cli.h"

int cmd_down(int argc, char **argv)
{
	struct cli_options options;
	int code = cli_options(argc, argv, CLI_FORCE, 0, &options);

	if (code != 0)
		return code;
	return apply_once(&options, RECONCILE_GOAL_NOTHING);
}
