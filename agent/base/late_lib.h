/*
 * Libraries that few verbs and one worker need, loaded when they are: libcurl and GnuTLS bring
 * thirty others along, and to link those costs each start of the program more than all else it
 * does. Edge.
 */
#ifndef TW_LATE_LIB_H
#define TW_LATE_LIB_H

#include <stddef.h>
#include <stdint.h>

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

/*
 * Tells packagers of the library, whose tools look at what a program is linked to: a note as of the
 * UAPI Group's "ELF dlopen Metadata", which `readelf -n` and dh_dlopenlibdeps read. `priority` is
 * "required", "recommended" or "suggested".
 */
#define LATE_LIB_NOTE(soname, priority, what)                                       \
	LATE_LIB_NOTE_TEXT("[{\"soname\":[\"" soname "\"],\"priority\":\"" priority \
			   "\",\"description\":\"" what "\"}]")
#define LATE_LIB_NOTE_TEXT(json)                                                       \
	static const struct {                                                          \
		uint32_t owner_size, text_size, type;                                  \
		char owner[4], text[sizeof(json)];                                     \
	} late_lib_note __attribute__((used, aligned(4), section(".note.dlopen"))) = { \
		4, sizeof(json), 0x407c0c0a, "FDO", json                               \
	}

#endif
