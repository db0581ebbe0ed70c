#include "agent/help_names.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/boot_types.h"
#include "agent/cli.h"

/* Who is told. */
struct names {
	void (*each)(const char *name, void *data);
	void *data;
};

static void tell(const struct names *names, const char *name)
{
	names->each(name, names->data);
}

/* Each section's struct begins with its head. */
static void tell_heads(const struct names *names, const void *sections, size_t n, size_t size)
{
	const char *section = sections;

	for (; n > 0; n--, section += size)
		tell(names, ((const struct conf_head *)section)->name);
}

static void tell_guests(const struct names *names, const struct config *config)
{
	tell_heads(names, config->guests, config->n_guests, sizeof(*config->guests));
}

static void tell_patterns(const struct names *names, const struct config *config)
{
	tell_heads(names, config->patterns, config->n_patterns, sizeof(*config->patterns));
}

static void tell_links(const struct names *names, const struct config *config)
{
	struct link_wish *wishes = NULL;
	size_t n = 0;
	struct err err;

	if (config_links(config, &wishes, &n, &err) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!wishes[i].is_host_link)
			tell(names, wishes[i].name);
	}
	free(wishes);
}

/* Of whatever a record is of. */
static void tell_watched(const struct names *names, const struct config *config)
{
	tell_links(names, config);
	tell_patterns(names, config);
	tell_heads(names, config->sets, config->n_sets, sizeof(*config->sets));
	tell_heads(names, config->logs, config->n_logs, sizeof(*config->logs));
}

static void tell_verbs(const struct names *names, const struct config *config)
{
	size_t n;
	const struct cli_verb *verbs = cli_verbs(&n);

	(void)config;
	for (size_t i = 0; i < n; i++) {
		if (verbs[i].summary)
			tell(names, verbs[i].name);
	}
}

static void tell_topics(const struct names *names, const struct config *config)
{
	size_t n;
	const struct cli_topic *topics = cli_topics(&n);

	(void)config;
	tell(names, "config");
	for (size_t i = 0; i < n; i++)
		tell(names, topics[i].name);
}

static void tell_states(const struct names *names, const struct config *config)
{
	(void)config;
	for (size_t i = 0; i < BOOT_STATES; i++)
		tell(names, boot_state_names[i]);
}

static const struct {
	const char *word;
	bool of_config;
	/* `config` is NULL unless `of_config`. */
	void (*tell_all)(const struct names *names, const struct config *config);
} kinds[] = {
	{ "VERB", false, tell_verbs },	 { "TOPIC", false, tell_topics },
	{ "STATE", false, tell_states }, { "LINK", true, tell_links },
	{ "GUEST", true, tell_guests },	 { "PATTERN", true, tell_patterns },
	{ "NAME", true, tell_watched },
};

void help_names(const char *word, const char *path, void (*each)(const char *name, void *data),
		void *data)
{
	const struct names names = { .each = each, .data = data };
	struct faults faults = { 0 };
	struct config *config = NULL;
	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].word, word) != 0)
		i++;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return;
	if (!kinds[i].of_config || config_load(path, &config, &faults) == 0)
		kinds[i].tell_all(&names, config);
	config_free(config);
	faults_done(&faults);
}
