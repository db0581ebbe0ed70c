/* tapwarden run: the agent in the foreground. */
#include "agent/cli.h"

#include <getopt.h>

#include "agent/base/log.h"
#include "agent/daemon.h"

int cmd_run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ 0 },
	};
	const char *path = CONFIG_DEFAULT_PATH;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:v", longs, NULL)) != -1) {
		if (c == 'c')
			path = optarg;
		else if (c == 'v')
			log_init(NULL, LOG_LEVEL_DEBUG);
		else
			return cli_usage_option(argv, c);
	}
	if (optind != argc)
		return cli_usage(argv[0], argv[optind]);
	return daemon_run(path);
}
