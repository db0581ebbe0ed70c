/* What [target] and [guest] sections must have beside what each key says by itself. Pure. */
#ifndef TW_CONFIG_BOOT_H
#define TW_CONFIG_BOOT_H

#include "agent/base/config.h"

/* Each portal is a path of one SAN device; iPXE keeps them all open, so a few are plenty. */
#define BOOT_PORTALS_MAX 8

void config_check_target(const struct target_conf *target, struct faults *faults);
void config_check_guest(const struct guest_conf *guest, struct faults *faults);

#endif
