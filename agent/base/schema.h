/*
 * The machinery of the configuration's tables: one table entry validates a key, fills its field,
 * gives its default, says who may see it, and prints as documentation.
 *
 * Pure. The tables are in config_schema*.c.
 */
#ifndef TW_SCHEMA_H
#define TW_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/schema_type.h"

struct schema_key {
	const char *name;
	enum schema_type type;
	size_t offset; /* of the field */
	const char *def; /* as in a file; NULL: the field stays zero */
	const char *def_help; /* for documentation, where `def` does not say it */
	struct schema_bounds bounds;
	unsigned int roles; /* enum config_role mask: whose copy has it */
	const char *ref; /* kind of section that the value names; NULL: none */
	const char *ref_any; /* a word that stands for all of them */
	bool required;
	bool internal; /* only in the copies for workers */
	bool live; /* may change after loading: copies take it from the field, not from the file */
	const char *help;
};

struct schema_keys {
	const struct schema_key *keys;
	size_t n;
	size_t offset; /* of what the keys' own offsets count from */
};

struct schema_section {
	const char *kind;
	bool named; /* any number of [kind NAME], in an array; else one [kind], in the struct */
	size_t size; /* of the struct, which a struct conf_head leads */
	size_t offset; /* in struct config: of the struct, or of the pointer to the array */
	size_t offset_n; /* in struct config: of the array's length */
	unsigned int roles;
	const char *reserved; /* a name that no section of this kind may have */
	struct schema_keys own;
	/* Keys that a section gives to the sections that refer to it, which may give their own. */
	struct schema_keys shared;
	bool inherits; /* of `shared`, nothing is required and nothing has a default */
	const char *help;
};

struct schema {
	const struct schema_section *const *sections;
	size_t n_sections;
};

/* The tables of struct config. */
extern const struct schema config_schema;

/*
 * Fills `config` (all zero) from `ini`, with defaults for what is not given. Everything wrong is
 * added to `faults`; what could be read is filled all the same. `internal` allows the keys of the
 * workers' copies. Returns 0 or -ENOMEM. schema_done() frees the content in any case.
 */
int schema_fill(const struct schema *schema, const struct ini *ini, bool internal,
		struct config *config, struct faults *faults);
void schema_done(const struct schema *schema, struct config *config);

/* Adds a fault for each value that names a section which does not exist. */
void schema_check_references(const struct schema *schema, const struct config *config,
			     struct faults *faults);

/* Whether `key` was given in the section of `head`, whose kind is `kind`. */
bool schema_has(const struct schema *schema, const char *kind, const struct conf_head *head,
		const char *key);

/*
 * Copies the shared keys that a section of kind `kind` gave from `from` to `to`, pointers and all.
 */
void schema_override(const struct schema *schema, const char *kind, const struct conf_head *head,
		     const void *from, void *to);

/* Appends, as INI text, every section and key of `config` that `role` may see. 0 or -errno. */
int schema_write(const struct schema *schema, const struct config *config, enum config_role role,
		 struct buf *out, struct err *err);

/*
 * A fault of the section of `head`, at the line of `key` where it is given, else of the header.
 * Nothing is added for a section that is not in a file.
 */
void schema_fault(struct faults *faults, const struct conf_head *head, const char *key,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Every section and key of the configuration with type, default and help. */
void schema_document(struct buf *out);

#endif
