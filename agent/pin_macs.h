/* Automatic MAC addresses as if the configuration's file had said them. */
#ifndef TW_PIN_MACS_H
#define TW_PIN_MACS_H

#include "agent/base/config.h"
#include "agent/base/err.h"

/*
 * Writes the automatic MAC of each guest into the configuration, as if the file had said so: it is
 * made from the host's identity, which neither a worker nor web/ knows. 0 or a negative errno.
 */
int pin_macs(struct config *config, struct err *err);

#endif
