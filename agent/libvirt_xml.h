/* The element of a libvirt domain by which a guest is on a link that is made already. Pure. */
#ifndef TW_LIBVIRT_XML_H
#define TW_LIBVIRT_XML_H

#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/parse.h"

/* What of a link the element says. */
struct libvirt_nic {
	const char *link;
	uint8_t mac[MAC_LEN];
	uint32_t queues;
};

/*
 * Appends <interface type='ethernet'>, for <devices>: managed='no' is what makes libvirt take the
 * link that is there (formatdomain.html, "Generic ethernet connection"). 0, or -EINVAL for a name
 * that XML cannot carry.
 */
int libvirt_xml(const struct libvirt_nic *nic, struct buf *out, struct err *err);

/*
 * Whether an interface that a domain asks for is the link's: libvirt looks at neither its MAC nor
 * its queues. `queues` 0: the domain says nothing of them. 0, or -EINVAL with what differs.
 */
int libvirt_check(const struct libvirt_nic *nic, const char *mac, uint64_t queues, struct err *err);

#endif
