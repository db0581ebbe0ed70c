/* Users and groups by name or number. Edge: asks the host's name services. */
#ifndef TW_OWNER_H
#define TW_OWNER_H

#include <stdint.h>

#include "agent/base/err.h"

/*
 * "user:group" or "user", each a name or a number. Without a group it is that of the user, and for
 * a number that no user has the same number. -ENOENT for a name that does not exist.
 */
int owner_find(const char *text, uint32_t *ret_uid, uint32_t *ret_gid, struct err *err);

#endif
