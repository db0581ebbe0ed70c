#include "agent/base/schema_walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/hint.h"

/* "set web" of "[set web]", as a fault names its section. */
#define SECTION_TEXT_MAX (2 * NAME_MAX_LEN + 2)

/* A fault with a hint looks at every candidate; a file with so many of them needs no more. */
#define HINTS_MAX 100

void schema_fault(struct faults *faults, const struct conf_head *head, const char *key,
		  const char *fmt, ...)
{
	const struct ini_section *origin = head->origin;
	const struct ini_key *given;
	char section[SECTION_TEXT_MAX], text[1024];
	va_list ap;

	if (!origin)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(section, sizeof(section), "%s%s%s", origin->kind, origin->name ? " " : "",
		 origin->name ? origin->name : "");
	given = key ? ini_find(origin, key) : NULL;
	faults_add(faults, origin->file, given ? given->line : origin->line, section, key, "%s",
		   text);
}

static bool object_exists(const struct schema_section *section, const struct config *config,
			  const char *name)
{
	for (size_t i = 0; i < schema_count_objects(section, config); i++) {
		if (strcmp(((struct conf_head *)schema_nth_object(section, config, i))->name,
			   name) == 0)
			return true;
	}
	return false;
}

static void check_reference(const struct schema *schema, const struct config *config,
			    const struct conf_head *head, const struct schema_key *key,
			    const char *name, struct faults *faults)
{
	const struct schema_section *section = schema_find_kind(schema, key->ref);
	struct hint hint = hint_for(name);

	if (key->ref_any && strcmp(key->ref_any, name) == 0)
		return;
	if (object_exists(section, config, name))
		return;
	for (size_t i = 0; i < schema_count_objects(section, config) && faults->n < HINTS_MAX; i++)
		hint_try(&hint, ((struct conf_head *)schema_nth_object(section, config, i))->name);
	if (hint.best)
		schema_fault(faults, head, key->name, "there is no [%s %s]: did you mean \"%s\"?",
			     key->ref, name, hint.best);
	else
		schema_fault(faults, head, key->name, "there is no [%s %s]", key->ref, name);
}

void schema_check_references(const struct schema *schema, const struct config *config,
			     struct faults *faults)
{
	for (size_t s = 0; s < schema->n_sections; s++) {
		const struct schema_section *section = schema->sections[s];

		for (size_t k = 0; k < schema_count_keys(section); k++) {
			const struct schema_key *key = schema_nth_key(section, k);

			if (!key->ref)
				continue;
			for (size_t o = 0; o < schema_count_objects(section, config); o++) {
				void *object = schema_nth_object(section, config, o);
				const void *field = schema_nth_field(section, object, k);
				const char *name;

				for (size_t i = 0;
				     (name = schema_type_nth_name(key->type, field, i)); i++)
					check_reference(schema, config, object, key, name, faults);
			}
		}
	}
}

bool schema_has(const struct schema *schema, const char *kind, const struct conf_head *head,
		const char *key)
{
	size_t i;

	return schema_find_key(schema_find_kind(schema, kind), key, &i) && (head->has >> i & 1);
}

void schema_override(const struct schema *schema, const char *kind, const struct conf_head *head,
		     const void *from, void *to)
{
	const struct schema_section *section = schema_find_kind(schema, kind);

	for (size_t i = 0; i < section->shared.n; i++) {
		const struct schema_key *key = &section->shared.keys[i];

		if (head->has >> (section->own.n + i) & 1)
			memcpy((char *)to + key->offset, (const char *)from + key->offset,
			       schema_type_size(key->type));
	}
}
