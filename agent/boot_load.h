/* A guest of the configuration as boot verbs need it: with its secrets and its MAC address. */
#ifndef TW_BOOT_LOAD_H
#define TW_BOOT_LOAD_H

#include "agent/base/config.h"
#include "web/boot_spec.h"

/*
 * Fills `ret` for guest `name`; its pointers belong to `config`, into which the secrets of the
 * guest's target are read and every automatic MAC is written. 0 or a negative errno.
 */
int boot_load(struct config *config, const char *name, struct boot_spec *ret, struct err *err);

#endif
