#include "agent/base/config_range.h"

#include <string.h>

#include "agent/base/schema.h"

static const char *const range_keys[] = { "include", "end-test",  "open-end", "nest",
					  "outside", "max-lines", "max-bytes" };

static void check_pattern(const struct pattern_conf *p, struct faults *faults)
{
	if (!p->begin != !p->end)
		schema_fault(faults, &p->head, p->begin ? "begin" : "end",
			     "a range has two ends: %s is missing", p->begin ? "end" : "begin");
	for (size_t i = 0; !p->begin && i < sizeof(range_keys) / sizeof(range_keys[0]); i++) {
		if (schema_has(&config_schema, "pattern", &p->head, range_keys[i]))
			schema_fault(faults, &p->head, range_keys[i],
				     "there is no range: begin and end are missing");
	}
}

static void check_names(const struct config *config, const struct conf_head *head,
			const struct strv *patterns, struct faults *faults)
{
	for (size_t i = 0; i < config->n_patterns; i++) {
		const struct pattern_conf *p = &config->patterns[i];

		for (size_t k = 0; p->begin && k < patterns->n; k++) {
			if (strcmp(patterns->v[k], p->head.name) == 0)
				schema_fault(faults, head, "patterns",
					     "[pattern %s] has a range of lines, which only "
					     "`tapwarden extract` searches",
					     p->head.name);
		}
	}
}

void config_range_check(const struct config *config, struct faults *faults)
{
	for (size_t i = 0; i < config->n_patterns; i++)
		check_pattern(&config->patterns[i], faults);
	for (size_t i = 0; i < config->n_sets; i++)
		check_names(config, &config->sets[i].head, &config->sets[i].keys.patterns, faults);
	for (size_t i = 0; i < config->n_links; i++)
		check_names(config, &config->links[i].head, &config->links[i].keys.patterns,
			    faults);
	for (size_t i = 0; i < config->n_logs; i++)
		check_names(config, &config->logs[i].head, &config->logs[i].patterns, faults);
}
