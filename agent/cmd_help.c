/* tapwarden help: printed from the table of verbs and from the schema's tables. */
#include "agent/cli.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/hint.h"
#include "agent/base/schema.h"
#include "agent/cli_print.h"
#include "agent/help_names.h"
#include "agent/version.h"

static int help_all(void)
{
	size_t n, n_topics;
	const struct cli_verb *verbs = cli_verbs(&n);
	const struct cli_topic *topics = cli_topics(&n_topics);

	printf("tapwarden gives VMs macvtap links that their host can see, filter and boot from.\n"
	       "\n"
	       "  tapwarden check -c my.ini     is the file right?\n"
	       "  tapwarden run -c my.ini       the agent; then, beside it:\n"
	       "  tapwarden status -c my.ini\n"
	       "  tapwarden watch -c my.ini\n"
	       "\n");
	for (size_t i = 0; i < n; i++) {
		if (verbs[i].summary)
			printf("  %s %s\n      %s\n", verbs[i].name, verbs[i].usage,
			       verbs[i].summary);
	}
	printf("\n`tapwarden help TOPIC` explains\n");
	printf("  %-9s %s\n", "config", "every section and key of the configuration");
	for (size_t i = 0; i < n_topics; i++)
		printf("  %-9s %s\n", topics[i].name, topics[i].summary);
	printf("\n"
	       "-c defaults to %s. --config is the same in full,\n"
	       "--json prints one JSON value (watch and extract: one a line), --version is which\n"
	       "tapwarden this is. Exit codes: 0 done, 1 negative answer, 2 usage, bad\n"
	       "configuration or not fully done.\n",
	       CONFIG_DEFAULT_PATH);
	return cli_flush(CLI_DONE);
}

/* Of the verb, or of those under it. */
static void help_usage(const struct cli_verb *verb)
{
	const char *lead = "usage:";
	size_t n, len = strlen(verb->name);
	const struct cli_verb *verbs = cli_verbs(&n);

	for (size_t i = 0; i < n; i++) {
		if (strncmp(verbs[i].name, verb->name, len) != 0 || verbs[i].name[len] != ' ')
			continue;
		printf("%-6s tapwarden %s %s\n", lead, verbs[i].name, verbs[i].usage);
		lead = "";
	}
	if (*lead)
		printf("%s tapwarden %s %s\n", lead, verb->name, verb->usage);
}

static int help_verb(const struct cli_verb *verb)
{
	help_usage(verb);
	printf("\n%s.\n", verb->summary);
	if (verb->details)
		printf("\n%s\n", verb->details);
	return cli_flush(CLI_DONE);
}

static const char *find_topic(const char *name)
{
	size_t n;
	const struct cli_topic *topics = cli_topics(&n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(topics[i].name, name) == 0)
			return topics[i].text;
	}
	return NULL;
}

static int help_config(void)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	schema_document(&text);
	return cli_flush(cli_print_text(&text, "the reference"));
}

/* `help boot kit` is `help boot`, which has them all. */
static int help_under(int argc, char **argv)
{
	char name[32];

	snprintf(name, sizeof(name), "%s %s", argv[1], argv[2]);
	if (argc > 3 || !cli_find(name))
		return cli_usage("help", argv[argc > 3 ? 3 : 2]);
	return help_verb(cli_find(argv[1]));
}

static void print_name(const char *name, void *data)
{
	(void)data;
	puts(name);
}

static int no_help(const char *word)
{
	struct hint hint = hint_for(word);
	char meant[HINT_TEXT_MAX];
	size_t n, n_topics;
	const struct cli_verb *verbs = cli_verbs(&n);
	const struct cli_topic *topics = cli_topics(&n_topics);
	struct err err;

	for (size_t i = 0; i < n; i++) {
		if (verbs[i].summary)
			hint_try(&hint, verbs[i].name);
	}
	for (size_t i = 0; i < n_topics; i++)
		hint_try(&hint, topics[i].name);
	hint_try(&hint, "config");
	err_set(&err, -1, "no help on \"%s\"%s", word, hint_text(hint.best, meant));
	return cli_fail(&err, "`tapwarden help` lists what there is");
}

int cmd_help(int argc, char **argv)
{
	const struct cli_verb *verb;
	const char *topic;

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("tapwarden %s\n", tapwarden_version);
		return cli_flush(CLI_DONE);
	}
	/* Not for people: scripts/completion asks. */
	if (argc > 2 && strcmp(argv[1], "--names") == 0) {
		help_names(argv[2], argc > 3 ? argv[3] : CONFIG_DEFAULT_PATH, print_name, NULL);
		return cli_flush(CLI_DONE);
	}
	if (argc < 2 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		return help_all();
	if (argv[1][0] == '-')
		return cli_usage("help", argv[1]);
	if (argc > 2)
		return help_under(argc, argv);
	if (strcmp(argv[1], "config") == 0)
		return help_config();
	topic = find_topic(argv[1]);
	if (topic) {
		puts(topic);
		return cli_flush(CLI_DONE);
	}
	verb = cli_find(argv[1]);
	return verb && verb->summary ? help_verb(verb) : no_help(argv[1]);
}
