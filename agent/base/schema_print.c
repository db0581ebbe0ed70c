#include "agent/base/schema_walk.h"

#include <errno.h>
#include <string.h>

/* ---- as INI text ----------------------------------------------------------------------------- */

static int write_keys(const struct schema_keys *keys, const struct conf_head *head,
		      unsigned int role, struct buf *out)
{
	const char *base = (const char *)head + keys->offset;
	struct buf live;
	int code = 0;

	buf_init(&live, INI_LINE_MAX);
	for (size_t i = 0; i < keys->n && !code; i++) {
		const struct schema_key *key = &keys->keys[i];
		const struct ini_key *given = head->origin ? ini_find(head->origin, key->name)
							   : NULL;

		if (!(key->roles & role))
			continue;
		buf_reset(&live);
		if (!key->live)
			code = given ? ini_write_key(out, key->name, given->value) : 0;
		else if (schema_type_format(key->type, base + key->offset, &live))
			code = live.failed ? -EINVAL : ini_write_key(out, key->name, live.data);
	}
	if (live.data)
		explicit_bzero(live.data, live.len);
	buf_done(&live);
	return code;
}

static int write_object(const struct schema_section *section, const struct conf_head *head,
			unsigned int role, struct buf *out, struct err *err)
{
	int code;

	buf_addf(out, "[%s%s%s]\n", section->kind, head->name ? " " : "",
		 head->name ? head->name : "");
	code = write_keys(&section->own, head, role, out);
	if (!code)
		code = write_keys(&section->shared, head, role, out);
	if (!code && out->failed)
		code = -ENOMEM;
	if (code)
		return err_errno(err, code, "cannot write a copy of [%s%s%s]", section->kind,
				 head->name ? " " : "", head->name ? head->name : "");
	return 0;
}

int schema_write(const struct schema *schema, const struct config *config, enum config_role role,
		 struct buf *out, struct err *err)
{
	int code = 0;

	for (size_t s = 0; s < schema->n_sections && !code; s++) {
		const struct schema_section *section = schema->sections[s];

		if (!(section->roles & (unsigned int)role))
			continue;
		for (size_t o = 0; o < schema_count_objects(section, config) && !code; o++)
			code = write_object(section, schema_nth_object(section, config, o), role,
					    out, err);
	}
	return code;
}

/* ---- as documentation ------------------------------------------------------------------------ */

#define DOCUMENT_COLUMNS 80u

/* A paragraph of lines that a terminal of 80 columns shows, each below the key's name. */
static void document_text(const char *text, struct buf *out)
{
	size_t room = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (len < room) {
			buf_addc(out, ' ');
			room -= len + 1;
		} else {
			buf_adds(out, "\n        ");
			room = DOCUMENT_COLUMNS - 8 > len ? DOCUMENT_COLUMNS - 8 - len : 0;
		}
		buf_add(out, text, len);
		text += len + strspn(text + len, " ");
	}
	buf_addc(out, '\n');
}

static void document_type(const struct schema_key *key, struct buf *out)
{
	if (key->bounds.n_words == 0)
		buf_adds(out, schema_type_name(key->type));
	for (size_t i = 0; i < key->bounds.n_words; i++)
		buf_addf(out, "%s%s", i ? "|" : "", key->bounds.words[i]);
	if (key->type == SCHEMA_FLAGS)
		buf_adds(out, "...|none");
}

static void document_size(uint64_t bytes, struct buf *out)
{
	static const char units[] = "\0KMG";
	size_t unit = 0;

	while (unit < 3 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	buf_addf(out, "%llu%.1s", (unsigned long long)bytes, &units[unit]);
}

static void document_range(const struct schema_key *key, struct buf *out)
{
	if (key->type == SCHEMA_U32 && key->bounds.max)
		buf_addf(out, ", %llu to %llu", (unsigned long long)key->bounds.min,
			 (unsigned long long)key->bounds.max);
	if (key->type == SCHEMA_SIZE && key->bounds.max) {
		buf_adds(out, ", ");
		document_size(key->bounds.min, out);
		buf_adds(out, " to ");
		document_size(key->bounds.max, out);
	}
}

static void document_key(const struct schema_key *key, bool inherits, struct buf *out)
{
	buf_addf(out, "    %s = ", key->name);
	document_type(key, out);
	document_range(key, out);
	if (inherits)
		buf_adds(out, "; default: that of the set");
	else if (key->required)
		buf_adds(out, "; required");
	else if (key->def_help)
		buf_addf(out, "; default: %s", key->def_help);
	else if (key->def && *key->def)
		buf_addf(out, "; default: %s", key->def);
	document_text(key->help, out);
}

static void document_keys(const struct schema_keys *keys, bool inherits, struct buf *out)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (!keys->keys[i].internal)
			document_key(&keys->keys[i], inherits, out);
	}
}

void schema_document(struct buf *out)
{
	for (size_t s = 0; s < config_schema.n_sections; s++) {
		const struct schema_section *section = config_schema.sections[s];

		buf_addf(out, "%s[%s%s]\n    %s\n\n", s ? "\n" : "", section->kind,
			 section->named ? " NAME" : "", section->help);
		document_keys(&section->own, false, out);
		document_keys(&section->shared, section->inherits, out);
	}
}
