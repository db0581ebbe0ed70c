/* Counters as OpenMetrics text. Pure. */
#ifndef TW_METRICS_H
#define TW_METRICS_H

#include <jansson.h>

#include "agent/base/buf.h"

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* Links above this are told as one, "_other": what reads the metrics keeps a series for each. */
#define METRICS_LINKS_MAX 1000

/*
 * `status` is the answer to /v1/status, `health` that to /v1/health; either may lack anything.
 * Labels are set, link, protocol, le, rule, worker, state, listener and what the info metrics have:
 * no MAC, address or pid but there.
 */
void metrics_write(const json_t *status, const json_t *health, struct buf *out);

#endif
