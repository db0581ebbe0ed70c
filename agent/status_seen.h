/* What a link's frames say of its guest, for `status`: from the counters pages. */
#ifndef TW_STATUS_SEEN_H
#define TW_STATUS_SEEN_H

#include "agent/status.h"

/*
 * Writes `seen`, null for a link that is not watched or of whose guest nothing was heard yet:
 *
 *   hostname, refused, foreign_macs,
 *   addresses [address, vlan or null, by "arp", "nd", "dhcp4" or "dhcp6", tentative, conflict (a
 *              link) or null, since, age, lease (seconds, -1: for ever) or null]
 */
void status_seen_write(struct json_writer *w, const struct status_input *in,
		       const struct source *source);

#endif
