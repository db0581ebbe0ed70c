#include "agent/curl_lib.h"

#include "agent/base/late_lib.h"

/* The Makefile knows which of its builds is linked to by default. */
#ifndef CURL_SONAME
#define CURL_SONAME "libcurl.so.4"
#endif

LATE_LIB_NOTE(CURL_SONAME, "required", "commands that ask a running agent");

struct curl_lib curl_lib;

int curl_lib_load(struct err *err)
{
#define CURL_LIB_SYMBOL(name) { "curl_" #name, &curl_lib.name },
	static const struct late_symbol symbols[] = { CURL_LIB_FUNCTIONS(CURL_LIB_SYMBOL) };
#undef CURL_LIB_SYMBOL

	return late_lib_load(CURL_SONAME, symbols, sizeof(symbols) / sizeof(symbols[0]), err);
}
