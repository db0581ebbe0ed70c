/*
 * Libraries that few verbs and one worker need, loaded when they are: libcurl and GnuTLS bring thirty
 * others along, and to link those costs each start of the program more than all else it does. Edge.
 */
#ifndef TW_LATE_LIB_H
#define TW_LATE_LIB_H

#include <stddef.h>

#include "agent/base/err.h"

struct late_symbol {
	const char *name;
	void *place; /* of the pointer to the function */
};

/*
 * Loads the library `soname` of dlopen(3), for good, and fills in every place. Before a sandbox is
 * entered: it reads files and maps code. Returns 0, or -ENOENT when library or function is missing.
 */
int late_lib_load(const char *soname, const struct late_symbol *symbols, size_t n, struct err *err);

#endif
