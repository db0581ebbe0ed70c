/*
 * Whether a device can carry macvlan and macvtap links, as far as what was observed of it tells: an
 * Ethernet device with its one rx_handler free. Pure.
 */
#ifndef TW_LOWER_FIT_H
#define TW_LOWER_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "netlink/link_kind.h"
#include "netlink/link_state.h"

/*
 * True when links of `kind` cannot stand on `lower`; then `text` has the reason and what helps:
 * "the lower device lo is a loopback device, which carries no macvtap links: another lower device
 * is needed". Otherwise `text` is left alone. `lowers` is the table that `lower` is of.
 */
bool lower_is_unfit(const struct link_table *lowers, const struct link_state *lower,
		    enum link_kind kind, char *text, size_t size);

#endif
