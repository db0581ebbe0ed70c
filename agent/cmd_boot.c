/* tapwarden boot: what guests are given to boot from. */
#include "agent/cli.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/hint.h"

static int no_boot_verb(const char *word)
{
	const size_t lead = strlen("boot ");
	char what[HINT_TEXT_MAX + 32], meant[HINT_TEXT_MAX];
	struct hint hint = hint_for(word);
	size_t n;
	const struct cli_verb *verbs = cli_verbs(&n);

	for (size_t i = 0; i < n; i++) {
		if (strncmp(verbs[i].name, "boot ", lead) == 0)
			hint_try(&hint, verbs[i].name + lead);
	}
	snprintf(what, sizeof(what), "is not understood here%s", hint_text(hint.best, meant));
	return cli_usage_word("boot", word, what);
}

int cmd_boot(int argc, char **argv)
{
	static char name[32]; /* usage and messages go by "boot VERB" */
	const struct cli_verb *verb = NULL;

	if (argc > 1) {
		snprintf(name, sizeof(name), "boot %s", argv[1]);
		verb = cli_find(name);
	}
	if (!verb)
		return argc > 1 ? no_boot_verb(argv[1]) : cli_usage("boot", NULL);
	if (argc > 2 && strcmp(argv[2], "--help") == 0)
		return cmd_help(2, (char *[]){ "help", "boot", NULL });
	argv[1] = name;
	return verb->run(argc - 1, argv + 1);
}
