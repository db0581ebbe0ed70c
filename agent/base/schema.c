#include "agent/base/schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- walking the tables ---------------------------------------------------------------------- */

static const struct schema_section *find_kind(const struct schema *schema, const char *kind)
{
	for (size_t i = 0; i < schema->n_sections; i++) {
		if (strcmp(schema->sections[i]->kind, kind) == 0)
			return schema->sections[i];
	}
	return NULL;
}

static size_t count_keys(const struct schema_section *section)
{
	return section->own.n + section->shared.n;
}

/* Key `i` of own and shared keys together: its number is its bit in conf_head.has. */
static const struct schema_key *nth_key(const struct schema_section *section, size_t i)
{
	return i < section->own.n ? &section->own.keys[i]
				  : &section->shared.keys[i - section->own.n];
}

static void *nth_field(const struct schema_section *section, void *object, size_t i)
{
	size_t base = i < section->own.n ? section->own.offset : section->shared.offset;

	return (char *)object + base + nth_key(section, i)->offset;
}

static bool find_key(const struct schema_section *section, const char *name, size_t *ret_i)
{
	for (size_t i = 0; i < count_keys(section); i++) {
		if (strcmp(nth_key(section, i)->name, name) == 0) {
			*ret_i = i;
			return true;
		}
	}
	return false;
}

static size_t count_objects(const struct schema_section *section, const struct config *config)
{
	size_t n;

	if (!section->named)
		return 1;
	memcpy(&n, (const char *)config + section->offset_n, sizeof(n));
	return n;
}

/* The first of `section`, or the only one; NULL for an array without any. */
static char *first_object(const struct schema_section *section, const struct config *config)
{
	char *first = (char *)config + section->offset;

	if (section->named)
		memcpy(&first, (const char *)config + section->offset, sizeof(first));
	return first;
}

static void *nth_object(const struct schema_section *section, const struct config *config, size_t i)
{
	return first_object(section, config) + i * section->size;
}

/* ---- filling --------------------------------------------------------------------------------- */

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
	meant = find_kind(filler->schema, hint.best);
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

	for (i = 0; i < count_keys(section); i++) {
		if (filler->internal || !nth_key(section, i)->internal)
			hint_try(&hint, nth_key(section, i)->name);
	}
	if (hint.best) {
		schema_fault(filler->faults, head, name, "unknown key: did you mean \"%s\"?",
			     hint.best);
		return;
	}
	for (size_t s = 0; s < filler->schema->n_sections; s++) {
		const struct schema_section *other = filler->schema->sections[s];

		if (find_key(other, name, &i) && !nth_key(other, i)->internal) {
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

		if (!find_key(section, given->name, &i) ||
		    (nth_key(section, i)->internal && !filler->internal)) {
			unknown_key(filler, section, head, given->name);
			continue;
		}
		key = nth_key(section, i);
		head->has |= UINT64_C(1) << i;
		code = schema_type_read(key->type, &key->bounds, key->name, given->value,
					nth_field(section, object, i), &err);
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

	for (size_t i = 0; i < count_keys(section); i++) {
		const struct schema_key *key = nth_key(section, i);
		bool given = head->has >> i & 1;
		int code;

		if (section->inherits && i >= section->own.n)
			continue;
		if (key->required && !given && from && !from->damaged)
			schema_fault(filler->faults, head, key->name, "is missing: %s", key->help);
		if (given || !key->def)
			continue;
		code = schema_type_read(key->type, &key->bounds, key->name, key->def,
					nth_field(section, object, i), NULL);
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
	for (size_t i = 0; i < count_keys(section); i++)
		schema_type_done(nth_key(section, i)->type, nth_field(section, object, i));
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
		if (!find_kind(schema, ini->sections[i].kind))
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

		for (size_t o = 0; o < count_objects(section, config); o++)
			object_done(section, nth_object(section, config, o));
		if (section->named)
			free(first_object(section, config));
	}
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool object_exists(const struct schema_section *section, const struct config *config,
			  const char *name)
{
	for (size_t i = 0; i < count_objects(section, config); i++) {
		if (strcmp(((struct conf_head *)nth_object(section, config, i))->name, name) == 0)
			return true;
	}
	return false;
}

static void check_reference(const struct schema *schema, const struct config *config,
			    const struct conf_head *head, const struct schema_key *key,
			    const char *name, struct faults *faults)
{
	const struct schema_section *section = find_kind(schema, key->ref);
	struct hint hint = hint_for(name);

	if (key->ref_any && strcmp(key->ref_any, name) == 0)
		return;
	if (object_exists(section, config, name))
		return;
	for (size_t i = 0; i < count_objects(section, config) && faults->n < HINTS_MAX; i++)
		hint_try(&hint, ((struct conf_head *)nth_object(section, config, i))->name);
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

		for (size_t k = 0; k < count_keys(section); k++) {
			const struct schema_key *key = nth_key(section, k);

			if (!key->ref)
				continue;
			for (size_t o = 0; o < count_objects(section, config); o++) {
				void *object = nth_object(section, config, o);
				const void *field = nth_field(section, object, k);
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

	return find_key(find_kind(schema, kind), key, &i) && (head->has >> i & 1);
}

void schema_override(const struct schema *schema, const char *kind, const struct conf_head *head,
		     const void *from, void *to)
{
	const struct schema_section *section = find_kind(schema, kind);

	for (size_t i = 0; i < section->shared.n; i++) {
		const struct schema_key *key = &section->shared.keys[i];

		if (head->has >> (section->own.n + i) & 1)
			memcpy((char *)to + key->offset, (const char *)from + key->offset,
			       schema_type_size(key->type));
	}
}
