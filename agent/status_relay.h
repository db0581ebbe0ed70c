/* What `status` tells of the relay of an inline link. */
#ifndef TW_STATUS_RELAY_H
#define TW_STATUS_RELAY_H

#include <jansson.h>

#include "agent/base/stats.h"
#include "agent/sources.h"

/* Null for a link that has none; `source` may be NULL. */
json_t *status_relay_json(const struct stats_page *stats, const struct source *source);

/* Frames that did not get to the kernel's filter, which would have dropped them. */
uint64_t status_relay_filtered(const struct stats_page *stats, const struct source *source);

#endif
