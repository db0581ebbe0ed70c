/* The table of the words of `tapwarden extract`. Edge: reads the files of -f. */
#ifndef TW_EXTRACT_TABLE_H
#define TW_EXTRACT_TABLE_H

#include <getopt.h>

#include "agent/extract_options.h"
#include "agent/extract_patterns.h"

/* All that words fill. */
struct extract_filled {
	struct extract_options o;
	struct extract_words words;
};

/* More words than there are. */
#define EXTRACT_TABLE_MAX 64

/* The table, as getopt_long(3) wants it. */
struct extract_table {
	struct option longs[EXTRACT_TABLE_MAX + 1];
	char letters[2 * EXTRACT_TABLE_MAX + 2];
};

void extract_table(struct extract_table *ret);

/*
 * Reads a word that getopt_long(3) returned as `c` by this table, with its value, which is argv's;
 * NULL for a word that takes none. 0; -EINVAL with what is wrong; -ENOMEM.
 */
int extract_table_read(int c, char *value, struct extract_filled *f, struct err *err);

#endif
