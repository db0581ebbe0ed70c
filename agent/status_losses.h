/* What the status tells of losses, faults and rules left out, a line each. Pure. */
#ifndef TW_STATUS_LOSSES_H
#define TW_STATUS_LOSSES_H

#include <jansson.h>

#include "agent/base/buf.h"

/* Nothing where there is nothing to tell. */
void status_losses(const json_t *status, struct buf *out);

#endif
