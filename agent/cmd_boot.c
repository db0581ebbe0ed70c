/* tapwarden boot: what guests are given to boot from. */
#include "agent/cli.h"

#include <string.h>

#include "agent/boot_verbs.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} subverbs[] = {
	{ "render", boot_render }, { "kit", boot_kit },		  { "set", boot_set },
	{ "lint", boot_lint },	   { "simulate", boot_simulate }, { "decode", boot_decode_verb },
};

int cmd_boot(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(subverbs) / sizeof(subverbs[0]); i++) {
		if (strcmp(argv[1], subverbs[i].name) != 0)
			continue;
		/* Usage and messages go by the verb. */
		argv[1] = argv[0];
		return subverbs[i].run(argc - 1, argv + 1);
	}
	return cli_usage("boot", argc > 1 ? argv[1] : NULL);
}
