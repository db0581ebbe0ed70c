#include "agent/base/late_lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int late_lib_load(const char *soname, const struct late_symbol *symbols, size_t n, struct err *err)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; library && i < n; i++) {
		void *function = dlsym(library, symbols[i].name);

		if (!function)
			library = NULL;
		else
			/*
			 * POSIX lets a function's address pass through a void pointer, C does not.
			 */
			memcpy(symbols[i].place, &function, sizeof(function));
	}
	return library ? 0 : err_set(err, -ENOENT, "cannot load %s: %s", soname, dlerror());
}
