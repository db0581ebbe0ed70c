/* What a link that is there would be as a wanted one, to make it again as it was. Pure. */
#ifndef TW_LINK_FORMER_H
#define TW_LINK_FORMER_H

#include "netlink/link_spec.h"
#include "netlink/link_state.h"

/*
 * Fills `ret` with `spec` but for what only another link can have (its kind, its mode, and with
 * these its flags and source MACs), for what is of its lower device, and for what of the rest
 * `link` shows. Name, marks, filters and the rights of its tap are the spec's.
 */
void link_former_spec(const struct link_spec *spec, const struct link_state *link,
		      struct link_spec *ret);

#endif
