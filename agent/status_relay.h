/* What `status` tells of the relay of an inline link. */
#ifndef TW_STATUS_RELAY_H
#define TW_STATUS_RELAY_H

#include "agent/base/stats.h"
#include "agent/sources.h"
#include "capture/json_writer.h"

/* Writes `relay`, null for a link that has none; `source` may be NULL. */
void status_relay_write(struct json_writer *w, const struct stats_page *stats,
			const struct source *source);

/* Frames that did not get to the kernel's filter, which would have dropped them. */
uint64_t status_relay_filtered(const struct stats_page *stats, const struct source *source);

#endif
