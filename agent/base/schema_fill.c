#include "agent/base/schema_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hint.h"

struct filler {
	const struct schema *schema;
	struct faults *faults;
	bool internal;
};

static void unknown_section(const struct filler *filler, const struct ini_section *from)
{
	struct conf_head head = { .origin = from };
	struct hint hint = hint_for(from->kind);
	const struct schema_section *meant;

	for (size_t i = 0; i < filler->schema->n_sections; i++)
		hint_try(&hint, filler->schema->sections[i]->kind);
	if (!hint.best) {
		schema_fault(filler->faults, &head, NULL, "unknown section");
		return;
	}
	meant = schema_find_kind(filler->schema, hint.best);
	schema_fault(filler->faults, &head, NULL, "unknown section: did you mean [%s%s%s]?",
		     meant->kind, meant->named ? " " : "",
		     !meant->named ? ""
		     : from->name  ? from->name
				   : "NAME");
}

/* Whether the header has the form and the name that its kind asks for. */
static bool header_is_valid(const struct filler *filler, const struct schema_section *section,
			    const struct ini_section *from)
{
	struct conf_head head = { .origin = from };
	struct err err;

	if (!section->named && from->name) {
		schema_fault(filler->faults, &head, NULL, "there is one such section: write [%s]",
			     section->kind);
		return false;
	}
	if (section->named && !from->name) {
		schema_fault(filler->faults, &head, NULL, "it needs a name: write [%s NAME]",
			     section->kind);
		return false;
	}
	if (section->named && parse_name(from->name, &err) < 0) {
		schema_fault(filler->faults, &head, NULL, "%s", err.text);
		return false;
	}
	if (section->reserved && from->name && strcmp(section->reserved, from->name) == 0) {
		schema_fault(filler->faults, &head, NULL, "\"%s\" means all of them, not one",
			     from->name);
		return false;
	}
	return true;
}

static void unknown_key(const struct filler *filler, const struct schema_section *section,
			const struct conf_head *head, const char *name)
{
	struct hint hint = hint_for(name);
	size_t i;

	for (i = 0; i < schema_count_keys(section); i++) {
		if (filler->internal || !schema_nth_key(section, i)->internal)
			hint_try(&hint, schema_nth_key(section, i)->name);
	}
	if (hint.best) {
		schema_fault(filler->faults, head, name, "unknown key: did you mean \"%s\"?",
			     hint.best);
		return;
	}
	for (size_t s = 0; s < filler->schema->n_sections; s++) {
		const struct schema_section *other = filler->schema->sections[s];

		if (schema_find_key(other, name, &i) && !schema_nth_key(other, i)->internal) {
			schema_fault(filler->faults, head, name,
				     "unknown key: it belongs into [%s%s]", other->kind,
				     other->named ? " NAME" : "");
			return;
		}
	}
	schema_fault(filler->faults, head, name, "unknown key");
}

/* Reads what the file gives; a key with a faulty value counts as given. */
static int fill_given(const struct filler *filler, const struct schema_section *section,
		      const struct ini_section *from, void *object)
{
	struct conf_head *head = object;
	struct err err;
	size_t i;

	for (size_t k = 0; k < from->n_keys; k++) {
		const struct ini_key *given = &from->keys[k];
		const struct schema_key *key;
		int code;

		if (!schema_find_key(section, given->name, &i) ||
		    (schema_nth_key(section, i)->internal && !filler->internal)) {
			unknown_key(filler, section, head, given->name);
			continue;
		}
		key = schema_nth_key(section, i);
		head->has |= UINT64_C(1) << i;
		code = schema_type_read(key->type, &key->bounds, key->name, given->value,
					schema_nth_field(section, object, i), &err);
		if (code == -ENOMEM)
			return code;
		if (code)
			schema_fault(filler->faults, head, key->name, "%s", err.text);
	}
	return 0;
}

/* A field whose value was faulty stays zero: nobody uses a configuration with a fault. */
static int fill_defaults(const struct filler *filler, const struct schema_section *section,
			 const struct ini_section *from, void *object)
{
	struct conf_head *head = object;

	for (size_t i = 0; i < schema_count_keys(section); i++) {
		const struct schema_key *key = schema_nth_key(section, i);
		bool given = head->has >> i & 1;
		int code;

		if (section->inherits && i >= section->own.n)
			continue;
		if (key->required && !given && from && !from->damaged)
			schema_fault(filler->faults, head, key->name, "is missing: %s", key->help);
		if (given || !key->def)
			continue;
		code = schema_type_read(key->type, &key->bounds, key->name, key->def,
					schema_nth_field(section, object, i), NULL);
		if (code)
			return code;
	}
	return 0;
}

static int fill_object(const struct filler *filler, const struct schema_section *section,
		       const struct ini_section *from, void *object)
{
	struct conf_head *head = object;
	int code;

	head->origin = from;
	if (from && from->name) {
		head->name = strdup(from->name);
		if (!head->name)
			return -ENOMEM;
	}
	code = from ? fill_given(filler, section, from, object) : 0;
	return code ? code : fill_defaults(filler, section, from, object);
}

static void object_done(const struct schema_section *section, void *object)
{
	for (size_t i = 0; i < schema_count_keys(section); i++)
		schema_type_done(schema_nth_key(section, i)->type,
				 schema_nth_field(section, object, i));
	free((char *)((struct conf_head *)object)->name);
	memset(object, 0, section->size);
}

/* A section given again is read for its faults alone. */
static int fill_next(const struct filler *filler, const struct schema_section *section,
		     const struct ini_section *from, void *object, size_t *n)
{
	int code = fill_object(filler, section, from, object);

	if (code || from->again)
		object_done(section, object);
	else
		(*n)++;
	return code;
}

static int fill_named(const struct filler *filler, const struct schema_section *section,
		      const struct ini *ini, struct config *config)
{
	size_t n = 0;
	char *array;
	int code = 0;

	for (size_t i = 0; i < ini->n_sections; i++)
		n += strcmp(ini->sections[i].kind, section->kind) == 0;
	if (n == 0)
		return 0;
	array = calloc(n, section->size);
	if (!array)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < ini->n_sections && !code; i++) {
		const struct ini_section *from = &ini->sections[i];

		if (strcmp(from->kind, section->kind) == 0 &&
		    header_is_valid(filler, section, from))
			code = fill_next(filler, section, from, array + n * section->size, &n);
	}
	memcpy((char *)config + section->offset, &array, sizeof(array));
	memcpy((char *)config + section->offset_n, &n, sizeof(n));
	return code;
}

static int fill_single(const struct filler *filler, const struct schema_section *section,
		       const struct ini *ini, struct config *config)
{
	char *object = (char *)config + section->offset;
	size_t n = 0;
	int code = 0;

	/* From the last to the first: the one that counts is read last, into an empty struct. */
	for (size_t i = ini->n_sections; i > 0 && !code; i--) {
		const struct ini_section *from = &ini->sections[i - 1];

		if (strcmp(from->kind, section->kind) == 0 &&
		    header_is_valid(filler, section, from))
			code = fill_next(filler, section, from, object, &n);
	}
	return code || n ? code : fill_object(filler, section, NULL, object);
}

int schema_fill(const struct schema *schema, const struct ini *ini, bool internal,
		struct config *config, struct faults *faults)
{
	const struct filler filler = { schema, faults, internal };
	int code = 0;

	for (size_t i = 0; i < ini->n_sections; i++) {
		if (!schema_find_kind(schema, ini->sections[i].kind))
			unknown_section(&filler, &ini->sections[i]);
	}
	for (size_t i = 0; i < schema->n_sections && !code; i++) {
		const struct schema_section *section = schema->sections[i];

		code = section->named ? fill_named(&filler, section, ini, config)
				      : fill_single(&filler, section, ini, config);
	}
	return code;
}

void schema_done(const struct schema *schema, struct config *config)
{
	for (size_t s = 0; s < schema->n_sections; s++) {
		const struct schema_section *section = schema->sections[s];

		for (size_t o = 0; o < schema_count_objects(section, config); o++)
			object_done(section, schema_nth_object(section, config, o));
		if (section->named)
			free(schema_first_object(section, config));
	}
}
