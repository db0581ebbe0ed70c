/*
 * The addresses that DHCP servers gave to guests, as the capture worker tells them: for `learn =
 * dhcp`.
 *
 * Kept in a file of run-dir, so that neither an agent that starts again nor `plan` and `apply` cut
 * a guest off. Edge: reads and writes that file. Time is CLOCK_REALTIME in seconds, since leases go
 * on while no agent runs.
 */
#ifndef TW_LEASES_H
#define TW_LEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/ipc_msg.h"
#include "agent/base/link_types.h"

#define LEASES_NAME "leases"
#define LEASES_MAX  (GUEST_LEASES_MAX * 16384u) /* links: CONFIG_LINKS_MAX */

struct lease {
	char link[IFNAME_SIZE];
	uint8_t mac[MAC_LEN]; /* of the link then: another guest has another one */
	struct cidr address; /* of one host */
	int64_t until; /* INT64_MAX: for ever */
};

/* Zero-initialise. */
struct leases {
	struct lease *list;
	size_t n;
};

void leases_done(struct leases *leases);

/*
 * Replaces the content by the file's; without a file there are none. Lines that are wrong are an
 * error.
 */
int leases_load(struct leases *leases, const char *run_dir, struct err *err);

/* Writes a new file in place of the old one. */
int leases_save(const struct leases *leases, const char *run_dir, struct err *err);

/*
 * The link has this lease from here on, in place of one of the same family; until 0 takes it away
 * if it has it. Returns whether an address came or went, or a negative errno.
 */
int leases_set(struct leases *leases, const struct lease *lease);

/* Takes away what is over by `now`, and returns whether any was. */
bool leases_expire(struct leases *leases, int64_t now);

/* When the next one is over; INT64_MAX: none ever is. */
int64_t leases_next(const struct leases *leases);

/*
 * Adds those of a link behind what is in `addresses`, and returns how many: at most
 * GUEST_LEASES_MAX.
 */
uint32_t leases_add_to(const struct leases *leases, const char *link, const uint8_t mac[MAC_LEN],
		       int64_t now, struct guest_addrs *addresses);

#endif
