/* What [web] and [user] sections must be for somebody to log in, and for nobody else to. Pure. */
#ifndef TW_CONFIG_WEB_H
#define TW_CONFIG_WEB_H

#include "agent/base/config.h"

/*
 * Adds every fault: addresses without TLS, nobody to log in, hashes that are none or cost too much.
 */
void config_check_web(const struct config *config, struct faults *faults);

/*
 * Adds what is good to know and no fault, in the same form: hashes that are weaker than policy.
 * They hold all the same, since the file is the operator's.
 */
void config_note_web(const struct config *config, struct faults *notes);

#endif
