/* What of a link that is there differs from what is wanted, and can be changed live. Pure. */
#ifndef TW_LINK_COMPARE_H
#define TW_LINK_COMPARE_H

#include "netlink/link_steps.h"

/*
 * Adds to the attributes of `step` what differs between its spec and its link, and to its reason
 * how. `node` is what /dev has for the tap, NULL when that is not looked at; one that cannot be had
 * although it is to be changed sets the step's block.
 */
void link_compare(struct link_step *step, const struct tap_node *node);

#endif
