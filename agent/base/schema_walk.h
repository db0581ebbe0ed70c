/* Where in the tables a name is, and where in struct config what it stands for. Pure. */
#ifndef TW_SCHEMA_WALK_H
#define TW_SCHEMA_WALK_H

#include "agent/base/schema.h"

/* Of the sections called [kind] or [kind NAME]; NULL: there are none such. */
const struct schema_section *schema_find_kind(const struct schema *schema, const char *kind);

/* Own and shared keys together; the number of a key is its bit in conf_head.has. */
size_t schema_count_keys(const struct schema_section *section);
const struct schema_key *schema_nth_key(const struct schema_section *section, size_t i);
void *schema_nth_field(const struct schema_section *section, void *object, size_t i);
bool schema_find_key(const struct schema_section *section, const char *name, size_t *ret_i);

/* The objects of a section that is named, or the only one; `first` of none is NULL. */
size_t schema_count_objects(const struct schema_section *section, const struct config *config);
void *schema_first_object(const struct schema_section *section, const struct config *config);
void *schema_nth_object(const struct schema_section *section, const struct config *config,
			size_t i);

#endif
