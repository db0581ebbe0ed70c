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

/* Keys that have a meaning for lines alone; of guests, ranges are of bytes. */
static const char *const line_keys[] = { "end-test", "nest", "outside", "max-lines" };

static void check_live(const struct pattern_conf *p, const struct conf_head *user,
		       struct faults *faults)
{
	for (size_t i = 0; i < sizeof(line_keys) / sizeof(line_keys[0]); i++) {
		if (schema_has(&config_schema, "pattern", &p->head, line_keys[i]))
			schema_fault(faults, user, "patterns",
				     "[pattern %s] has %s, which is for lines: in the payloads of "
				     "guests, ranges are of bytes",
				     p->head.name, line_keys[i]);
	}
	if (p->scope == SCOPE_STREAM && p->action != ACTION_LOG)
		schema_fault(faults, user, "patterns",
			     "[pattern %s] has a range of a stream, which is searched once it is "
			     "closed: that is too late for its action",
			     p->head.name);
}

static void check_names(const struct config *config, const struct conf_head *user,
			const struct strv *patterns, struct faults *faults)
{
	for (size_t i = 0; i < config->n_patterns; i++) {
		const struct pattern_conf *p = &config->patterns[i];

		if (p->begin && config_wants_pattern(patterns, p->head.name))
			check_live(p, user, faults);
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
}
