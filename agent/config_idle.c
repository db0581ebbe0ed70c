#include "agent/config_idle.h"

#include <stdlib.h>

#include "agent/base/schema.h"

static bool is_inline(const struct link_wish *wish)
{
	return wish->keys->monitor == MONITOR_INLINE;
}

static bool decides(const struct pattern_conf *pattern, const struct link_wish *wishes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* Links of a set have its keys, if none of their own. */
		if (i && wishes[i].keys == wishes[i - 1].keys)
			continue;
		if (is_inline(&wishes[i]) &&
		    config_wants_pattern(&wishes[i].keys->patterns, pattern->head.name))
			return true;
	}
	return false;
}

static void note_patterns(const struct config *config, const struct link_wish *wishes, size_t n,
			  struct faults *notes)
{
	for (size_t i = 0; i < config->n_patterns; i++) {
		const struct pattern_conf *pattern = &config->patterns[i];

		if (pattern->action != ACTION_LOG && !decides(pattern, wishes, n))
			schema_fault(notes, &pattern->head, "action",
				     "no link that tries it has monitor = inline: nothing is "
				     "dropped");
	}
}

/* Of the set, or of the link alone that has a section. */
static bool makes_inline(const struct conf_head *head, const struct link_wish *wishes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((head == &wishes[i].set->head ||
		     (wishes[i].link && head == &wishes[i].link->head)) &&
		    is_inline(&wishes[i]))
			return true;
	}
	return false;
}

static void note_keys(const char *kind, const struct conf_head *head,
		      const struct link_wish *wishes, size_t n, struct faults *notes)
{
	static const char *const keys[] = { "peer", "fail", "deadline-ms" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (schema_has(&config_schema, kind, head, keys[i]) &&
		    !makes_inline(head, wishes, n))
			schema_fault(notes, head, keys[i],
				     "it is for monitor = inline: nothing heeds it");
	}
}

void config_note_idle(const struct config *config, struct faults *notes)
{
	struct link_wish *wishes = NULL;
	struct err err;
	size_t n = 0;

	if (config_links(config, &wishes, &n, &err))
		return;
	note_patterns(config, wishes, n, notes);
	for (size_t i = 0; i < config->n_sets; i++)
		note_keys("set", &config->sets[i].head, wishes, n, notes);
	for (size_t i = 0; i < config->n_links; i++)
		note_keys("link", &config->links[i].head, wishes, n, notes);
	free(wishes);
}
