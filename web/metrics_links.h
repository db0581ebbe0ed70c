/* The metrics of links and of their sets. Pure. */
#ifndef TW_METRICS_LINKS_H
#define TW_METRICS_LINKS_H

#include <jansson.h>

#include "agent/base/buf.h"

/* `sets` and `links` are those of the status (agent/status.h); NULL is none. */
void metrics_add_links(struct buf *out, const json_t *sets, const json_t *links);

#endif
