/* What no key can tell of itself: faults between the sections of a configuration. Pure. */
#ifndef TW_CONFIG_CROSS_H
#define TW_CONFIG_CROSS_H

#include "agent/base/config.h"

/*
 * Adds a fault for each; fields of keys that are at fault themselves may be NULL and are passed
 * over. Returns 0 or -ENOMEM.
 */
int config_cross_check(const struct config *config, struct faults *faults);

#endif
