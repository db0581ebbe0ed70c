#include "agent/help_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/boot_types.h"
#include "agent/cli.h"

/* Each section's struct begins with its head. */
static void print_heads(const void *sections, size_t n, size_t size)
{
	const char *section = sections;

	for (; n > 0; n--, section += size)
		puts(((const struct conf_head *)section)->name);
}

static void print_guests(const struct config *config)
{
	print_heads(config->guests, config->n_guests, sizeof(*config->guests));
}

static void print_patterns(const struct config *config)
{
	print_heads(config->patterns, config->n_patterns, sizeof(*config->patterns));
}

static void print_links(const struct config *config)
{
	struct link_wish *wishes = NULL;
	size_t n = 0;
	struct err err;

	if (config_links(config, &wishes, &n, &err) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!wishes[i].is_host_link)
			puts(wishes[i].name);
	}
	free(wishes);
}

/* Of whatever a record is of. */
static void print_watched(const struct config *config)
{
	print_links(config);
	print_patterns(config);
	print_heads(config->sets, config->n_sets, sizeof(*config->sets));
	print_heads(config->logs, config->n_logs, sizeof(*config->logs));
}

static void print_verbs(const struct config *config)
{
	size_t n;
	const struct cli_verb *verbs = cli_verbs(&n);

	(void)config;
	for (size_t i = 0; i < n; i++) {
		if (verbs[i].summary)
			puts(verbs[i].name);
	}
}

static void print_topics(const struct config *config)
{
	size_t n;
	const struct cli_topic *topics = cli_topics(&n);

	(void)config;
	puts("config");
	for (size_t i = 0; i < n; i++)
		puts(topics[i].name);
}

static void print_states(const struct config *config)
{
	(void)config;
	for (size_t i = 0; i < BOOT_STATES; i++)
		puts(boot_state_names[i]);
}

static const struct {
	const char *word;
	bool of_config;
	void (*print)(const struct config *config); /* NULL unless `of_config` */
} kinds[] = {
	{ "VERB", false, print_verbs },	  { "TOPIC", false, print_topics },
	{ "STATE", false, print_states }, { "LINK", true, print_links },
	{ "GUEST", true, print_guests },  { "PATTERN", true, print_patterns },
	{ "NAME", true, print_watched },
};

void help_names(const char *word, const char *path)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].word, word) != 0)
		i++;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return;
	if (!kinds[i].of_config || config_load(path, &config, &faults) == 0)
		kinds[i].print(config);
	config_free(config);
	faults_done(&faults);
}
