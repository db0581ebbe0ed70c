/* What no key of a range of lines can tell of itself. Pure. */
#ifndef TW_CONFIG_RANGE_H
#define TW_CONFIG_RANGE_H

#include "agent/base/config.h"

/*
 * Adds a fault for each pattern with half a range, and for each set or link that names one whose
 * range is not for the bytes of guests.
 */
void config_range_check(const struct config *config, struct faults *faults);

#endif
