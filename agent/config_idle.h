/* What a file says and nothing heeds: of inline links, where none is. Pure. */
#ifndef TW_CONFIG_IDLE_H
#define TW_CONFIG_IDLE_H

#include "agent/base/config.h"

/*
 * Adds a note for each pattern that is to drop and is tried by no inline link, and for each key of
 * inline links in a section that makes none. No faults: a set may be inline again tomorrow. Without
 * memory nothing is added.
 */
void config_note_idle(const struct config *config, struct faults *notes);

#endif
