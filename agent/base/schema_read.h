/*
 * Inside the types of configuration values: what a reader is given, those of texts
 * (schema_text.c) and those of lists (schema_list.c). Pure.
 */
#ifndef TW_SCHEMA_READ_H
#define TW_SCHEMA_READ_H

#include "agent/base/schema_type.h"

typedef int (*schema_check)(const char *text, struct err *err);

struct schema_reader {
	const struct schema_bounds *bounds;
	const char *name;
	schema_check check; /* of the whole text, or of each item of a list */
};

/* Both list forms are a pointer and a length, one behind the other. */
struct schema_list {
	void *v;
	size_t n;
};

/* A text of bounds->min to bounds->max bytes, of which `schema_reader.check` is asked; owned. */
int schema_read_text(const struct schema_reader *reader, const char *text, void *field,
		     struct err *err);
void schema_done_text(void *field);
bool schema_format_text(const void *field, struct buf *out);

/* Hex digits of bytes that are none NUL, which are wiped when they are freed. */
int schema_read_secret(const struct schema_reader *reader, const char *text, void *field,
		       struct err *err);
void schema_done_secret(void *field);
bool schema_format_secret(const void *field, struct buf *out);

/* Of texts: 0, or -EINVAL with what is wrong. */
int schema_check_path(const char *text, struct err *err);
int schema_check_user(const char *text, struct err *err);
int schema_check_owner(const char *text, struct err *err);
int schema_check_template(const char *text, struct err *err);
int schema_check_regex(const char *text, struct err *err);
int schema_check_net_address(const char *text, struct err *err);

/* Items are separated by blanks or commas; `schema_reader.check` is asked of each. */
int schema_read_strv(const struct schema_reader *reader, const char *text, void *field,
		     struct err *err);
void schema_done_strv(void *field);

int schema_read_portals(const struct schema_reader *reader, const char *text, void *field,
			struct err *err);
int schema_read_listens(const struct schema_reader *reader, const char *text, void *field,
			struct err *err);
void schema_done_host_ports(void *field);

/* A mask of 1 << place in `schema_reader.bounds->words`, none twice; "none" is 0. */
int schema_read_flags(const struct schema_reader *reader, const char *text, void *field,
		      struct err *err);

/* Unicast MACs, none twice. */
int schema_read_sources(const struct schema_reader *reader, const char *text, void *field,
			struct err *err);

/* Addresses with their prefixes, none twice. */
int schema_read_cidrs(const struct schema_reader *reader, const char *text, void *field,
		      struct err *err);

/* IPv4 and IPv6 addresses and prefixes, none twice. */
int schema_read_prefixes(const struct schema_reader *reader, const char *text, void *field,
			 struct err *err);

/* The fault of a word that is none of `schema_reader.bounds->words`, with a hint. */
int schema_unknown_word(const struct schema_reader *reader, const char *text, struct err *err);

/* Of items of a list, likewise. */
int schema_check_group(const char *text, struct err *err);
int schema_check_glob(const char *text, struct err *err);

#endif
