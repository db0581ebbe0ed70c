/* The agent's status as people read it: tables, then what was lost. Pure. */
#ifndef TW_STATUS_VIEW_H
#define TW_STATUS_VIEW_H

#include <jansson.h>

#include "agent/base/buf.h"

/*
 * Of what `GET /v1/status` answers; fields that it does not have are empty. What matters less is
 * left out, and said to be, on a terminal of so many `columns`; 0: nothing is.
 */
void status_view(const json_t *status, size_t columns, struct buf *out);

#endif
