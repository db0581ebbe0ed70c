/* What the links of one lower device ask of it together, and cannot have. Pure. */
#ifndef TW_CONFIG_LOWERS_H
#define TW_CONFIG_LOWERS_H

#include "agent/base/config.h"

/*
 * Pointers into the array of config_links(), in any order: they are sorted. Adds a fault for each.
 */
void config_check_lowers(const struct link_wish **wishes, size_t n, struct faults *faults);

#endif
