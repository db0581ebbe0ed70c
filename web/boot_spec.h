/* What one guest boots from, as typed and validated values. Pure. */
#ifndef TW_BOOT_SPEC_H
#define TW_BOOT_SPEC_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/err.h"

/* Each portal is a path of one SAN device; iPXE keeps them all open, so a few are plenty. */
#define BOOT_PORTALS_MAX 8

/* udev prints LUN 256 and above in another form, and flat addressing begins there (RFC 4173). */
#define BOOT_LUN_MAX 255

/* RFC 3720 section 8.2.1 asks for 96 bits at least; 255 is the longest value of a login key (5.1). */
#define CHAP_SECRET_MIN 12
#define CHAP_SECRET_MAX 255
#define CHAP_USER_MAX	255

/* Every pointer belongs to the configuration that the spec was made from. */
struct boot_spec {
	const char *guest;
	const char *initiator;
	const char *target; /* iSCSI name */
	const struct host_port *portals;
	size_t n_portals;
	uint32_t lun;
	const char *chap_user; /* NULL: no CHAP, and then chap_secret is NULL too */
	const char *chap_secret;
};

/*
 * Fills `ret` for a guest with boot = san. Returns 0, or -EINVAL (naming section and key) when the
 * values do not go together: no target of that name, no portal, CHAP with only one of its halves.
 */
int boot_spec_init(struct boot_spec *ret, const struct config *config,
		   const struct guest_conf *guest, struct err *err);

#endif
