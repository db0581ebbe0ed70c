/* What two guests have in common by mistake. Pure. */
#ifndef TW_CONFIG_SHARED_H
#define TW_CONFIG_SHARED_H

#include "agent/base/config.h"

/*
 * Adds a note, in the form of a fault, to each guest and target that has what one before it has and
 * two machines at once must not have: a LUN, an initiator's name, an address, a UUID. Guests that
 * take turns may share them.
 */
void config_note_shared(const struct config *config, struct faults *notes);

#endif
