/* What a guest may choose at its console instead of what its state says, as iPXE's menu. Pure. */
#ifndef TW_IPXE_MENU_H
#define TW_IPXE_MENU_H

#include <stdint.h>

#include "agent/base/boot_types.h"
#include "agent/base/buf.h"
#include "web/boot_spec.h"

/* What the menu of a guest in `state` has chosen when nobody is there. */
enum boot_state ipxe_menu_default(enum boot_state state);

/*
 * A mask of 1 << enum boot_state of what a guest in `state` may choose; 0 when it has no menu. What
 * its state says is among it.
 */
uint32_t ipxe_menu_offers(uint32_t menu, enum boot_state state);

/*
 * Appends the commands that show the menu of `spec` and chain to what was chosen, which is served
 * behind the guest's own path by the name of its state. The caller looks whether `out` failed.
 */
void ipxe_menu(const struct boot_spec *spec, enum boot_state state, struct buf *out);

#endif
