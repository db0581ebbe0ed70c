/*
 * What outlives a web worker: sessions and failed logins, in memory that it may share with the one
 * before it and the one after. Edge.
 */
#ifndef TW_AUTH_MEMORY_H
#define TW_AUTH_MEMORY_H

#include "web/session.h"
#include "web/throttle.h"

struct auth_memory {
	struct sessions sessions;
	struct throttle throttle;
};

/* All zero, of a size that is sealed (memfd_create(2)): a descriptor, or -errno. */
int auth_memory_create(void);

/*
 * 0, -EINVAL for what auth_memory_create() did not make, or another -errno; auth_memory_unmap()
 * gives it back, and `fd` stays the caller's.
 */
int auth_memory_map(int fd, struct auth_memory **ret);
void auth_memory_unmap(struct auth_memory *memory);

#endif
