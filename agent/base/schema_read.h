/* Inside the types of configuration values: what a reader is given, and those of lists. Pure. */
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

int schema_check_group(const char *text, struct err *err);
int schema_check_glob(const char *text, struct err *err);

#endif
