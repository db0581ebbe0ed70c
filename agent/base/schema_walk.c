#include "agent/base/schema_walk.h"

#include <string.h>

const struct schema_section *schema_find_kind(const struct schema *schema, const char *kind)
{
	for (size_t i = 0; i < schema->n_sections; i++) {
		if (strcmp(schema->sections[i]->kind, kind) == 0)
			return schema->sections[i];
	}
	return NULL;
}

size_t schema_count_keys(const struct schema_section *section)
{
	return section->own.n + section->shared.n;
}

const struct schema_key *schema_nth_key(const struct schema_section *section, size_t i)
{
	return i < section->own.n ? &section->own.keys[i]
				  : &section->shared.keys[i - section->own.n];
}

void *schema_nth_field(const struct schema_section *section, void *object, size_t i)
{
	size_t base = i < section->own.n ? section->own.offset : section->shared.offset;

	return (char *)object + base + schema_nth_key(section, i)->offset;
}

bool schema_find_key(const struct schema_section *section, const char *name, size_t *ret_i)
{
	for (size_t i = 0; i < schema_count_keys(section); i++) {
		if (strcmp(schema_nth_key(section, i)->name, name) == 0) {
			*ret_i = i;
			return true;
		}
	}
	return false;
}

size_t schema_count_objects(const struct schema_section *section, const struct config *config)
{
	size_t n;

	if (!section->named)
		return 1;
	memcpy(&n, (const char *)config + section->offset_n, sizeof(n));
	return n;
}

void *schema_first_object(const struct schema_section *section, const struct config *config)
{
	char *first = (char *)config + section->offset;

	if (section->named)
		memcpy(&first, (const char *)config + section->offset, sizeof(first));
	return first;
}

void *schema_nth_object(const struct schema_section *section, const struct config *config, size_t i)
{
	return (char *)schema_first_object(section, config) + i * section->size;
}
