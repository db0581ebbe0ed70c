/* What goes with a number in a text: "1 link is", "2 links are". Pure. */
#ifndef TW_PLURAL_H
#define TW_PLURAL_H

#include <stdint.h>

/* The words for `n` of a thing, as ngettext(3) chooses them in English. */
static inline const char *plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

#endif
