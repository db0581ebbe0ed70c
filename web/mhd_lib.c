#include "web/mhd_lib.h"

#include "agent/base/late_lib.h"

/* The Makefile knows which one is there. */
#ifndef MHD_SONAME
#define MHD_SONAME "libmicrohttpd.so.12"
#endif

LATE_LIB_NOTE(MHD_SONAME, "required", "the web worker");

struct mhd_lib mhd_lib;

int mhd_lib_load(struct err *err)
{
#define MHD_LIB_SYMBOL(name) { "MHD_" #name, &mhd_lib.name },
	static const struct late_symbol symbols[] = { MHD_LIB_FUNCTIONS(MHD_LIB_SYMBOL) };
#undef MHD_LIB_SYMBOL

	return late_lib_load(MHD_SONAME, symbols, sizeof(symbols) / sizeof(symbols[0]), err);
}
