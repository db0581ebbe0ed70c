#include "netlink/link_marks.h"

#include <stddef.h>
#include <string.h>

uint32_t link_scratch_group(uint32_t group)
{
	return group ^ 0x80000000u;
}

bool link_is_in_group(const struct link_state *link, uint32_t group)
{
	return link->is_macvlan &&
	       (link->group == group || link->group == link_scratch_group(group));
}

bool link_is_ours(const struct link_state *link, uint32_t group)
{
	return link_is_in_group(link, group) &&
	       strncmp(link->alias, LINK_ALIAS_PREFIX, strlen(LINK_ALIAS_PREFIX)) == 0;
}

const struct link_state *link_find_ours(const struct link_table *table,
					const struct link_spec *spec, uint32_t group)
{
	const struct link_state *link = link_table_find_name(table, spec->name);
	char alias[LINK_ALIAS_MAX];

	if (link && link_is_ours(link, group))
		return link;
	link_spec_alias(spec, alias);
	for (size_t i = 0; i < table->n; i++) {
		if (strcmp(table->links[i].alias, alias) == 0 &&
		    link_is_ours(&table->links[i], group))
			return &table->links[i];
	}
	return NULL;
}

const struct link_state *link_find_namesake(const struct link_table *table, const char *name,
					    uint32_t group)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct link_state *link = &table->links[i];

		if ((strcmp(link->name, name) == 0 || link_state_has_altname(link, name)) &&
		    !link_is_ours(link, group))
			return link;
	}
	return NULL;
}
